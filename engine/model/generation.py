"""One answer: prefill, then token after token, from sampled tokens to whole characters.

Knows a prompt's tokens, not its messages. Runs on the worker's main thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from engine.context.reasoning import ReasoningSplitter, TextRun
from engine.model.detokenise import StopStrings, TextDecoder
from engine.model.kv_cache import BACKGROUND, FOREGROUND, KvCache, Outcome
from engine.model.logprobs import token_logprob
from engine.model.sampling import Sampler
from engine.model.vocabulary import Vocabulary
from engine.types import FinishReason, PromptProgress, StreamEvent, TokenLogprob


class Hooks(Protocol):
    """What a generation needs from whoever runs it. All calls come from the generating thread."""

    def event(self, event: StreamEvent) -> None:
        """Pass on an event that is not text."""
        ...

    def text(self, text: str, logprobs: tuple[TokenLogprob, ...]) -> None:
        """Pass on the next characters of the answer (these may be gathered before they are sent)."""
        ...

    def reasoning(self, text: str) -> None:
        """Pass on the next characters of the reasoning."""
        ...

    def cancelled(self) -> bool: ...

    def pause(self) -> None:
        """Background work offers to wait here; other generations may run inside."""
        ...


class TextPipeline:
    """Token bytes to answer and reasoning: characters, reasoning marks, stop strings, in this order."""

    def __init__(self, hooks: Hooks, splitter: ReasoningSplitter | None, stops: tuple[str, ...]) -> None:
        self._hooks = hooks
        self._decoder = TextDecoder()
        self._splitter = splitter
        self._stops = StopStrings(stops)
        self._logprobs: list[TokenLogprob] = []

    def feed(self, piece: bytes, logprob: TokenLogprob | None = None) -> bool:
        """Take a token; True if a stop string ends the answer with it."""
        if logprob is not None:
            self._logprobs.append(logprob)
        text = self._decoder.feed(piece)
        return bool(text) and self._split(text)

    def _split(self, text: str) -> bool:
        if self._splitter is None:
            return self._answer(text)
        return self._pass(self._splitter.feed(text))

    def _pass(self, runs: list[TextRun]) -> bool:
        for run in runs:
            if run.is_reasoning:
                self._hooks.reasoning(run.text)
                self._logprobs.clear()
            elif self._answer(run.text):
                return True
        return False

    def _answer(self, text: str) -> bool:
        shown, stopped = self._stops.feed(text)
        if shown:
            self._show(shown)
        return stopped

    def _show(self, text: str) -> None:
        logprobs = tuple(self._logprobs)
        self._logprobs.clear()
        self._hooks.text(text, logprobs)

    def finish(self, *, stopped: bool) -> None:
        """Let go of what was held back; after a stop string, that is nothing to show."""
        if stopped:
            return
        rest = self._decoder.finish()
        if rest:
            stopped = self._split(rest)
        if self._splitter is not None and not stopped:
            stopped = self._pass(self._splitter.finish())
        held = "" if stopped else self._stops.finish()
        if held or self._logprobs:
            self._show(held)


class Generation:
    """Fills one sequence of the cache with a prompt, then writes behind it."""

    def __init__(
        self,
        cache: KvCache,
        vocabulary: Vocabulary,
        hooks: Hooks,
        *,
        request_id: str,
        background: bool,
        prompt: list[int],
    ) -> None:
        self._cache = cache
        self._vocabulary = vocabulary
        self._hooks = hooks
        self._request_id = request_id
        self._background = background
        self._sequence = BACKGROUND if background else FOREGROUND
        self._tokens = list(prompt)
        self._n_prompt = len(prompt)
        self.prefill_s = 0.0
        self.decode_s = 0.0

    @property
    def prompt_tokens(self) -> int:
        return self._n_prompt

    @property
    def completion_tokens(self) -> int:
        return len(self._tokens) - self._n_prompt

    def reuse(self) -> int:
        """Keep what the cache shares with the prompt; the number of tokens that need no work."""
        return self._cache.reuse(self._sequence, self._tokens)

    def prefill(self) -> FinishReason | None:
        """Evaluate the prompt; a reason if that could not be finished."""
        began = time.perf_counter()
        reason = self._fill(self._report_progress)
        self.prefill_s = time.perf_counter() - began
        return reason

    def _report_progress(self, processed: int) -> bool:
        self._hooks.event(PromptProgress(self._request_id, processed, self._n_prompt))
        return not self._hooks.cancelled()

    def _fill(self, between: Callable[[int], bool] | None = None) -> FinishReason | None:
        """Evaluate whatever of the tokens the sequence does not hold, through pauses and aborts."""
        while True:
            if self._background:
                self._hooks.pause()
            if self._hooks.cancelled():
                return FinishReason.CANCELLED
            held = self._cache.reuse(self._sequence, self._tokens)
            outcome = self._cache.extend(self._sequence, self._tokens[held:], between)
            if outcome is Outcome.DONE:
                return FinishReason.CANCELLED if self._hooks.cancelled() else None
            if outcome is Outcome.FULL:
                return FinishReason.CONTEXT
            self._cache.abort.clear()

    def decode(
        self, context: Any, sampler: Sampler, pipeline: TextPipeline, *, max_tokens: int | None, ends: frozenset[int],
        controls: frozenset[int], logprobs: int,
    ) -> FinishReason:  # fmt: skip
        """Write until something ends the answer. `controls` are control tokens whose text must be seen."""
        began = time.perf_counter()
        most = max_tokens if max_tokens is not None else self._cache.n_ctx + 1
        sample, vocabulary, tokens, feed = sampler.sample, self._vocabulary, self._tokens, pipeline.feed
        advance, hooks = self._advance, self._hooks
        reason: FinishReason | None = FinishReason.LENGTH if most <= 0 else None
        stopped = False
        while reason is None:
            token = sample(context)
            if token in ends:
                reason = FinishReason.STOP
                break
            tokens.append(token)
            logprob = token_logprob(context, vocabulary, token, logprobs) if logprobs else None
            stopped = feed(vocabulary.piece(token, special=token in controls), logprob)
            if stopped:
                reason = FinishReason.STOP
            elif len(tokens) - self._n_prompt >= most:
                reason = FinishReason.LENGTH
            elif hooks.cancelled():
                reason = FinishReason.CANCELLED
            else:
                reason = advance(token)
        pipeline.finish(stopped=stopped)
        self.decode_s = time.perf_counter() - began
        return reason

    def _advance(self, token: int) -> FinishReason | None:
        """Evaluate the token just written, so that the next can be sampled."""
        if self._background:
            return self._fill()
        outcome = self._cache.step(self._sequence, token)
        if outcome is Outcome.DONE:
            return None
        if outcome is Outcome.FULL:
            return FinishReason.CONTEXT
        self._cache.abort.clear()
        return self._fill()
