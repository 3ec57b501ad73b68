"""POST /v1/completions: the model goes on with a text, without a chat template; and says how likely a text was.

The latter is what evaluation harnesses ask for: `echo`, `logprobs`, and a token at most. A prompt may be tokens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import Answers, check_end, fault_of, while_connected
from app.api.asking import Desk, answer_reserve, desk_of, new_id
from app.api.drawing import drawn
from app.api.event_stream import DONE, STREAMED, EventStream, data
from app.api.faults import InvalidRequestError, json_response
from app.api.ports import PERSONA
from app.api.schemas import CompletionRequest
from app.api.usage import REASONS, Bill, text_logprobs, text_of
from engine.types import (
    BarePrompt,
    Failed,
    Finished,
    GenerationRequest,
    LoadedModel,
    PromptLogprobs,
    TextDelta,
    TokenLogprob,
    Usage,
)

router = APIRouter()
MAX_TOKENS = 16
"""Where a request does not say; OpenAI's number."""
AT_ONCE = 4
"""Prompts of one request that are answered side by side."""


@router.post("/v1/completions", summary="Have a text continued", response_model=None, responses=STREAMED)
async def completions(body: CompletionRequest, request: Request) -> Response:
    """As OpenAI's. Nothing in a text becomes a control token; tokens are taken as they are."""
    desk = desk_of(request)
    asked = Completion(desk, body)
    if body.stream:
        first = await while_connected(request.receive, asked.begin(0))
        return EventStream(asked.pieces(first), asked.close)
    try:
        return json_response(await while_connected(request.receive, asked.whole()))
    finally:
        asked.close()


@dataclass(slots=True)
class _Choice:
    """One answer to one prompt; `scored` are the prompt's own tokens."""

    scored: list[TokenLogprob] = field(default_factory=list)
    written: list[TokenLogprob] = field(default_factory=list)
    text: str = ""
    reason: str = "stop"


class Completion:
    """One request: `whole` or `pieces`, once; `close` at the end."""

    def __init__(self, desk: Desk, body: CompletionRequest) -> None:
        if body.model.startswith(PERSONA):
            raise InvalidRequestError("Personas answer chats only.", param="model")
        self._desk = desk
        self._body = body
        self._prompts = _prompts(body)
        self._n = body.n or 1
        self._tells_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
        self._bills = [Bill() for _ in self._prompts]
        self._open: list[Answers] = []
        self._head = {
            "id": new_id("cmpl"), "object": "text_completion", "created": int(time.time()), "model": body.model,
        }  # fmt: skip

    async def begin(self, index: int) -> Answers:
        """Have a prompt answered. Raises `ApiError`, `HearthError`."""
        body, prompt = self._body, self._prompts[index]
        most = MAX_TOKENS if body.max_tokens is None else body.max_tokens
        sampling = drawn(
            body,
            self._desk.parts.sampling(),
            max_tokens=most,
            logprobs=0 if body.logprobs is None else max(1, body.logprobs),
        )

        def make(loaded: LoadedModel) -> GenerationRequest:
            if not loaded.can_chat:
                raise InvalidRequestError("This model makes embeddings only.", param="model")
            reserve = answer_reserve(loaded, most)
            return GenerationRequest(new_id("cmpl"), (), sampling, answer_reserve=reserve, bare=prompt)

        answers = await self._desk.kernel.answer(body.model, make, self._n)
        self._open.append(answers)
        return answers

    async def whole(self) -> dict[str, Any]:
        """All choices: those of the first prompt, those of the second ..."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def answered(index: int) -> list[_Choice]:
            async with turns:
                choices = [_Choice() for _ in range(self._n)]
                async for _ in self._events(index, await self.begin(index), choices):
                    pass
                return choices

        tasks = [asyncio.create_task(answered(index)) for index in range(len(self._prompts))]
        try:
            done = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        choices = [(index, choice) for index, each in enumerate(done) for choice in each]
        return {
            **self._head,
            "choices": [self._choice(number, index, choice) for number, (index, choice) in enumerate(choices)],
            "usage": self._usage(),
        }

    async def pieces(self, first: Answers) -> AsyncIterator[bytes]:
        """Server-sent events, one prompt after another."""
        for index in range(len(self._prompts)):
            answers = first if not index else await self.begin(index)
            choices = [_Choice() for _ in range(self._n)]
            async for answer, event in self._events(index, answers, choices):
                choice, number = choices[answer], index * self._n + answer
                if isinstance(event, Finished):
                    yield self._piece(number, "", None, choice.reason)
                elif isinstance(event, TextDelta):
                    logprobs = self._logprobs(list(event.logprobs), len(choice.text) - len(event.text))
                    yield self._piece(number, event.text, logprobs, None)
                elif self._body.echo:
                    text = self._echoed(index, choice)
                    yield self._piece(number, text, self._logprobs(choice.scored, 0, first=True), None)
        if self._tells_usage:
            yield data({**self._head, "choices": [], "usage": self._usage()})
        yield DONE

    def close(self) -> None:
        """Cancel what is still written."""
        for answers in self._open:
            answers.close()

    async def _events(
        self, index: int, answers: Answers, choices: list[_Choice]
    ) -> AsyncIterator[tuple[int, TextDelta | Finished | None]]:
        """What a stream tells; None where an answer begins, once its prompt is scored."""
        begun = [False] * self._n
        async for answer, event in answers.events():
            choice = choices[answer]
            if isinstance(event, TextDelta | Finished) and not begun[answer]:
                begun[answer] = True
                yield answer, None
            match event:
                case PromptLogprobs():
                    del choice.scored[event.at :]
                    choice.scored += event.logprobs
                case TextDelta():
                    choice.text += event.text
                    choice.written += event.logprobs
                    yield answer, event
                case Usage():
                    self._bills[index].add(event)
                case Failed():
                    raise fault_of(event)
                case Finished():
                    check_end(event)
                    choice.reason = REASONS[event.reason]
                    yield answer, event

    def _choice(self, number: int, index: int, choice: _Choice) -> dict[str, Any]:
        echoed = self._echoed(index, choice) if self._body.echo else ""
        tokens = [*(choice.scored if self._body.echo else ()), *choice.written]
        return {
            "index": number,
            "text": echoed + choice.text,
            "logprobs": self._logprobs(tokens, 0, first=bool(self._body.echo)),
            "finish_reason": choice.reason,
        }

    def _piece(self, number: int, text: str, logprobs: Any, reason: str | None) -> bytes:
        choice = {"index": number, "text": text, "logprobs": logprobs, "finish_reason": reason}
        value = {**self._head, "choices": [choice]}
        return data({**value, "usage": None} if self._tells_usage else value)

    def _echoed(self, index: int, choice: _Choice) -> str:
        prompt = self._prompts[index]
        return prompt.text or text_of(token.piece for token in choice.scored)

    def _logprobs(self, tokens: list[TokenLogprob], start: int, *, first: bool = False) -> dict[str, Any] | None:
        """With `first`, the first token is a prompt's: nothing foresaw it."""
        if self._body.logprobs is None:
            return None
        known: list[TokenLogprob | None] = list(tokens)
        if first and known:
            known[0] = None
        return text_logprobs(known, [token.piece for token in tokens], start, self._body.logprobs)

    def _usage(self) -> dict[str, Any]:
        total: dict[str, Any] = {}
        for bill in self._bills:
            for name, value in bill.as_json().items():
                if isinstance(value, int):
                    total[name] = total.get(name, 0) + value
                else:
                    inner = total.setdefault(name, {})
                    for key, number in value.items():
                        inner[key] = inner.get(key, 0) + number
        return total


def _prompts(body: CompletionRequest) -> list[BarePrompt]:
    """Scored where their tokens are to be told."""
    given: list[str | list[int]]
    if isinstance(body.prompt, str):
        given = [body.prompt]
    elif body.prompt and isinstance(body.prompt[0], int):
        given = [[token for token in body.prompt if isinstance(token, int)]]
    else:
        given = [each for each in body.prompt if not isinstance(each, int)]
    told = bool(body.echo) and body.logprobs is not None
    return [
        BarePrompt(text=each, score=told)
        if isinstance(each, str)
        else BarePrompt(tokens=tuple(each), score=bool(body.echo))
        for each in given
    ]
