"""Serves the API on a port of this computer's loopback, by uvicorn. Knows no route and no engine.

On loopback alone: no other computer can reach it. `Server.run` blocks its thread, which is the event loop's.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.limits import API_CONNECTIONS, API_HEAD_BYTES, API_HEAD_S
from engine.errors import HearthError, sentence

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8791
_LAST_ANSWERS_S = 3
_KEPT_ALIVE_S = 30
"""A connection without a request: clients that ask again soon need not connect again."""
_BACKLOG = 64


class PortError(HearthError):
    """The port cannot be had."""

    code = "port"


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to its patience: by itself it waits for ever for a request, begun or not.

    To be dropped when uvicorn has a time limit for headers.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._idle:
            self._arm()  # the head of another request on the same connection
        super().data_received(data)
        if not self._idle:
            self._disarm()

    @property
    def _idle(self) -> bool:
        """No request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(API_HEAD_S, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._idle and not self.transport.is_closing():
            self.transport.close()


class Server:
    """Bound at once, so that the port is known; raises `PortError` where it cannot be had. Port 0 is any free one."""

    def __init__(self, port: int = DEFAULT_PORT) -> None:
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self._uvicorn: uvicorn.Server | None = None
        self._stopped = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which it may be asked."""
        return (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}")

    @property
    def address(self) -> str:
        """What clients call the base URL."""
        return f"http://{LOOPBACK}:{self.port}/v1"

    def run(self, application: ASGIApp, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`, or a signal where this is the main thread. Blocks. Once."""
        config = uvicorn.Config(
            application,
            http=PatientProtocol,
            ws="none",
            loop="asyncio",
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=API_HEAD_BYTES,
            limit_concurrency=API_CONNECTIONS,
            timeout_keep_alive=_KEPT_ALIVE_S,
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
        )
        self._uvicorn = _Telling(config, on_ready)
        if self._stopped:  # before there was anything to stop
            self._uvicorn.should_exit = True
        try:
            self._uvicorn.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run` soon, also one that is still to come. Any thread."""
        self._stopped = True
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    def close(self) -> None:
        """Give the port back, where nothing was served."""
        self._socket.close()


class _Telling(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second Ctrl+C hurries nothing: the end takes seconds only, and the application is to have its own."""
        super().handle_exit(sig, frame)
        self.force_exit = False


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((LOOPBACK, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortError(
                sentence("Port {port} is taken by another program. Choose another one."), port=port
            ) from error
        raise PortError(
            sentence("Port {port} cannot be opened: {reason}."), port=port, reason=error.strerror or str(error)
        ) from error
    return made
