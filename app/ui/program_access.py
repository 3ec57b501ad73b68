"""Whether other programs on this computer may ask, as the window keeps it: the server runs while the setting is on.

Starting and stopping block, so both are done on the general pool, one after the other. Knows no HTTP: what serves is
given from outside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.library import sentence_of

if TYPE_CHECKING:
    from app.services import Services

ENABLED, PORT = "api.enabled", "api.port"


class Serving(Protocol):
    """A server that runs."""

    @property
    def address(self) -> str:
        """As clients take it: with the port and the path."""
        ...

    def close(self) -> None:
        """End it, and what it is answering. Blocks, a few seconds at most. Any thread."""
        ...


OpenServer = Callable[["Services", int], Serving]
"""Starts a server over the services on a port. Blocks. Raises `HearthError`, `OSError`."""


class ProgramAccess(QObject):
    """Follows the settings from `attach` to `detach`. Main thread."""

    changed = Signal()
    failed = Signal(str)
    """It could not be started; a sentence."""

    def __init__(
        self,
        settings: Settings,
        run: Callable[[Callable[[], Serving | None]], Future[Serving | None]],
        bridge: EventBridge,
        parent: QObject | None = None,
        *,
        open_server: OpenServer | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._run, self._bridge = settings, run, bridge
        self._open = open_server or _open_real
        self._services: Services | None = None
        self._lock = threading.Lock()
        """Held by whoever starts or stops."""
        self._serving: Serving | None = None
        self._wanted = 0
        """The port; 0: off."""
        self.address = ""
        """Where it can be asked now, "" nowhere."""
        self.problem = ""
        """Why it does not run though it should."""
        self._unsubscribe = settings.subscribe(self._on_setting)

    def attach(self, services: Services) -> None:
        """The services are open."""
        self._services = services
        self._follow()

    def detach(self) -> None:
        """The services are about to close. Blocks until nobody is answered any more."""
        self._unsubscribe()
        self._services = None
        self._wanted = 0
        self._switch(0)

    def _on_setting(self, key: str) -> None:
        if key in (ENABLED, PORT):
            self._follow()

    def _follow(self) -> None:
        if self._services is None:
            return
        wanted = self._settings.integer(PORT) if self._settings.flag(ENABLED) else 0
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self.problem = ""
        self._bridge.then(
            self._run(lambda: self._switch(wanted)), self._on_switched, lambda error: self._on_failed(wanted, error)
        )

    def _switch(self, port: int) -> Serving | None:
        """On the pool, and at the end on the main thread."""
        with self._lock:
            if port != self._wanted:
                return self._serving  # another change is on its way
            if self._serving is not None:
                self._serving.close()
                self._serving = None
            if port and (services := self._services) is not None:
                self._serving = self._open(services, port)
            return self._serving

    def _on_switched(self, serving: Serving | None) -> None:
        self.address = serving.address if serving is not None else ""
        self.changed.emit()

    def _on_failed(self, wanted: int, error: BaseException) -> None:
        if wanted != self._wanted:
            return  # the person has changed it since, and hears of that
        self.address, self.problem = "", sentence_of(error)
        self.changed.emit()
        self.failed.emit(self.problem)


def _open_real(services: Services, port: int) -> Serving:
    from app.api.window_server import WindowServer  # noqa: PLC0415  # a web framework, where it is wanted only

    return WindowServer(services, port)
