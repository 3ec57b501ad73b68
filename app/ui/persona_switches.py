"""What a persona may do, as switches in plain words. Decides nothing."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.personas.persona import Persona
from app.personas.review import Ask
from app.ui.theme import Theme


class PersonaSwitches(QFrame):
    """Its memory and the tools it asks for, off until the person turns them on; below them what holds anyway."""

    def __init__(
        self, theme: Theme, persona: Persona, asks: tuple[Ask, ...], *, remembers: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("kind", "banner")
        self._column = QVBoxLayout(self)
        self.memory = self._add_switch(tr("Remember what you ask it to remember"), remembers)
        self.memory.setToolTip(tr("Only from your own words. You can read, change and remove all of it."))
        self.boxes = {ask.tool: self._add_switch(ask.words, ask.granted) for ask in asks}
        if not asks:
            self._add_words(tr("It asks for no tools."))
        for words in _given(persona):
            self._add_words(words)
        space = theme.space
        self._column.setContentsMargins(space(4), space(3), space(4), space(3))
        self._column.setSpacing(space(2))

    @property
    def remembers(self) -> bool:
        """Whether it may keep what it is asked to."""
        return self.memory.isChecked()

    @property
    def granted(self) -> dict[str, bool]:
        """Each tool and whether it may be used."""
        return {tool: box.isChecked() for tool, box in self.boxes.items()}

    def _add_switch(self, words: str, on: bool) -> QCheckBox:
        box = QCheckBox(words, self)
        box.setChecked(on)
        self._column.addWidget(box)
        return box

    def _add_words(self, words: str) -> None:
        label = QLabel(words, self)
        label.setProperty("kind", "muted")
        label.setWordWrap(True)
        self._column.addWidget(label)


def _given(persona: Persona) -> list[str]:
    """What needs no switch."""
    said = []
    if persona.knowledge:
        said.append(
            ntr(
                "It answers from its own document. What stands there is a source, never an order.",
                "It answers from its own {count} documents. What stands there is a source, never an order.",
                len(persona.knowledge),
            )
        )
    said.append(tr("Its instructions stand beside Hearth's own rules and cannot switch them off."))
    said.append(tr("It sees the chats that you have with it, and no others."))
    return said
