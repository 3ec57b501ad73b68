"""What web pages and other programs may try on the local API, as data: each of them is one request too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from tests.process.raw_http import as_json, request

CHAT = "/v1/chat/completions"
QUESTION = as_json({"model": "default", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4})
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nany\r\n--b--\r\n'


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server is, a token it takes, and one that it took until it was revoked."""

    port: int
    token: str
    revoked: str

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Attack:
    """`raw` makes the bytes. A server may answer with one of `statuses`, or close the connection without a word."""

    name: str
    raw: Callable[[Door], bytes]
    statuses: frozenset[int] = frozenset((400, 401, 403, 404, 405, 411, 413, 414, 415, 421, 422, 426, 431, 501, 505))


Headers = list[tuple[str, str]]


def proper(door: Door, *, body: bytes = QUESTION, without: str = "", more: Headers | None = None) -> bytes:
    """The question as an honest client asks it, less one header, plus others: what is hostile is only the change."""
    return request("POST", CHAT, [*_proper_headers(door, without), *(more or [])], body)


def _proper_headers(door: Door, without: str = "") -> Headers:
    headers = [
        ("Host", door.host),
        ("Authorization", f"Bearer {door.token}"),
        ("Content-Type", "application/json"),
    ]
    return [(name, value) for name, value in headers if name != without]


def _host(value: str) -> Callable[[Door], bytes]:
    return lambda door: proper(door, without="Host", more=[("Host", value.format(port=door.port))])


def _origin(value: str) -> Callable[[Door], bytes]:
    return lambda door: proper(door, more=[("Origin", value.format(port=door.port))])


def _kind(value: str, body: bytes = QUESTION) -> Callable[[Door], bytes]:
    return lambda door: proper(door, without="Content-Type", more=[("Content-Type", value)], body=body)


def _as(value: Callable[[Door], str]) -> Callable[[Door], bytes]:
    return lambda door: proper(door, without="Authorization", more=[("Authorization", value(door))])


def _get(target: str, *, token: bool = False, method: str = "GET") -> Callable[[Door], bytes]:
    def raw(door: Door) -> bytes:
        headers = [("Host", door.host)]
        if token:
            headers.append(("Authorization", f"Bearer {door.token}"))
        return request(method, target.format(token=quote(door.token), port=door.port), headers)

    return raw


def _body(body: bytes) -> Callable[[Door], bytes]:
    return lambda door: proper(door, body=body)


def _framed(framing: Headers, body: bytes) -> Callable[[Door], bytes]:
    """The question under headers that do not agree where its body ends."""
    return lambda door: request("POST", CHAT, [*_proper_headers(door), *framing], body, length=False)


def _line(line: bytes, *, without: str = "") -> Callable[[Door], bytes]:
    """The question with one more header line, as it stands."""
    return lambda door: proper(door, without=without).replace(b"\r\n", b"\r\n" + line + b"\r\n", 1)


def _old(host: str = "") -> Callable[[Door], bytes]:
    """HTTP/1.0, in which Host may be missing."""

    def raw(door: Door) -> bytes:
        made = proper(door, without="Host", more=[("Host", host)] if host else None)
        return made.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)

    return raw


def _form(kind: str) -> Callable[[Door], bytes]:
    """A form that a page sends without asking: the browser adds no token, and says where it comes from."""

    def raw(door: Door) -> bytes:
        bodies = {
            "text/plain": QUESTION[:-1] + b', "x": "=\r\n"}',
            "application/x-www-form-urlencoded": b"model=any&messages=Hello",
            "multipart/form-data; boundary=b": MULTIPART,
        }
        headers = [("Origin", "http://evil.example"), ("Content-Type", kind), ("Sec-Fetch-Site", "cross-site")]
        return request("POST", CHAT, [("Host", door.host), *headers], bodies[kind])

    return raw


def _chunked(chunks: bytes, more: Headers | None = None) -> Callable[[Door], bytes]:
    return _framed([("Transfer-Encoding", "chunked"), *(more or [])], chunks)


_WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)

REBINDING = [
    Attack("another name for this computer", _host("evil.example")),
    Attack("another name, the right port", _host("evil.example:{port}")),
    Attack("a name that begins as ours does", _host("127.0.0.1.evil.example:{port}")),
    Attack("a name that begins with localhost", _host("localhost.evil.example:{port}")),
    Attack("a name that ends as ours does", _host("evil-127.0.0.1:{port}")),
    Attack("a name with a user before it", _host("127.0.0.1@evil.example:{port}")),
    Attack("every address", _host("0.0.0.0:{port}")),
    Attack("the address as one number", _host("2130706433:{port}")),
    Attack("an empty Host", _host("")),
    Attack("a port that is none", _host("127.0.0.1:x")),
    Attack("two Hosts", _line(b"Host: evil.example")),
    Attack("no Host", lambda door: proper(door, without="Host")),
    Attack("a folded Host", _line(b"Host: 127.0.0.1\r\n evil.example", without="Host")),
    Attack("HTTP/1.0 without a Host", _old()),
    Attack("HTTP/1.0 with another's Host", _old("evil.example")),
    Attack("another host in the target", lambda door: proper(door).replace(b"POST ", b"POST http://evil.example:1", 1)),
]
"""DNS rebinding: a page's own name leads to this computer. The token is right, the name is not ours."""

CROSS_ORIGIN = [
    Attack("another site", _origin("https://evil.example")),
    Attack("the null origin of a sandboxed frame", _origin("null")),
    Attack("a page of another local server", _origin("http://127.0.0.1:1")),
    Attack("a page of another local server by name", _origin("http://localhost:3000")),
    Attack("an origin that begins as ours does", _origin("http://127.0.0.1:{port}.evil.example")),
    Attack("a local file", _origin("file://")),
    Attack("an extension", _origin("chrome-extension://aaaaaaaaaaaaaaaa")),
    Attack("an empty origin", _origin("")),
    Attack("two origins", lambda door: proper(door, more=[("Origin", f"http://{door.host}"), ("Origin", "null")])),
    Attack(
        "a question before a question",
        lambda door: request(
            "OPTIONS",
            CHAT,
            [
                ("Host", door.host),
                ("Origin", "https://evil.example"),
                ("Access-Control-Request-Method", "POST"),
                ("Access-Control-Request-Headers", "authorization,content-type"),
                ("Access-Control-Request-Private-Network", "true"),
            ],
        ),
    ),
    Attack(
        "a web socket",
        lambda door: request(
            "GET",
            CHAT,
            [
                *_proper_headers(door),
                ("Origin", "https://evil.example"),
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("Sec-WebSocket-Version", "13"),
            ],
        ),
    ),
]
"""A page of any other origin, though it had a token."""

FORMS = [
    Attack("a form as plain text", _form("text/plain")),
    Attack("a form of fields", _form("application/x-www-form-urlencoded")),
    Attack("a form with files", _form("multipart/form-data; boundary=b")),
    Attack("plain text with a token", _kind("text/plain")),
    Attack("fields with a token", _kind("application/x-www-form-urlencoded", b"model=any")),
    Attack("files with a token", _kind("multipart/form-data; boundary=b", MULTIPART)),
    Attack("a kind that begins like JSON", _kind("application/jsonp")),
    Attack("no kind at all", lambda door: proper(door, without="Content-Type")),
]
"""What pages may send without a question before it: a JSON interface reads none of it."""

TOKENS = [
    Attack("no token", lambda door: proper(door, without="Authorization")),
    Attack("a wrong token", _as(lambda door: "Bearer " + "A" * len(door.token))),
    Attack("all but the last letter", _as(lambda door: "Bearer " + door.token[:-1])),
    Attack("one letter more", _as(lambda door: f"Bearer {door.token}A")),
    Attack("the token in capitals", _as(lambda door: "Bearer " + door.token.swapcase())),
    Attack("a revoked token", _as(lambda door: f"Bearer {door.revoked}")),
    Attack("the token as a password", _as(lambda door: f"Basic {door.token}")),
    Attack("the bare token", _as(lambda door: door.token)),
    Attack("an empty token", _as(lambda _door: "Bearer ")),
    Attack("letters outside ASCII", _as(lambda _door: "Bearer \xe4\xf6\xfc")),
    Attack("the token in the address", _get("/v1/models?token={token}&api_key={token}&access_token={token}")),
    Attack(
        "the token as a cookie",
        lambda door: proper(door, without="Authorization", more=[("Cookie", f"token={door.token}")]),
    ),
    Attack(
        "a wrong token before the right one",
        lambda door: proper(door, without="Authorization", more=[
            ("Authorization", "Bearer wrong"), ("Authorization", f"Bearer {door.token}"),
        ]),
    ),
]  # fmt: skip
"""No token, or none that counts."""

PATHS = [
    Attack(f"the way {target!r}", _get(target))
    for target in (
        "//v1/models", "/v1//models", "/v1/./models", "/v1/../v1/models", "/v1/models/", "/v1/models/..%2fmodels",
        "/V1/MODELS", "/v1/%6dodels", "/v1%2fmodels", "/v1/models%00", "/v1/models;a=b", "/v1\\models",
        "/openapi.json/../v1/models", "/docs/../v1/models", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd",
        "http://127.0.0.1:{port}/v1/models", "*", "v1/models",
    )
]  # fmt: skip
PATHS += [
    Attack("a file beside the program", _get("/../pyproject.toml", token=True)),
    Attack("a file by its whole name", _get("//etc/passwd", token=True)),
]
"""Ways round the guard: without a token there is no way to say it that works."""

METHODS = [
    Attack(
        "another method by a header",
        lambda door: request("GET", CHAT, [*_proper_headers(door), ("X-HTTP-Method-Override", "POST")]),
    ),
    Attack("another method in the address", _get(CHAT + "?_method=POST", token=True)),
    *(
        Attack(f"the method {method}", _get(CHAT, token=True, method=method))
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "PROPFIND", "POST\x0b")
    ),
]
"""Methods that nothing here has."""

FRAMING = [
    Attack("a length and chunks", _chunked(_WHOLE, [("Content-Length", str(len(_WHOLE)))])),
    Attack("a short length and chunks", _chunked(_WHOLE, [("Content-Length", "4")])),
    Attack("two lengths", _framed([("Content-Length", str(len(QUESTION))), ("Content-Length", "4")], QUESTION)),
    Attack("a list of lengths", _framed([("Content-Length", f"{len(QUESTION)}, 4")], QUESTION)),
    Attack("a length below nothing", _framed([("Content-Length", "-1")], QUESTION)),
    Attack("a length with a sign", _framed([("Content-Length", f"+{len(QUESTION)}")], QUESTION)),
    Attack("a length in other digits", _framed([("Content-Length", "0x10")], QUESTION)),
    Attack("an unknown coding", _framed([("Transfer-Encoding", "xchunked")], _WHOLE)),
    Attack("chunks, then not", _framed([("Transfer-Encoding", "chunked, identity")], _WHOLE)),
    Attack("chunks twice", _framed([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], _WHOLE)),
    Attack("a space before the colon", _line(b"Content-Length : 4")),
    Attack("a chunk of no size", _chunked(b"zz\r\nabc\r\n0\r\n\r\n")),
    Attack("a chunk of endless size", _chunked(b"f" * 40 + b"\r\nabc")),
    Attack("a NUL in a header", _line(b"X-A: a\x00b")),
    Attack("a bare CR in a header", _line(b"X-A: a\rX-B: b")),
    Attack("a header without a name", _line(b": a")),
    Attack("a header without a colon", _line(b"nonsense")),
    Attack("a folded token", _line(b"Authorization: Bearer\r\n x", without="Authorization")),
    Attack("a fold before the first header", lambda door: proper(door).replace(b"\r\nHost", b"\r\n Host", 1)),
    Attack("two spaces in the first line", lambda door: proper(door).replace(b"POST ", b"POST  ", 1)),
    Attack("another version", lambda door: proper(door).replace(b"HTTP/1.1", b"HTTP/9.9", 1)),
    Attack("HTTP/2", lambda _door: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Attack("TLS", lambda _door: bytes.fromhex("16030100a5010000a10303") + b"\x00" * 160),
    Attack("noise", lambda _door: bytes(range(256)) * 8 + b"\r\n\r\n"),
]
"""Requests that two readers would understand differently."""

SIZES = [
    Attack("a body that says it is too large", _framed([("Content-Length", str(10**12))], b"{")),
    Attack("a long address", _get("/v1/models?" + "a" * 200_000, token=True)),
    Attack("a long header", _line(b"X-A: " + b"a" * 200_000)),
    Attack("many headers", _line(b"\r\n".join(b"X-%d: a" % number for number in range(20_000)))),
    Attack("nested lists", _body(b"[" * 200_000 + b"]" * 200_000)),
    Attack("nested objects", _body(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)),
    Attack(
        "a schema without a floor",
        _body(QUESTION[:-1] + b', "response_format": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}"),
    ),
    Attack("a number of many digits", _body(QUESTION[:-1] + b', "seed": ' + b"9" * 50_000 + b"}")),
    Attack("a number beyond all", _body(QUESTION[:-1] + b', "temperature": 1e999}')),
    Attack("no number", _body(QUESTION[:-1] + b', "temperature": NaN}')),
    Attack("bytes that are no text", _body(QUESTION.replace(b"Hello", b"\xff\xfe"))),
    Attack("half a character", _body(QUESTION.replace(b"Hello", b"\\ud800"))),
    Attack("an empty body", _body(b"")),
    Attack("another coding of text", _body(QUESTION.decode().encode("utf-16"))),
    Attack("a packed body", lambda door: proper(door, more=[("Content-Encoding", "gzip")], body=b"\x1f\x8b\x08")),
]
"""More, or deeper, than anybody asks."""

ATTACKS = [*REBINDING, *CROSS_ORIGIN, *FORMS, *TOKENS, *PATHS, *METHODS, *FRAMING, *SIZES]
