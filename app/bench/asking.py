"""Ask an engine and time what a person would see: the first words, and the last. Knows no chat and no store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from app.answer import failure_sentence
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine
from engine.errors import ChatError
from engine.model.gguf import read_header
from engine.types import (
    TERMINAL,
    Failed,
    GenerationRequest,
    ReasoningDelta,
    SamplingParams,
    Started,
    TextDelta,
    Usage,
)

END_TOKENS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")
SYSTEM = "You are a careful assistant. You answer from what you are given."
_numbers = count()


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Times in seconds since the question was asked. Tokens of the prompt that were `cached` were not read again."""

    text: str
    first_s: float
    total_s: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    restored_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    started: Started | None = None

    @property
    def speed(self) -> float:
        """Tokens a second, from the first words to the end."""
        return (self.completion_tokens - 1) / (self.total_s - self.first_s)

    @property
    def reading(self) -> float:
        """Tokens of the prompt a second that were read until the first words."""
        return (self.prompt_tokens - self.cached_tokens) / self.first_s


def system(text: str = SYSTEM) -> Turn:
    return Turn(Role.SYSTEM, text)


def user(text: str) -> Turn:
    return Turn(Role.USER, text)


def assistant(text: str) -> Turn:
    return Turn(Role.ASSISTANT, text)


def never_end(path: Path) -> tuple[tuple[int, float], ...]:
    """A bias that keeps the model writing up to `max_tokens`. Raises `ModelFileError`."""
    metadata = read_header(path).metadata
    ends = [metadata[key] for key in END_TOKENS if isinstance(metadata.get(key), int)]
    return tuple((int(token), -1e9) for token in dict.fromkeys(ends) if isinstance(token, int))


def request(turns: Sequence[Turn], sampling: SamplingParams, *, key: str = "", reserve: int = 64) -> GenerationRequest:
    """A request as the app would make it."""
    origins = {Role.SYSTEM: Origin.PERSONA, Role.USER: Origin.USER, Role.ASSISTANT: Origin.ASSISTANT}
    messages = tuple(
        PromptMessage(turn.role, (Segment(turn.text, origins[turn.role]),), message_id=f"{index}")
        for index, turn in enumerate(turns)
    )
    return GenerationRequest(
        f"bench-{next(_numbers)}", messages, sampling, answer_reserve=sampling.max_tokens or reserve, cache_key=key
    )


def ask(engine: Engine, turns: Sequence[Turn], sampling: SamplingParams, *, key: str = "") -> Answer:
    """Ask, and wait for the end. Raises `ChatError` where there is no answer."""
    began = time.perf_counter()
    first = total = 0.0
    text = ""
    usage: Usage | None = None
    started: Started | None = None
    for event in engine.generate(request(turns, sampling, key=key)):
        if isinstance(event, Started):
            started = event
        elif isinstance(event, TextDelta | ReasoningDelta):
            total = time.perf_counter() - began
            first = first or total
            text += event.text
        elif isinstance(event, Usage):
            usage = event
            total = total or time.perf_counter() - began  # a mark like <think> is a token that shows nothing
            first = first or total
        elif isinstance(event, Failed):
            raise _failure(event)
    assert usage is not None
    return Answer(
        text, first, total, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.restored_tokens,
        usage.drafted_tokens, usage.accepted_tokens, started,
    )  # fmt: skip


def ask_many(engine: Engine, turns: Sequence[Turn], sampling: SamplingParams, n: int) -> float:
    """`n` answers to one question at once: tokens a second of all together, from the first words on.

    Raises `ChatError` where there is no answer.
    """
    first = last = 0.0
    tokens = 0
    for _, event in engine.generate_many(request(turns, sampling), n):
        if isinstance(event, TextDelta | ReasoningDelta):
            first = first or time.perf_counter()
        elif isinstance(event, Usage):
            tokens += event.completion_tokens
        elif isinstance(event, TERMINAL):
            last = time.perf_counter()
            if isinstance(event, Failed):
                raise _failure(event)
    return (tokens - n) / (last - first)


def _failure(event: Failed) -> ChatError:
    return ChatError(failure_sentence(event))
