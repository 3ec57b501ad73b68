"""What the window's side asks of the process that talks to another computer, and what it tells. Values only.

They travel as JSON through `engine.worker.codec`. Each command is answered by reports with its `call_id`: `Words`
may come any number of times, and exactly one of the others ends the call (`Spent` comes just before `Ended`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.types import FinishReason
from engine.worker.codec import from_json, to_json
from engine.worker.envelope import Fault

MESSAGE_BYTES = 64 * 1024 * 1024
"""The longest message either way."""


class ServerKind(StrEnum):
    """Which program answers, told from its list of models; it decides what may be asked beyond the common ground."""

    LLAMA = "llamacpp"
    VLLM = "vllm"
    OLLAMA = "ollama"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """What the process is for. Times in seconds: to connect, for the first byte of an answer, between two bytes."""

    address: str
    key: str = ""
    connect_s: float = 5.0
    answer_s: float = 600.0
    stall_s: float = 120.0


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that the server offers. Numbers are 0 where it does not tell them."""

    name: str
    n_ctx: int = 0
    n_ctx_train: int = 0
    n_params: int = 0
    n_vocab: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ListModels:
    """Which models are there? Answer: `Found`."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Chat:
    """Stream an answer. `body` is the request as JSON text. Answer: `Begun`, `Words` ..., `Spent`, `Ended`."""

    call_id: int
    body: str


@dataclass(frozen=True, slots=True)
class CountWords:
    """How many tokens has each text, and the prompt rendered from `messages` ("": none)? llama-server only."""

    call_id: int
    texts: tuple[str, ...]
    messages: str = ""


@dataclass(frozen=True, slots=True)
class EmbedWords:
    """A vector for each text. Answer: `Vectors`."""

    call_id: int
    model: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection of a call; nothing more is told of it."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Found:
    call_id: int
    server: ServerKind
    models: tuple[FoundModel, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """The server has taken the prompt."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Words:
    """The next characters of the reasoning and of the answer."""

    call_id: int
    text: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """The server's own count of tokens; the times are the server's where it tells them, else as seen from here."""

    call_id: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prefill_s: float
    decode_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    call_id: int
    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Counted:
    """One number a text; `prompt` is that of the rendered messages, with the template's own tokens."""

    call_id: int
    counts: tuple[int, ...]
    prompt: int


@dataclass(frozen=True, slots=True)
class Vectors:
    """One vector of length 1 a text."""

    call_id: int
    vectors: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The call failed; words that came before stay."""

    call_id: int
    fault: Fault


Command = ListModels | Chat | CountWords | EmbedWords | HangUp
RemoteReport = Found | Begun | Words | Spent | Ended | Counted | Vectors | Refusal


def encoded(message: Command | RemoteReport | RemoteOrder) -> bytes:
    return json.dumps(to_json(message), separators=(",", ":")).encode("ascii")


def command_of(raw: bytes) -> Command:
    """Raises `ValueError`."""
    return _decoded(Command, raw)  # type: ignore[no-any-return]


def report_of(raw: bytes) -> RemoteReport:
    """Raises `ValueError`."""
    return _decoded(RemoteReport, raw)  # type: ignore[no-any-return]


def order_of(raw: bytes) -> RemoteOrder:
    """Raises `ValueError`."""
    return _decoded(RemoteOrder, raw)  # type: ignore[no-any-return]


def _decoded(kind: Any, raw: bytes) -> Any:
    return from_json(kind, json.loads(raw))
