"""What every request must pass: host, origin, token, size, time, shape. Each refusal has a request that passes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from app.api.faults import InvalidRequestError
from app.api.guard import GuardLimits, check_json
from app.limits import API_JSON_DEPTH
from engine.fake import FakeEngine
from tests.unit.api_bench import PATIENCE_S, TOKEN, Api, serving


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    engine = FakeEngine()
    limits = GuardLimits(body_bytes=10_000, body_s=0.3, depth=8)
    with serving(engine, limits=limits) as api:
        yield api
    engine.close()


def test_who_has_the_token_and_comes_from_here_is_answered(api: Api) -> None:
    answer = api.ask("GET", "/v1/models")
    assert answer.status == 200
    assert [each["id"] for each in answer.json["data"]] == ["default"]
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_localhost_is_this_computer_too(api: Api) -> None:
    assert api.ask("GET", "/v1/models", headers={"Host": f"localhost:{api.port}"}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
def test_another_host_is_refused(api: Api, host: str) -> None:
    answer = api.ask("GET", "/v1/models", headers={"Host": host})
    assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_web_pages_are_refused(api: Api, headers: dict[str, str]) -> None:
    for method in ("GET", "OPTIONS"):
        answer = api.ask(method, "/v1/models", headers=headers)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN])
def test_without_the_token_nothing_is_told(api: Api, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    for path in ("/v1/models", "/openapi.json", "/nowhere"):
        answer = api.ask("GET", path, headers=headers, token=None)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_is_none(api: Api) -> None:
    assert api.ask("GET", f"/v1/models?token={TOKEN}&api_key={TOKEN}", token=None).status == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_forms_are_refused(api: Api, kind: str) -> None:
    answer = api.ask("POST", "/v1/chat/completions", {"model": "default"}, headers={"Content-Type": kind})
    assert answer.status == 415


def test_size_has_a_limit(api: Api) -> None:
    fits = b'{"model": "default", "messages": [{"role": "user", "content": "%s"}]}'
    most = 10_000 - len(fits) + 2
    assert api.ask("POST", "/v1/chat/completions", raw=fits % (b"x" * most)).status == 200
    assert api.ask("POST", "/v1/chat/completions", raw=fits % (b"x" * (most + 1))).status == 413


def test_size_has_a_limit_in_chunks_too(api: Api) -> None:
    connection = api.connection()
    connection.request(
        "POST",
        "/v1/chat/completions",
        iter([b"x" * 4_000] * 3),
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert connection.getresponse().status == 413
    connection.close()


def raw_exchange(api: Api, sent: bytes) -> bytes:
    """All that comes back, until the other side closes."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE_S) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %b\r\n"
JSON_TYPE = b"Content-Type: application/json\r\n"


def head(api: Api) -> bytes:
    return HEAD % (api.port, TOKEN.encode())


def test_a_body_that_never_comes_is_not_waited_for(api: Api) -> None:
    answer = raw_exchange(api, head(api) + JSON_TYPE + b"Content-Length: 100\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "smuggled",
    [
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        b"Host: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        b"Authorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}",
        b"Transfer-Encoding: chunked, identity\r\n\r\n{}",
        b"Content-Length: -1\r\n\r\n{}",
    ],
)
def test_requests_that_mean_two_things_are_refused(api: Api, smuggled: bytes) -> None:
    answer = raw_exchange(api, head(api) + JSON_TYPE + smuggled)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501")) or not answer
    assert answer.count(b"HTTP/1.1") <= 1


def test_nesting_has_a_limit(api: Api) -> None:
    for depth, status in ((7, 400), (9, 400)):
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        answer = api.ask("POST", "/v1/chat/completions", raw=nested)
        assert answer.status == status
        assert ("nested" in answer.json["error"]["message"]) == (depth > 8)


@pytest.mark.parametrize("raw", [b"", b"no JSON", b"[]", b"\xff\xfe", b'{"model": NaN}', b"null"])
def test_what_is_no_json_is_refused_in_words(api: Api, raw: bytes) -> None:
    answer = api.ask("POST", "/v1/chat/completions", raw=raw)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (b"[" * API_JSON_DEPTH, True),
        (b"[" * (API_JSON_DEPTH + 1), False),
        (b'"' + b"[" * 1_000 + b'"', True),
        (b'"\\"' + b"[" * 1_000 + b'"', True),
        (b"[]" * 1_000, True),
        (b'"\\\\"' + b"[" * (API_JSON_DEPTH + 1), False),
    ],
)
def test_brackets_in_texts_do_not_count(body: bytes, fits: bool) -> None:
    if fits:
        check_json(body, depth=API_JSON_DEPTH, signs=10_000)
    else:
        with pytest.raises(InvalidRequestError):
            check_json(body, depth=API_JSON_DEPTH, signs=10_000)


def test_parts_have_a_limit() -> None:
    check_json(b"[]" * 5, depth=1, signs=10)
    with pytest.raises(InvalidRequestError):
        check_json(b"[]" * 5 + b'"', depth=1, signs=10)


@pytest.mark.parametrize("begun", [b"", b"GET /v1/models HTTP/1.1\r\nHost: "])
def test_a_connection_that_does_not_come_to_the_point_is_closed(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr("app.api.server.API_HEAD_S", 0.05)
    with closing(FakeEngine()) as engine, serving(engine) as api:
        assert raw_exchange(api, begun) == b""
