"""What to send to somebody who is to help, shown in full before it is copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QWidget

from app.diagnostics import Diagnostics, collect
from app.engine_probe import probe_engine
from app.hardware import look_at_hardware
from app.i18n import tr
from app.ui.dialogs import CalmDialog
from app.ui.library import sentence_of
from app.ui.theme import TextSize
from app.ui.toast import announce
from app.ui.workspace import Workspace


class DiagnosticsDialog(CalmDialog):
    """Collects on the pool, shows, copies."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        theme = workspace.theme
        super().__init__(theme, parent, tr("Diagnostics"), icon="gauge")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._workspace = workspace
        self.resize(theme.space(170), theme.space(150))
        self.add_sentence(
            tr("For whoever helps you. It holds no chats, no documents, and no names of files, folders or people.")
        )
        self.view = QPlainTextEdit(tr("One moment…"))
        self.view.setProperty("kind", "field")
        self.view.setReadOnly(True)
        self.view.setTabChangesFocus(True)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.view.setFont(theme.font(TextSize.CAPTION, code=True))
        self.view.setAccessibleName(tr("Report"))
        self.body.addWidget(self.view, 1)
        self.copy_button: QPushButton = self.add_button(tr("Copy report"))
        self.copy_button.setEnabled(False)
        self.copy_button.clicked.connect(self._on_copy)
        self.add_button(tr("Close"), kind="primary", default=True).clicked.connect(self.accept)
        self._collect()

    def _collect(self) -> None:
        workspace = self._workspace
        logs, state, models = workspace.paths.logs, workspace.engine_state, workspace.models.entries

        def look() -> Diagnostics:
            return collect(logs, look_at_hardware(), probe_engine(), state, models)

        workspace.bridge.then(workspace.run(look), self._show, self._on_failed, owner=self)

    def _show(self, found: Diagnostics) -> None:
        self.view.setPlainText(found.as_text())
        self.copy_button.setEnabled(True)

    def _on_failed(self, error: BaseException) -> None:
        self.view.setPlainText(sentence_of(error))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.view.toPlainText())
        self.copy_button.setText(tr("Copied"))
        announce(self, tr("Copied"))
