"""The real API server over a scripted engine, with little patience, and notes of what came to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.guard import GuardLimits
from app.api.tokens import TokenFile
from engine.fake import FakeEngine
from tests.process.hostile_requests import Door
from tests.unit.api_bench import serving

PATIENCE_S = 1.0
"""For a head, and for a body."""
MOST_BYTES = 1_000_000
"""Of a body."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server saw it, and what it answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


@dataclass(frozen=True, slots=True)
class GuardedServer:
    door: Door
    engine: FakeEngine
    seen: list[Seen]
    """Every request that was understood as one, in the order of their answers."""


@contextmanager
def guarded(wrap: Callable[[ASGIApp], ASGIApp] = lambda application: application) -> Iterator[GuardedServer]:
    """A server until the end of the context; `wrap` may change what it serves."""
    engine = FakeEngine()
    seen: list[Seen] = []
    limits = GuardLimits(body_bytes=MOST_BYTES, body_s=PATIENCE_S)
    with TemporaryDirectory() as folder, mock.patch("app.api.server.API_HEAD_S", PATIENCE_S):
        tokens = TokenFile(Path(folder) / "tokens.json")
        revoked = tokens.token_for("gone")
        tokens.revoke("gone")
        token = tokens.token_for()
        try:
            with serving(engine, tokens=tokens, limits=limits, wrap=lambda app: _noting(wrap(app), seen)) as api:
                yield GuardedServer(Door(api.port, token, revoked), engine, seen)
        finally:
            engine.close()


def _noting(application: ASGIApp, seen: list[Seen]) -> ASGIApp:
    """The same application, with a note of each request."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
                seen.append(Seen(scope["method"], scope["path"], headers, message["status"]))
            await send(message)

        await application(scope, receive, noted)

    return noting
