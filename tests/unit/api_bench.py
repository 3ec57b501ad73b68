"""The API on a real port, over engines that tests give it, and a client that speaks plain HTTP to it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp

from app.api.admission import Admission
from app.api.application import make_application
from app.api.faults import UnknownModelError
from app.api.guard import GuardLimits
from app.api.ports import DEFAULT_MODEL, Kind, Parts, Served
from app.api.server import Server
from app.api.tokens import FixedToken, TokenCheck
from engine.engine import Engine
from engine.types import LoadedModel

TOKEN = "a-token-that-only-tests-know"
PATIENCE_S = 30.0


class OneModel:
    """`app.api.ports.Models` for whatever an engine has loaded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def served(self) -> Sequence[Served]:
        return [Served(DEFAULT_MODEL, Kind.MODEL)]

    def use(self, name: str) -> Future[LoadedModel]:
        model = self._engine.state.model
        if model is None or name not in (DEFAULT_MODEL, model.path.stem):
            raise UnknownModelError("There is no model called “{name}”.", name=name, param="model")
        future: Future[LoadedModel] = Future()
        future.set_result(model)
        return future


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of a stream's events, without the last mark."""
        lines = [line.removeprefix(b"data: ") for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        assert lines and lines[-1] == b"[DONE]"
        return [json.loads(line) for line in lines[:-1]]


@dataclass(frozen=True, slots=True)
class Api:
    """A server that runs."""

    server: Server
    admission: Admission

    @property
    def port(self) -> int:
        return self.server.port

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(
        self,
        method: str,
        path: str,
        value: object = None,
        *,
        headers: dict[str, str] | None = None,
        token: str | None = TOKEN,
        raw: bytes | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        body = raw if raw is not None else None if value is None else json.dumps(value).encode()
        sent = {"Connection": "close"}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection = self.connection()
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def chat(self, text: str = "Hello", **more: object) -> Answer:
        """One question to the default model."""
        value = {"model": "default", "messages": [{"role": "user", "content": text}], **more}
        return self.ask("POST", "/v1/chat/completions", value)


@contextmanager
def serving(
    engine: Engine,
    *,
    parts: Parts | None = None,
    tokens: TokenCheck | None = None,
    admission: Admission | None = None,
    limits: GuardLimits | None = None,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda application: application,
) -> Iterator[Api]:
    """The API on a free port, until the end of the context; `parts` are given the engine, `wrap` the application."""
    server = Server(0)
    admission = admission or Admission()
    given = replace(parts, engine=engine) if parts is not None else Parts(engine, OneModel(engine))
    application = make_application(
        given, tokens=tokens or FixedToken(TOKEN), hosts=server.hosts, admission=admission, limits=limits
    )
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(wrap(application), ready.set), name="api")
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield Api(server, admission)
    finally:
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
