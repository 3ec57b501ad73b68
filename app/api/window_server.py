"""The API over services that are open already, on a thread beside the window: no model comes twice, and none changes.

Knows no widget. The thread is the event loop's; it asks the services as any other thread does.
"""

from __future__ import annotations

import logging
import threading

from app.api.application import make_application
from app.api.backend import open_parts
from app.api.server import Server
from app.api.tokens import TOKEN_FILE, TokenFile
from app.services import Services
from engine.errors import HearthError, sentence

_log = logging.getLogger(__name__)
_START_S = 30.0


class WindowServer:
    """Runs from its making to `close`. Making it blocks until it can be asked; raises `HearthError`."""

    def __init__(self, services: Services, port: int) -> None:
        tokens = TokenFile(services.paths.config / TOKEN_FILE)
        tokens.token_for()
        self._server = Server(port)
        self._services = services
        self._tokens = tokens
        self._ready = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="api")
        self._thread.start()
        if not self._ready.wait(_START_S) or self._failed:
            self.close()
            raise HearthError(sentence("Other programs cannot be let in: the server did not start."))

    @property
    def address(self) -> str:
        """What clients call the base URL."""
        return self._server.address

    def close(self) -> None:
        """End it, and what it is answering. Blocks, a few seconds at most. Any thread."""
        self._server.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            with open_parts(self._services, may_load=False) as parts:
                application = make_application(parts, tokens=self._tokens, hosts=self._server.hosts)
                self._server.run(application, self._ready.set)
        except Exception:  # noqa: BLE001  # whoever waits for the start is told; the rest is for the log
            _log.exception("the local API ended")
        finally:
            self._failed = True
            self._ready.set()
            self._server.close()
