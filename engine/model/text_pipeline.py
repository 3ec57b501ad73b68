"""Token bytes to answer and reasoning: characters, reasoning marks, stop strings, in this order.

Knows no tokens and no model.
"""

from __future__ import annotations

from typing import Protocol

from engine.context.reasoning import ReasoningSplitter, TextRun
from engine.model.detokenise import StopStrings, TextDecoder
from engine.types import StreamEvent, TokenLogprob


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


class TextPipeline:
    """One answer's."""

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
