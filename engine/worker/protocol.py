"""The messages between engine client and engine worker, as versioned JSON over a pipe.

Knows no process. Everything that travels is a frozen dataclass; nothing is ever pickled.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.pages import CacheReport, PromptPlan
from engine.types import GenerationRequest, LoadedModel, ModelSpec, StreamEvent
from engine.worker.envelope import Fault, enveloped, opened

VERSION = 3
COMMAND_BYTES = 64 * 1024 * 1024
"""The longest message to the worker: a request carries its whole conversation."""
EMBED_TEXTS = 64
"""Texts in one `EmbedTexts`."""
REPORT_BYTES = 4 * 1024 * 1024
"""The longest message from the worker."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model; the worker's first command, and once only."""

    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue a request."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a request, waiting or running; unknown ids are ignored (it may just have ended)."""

    request_id: str


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Question: how many tokens each text has. Answer: `TokenCounts`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanPrompt:
    """Question: what a request's prompt would be. Answer: `PromptPlan`."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class ReportCache:
    """Question: what is cached. Answer: `CacheReport`."""


@dataclass(frozen=True, slots=True)
class EmbedTexts:
    """Question: the vectors of texts. Answer: `Embeddings`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """One number a text."""

    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector of length 1 a text."""

    vectors: tuple[tuple[float, ...], ...]


Question = CountTokens | PlanPrompt | ReportCache | EmbedTexts
Answer = TokenCounts | PromptPlan | CacheReport | Embeddings


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a question; each is answered by one `Answered` or `Refused`."""

    call_id: int
    question: Question


@dataclass(frozen=True, slots=True)
class Forget:
    """Let go of everything cached under a key, in memory and on disk."""

    cache_key: str


@dataclass(frozen=True, slots=True)
class Quit:
    """Write snapshots of the present conversations, for `within_s` seconds at most, and end the process."""

    within_s: float


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask for a sign of life."""

    number: int


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker's first message."""

    pid: int


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is ready."""

    model: LoadedModel


@dataclass(frozen=True, slots=True)
class LoadRefused:
    """The model is not loaded; the worker is of no more use."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Taken:
    """The worker begins to work on a request (from here on a crash is laid to its charge)."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """An event of a request's stream."""

    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to `Ask`."""

    call_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an `Ask` has no answer."""

    call_id: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life: `beats` moves while there is progress, `busy` is True while there is work."""

    number: int
    beats: int
    busy: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """A warning, an error, or the last words of llama.cpp."""

    text: str


CommandMessage = Load | Submit | Cancel | Ask | Forget | Quit | Ping
ReportMessage = Hello | LoadProgress | Loaded | LoadRefused | Taken | Report | Answered | Refused | Pong | LogLine


def encode(message: CommandMessage | ReportMessage, cap: int) -> bytes:
    """Bytes for the pipe. Raises `MessageTooLongError`."""
    return enveloped(message, VERSION, cap)


def decode_command(raw: bytes) -> CommandMessage:
    """Raises `ProtocolError`."""
    message: CommandMessage = opened(raw, CommandMessage, VERSION)
    return message


def decode_report(raw: bytes) -> ReportMessage:
    """Raises `ProtocolError`."""
    message: ReportMessage = opened(raw, ReportMessage, VERSION)
    return message
