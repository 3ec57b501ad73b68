"""The engine's events as OpenAI's chat completions: whole, or as pieces of a stream. Knows no HTTP and no engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.api.answering import Answers, check_end, fault_of, is_progress
from app.api.event_stream import DONE, comment, data
from app.api.tools import CallReader, Toolbox
from app.api.usage import REASONS, Bill, chat_logprobs
from engine.types import Failed, Finished, PromptProgress, ReasoningDelta, TextDelta, TokenLogprob, Usage


@dataclass(frozen=True, slots=True)
class Shape:
    """How the answers are to be given. `alternatives` None: no logprobs. `cite` gives what a text cites."""

    id: str
    created: int
    model: str
    alternatives: int | None = None
    tools: Toolbox | None = None
    include_usage: bool = False
    cite: Callable[[str], list[dict[str, Any]]] | None = None


@dataclass(slots=True)
class _Choice:
    reader: CallReader | None
    text: str = ""
    reasoning: str = ""
    logprobs: list[TokenLogprob] = field(default_factory=list)
    calls_told: int = 0

    def feed(self, text: str) -> str:
        fed = self.reader.feed(text) if self.reader is not None else text
        self.text += fed
        return fed

    def end(self) -> str:
        rest = self.reader.end() if self.reader is not None else ""
        self.text += rest
        return rest


class ChatAnswers:
    """One request's answers. Use `whole` or `pieces`, once."""

    def __init__(self, answers: Answers, shape: Shape) -> None:
        self._answers = answers
        self._shape = shape
        self._bill = Bill()
        self._choices = [_Choice(CallReader(shape.tools) if shape.tools else None) for _ in range(answers.n)]
        self._reasons = ["stop"] * answers.n

    async def whole(self) -> dict[str, Any]:
        """The completion. Raises `ApiError`."""
        async for _index, _delta in self.deltas():
            pass
        return self.completion()

    def completion(self) -> dict[str, Any]:
        """What `deltas` has told, once it has ended."""
        return {
            **self._head("chat.completion"),
            "choices": [self._choice(index) for index in range(self._answers.n)],
            "usage": self._bill.as_json(),
            **self._cited(*range(self._answers.n)),
        }

    async def pieces(self) -> AsyncIterator[bytes]:
        """The completion as server-sent events. Raises `ApiError` in the middle."""
        for index in range(self._answers.n):
            yield self._piece(index, {"role": "assistant", "content": ""})
        async for index, delta in self.deltas():
            if isinstance(delta, str):
                yield comment(delta)
            elif "finish_reason" in delta:
                yield self._piece(index, {}, finish_reason=delta["finish_reason"])
            else:
                logprobs = self._logprobs(delta.pop("logprobs", None))
                yield self._piece(index, delta, logprobs=logprobs)
        if self._shape.include_usage:
            yield data({**self._head("chat.completion.chunk"), "choices": [], "usage": self._bill.as_json()})
        yield DONE

    async def deltas(self) -> AsyncIterator[tuple[int, dict[str, Any] | str]]:
        """What each event adds to its choice, in the fields of a stream, `logprobs` as the engine has them; a text is
        for a comment.
        """
        async for index, event in self._answers.events():
            choice = self._choices[index]
            match event:
                case TextDelta():
                    choice.logprobs += event.logprobs
                    text = choice.feed(event.text)
                    for call in self._new_calls(index):
                        yield index, call
                    if text or event.logprobs:
                        yield index, {"content": text, "logprobs": event.logprobs}
                case ReasoningDelta():
                    choice.reasoning += event.text
                    self._bill.thought(event.tokens)
                    yield index, {"reasoning_content": event.text}
                case PromptProgress() if is_progress(event):
                    yield index, f"reading {100 * event.processed // max(1, event.total)} %"
                case Usage():
                    self._bill.add(event)
                case Failed():
                    raise fault_of(event)
                case Finished():
                    check_end(event)
                    if rest := choice.end():
                        yield index, {"content": rest}
                    for call in self._new_calls(index):
                        yield index, call
                    called = choice.reader is not None and bool(choice.reader.calls)
                    self._reasons[index] = "tool_calls" if called else REASONS[event.reason]
                    yield index, {"finish_reason": self._reasons[index]}

    def _new_calls(self, index: int) -> list[dict[str, Any]]:
        choice = self._choices[index]
        if choice.reader is None:
            return []
        new = choice.reader.calls[choice.calls_told :]
        told, choice.calls_told = choice.calls_told, choice.calls_told + len(new)
        return [{"tool_calls": [call.as_json(told + number)]} for number, call in enumerate(new)]

    def _logprobs(self, tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
        """As clients read them, who asked for them."""
        if tokens is None or self._shape.alternatives is None:
            return None
        return {"content": chat_logprobs(tokens, self._shape.alternatives), "refusal": None}

    def _choice(self, index: int) -> dict[str, Any]:
        choice = self._choices[index]
        calls = choice.reader.calls if choice.reader is not None else []
        message: dict[str, Any] = {
            "role": "assistant",
            "content": choice.text if choice.text or not calls else None,
            "refusal": None,
        }
        if choice.reasoning:
            message["reasoning_content"] = choice.reasoning
        if calls:
            message["tool_calls"] = [call.as_json() for call in calls]
        return {
            "index": index,
            "message": message,
            "logprobs": self._logprobs(choice.logprobs),
            "finish_reason": self._reasons[index],
        }

    def _piece(
        self, index: int, delta: dict[str, Any], *, logprobs: object = None, finish_reason: str | None = None
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        value = {**self._head("chat.completion.chunk"), "choices": [choice]}
        if finish_reason is not None:
            value |= self._cited(index)
        if self._shape.include_usage:
            value["usage"] = None
        return data(value)

    def _cited(self, *indexes: int) -> dict[str, Any]:
        """Hearth's own field: the places in documents that the answers rest on."""
        cite = self._shape.cite
        if cite is None:
            return {}
        places = [{"choice": index, **place} for index in indexes for place in cite(self._choices[index].text)]
        return {"hearth": {"citations": places}}

    def _head(self, kind: str) -> dict[str, Any]:
        shape = self._shape
        return {"id": shape.id, "object": kind, "created": shape.created, "model": shape.model}
