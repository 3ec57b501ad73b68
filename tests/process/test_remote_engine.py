"""The remote process against real HTTP servers on the loopback that behave well, badly and not at all."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.remote.connection import list_models
from app.remote.engine import RemoteEngine, remote_path
from app.remote.messages import RemoteOrder, ServerKind
from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineStatus
from engine.errors import HearthError, RemoteError
from engine.types import (
    TERMINAL,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    OverflowPolicy,
    ReasoningDelta,
    RemoteModel,
    SamplingParams,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)

pytestmark = pytest.mark.beside

WAIT_S = 30
Answer = Callable[["Handler", dict[str, Any]], None]


class Server(http.server.ThreadingHTTPServer):
    """Answers the list of models, and chats as `answer` does it."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.owner = "someone"
        self.key = ""
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.gone = threading.Event()
        self.gate = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self.json({"error": {"message": "no"}}, 401)
        elif self.path.endswith("/v1/models"):
            rows = [{"id": name, "owned_by": self.server.owner} for name in ("small:latest", "large")]
            self.json({"object": "list", "data": rows})
        else:
            self.json({"error": "unknown"}, 404)

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        if self.path.endswith("/embeddings"):
            rows = [{"index": index, "embedding": [3.0, 4.0]} for index, _text in enumerate(body["input"])]
            self.json({"data": rows[::-1]})
            return
        self.server.answer(self, body)

    def json(self, value: object, status: int = 200) -> None:
        raw = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

    def event(self, value: object) -> None:
        self.wfile.write(f"data: {json.dumps(value) if not isinstance(value, str) else value}\n\n".encode())
        self.wfile.flush()

    def words(self, **delta: str) -> None:
        self.event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})

    def end(self, reason: str = "stop") -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        self.event(
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 20,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 12},
                },
            }
        )
        self.event("[DONE]")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def good(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    handler.wfile.write(b": hello\n\nevent: message\n")
    handler.words(role="assistant", content="")
    handler.words(reasoning_content="Hmm. ")
    handler.words(reasoning="Well.")
    handler.words(content="Gr\u00fc\u00df ")
    handler.words(content="Gott \U0001f600")
    handler.end()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def start(answer: Answer = good) -> Server:
        server = Server(answer)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.gate.set()
        server.shutdown()
        server.server_close()


QUICK = RemoteOrder("", connect_s=2.0, answer_s=1.0, stall_s=1.0)


@pytest.fixture
def engine() -> Iterator[RemoteEngine]:
    made = RemoteEngine(order=QUICK)
    yield made
    made.close()


def spec(address: str, name: str = "small") -> ModelSpec:
    return ModelSpec(remote_path(name), remote=RemoteModel(address, name))


def user(text: str, message_id: str = "") -> PromptMessage:
    return PromptMessage(Role.USER, (Segment(text, Origin.USER),), message_id)


def request(*messages: PromptMessage, name: str = "r", **options: Any) -> GenerationRequest:
    return GenerationRequest(name, messages or (user("Hello"),), **options)


def load(engine: Engine, address: str, name: str = "small") -> LoadedModel:
    return engine.load(spec(address, name)).result(WAIT_S)


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def failure(events: list[StreamEvent]) -> str:
    assert isinstance(events[-1], Failed), events
    return events[-1].message


def test_a_stream_with_reasoning_usage_and_end(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    server = serve()
    typed: Engine = engine
    model = load(typed, server.address)
    assert (model.name, model.remote_host, model.n_ctx) == ("small:latest", "127.0.0.1", 0)
    sampling = SamplingParams(temperature=0.0, max_tokens=50, seed=7, stop=("END",))
    events = list(engine.generate(request(sampling=sampling)))
    assert isinstance(events[0], Started)
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Hmm. Well."
    assert text_of(events) == "Gr\u00fc\u00df Gott \U0001f600"
    [usage] = [event for event in events if isinstance(event, Usage)]
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (20, 12, 5)
    assert events[-1] == Finished("r", FinishReason.STOP)
    [body] = server.bodies
    assert body["messages"] == [{"role": "user", "content": "Hello"}]
    assert body["model"] == "small:latest"
    assert (body["temperature"], body["max_tokens"], body["seed"], body["stop"]) == (0.0, 50, 7, ["END"])
    assert "top_k" not in body, "only servers that know it are sent it"


def test_a_server_that_knows_llama_cpps_parameters_gets_them(
    serve: Callable[..., Server], engine: RemoteEngine
) -> None:
    server = serve()
    server.owner = "llamacpp"
    load(engine, server.address)
    list(engine.generate(request(thinking=False)))
    body = server.bodies[-1]
    assert (body["top_k"], body["chat_template_kwargs"]) == (40, {"enable_thinking": False})


def test_length_is_told(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    def cut_short(handler: Handler, _body: dict[str, Any]) -> None:
        handler.stream()
        handler.words(content="One")
        handler.end("length")

    load(engine, serve(cut_short).address)
    assert list(engine.generate(request()))[-1] == Finished("r", FinishReason.LENGTH)


def test_cancel_closes_the_connection(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    def endless(handler: Handler, _body: dict[str, Any]) -> None:
        handler.stream()
        try:
            while not handler.server.gate.wait(0.02):
                handler.words(content="on and ")
        except OSError:
            handler.server.gone.set()

    server = serve(endless)
    load(engine, server.address)
    cancel = CancelToken()
    events: list[StreamEvent] = []
    for event in engine.generate(request(), cancel):
        events.append(event)
        if isinstance(event, TextDelta):
            cancel.cancel()
    assert events[-1] == Finished("r", FinishReason.CANCELLED)
    assert server.gone.wait(WAIT_S), "the server sees that nobody listens any more"


def test_a_stream_that_is_cut_keeps_what_came(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    def cut(handler: Handler, _body: dict[str, Any]) -> None:
        handler.stream()
        handler.words(content="Half an ")
        handler.wfile.write(b'data: {"choices": [{"delta": {"cont')

    load(engine, serve(cut).address)
    events = list(engine.generate(request()))
    assert text_of(events) == "Half an "
    assert failure(events) in (
        "The connection to 127.0.0.1 broke off.",
        "127.0.0.1 sent something that is no answer.",
    )


def garbage(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    handler.words(content="Fine. ")
    handler.event("{this is not JSON")


def wrong_kind(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    handler.event("[1, 2, 3]")


def web_page(handler: Handler, _body: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    handler.wfile.write(b"<h1>Welcome to the hotel</h1>")


def long_line(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    try:
        handler.words(content="x" * 10_000_000)
    except OSError:
        pass  # It has heard enough.


def silent(handler: Handler, _body: dict[str, Any]) -> None:
    handler.server.gate.wait(WAIT_S)


def stalls(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    handler.words(content="Wait for it")
    handler.server.gate.wait(WAIT_S)


def fails_inside(handler: Handler, _body: dict[str, Any]) -> None:
    handler.stream()
    handler.event({"error": {"message": "the GPU\x1b[31m is on fire", "code": 500}})


def no_model(handler: Handler, _body: dict[str, Any]) -> None:
    handler.json({"error": {"message": 'model "small" not found'}}, 404)


def overloaded(handler: Handler, _body: dict[str, Any]) -> None:
    handler.json({"error": {"message": "Loading model"}}, 503)


def not_http(handler: Handler, _body: dict[str, Any]) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize(
    ("answer", "message", "text"),
    [
        (garbage, "127.0.0.1 sent something that is no answer.", "Fine. "),
        (wrong_kind, "127.0.0.1 sent something that is no answer.", ""),
        (web_page, "is no server for models that Hearth understands.", ""),
        (not_http, "is no server for models that Hearth understands.", ""),
        (long_line, "127.0.0.1 sends more than Hearth can take.", ""),
        (silent, "127.0.0.1 did not answer in time.", ""),
        (stalls, "127.0.0.1 did not answer in time.", "Wait for it"),
        (fails_inside, "127.0.0.1 did not answer the question: the GPU is on fire", ""),
        (no_model, 'is another kind of server (model "small" not found).', ""),
        (overloaded, "127.0.0.1 did not answer the question: Loading model", ""),
    ],
)
def test_what_goes_wrong_has_a_sentence(
    serve: Callable[..., Server], engine: RemoteEngine, answer: Answer, message: str, text: str
) -> None:
    server = serve(answer)
    load(engine, server.address)
    events = list(engine.generate(request()))
    assert message in failure(events)
    assert text_of(events) == text
    server.answer = good
    server.gate.set()
    assert list(engine.generate(request(name="again")))[-1] == Finished("again", FinishReason.STOP)


def test_a_redirect_to_another_host_is_not_followed(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    other = serve()

    def redirect(handler: Handler, _body: dict[str, Any]) -> None:
        handler.send_response(307)
        handler.send_header("Location", other.address + "/v1/chat/completions")
        handler.end_headers()

    load(engine, serve(redirect).address)
    assert "points to another address" in failure(list(engine.generate(request())))
    assert other.paths == []


def test_the_key_is_sent_and_missed(serve: Callable[..., Server]) -> None:
    server = serve()
    server.key = "secret"
    for key, expected in (("", False), ("wrong", False), ("secret", True)):
        engine = RemoteEngine(lambda _address, key=key: key, order=QUICK)  # type: ignore[misc]
        try:
            if expected:
                assert load(engine, server.address).name == "small:latest"
            else:
                with pytest.raises(RemoteError, match="wants a key"):
                    load(engine, server.address)
                assert engine.state.status is EngineStatus.EMPTY
        finally:
            engine.close()


def test_an_unknown_model_names_those_there_are(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    with pytest.raises(RemoteError, match=r"has no model called huge\. It has: small:latest, large"):
        load(engine, serve().address, "huge")


def test_nobody_there(engine: RemoteEngine) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(RemoteError, match=f"Nothing answers at 127.0.0.1:{port}"):
        load(engine, f"127.0.0.1:{port}")


def test_no_such_host(engine: RemoteEngine) -> None:
    with pytest.raises(RemoteError, match=r"no computer called no-such-host\.invalid"):
        load(engine, "http://no-such-host.invalid:8080")


def test_a_public_address_without_encryption_is_refused(engine: RemoteEngine) -> None:
    with pytest.raises(RemoteError, match="not on your own network"):
        load(engine, "http://9.9.9.9:8080")


def test_a_certificate_nobody_vouches_for_is_refused(engine: RemoteEngine, tmp_path: Path) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = Server(good)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(RemoteError, match="has no certificate that this computer trusts"):
            load(engine, server.address.replace("http", "https"))
        assert server.paths == []
    finally:
        server.shutdown()
        server.server_close()


def test_a_chat_that_is_too_long_loses_its_oldest_turns(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    def short(handler: Handler, body: dict[str, Any]) -> None:
        if len(body["messages"]) > 2:
            handler.json({"error": {"message": "too many tokens", "type": "exceed_context_size_error"}}, 400)
        else:
            good(handler, body)

    load(engine, serve(short).address)
    answer = PromptMessage(Role.ASSISTANT, (Segment("Yes", Origin.ASSISTANT),), "a1")
    system = PromptMessage(Role.SYSTEM, (Segment("Be kind", Origin.APP),))
    messages = (system, user("First", "u1"), answer, user("Second", "u2"))
    events = list(engine.generate(request(*messages)))
    assert isinstance(events[0], Started)
    assert events[0].dropped == ("u1", "a1")
    assert events[-1] == Finished("r", FinishReason.STOP)
    strict = list(engine.generate(request(*messages, name="strict", overflow=OverflowPolicy.STOP)))
    assert failure(strict).startswith("This chat is longer than the model on 127.0.0.1 can read at once.")


def test_embeddings_have_length_one(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    load(engine, serve().address)
    assert engine.embed(["a", "b"]).result(WAIT_S) == [(0.6, 0.8), (0.6, 0.8)]


def test_what_is_not_known_is_not_made_up(serve: Callable[..., Server], engine: RemoteEngine) -> None:
    load(engine, serve().address)
    for question in (engine.cache(), engine.plan(request()), engine.count_tokens(["a"])):
        with pytest.raises(HearthError):
            question.result(WAIT_S)


def test_force_stop_ends_the_process_and_the_next_question_has_another(
    serve: Callable[..., Server], engine: RemoteEngine
) -> None:
    server = serve(silent)
    load(engine, server.address)
    events: list[StreamEvent] = []
    engine.submit(request(), CancelToken(), events.append)
    engine.force_stop()
    assert events == [Finished("r", FinishReason.CANCELLED)]
    server.answer = good
    assert list(engine.generate(request(name="again")))[-1] == Finished("again", FinishReason.STOP)


def test_closing_ends_what_is_open(serve: Callable[..., Server]) -> None:
    engine = RemoteEngine()
    load(engine, serve(silent).address)
    events: list[StreamEvent] = []
    engine.submit(request(), CancelToken(), events.append)
    engine.close()
    engine.close()
    assert isinstance(events[-1], TERMINAL)
    assert engine.state.status is EngineStatus.CLOSED


def test_the_list_of_models_alone(serve: Callable[..., Server]) -> None:
    server = serve()
    server.owner = "vllm"
    found = list_models(RemoteOrder(server.address)).result(WAIT_S)
    assert found.server is ServerKind.VLLM
    assert [model.name for model in found.models] == ["small:latest", "large"]


# Each attempt prints "made" or the name of the error. 1: the address that is allowed, 2: another one.
ATTEMPT = """
import socket, subprocess, sys
allowed, other = (("127.0.0.1", int(port)) for port in sys.argv[2:4])
if sys.argv[1] == "guarded":
    from app.remote.guard import allow_only
    allow_only(frozenset({allowed}))
def attempt(name, call):
    try:
        call()
        print(name, "made")
    except OSError as error:
        print(name, type(error).__name__)
attempt("allowed", lambda: socket.create_connection(allowed) if sys.argv[1] != "guarded" else
        socket.socket().connect(allowed))
attempt("other", lambda: socket.socket().connect(other))
attempt("other_ex", lambda: socket.socket().connect_ex(other))
attempt("other_host", lambda: socket.socket().connect(("127.0.0.2", other[1])))
attempt("lookup", lambda: socket.getaddrinfo("localhost", 80))
attempt("datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", other))
attempt("listen", lambda: socket.socket().bind(("127.0.0.1", 0)))
attempt("program", lambda: subprocess.run(["true"]))
"""


def attempts(mode: str, allowed: int, other: int) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPT, mode, str(allowed), str(other)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines())


def test_the_process_reaches_one_address_and_without_the_guard_any() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("0.0.0.0", 0)) as two:
        ports = one.getsockname()[1], two.getsockname()[1]
        free = attempts("free", *ports)
        guarded = attempts("guarded", *ports)
    assert set(free.values()) == {"made"}
    assert guarded.pop("allowed") == "made"
    assert set(guarded.values()) == {"OtherAddressError"}


def test_proxies_of_the_environment_are_not_used(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(), serve()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.address)
    assert list_models(RemoteOrder(server.address)).result(WAIT_S).models
    assert proxy.paths == []


def test_the_process_ends_with_the_program() -> None:
    """Its pipe closes when the program that started it is killed; nothing is left behind."""
    program = """
import os, sys, time
from app.remote.connection import RemoteConnection
from app.remote.messages import RemoteOrder
if __name__ == "__main__":
    connection = RemoteConnection(RemoteOrder("127.0.0.1:9"), lambda report: None, lambda ended: None)
    print(connection._child.pid, flush=True)
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    child = Path("/proc") / done.stdout.strip()
    if not Path("/proc/self").exists():
        pytest.skip("no /proc to look in")
    deadline = time.monotonic() + WAIT_S
    while child.exists() and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert not child.exists() or (child / "cmdline").read_bytes() == b""
