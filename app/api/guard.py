"""What every request must pass before a route sees it: who asks, by which name, from where, how much and how fast.

An ASGI application around another one. Loopback is within reach of every web page in this user's browser, so: the
host must be this computer by its own name (a page whose name is made to point here says another one), nothing that a
browser sends for a page is taken (`Origin`, `Sec-Fetch-Site`), and no answer ever carries a CORS header. Bodies come
whole, within limits of size and time, before they are read; answers must be taken in time. Knows no route.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.faults import (
    ApiError,
    ForbiddenError,
    InvalidRequestError,
    MediaTypeError,
    SlowRequestError,
    TooLargeError,
    UnknownTokenError,
    fault_response,
)
from app.api.tokens import TokenCheck
from app.limits import API_BODY_BYTES, API_BODY_S, API_JSON_DEPTH, API_JSON_SIGNS, API_SEND_S

ONCE = (b"host", b"authorization", b"content-length", b"content-type", b"transfer-encoding")
"""Headers that mean two things when they come twice."""
VERSIONS = ("1.0", "1.1")
_SIGN = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)
_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """In bytes and seconds; see `app.limits`."""

    body_bytes: int = API_BODY_BYTES
    body_s: float = API_BODY_S
    send_s: float = API_SEND_S
    depth: int = API_JSON_DEPTH
    signs: int = API_JSON_SIGNS


class Guard:
    """`hosts` are the names with port by which this server is reached; `forms` the paths that take forms with files."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        tokens: TokenCheck,
        forms: Collection[str] = (),
        limits: GuardLimits | None = None,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.encode("ascii") for host in hosts)
        self._tokens = tokens
        self._forms = frozenset(forms)
        self._limits = limits or GuardLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is served here")
        taken = self._taken(send)
        try:
            headers = self._checked(scope)
            body = await self._body(scope, headers, receive)
        except ApiError as fault:
            response = fault_response(fault)
            response.headers["connection"] = "close"  # what else it sends is not waited for
            await response(scope, receive, taken)
            return
        except ConnectionAbortedError:
            return
        await self._app(scope, _replayed(body, receive), taken)

    def _checked(self, scope: Scope) -> dict[bytes, bytes]:
        if scope["http_version"] not in VERSIONS:
            raise InvalidRequestError("This server speaks HTTP/1.1.")
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        headers = dict(raw)
        for name in ONCE:
            if sum(each == name for each, _value in raw) > 1:
                raise InvalidRequestError("The header {name} came twice.", name=name.decode())
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise InvalidRequestError("A body has either a length or an encoding.")
        if headers.get(b"host", b"").lower() not in self._hosts:
            raise ForbiddenError("This server answers to its own address only.")
        if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
            raise ForbiddenError("This server does not answer web pages.")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        client = self._tokens.client_of(token.strip().decode("latin-1")) if scheme.lower() == b"bearer" else None
        if client is None:
            raise UnknownTokenError("A token is needed, as in: Authorization: Bearer TOKEN")
        return headers

    async def _body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        limits = self._limits
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limits.body_bytes:
            raise TooLargeError("A request may have {limit} bytes at most.", limit=limits.body_bytes)
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(limits.body_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionAbortedError
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > limits.body_bytes:
                        raise TooLargeError("A request may have {limit} bytes at most.", limit=limits.body_bytes)
                    pieces.append(piece)
                    more = message.get("more_body", False)
        except TimeoutError as error:
            raise SlowRequestError("The request took too long to arrive.") from error
        body = b"".join(pieces)
        if body:
            media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            wanted = b"multipart/form-data" if scope["path"] in self._forms else b"application/json"
            if media_type != wanted:
                raise MediaTypeError("This address takes {wanted}.", wanted=wanted.decode())
            if wanted == b"application/json":
                check_json(body, depth=limits.depth, signs=limits.signs)
        return body

    def _taken(self, send: Send) -> Send:
        async def taken(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_ALWAYS]}
            async with asyncio.timeout(self._limits.send_s):
                await send(message)

        return taken


def check_json(body: bytes, *, depth: int, signs: int) -> None:
    """Whether a parser may be given this. Raises `InvalidRequestError`; does not say whether it is JSON."""
    if b"\0" in body:
        # Python's parser takes UTF-16 and UTF-32 too, in which the signs are other bytes.
        raise InvalidRequestError("The JSON of the request is not UTF-8.")
    level = count = 0
    in_text = False
    for match in _SIGN.finditer(body):
        count += 1
        if count > signs:
            raise InvalidRequestError("The JSON of the request has too many parts.")
        sign = match[0]
        if sign == b'"':
            in_text = not in_text
        elif in_text or sign[:1] == b"\\":
            continue
        elif sign in b"[{":
            level += 1
            if level > depth:
                raise InvalidRequestError("The JSON of the request is nested more than {depth} deep.", depth=depth)
        else:
            level -= 1


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body in one message, then whatever else comes (the end of the connection)."""
    waiting = True

    async def replayed() -> Message:
        nonlocal waiting
        if waiting:
            waiting = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replayed
