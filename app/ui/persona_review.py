"""A persona shown in full before its first use: whose it is, what it says, what it may do. And later, to look again.

`review_persona` opens it; what the person decides is kept on the shelf. Nothing is granted that was not switched on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import tr
from app.personas.folder import Shelved
from app.personas.memory import PersonaMemory
from app.personas.review import Review, review
from app.personas.shelf import Shelf
from app.personas.signing import Keys
from app.ui.dialogs import CalmDialog
from app.ui.icons import tinted_pixmap
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_revealed import RevealedText
from app.ui.persona_switches import PersonaSwitches
from app.ui.plain_label import plain_label
from app.ui.theme import Theme
from app.ui.workspace import Workspace

_SIZE_UNITS = QSize(150, 165)


class PersonaReview(CalmDialog):
    """The page itself: `accepted` means that the person wants to use it as it is."""

    def __init__(
        self,
        theme: Theme,
        icons: PersonaIcons,
        shelved: Shelved,
        seen: Review,
        parent: QWidget | None = None,
        *,
        remembers: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        name = shelved.persona.name
        title = name if shelved.usable else tr("Before you use “{name}”", name=name)
        super().__init__(theme, parent, title)
        self.shelved = shelved
        self._icons = icons
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.heading.setWordWrap(True)
        self._mark = QLabel(self)
        head = self.layout().itemAt(0).layout()  # type: ignore[union-attr]  # what CalmDialog begins with
        assert isinstance(head, QHBoxLayout)
        head.insertWidget(0, self._mark)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        page = QWidget()
        page.setProperty("kind", "plain")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, theme.space(3), 0)
        column.setSpacing(theme.space(3))
        column.addWidget(plain_label(seen.origin, "muted"))
        for warning in seen.warnings:
            column.addWidget(_warning(theme, warning))
        for note in notes:
            column.addWidget(plain_label(note, "muted"))
        column.addWidget(_label(tr("What it may do")))
        self.switches = PersonaSwitches(theme, shelved.persona, seen.asks, remembers=remembers)
        column.addWidget(self.switches)
        column.addWidget(_label(tr("All that it says")))
        self.text = RevealedText(theme, seen.sections)
        column.addWidget(self.text)
        column.addStretch(1)
        self._scroll.setWidget(page)
        self.body.addWidget(self._scroll, 1)
        self.later: QPushButton | None = None
        if shelved.usable:
            self.use = self.add_button(tr("Done"), kind="primary", default=True)
        else:
            self.later = self.add_button(tr("Not now"))
            self.later.clicked.connect(self.reject)
            self.use = self.add_button(tr("Use this persona"), kind="primary", default=True)
        self.use.clicked.connect(self.accept)
        self._show_picture()
        icons.changed.connect(self._show_picture)
        self.text.setFocus()
        units = _SIZE_UNITS
        self.resize(theme.space(units.width()), theme.space(units.height()))

    def _show_picture(self) -> None:
        self._mark.setPixmap(self._icons.pixmap(self.shelved.persona, self.theme.space(9)))


def review_persona(
    workspace: Workspace,
    parent: QWidget,
    shelved: Shelved,
    *,
    notes: Sequence[str] = (),
    accepted: Callable[[Shelved], None] | None = None,
    closed: Callable[[], None] | None = None,
) -> None:
    """Show a persona in full, modal to `parent`, and keep what the person decides.

    `notes` are translated sentences on what did not come along. `accepted` gets the persona as it is then on the shelf,
    once it may be used; it is not called for one that was in use already. `closed` comes when the dialog has closed, or
    could not be opened.
    """
    over = closed or (lambda: None)
    keys, public_key, author = Keys(workspace.paths.config), shelved.trust.public_key, shelved.persona.author
    short_name = shelved.persona.short_name

    def look(shelf: Shelf) -> tuple[Review, bool]:
        remembers = PersonaMemory(shelf.place(short_name).path).read().on
        return review(shelved, keys.author(public_key, author)), remembers

    def show(found: tuple[Review, bool]) -> None:
        seen, remembers = found
        theme, icons = workspace.theme, workspace.persona_icons
        dialog = PersonaReview(theme, icons, shelved, seen, parent, remembers=remembers, notes=notes)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: keep(dialog.switches.granted, dialog.switches.remembers))
        dialog.finished.connect(lambda _result: over())
        dialog.open()

    def not_opened(error: BaseException) -> None:
        over()
        workspace.personas.report(error)

    def keep(granted: dict[str, bool], remembers: bool) -> None:
        def decide(shelf: Shelf) -> Shelved:
            PersonaMemory(shelf.place(short_name).path).turn(remembers)
            for tool, may in granted.items():
                shelf.grant(short_name, tool, may)
            kept = shelf.accept(shelved)
            keys.remember(public_key, author)
            return kept

        def done(kept: Shelved) -> None:
            workspace.personas.show(kept)
            if accepted is not None and not shelved.usable:
                accepted(kept)

        workspace.personas.run(decide, done)

    workspace.personas.run(look, show, failed=not_opened, changes=False, owner=parent)


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", "large")
    return label


def _warning(theme: Theme, text: str) -> QWidget:
    frame = QFrame()
    frame.setProperty("kind", "banner")
    row = QHBoxLayout(frame)
    row.setContentsMargins(theme.space(3), theme.space(2), theme.space(3), theme.space(2))
    row.setSpacing(theme.space(2.5))
    mark = QLabel()
    mark.setPixmap(tinted_pixmap(theme, "triangle-alert", color="warning", size=theme.space(4.5)))
    row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(plain_label(text, ""), 1)
    return frame
