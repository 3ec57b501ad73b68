"""What a persona was asked to remember: turned on or off, listed, changed, added to, taken away and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.limits import PERSONA_FACT_CHARACTERS
from app.personas.memory import Fact, PersonaMemory, Remembered, one_line
from app.ui.amounts import moment_text
from app.ui.icons import IconButton
from app.ui.library import sentence_of
from app.ui.persona_form_pieces import caption, line_field
from app.ui.settings_controls import Switch
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.services import Services

T = TypeVar("T")


class MemoryDialog(QDialog):
    """Every change takes effect at once. A line that is emptied is taken away."""

    def __init__(
        self, workspace: Workspace, services: Services, short_name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._services, self._short_name = workspace, services, short_name
        self._closed = False
        self._loading = True
        theme = workspace.theme
        self.setWindowTitle(tr("What it remembers"))
        self.toasts = Toasts(theme, self)
        self.switch = Switch(theme, self)
        title = QLabel(tr("Remember what I ask it to"))
        title.setProperty("kind", "large")
        title.setBuddy(self.switch)
        self.switch.setAccessibleName(tr("Remember what I ask it to"))
        self._help = caption(
            tr(
                "Only what you ask for yourself, as in “Remember that I eat no meat”: never from documents or answers."
                " It stays on this computer and does not go along when you share the persona."
            )
        )
        self.fields: list[QLineEdit] = []
        self._facts: dict[str, Fact] = {}
        self._rows = QVBoxLayout()
        self._nothing = QLabel(tr("Nothing yet."))
        self._nothing.setProperty("kind", "muted")
        self.new_field = line_field(tr("Something to remember"), tr("Add something to remember"),
                                    most=PERSONA_FACT_CHARACTERS)  # fmt: skip
        self.add_button = QPushButton(tr("Add"), self)
        self.add_button.setAutoDefault(False)
        self.add_button.setEnabled(False)
        self.close_button = QPushButton(tr("Close"), self)
        self.close_button.setProperty("kind", "primary")
        self.close_button.setAutoDefault(False)
        self._lay_out(title)
        self.switch.toggled.connect(self._on_switched)
        self.new_field.textChanged.connect(lambda words: self.add_button.setEnabled(bool(one_line(words))))
        self.new_field.returnPressed.connect(self._on_add)
        self.add_button.clicked.connect(self._on_add)
        self.close_button.clicked.connect(self.accept)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._do(PersonaMemory.read)

    def _lay_out(self, title: QLabel) -> None:
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.switch)
        page = QWidget()
        page.setProperty("kind", "plain")
        inside = QVBoxLayout(page)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._nothing)
        inside.addLayout(self._rows)
        inside.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        self._new = QHBoxLayout()
        self._new.addWidget(self.new_field, 1)
        self._new.addWidget(self.add_button)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        self._column = QVBoxLayout(self)
        self._column.addLayout(head)
        self._column.addWidget(self._help)
        self._column.addWidget(scroll, 1)
        self._column.addLayout(self._new)
        self._column.addLayout(foot)

    def _do(self, change: Callable[[PersonaMemory], object], done: Callable[[], None] | None = None) -> None:
        """Change the memory off the main thread and show what it is then."""

        def work() -> Remembered:
            memory = self._services.personas.memory(self._short_name)
            change(memory)
            return memory.read()

        def finished(remembered: Remembered) -> None:
            self._show(remembered)
            if done is not None:
                done()

        def failed(error: BaseException) -> None:
            self.toasts.show(sentence_of(error))

        self._workspace.bridge.then(self._workspace.run(work), finished, failed, owner=self)

    def _show(self, remembered: Remembered) -> None:
        self._loading = True
        self.switch.setChecked(remembered.on)
        self._loading = False
        facts = {each.id: each for each in remembered.facts if not each.undone}
        if list(facts) != list(self._facts):
            while (item := self._rows.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.hide()
                    widget.deleteLater()
            self.fields = []
            for each in facts.values():
                self._rows.addWidget(self._row(each))
        self._facts = facts  # where the lines are the same, they and the keyboard stay where they are
        self._nothing.setVisible(not facts)

    def _row(self, fact: Fact) -> QWidget:
        row = QWidget(self)
        field = line_field(tr("Remembered: {words}", words=fact.text), most=PERSONA_FACT_CHARACTERS)
        field.setText(fact.text)
        field.setCursorPosition(0)
        field.setToolTip(tr("Since {moment}", moment=moment_text(fact.kept_at)))
        remove = IconButton(self._workspace.theme, "trash-2", tr("Forget this"), size=15)
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(self._workspace.theme.space(1))
        across.addWidget(field, 1)
        across.addWidget(remove)
        field.editingFinished.connect(lambda: self._on_edited(fact.id, field))
        remove.clicked.connect(lambda: self._forget(fact.id))
        self.fields.append(field)
        return row

    def _on_edited(self, fact_id: str, field: QLineEdit) -> None:
        words = one_line(field.text())
        before = self._facts.get(fact_id)
        if self._closed or before is None or words == before.text:
            return
        if words:
            self._facts[fact_id] = replace(before, text=words)  # the loss of the keyboard after Enter says it again
            self._do(lambda memory: memory.edit(fact_id, words))
        else:
            self._forget(fact_id)

    def _forget(self, fact_id: str) -> None:
        if self._facts.pop(fact_id, None) is None:
            return
        self._facts[""] = Fact("", "")  # the lines on show are no longer those that are kept

        def undo() -> None:
            self._do(lambda memory: memory.undo(fact_id, False))

        def told() -> None:
            self.toasts.show(tr("Forgotten"), action=tr("Undo"), run=undo)

        self._do(lambda memory: memory.undo(fact_id), told)

    def _on_add(self) -> None:
        words = one_line(self.new_field.text())
        if words:
            self.new_field.clear()
            self._do(lambda memory: memory.keep(words))

    def _on_switched(self, on: bool) -> None:
        if not self._loading:
            self._do(lambda memory: memory.turn(on))

    def _on_theme_changed(self) -> None:
        space = self._workspace.theme.space
        self._column.setContentsMargins(space(6), space(6), space(6), space(5))
        self._column.setSpacing(space(4))
        self._rows.setSpacing(space(2))
        self._new.setSpacing(space(2))
        self.resize(space(130), space(130))

    def done(self, result: int) -> None:
        """Close it."""
        self._closed = True
        super().done(result)
