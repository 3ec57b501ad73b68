"""The local API under attack, by sockets and real HTTP: what is hostile never reaches the engine, and nothing stops it.

`tests.process.hostile_requests` lists the attacks. Each differs from an honest request by one thing only, so the honest
one beside them shows that it is that thing which is refused.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import psutil
import pytest

from tests.process.api_server import MOST_BYTES, GuardedServer, guarded
from tests.process.hostile_requests import ATTACKS, QUESTION, Attack, Door, proper
from tests.process.raw_http import WAIT_S, Answered, exchange, one_answer, request

pytestmark = pytest.mark.beside


@pytest.fixture(scope="module")
def server() -> Iterator[GuardedServer]:
    with guarded() as made:
        yield made


@pytest.fixture
def door(server: GuardedServer) -> Iterator[Door]:
    """With an honest question after each test: the server lives, and answers at once."""
    yield server.door
    asked = len(server.engine.requests)
    assert exchange(server.door.port, proper(server.door)).statuses == [200]
    assert len(server.engine.requests) == asked + 1


def assert_harmless(answered: Answered, door: Door) -> None:
    """No word to a browser that a page may read this, and nothing of what is secret."""
    assert b"access-control-" not in answered.headers
    assert b"timing-allow-origin" not in answered.headers
    assert door.token.encode() not in answered.raw
    assert b"root:" not in answered.raw


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused(server: GuardedServer, door: Door, attack: Attack) -> None:
    asked = len(server.engine.requests)
    answered = exchange(door.port, attack.raw(door))
    assert set(answered.statuses) <= attack.statuses, answered.raw[:300]
    assert len(answered.statuses) <= 1
    assert len(server.engine.requests) == asked, "the engine was asked"
    assert_harmless(answered, door)


def test_there_are_as_many_attacks_as_promised() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 100


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
def test_honest_questions_are_answered_by_every_name_of_ours(door: Door, host: str) -> None:
    answered = exchange(door.port, proper(door, without="Host", more=[("Host", host.format(port=door.port))]))
    assert answered.statuses == [200]
    assert_harmless(answered, door)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_taken_however_it_is_written(door: Door, kind: str) -> None:
    answered = exchange(door.port, proper(door, without="Content-Type", more=[("Content-Type", kind)]))
    assert answered.statuses == [200]


@pytest.mark.parametrize(
    "target", ["/v1/models", "/v1/models/none", "/openapi.json", "/docs", "/", "/favicon.ico", "/none"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_no_answer_lets_a_page_read_it(door: Door, target: str, method: str) -> None:
    headers = [("Host", door.host), ("Authorization", f"Bearer {door.token}")]
    assert_harmless(exchange(door.port, request(method, target, headers)), door)
    pages = [*headers, ("Origin", "https://evil.example")]
    answered = exchange(door.port, request(method, target, pages))
    assert_harmless(answered, door)
    assert answered.statuses == [403]
    bare = exchange(door.port, request(method, target, headers[:1]))
    assert bare.statuses == [401], "without a token nobody learns what there is"


def test_each_request_on_a_connection_needs_its_own_token(server: GuardedServer, door: Door) -> None:
    asked = len(server.engine.requests)
    honest = proper(door).replace(b"Connection: close\r\n", b"")
    answered = exchange(door.port, honest + proper(door, without="Authorization"))
    assert answered.statuses == [200, 401]
    assert len(server.engine.requests) == asked + 1


def test_a_body_is_never_read_as_a_request(server: GuardedServer, door: Door) -> None:
    asked = len(server.engine.requests)
    hidden = proper(door)
    answered = exchange(door.port, proper(door, without="Authorization", body=hidden))
    assert answered.statuses == [401]
    length = f"Content-Length: {len(QUESTION)}".encode()
    short = proper(door).replace(length, b"Content-Length: 2", 1).replace(b"Connection: close\r\n", b"")
    answered = exchange(door.port, short + b"\r\n\r\n")
    assert answered.statuses == [400, 400], "the rest is no request"
    assert len(server.engine.requests) == asked


def _drip(port: int, raw: bytes, first: bytes = b"") -> Answered:
    """Send a byte at a time until the server has had enough; `first` is sent, and answered, before."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        if first:
            connection.sendall(first)
            assert one_answer(connection).statuses == [200]
        connection.settimeout(0.01)
        for place in range(len(raw)):
            try:
                connection.sendall(raw[place : place + 1])
                block = connection.recv(65536)
            except TimeoutError:
                continue  # nothing yet
            except (ConnectionResetError, BrokenPipeError):
                break
            if not block:
                break
            came += block
        else:
            raise AssertionError("the server waited for all of it")
    return Answered(came)


@pytest.mark.parametrize("part", ["head", "body", "chunks", "second head"])
def test_a_request_that_never_ends_is_given_up(server: GuardedServer, door: Door, part: str) -> None:
    asked = len(server.engine.requests)
    lasting = proper(door, body=QUESTION + b" " * 100_000).replace(b"Connection: close\r\n", b"")
    head, _, body = lasting.partition(b"\r\n\r\n")
    endless_head = head + b"\r\nX-A: " + b"a" * 10_000
    raw = {
        "head": endless_head,
        "second head": endless_head,
        "body": head + b"\r\n\r\n" + body,
        "chunks": head.replace(f"Content-Length: {len(body)}".encode(), b"Transfer-Encoding: chunked")
        + b"\r\n\r\n"
        + b"1\r\n \r\n" * 20_000,
    }[part]
    first = proper(door).replace(b"Connection: close\r\n", b"") if part == "second head" else b""
    answered = _drip(door.port, raw, first)
    assert set(answered.statuses) <= {400, 408}
    assert_harmless(answered, door)
    assert len(server.engine.requests) == asked + bool(first)


def test_an_endless_body_is_not_taken_in(server: GuardedServer, door: Door) -> None:
    head = proper(door, body=b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", door.port), timeout=WAIT_S) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while sent < 1000 * len(chunk):
                connection.sendall(chunk)
                sent += len(chunk)
    # What the system holds for both ends comes on top.
    assert sent < 40 * MOST_BYTES


def test_those_who_say_nothing_keep_nobody_out_for_long(door: Door) -> None:
    with contextlib.ExitStack() as held:
        silent = [
            held.enter_context(socket.create_connection(("127.0.0.1", door.port), timeout=WAIT_S))
            for _number in range(200)
        ]
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                while connection.recv(65536):
                    pass


def test_only_this_computer_reaches_it(door: Door) -> None:
    own = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6) and address.address != "127.0.0.1"
    ]
    for address in own:
        with pytest.raises(OSError, match=r"refused|unreachable|assign"):
            socket.create_connection((address, door.port), timeout=WAIT_S)
