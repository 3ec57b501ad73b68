"""Server-sent events (WHATWG HTML, 9.2) of one answer, as OpenAI's clients read them. Knows no engine's events."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.answering import ClientGoneError, while_connected
from app.api.faults import fault_body
from engine.errors import HearthError

DONE = b"data: [DONE]\n\n"
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; as server-sent events where `stream` asks for that",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {},
        },
    }
}
"""What the OpenAPI document says of an address that can stream."""
_HEAD = [(b"content-type", b"text/event-stream; charset=utf-8")]


def data(value: object, event: str = "") -> bytes:
    """One event. In ASCII, so that nothing in it can end a line."""
    text = json.dumps(value, separators=(",", ":")).encode("ascii")
    return b"event: %b\ndata: %b\n\n" % (event.encode("ascii"), text) if event else b"data: %b\n\n" % text


def comment(text: str) -> bytes:
    """What clients skip; it tells them that the server lives."""
    return f": {text}\n\n".encode("ascii")


class EventStream(Response):
    """Sends `pieces` as they come; `close` is called once, when they have ended or nobody reads them any more.

    A `HearthError` on the way becomes an event, as the status has been sent.
    """

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncIterator[bytes], close: Callable[[], None]) -> None:
        super().__init__()
        self._pieces = pieces
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_connected(receive, self._send(send))
        except (ClientGoneError, TimeoutError, OSError):
            return  # gone, or it takes nothing any more: the connection ends
        finally:
            self._close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": _HEAD})
        async with aclosing(_told(self._pieces)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _told(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in pieces:
            yield piece
    except HearthError as error:
        yield data(fault_body(error))
