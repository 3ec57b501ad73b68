"""The personas as the windows last saw them, and the one way to change the shelf. Main thread only.

All windows share one `PersonaList`, as they share one `Library`. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from app.events import ChatEvent, PersonasChanged
from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.library import Library, sentence_of
from engine.errors import HearthError

if TYPE_CHECKING:  # the window shows itself before it knows any persona
    from app.persona_service import PersonaService
    from app.personas.folder import Shelved
    from app.personas.shelf import Deleted, Listing, Problem, Shelf

_DEFAULT = "persona.default"
T = TypeVar("T")


class PersonaList(QObject):
    """A snapshot of the shelf, renewed after each change."""

    changed = Signal()
    failed = Signal(str)
    """A sentence: something could not be done."""
    _setting_changed = Signal(str)

    def __init__(
        self, bridge: EventBridge, library: Library, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge, self._library, self._settings = bridge, library, settings
        self._unsubscribe: Callable[[], None] | None = None
        self._service: PersonaService | None = None
        self._reading = self._stale = False
        self._personas: tuple[Shelved, ...] = ()
        self._problems: tuple[Problem, ...] = ()
        self.loaded = False
        bridge.chat_event.connect(self._on_chat_event)
        self._setting_changed.connect(self._on_setting_changed, Qt.ConnectionType.QueuedConnection)

    def attach(self, service: PersonaService) -> None:
        """The services are open: see that Hearth's own personas are there, and read the shelf."""
        self._service = service
        self._unsubscribe = self._settings.subscribe(self._setting_changed.emit)
        from app.personas.builtin import put_on  # noqa: PLC0415  # as the types above

        self.run(put_on)  # the lists are read again behind it

    def detach(self) -> None:
        self._service = None
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    @property
    def personas(self) -> tuple[Shelved, ...]:
        """By name."""
        return self._personas

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What lies on the shelf and cannot be used."""
        return self._problems

    @property
    def default(self) -> str:
        """The short name of the persona of new chats; "" for none, or where it is gone or was not looked at."""
        found = self.get(self._settings.text(_DEFAULT))
        return found.persona.short_name if found is not None and found.usable else ""

    def set_default(self, short_name: str) -> None:
        """Give new chats this persona; "" none."""
        self._settings.set(_DEFAULT, short_name)

    def get(self, short_name: str) -> Shelved | None:
        """The present version of one."""
        return next((each for each in self.personas if each.persona.short_name == short_name), None)

    def show(self, shelved: Shelved) -> None:
        """This is how one is now on the shelf; the lists need not be read again to know it."""
        name = shelved.persona.short_name
        others = tuple(each for each in self.personas if each.persona.short_name != name)
        personas = sorted((*others, shelved), key=lambda each: (each.persona.name.casefold(), each.persona.short_name))
        self._personas = tuple(personas)
        self.changed.emit()

    def by_use(self) -> list[Shelved]:
        """That of new chats first, then those of the newest chats, then the person's own, then the others by name."""
        from app.personas.trust import Origin  # noqa: PLC0415  # as the types above

        chats = (each for each in self._library.conversations if each.persona)
        newest = sorted(chats, key=lambda each: -each.updated_at)
        order = {name: place for place, name in enumerate(dict.fromkeys(each.persona for each in newest))}
        default = self.default

        def place(shelved: Shelved) -> tuple[bool, int, bool]:
            name = shelved.persona.short_name
            return name != default, order.get(name, len(order)), shelved.trust.origin is Origin.BUILT_IN

        return sorted(self.personas, key=place)

    def run(
        self,
        operation: Callable[[Shelf], T],
        done: Callable[[T], None] | None = None,
        *,
        failed: Callable[[BaseException], None] | None = None,
        changes: bool = True,
        owner: QObject | None = None,
    ) -> None:
        """Do something with the shelf off the main thread, then `done(result)` on it, if `owner` is still there."""
        if self._service is not None:
            future = self._service.call(operation, changes=changes)
            self._bridge.then(future, done or (lambda _result: None), failed or self.report, owner=owner)

    def delete(self, short_name: str, done: Callable[[Deleted], None]) -> None:
        """Move one aside; `bring_back` undoes it."""
        if self._service is not None:
            self._bridge.then(self._service.delete(short_name), done, self.report)

    def bring_back(self, deleted: Deleted) -> None:
        """Undo a deletion."""
        if self._service is not None:
            self._bridge.then(self._service.bring_back(deleted), self.show, self.report)

    def report(self, error: BaseException) -> None:
        """Something went wrong: `failed` says so."""
        self.failed.emit(sentence_of(error))
        if not isinstance(error, HearthError | OSError):
            raise error

    def refresh(self) -> None:
        """Read the shelf again; several wishes during one reading become one more reading."""
        if self._service is None:
            return
        if self._reading:
            self._stale = True
            return
        self._reading = True
        self._bridge.then(self._service.listing(), self._on_listing, self._on_listing_failed)

    def _on_listing(self, listing: Listing) -> None:
        self._reading = False
        if (listing.personas, listing.problems) != (self._personas, self._problems) or not self.loaded:
            self._personas, self._problems, self.loaded = listing.personas, listing.problems, True
            self.changed.emit()
        self._read_what_waits()

    def _on_listing_failed(self, error: BaseException) -> None:
        self._reading = False
        self.report(error)
        self._read_what_waits()

    def _read_what_waits(self) -> None:
        if self._stale:
            self._stale = False
            self.refresh()

    def _on_setting_changed(self, key: str) -> None:
        if key == _DEFAULT:
            self.changed.emit()

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, PersonasChanged):
            self.refresh()
