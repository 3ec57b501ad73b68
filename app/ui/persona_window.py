"""Personas in one window: what sidebar, header, page and palette ask for is done, and shows in all of them.

Puts the pieces together; each piece does its own work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from app.events import ChatEvent, FactKept
from app.i18n import tr
from app.ui.conversation_page import ConversationPage
from app.ui.page_header import PageHeader
from app.ui.persona_flow import gone_note
from app.ui.persona_operations import PersonaOperations
from app.ui.persona_picker import PersonaPalette
from app.ui.sidebar import Sidebar
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.ui.persona_exchange import PersonaExchange


class WindowPersonas(QObject):
    """Owns the window's operations on personas, and its palette."""

    def __init__(
        self,
        workspace: Workspace,
        window: QWidget,
        toasts: Toasts,
        *,
        page: ConversationPage,
        header: PageHeader,
        sidebar: Sidebar,
    ) -> None:
        super().__init__(window)
        self._workspace, self._page, self._header, self._window = workspace, page, header, window
        self._sidebar, self._toasts = sidebar, toasts
        self._palette: PersonaPalette | None = None
        self.operations = PersonaOperations(workspace, toasts, window)
        self._exchange: PersonaExchange | None = None
        self._untold: FactKept | None = None
        """Kept in a chat that may be this window's new one, whose id is still on its way here."""
        self.operations.begin_requested.connect(self.begin)
        workspace.personas.failed.connect(toasts.show)
        workspace.persona_icons.changed.connect(self._show)
        workspace.theme.changed.connect(self._show)
        page.persona.changed.connect(self._show)
        page.persona.review_wanted.connect(self._on_review_wanted)
        page.conversation_changed.connect(self._on_conversation_changed)
        page.files_dropped.connect(lambda files: self.exchange.sort(files, page.composer.add_files))
        header.persona_menu_requested.connect(self._show_chat_menu)
        workspace.bridge.chat_event.connect(self._on_chat_event)
        section = sidebar.personas
        section.begin_requested.connect(self.operations.begin)
        section.files_dropped.connect(self._on_files_dropped)
        section.menu_requested.connect(self._show_menu)
        section.delete_requested.connect(self._on_delete)
        section.all_requested.connect(self.open_palette)
        section.new_requested.connect(lambda: self.operations.edit(None))
        self._show()

    def begin(self, short_name: str) -> None:
        """A new chat with this persona."""
        self._page.open("")
        self._page.persona.choose(short_name)
        self._page.focus_composer()

    def _on_files_dropped(self, short_name: str, files: list[Path]) -> None:
        """A new chat with this persona, about these files."""

        def begin(others: list[Path]) -> None:
            self._page.open("", files=others)
            self._page.persona.choose(short_name)
            self._page.focus_composer()

        self.exchange.sort(files, begin)

    @property
    def exchange(self) -> PersonaExchange:
        """Made when it is first wanted: all the formats it knows would keep a window waiting."""
        if self._exchange is None:
            from app.ui.persona_exchange import PersonaExchange  # noqa: PLC0415

            self._exchange = PersonaExchange(self._workspace, self._toasts, self._window)
            self._exchange.begin_requested.connect(self.begin)
        return self._exchange

    @property
    def palette(self) -> PersonaPalette:
        """Made when it is first wanted."""
        if self._palette is None:
            self._palette = PersonaPalette(self._workspace.theme, self._workspace.persona_icons, self._window)
            self._palette.chosen.connect(self._page.persona.choose)
        return self._palette

    def ask_for_file(self) -> None:
        """Let the person choose a persona to import."""
        self.exchange.ask_for_file()

    def open_palette(self) -> None:
        """Choose who answers in the chat on show."""
        self.palette.open_palette(self._workspace.personas.by_use(), with_nobody=bool(self._page.persona.short_name))

    def _show(self) -> None:
        """Who answers in the chat on show."""
        persona, icons = self._page.persona, self._workspace.persona_icons
        shelved = persona.shelved
        self._sidebar.personas.set_current("" if self._page.conversation_id else persona.short_name)
        if shelved is not None:
            note = ""
            if persona.answers_from_here:
                note = tr("answers from here on")
            elif persona.is_outdated:
                note = tr("an older version")
            picture = icons.pixmap(shelved.persona, self._workspace.theme.space(5))
            self._header.set_persona(shelved.persona.name, picture, note)
        elif persona.is_gone:
            self._header.set_persona(persona.short_name, None, gone_note())
        elif persona.answers_from_here:
            self._header.set_persona(tr("Hearth"), None, tr("answers from here on"))
        else:
            self._header.set_persona("")

    def _show_menu(self, short_name: str, at: QPoint) -> None:
        from app.ui.persona_menu import persona_menu  # noqa: PLC0415  # only when asked for

        if (shelved := self._workspace.personas.get(short_name)) is not None:
            persona_menu(self._workspace, self.operations, self.exchange, shelved, self._window).popup(at)

    def _show_chat_menu(self, at: QPoint) -> None:
        from app.ui.persona_menu import chat_persona_menu  # noqa: PLC0415  # only when asked for

        chat_persona_menu(
            self._workspace, self.operations, self._page.persona, self._window, change=self.open_palette
        ).popup(at)

    def _on_chat_event(self, event: ChatEvent) -> None:
        if not isinstance(event, FactKept):
            return
        if event.conversation_id == self._page.conversation_id:
            self._tell(event)
        elif not self._page.conversation_id:
            self._untold = event

    def _on_conversation_changed(self, conversation_id: str) -> None:
        untold, self._untold = self._untold, None
        if untold is not None and untold.conversation_id == conversation_id:
            self._tell(untold)

    def _tell(self, event: FactKept) -> None:
        short_name, fact_id = event.short_name, event.fact.id

        def forget() -> None:
            from app.personas.memory import PersonaMemory  # noqa: PLC0415  # only when asked for

            self._workspace.personas.run(
                lambda shelf: PersonaMemory(shelf.place(short_name).path).undo(fact_id), changes=False
            )

        self._toasts.show(tr("Remembered: {text}", text=event.fact.text), action=tr("Undo"), run=forget)

    def _on_review_wanted(self, shelved: Shelved, then: Callable[[], None]) -> None:
        self.operations.review(shelved, then)

    def _on_delete(self, short_name: str) -> None:
        if (shelved := self._workspace.personas.get(short_name)) is not None:
            self.operations.delete(shelved)
