"""The works that Hearth stands on: a list, and beside it the licence of the one that is chosen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPlainTextEdit, QVBoxLayout, QWidget

from app.i18n import tr
from app.licences import Licence, licences
from app.ui.dialogs import CalmDialog
from app.ui.library import sentence_of
from app.ui.workspace import Workspace


class LicencesDialog(CalmDialog):
    """Read on the pool when it opens; a text when it is chosen."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theme, parent, tr("Licences"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.add_sentence(tr("Hearth is made of the work of many. Each of these is given to you on its own terms."))
        self._licences: tuple[Licence, ...] = ()
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Works"))
        self.list.setUniformItemSizes(True)
        self._terms = QLabel(self)
        self._terms.setProperty("kind", "muted")
        self._terms.setWordWrap(True)
        self._terms.setTextFormat(Qt.TextFormat.PlainText)
        self.view = QPlainTextEdit(tr("One moment…"), self)
        self.view.setAccessibleName(tr("Licence"))
        self.view.setReadOnly(True)
        self.view.setTabChangesFocus(True)
        self._lay_out()
        self.list.currentRowChanged.connect(self._on_chosen)
        self.add_button(tr("Close"), kind="primary", default=True).clicked.connect(self.accept)
        workspace.bridge.then(workspace.run(licences), self._show, self._on_failed, owner=self)

    def _lay_out(self) -> None:
        space = self.theme.space
        self.list.setFixedWidth(space(55))
        self.list.setStyleSheet(
            f"QListWidget {{ border: 1px solid {self.theme.colors.border}; border-radius: {space(2)}px; }}"
        )
        self.view.setMinimumSize(space(145), space(85))
        text = QVBoxLayout()
        text.setSpacing(space(2))
        text.addWidget(self._terms)
        text.addWidget(self.view, 1)
        row = QHBoxLayout()
        row.setSpacing(space(4))
        row.addWidget(self.list)
        row.addLayout(text, 1)
        self.body.addLayout(row, 1)

    def _show(self, found: tuple[Licence, ...]) -> None:
        self._licences = found
        for each in found:
            item = QListWidgetItem(each.name, self.list)
            item.setSizeHint(QSize(0, self.theme.space(7)))
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, each.terms)
        self.list.setCurrentRow(0)

    def _on_failed(self, error: BaseException) -> None:
        self.view.setPlainText(sentence_of(error))

    def _on_chosen(self, row: int) -> None:
        chosen = self._licences[row]
        self._terms.setText("  ·  ".join(part for part in (chosen.name, chosen.version, chosen.terms) if part))
        self.view.setPlainText(chosen.text() or tr("It came without the text of its licence."))
