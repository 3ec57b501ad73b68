"""One answer under way: its tokens, how far they are in the cache, and what a freshly sampled one means.

Knows a prompt's tokens, not its messages, and nothing of other answers. Runs on the worker's main thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.model.logprobs import end_probability, shown, token_logprob
from engine.model.sampling import Sampler
from engine.model.sequences import Lane, Opened
from engine.model.text_pipeline import Hooks, TextPipeline
from engine.model.vocabulary import Vocabulary
from engine.types import (
    Adapter,
    EndWeighed,
    Finished,
    FinishReason,
    GenerationRequest,
    PromptLogprobs,
    PromptProgress,
    QuestionScored,
    Started,
    TokenLogprob,
    Usage,
)

if TYPE_CHECKING:
    from engine.model.guessing import Guesses
    from engine.model.speculation import Speculator


@dataclass(frozen=True, slots=True)
class Ends:
    """What ends an answer. `controls` are control tokens whose text must be seen."""

    tokens: frozenset[int]
    controls: frozenset[int]
    n_ctx: int
    """The window: so many tokens can be read; the one written after the last of them is the end."""


class Generation:
    """Its `tokens` are prompt and answer; those that its lane does not hold yet are pending.

    `started` is sent with the numbers of cached tokens filled in once a lane is open.
    """

    def __init__(
        self,
        request: GenerationRequest,
        started: Started,
        prompt: Sequence[int],
        *,
        hooks: Hooks,
        sampler: Sampler,
        pipeline: TextPipeline,
        vocabulary: Vocabulary,
        ends: Ends,
        adapters: tuple[Adapter, ...] = (),
        variant: str = "",
        speculator: Guesses | Speculator | None = None,
        to_last_word: int = 0,
        question: range = range(0),
    ) -> None:
        """`to_last_word` of the prompt's tokens are read before it is told how likely it ends there, 0: it is not.
        How likely those of `question` were is told together, if any.
        """
        self.request = request
        self.hooks = hooks
        self.tokens = list(prompt)
        self.adapters = adapters
        self.variant = variant
        self.speculator = speculator
        self.lane: Lane | None = None
        self.reason: FinishReason | None = None
        self.begun = False
        """The prompt has been read, and writing has begun."""
        self._started = started
        self._was_started = False
        self._stopped = False
        self._last: TokenLogprob | None = None
        """The token that ended an answer to a scored prompt: who scores counts it."""
        self._n_prompt = len(self.tokens)
        self._to_last_word = to_last_word
        self._question = question if question.start else range(0)
        self._question_logprobs: list[float] = []
        self._cached = 0
        self._restored = 0
        self._sampler = sampler
        self._pipeline = pipeline
        self._vocabulary = vocabulary
        self._ends = ends
        most = request.sampling.max_tokens
        self._most = ends.n_ctx + 1 if most is None else most
        self._began = self._first_sample = time.perf_counter()

    @property
    def key(self) -> str:
        """Under which its lane is kept afterwards; background work leaves nothing of its own behind."""
        return "" if self.request.background and not self.request.prefill_only else self.request.cache_key

    @property
    def background(self) -> bool:
        return self.request.background

    @property
    def scores(self) -> bool:
        """How likely its prompt was is wanted, so that none of it may come from the cache."""
        return self.request.bare is not None and self.request.bare.score

    @property
    def scores_from(self) -> int | None:
        """Logits are wanted behind each of the prompt's tokens from that one on."""
        if self.begun:
            return None
        if self.scores:
            return 0
        return self._question.start - 1 if self._question else None

    @property
    def n_to_read(self) -> int:
        """So many of the prompt's tokens must be read, whatever is in the cache, so that all can be told."""
        return max(1, self._n_behind_words, self._n_prompt - self._question.start + 1 if self._question else 0)

    @property
    def prompt_tokens(self) -> int:
        return self._n_prompt

    @property
    def n_pending(self) -> int:
        """Tokens that must be evaluated before the next one can be sampled."""
        return len(self.tokens) - (len(self.lane.tokens) if self.lane is not None else 0)

    @property
    def room(self) -> int:
        """Tokens that the answer may still have."""
        return min(self._ends.n_ctx - len(self.tokens), self._most - (len(self.tokens) - self._n_prompt))

    @property
    def writing(self) -> bool:
        """The prompt is read; from here on one token follows another."""
        return self.begun and self.n_pending == 1

    @property
    def next_is_image(self) -> bool:
        """The next pending token stands for an image (see `engine.model.image_tokens`)."""
        return self.lane is not None and self.n_pending > 0 and self.tokens[len(self.lane.tokens)] < 0

    def enter(self, opened: Opened) -> None:
        """Take the lane. After the first time (it had to leave for others) nothing is announced again."""
        self.lane = opened.lane
        self._question_logprobs.clear()
        if self._was_started:
            return
        self._was_started = True
        self._cached, self._restored = opened.cached, opened.restored
        self._began = time.perf_counter()
        self.hooks.event(
            Started(
                self._started.request_id,
                self._started.prompt_tokens,
                opened.cached,
                self._started.n_ctx,
                self._started.seed,
                self._started.dropped,
                self._started.tokens_by_origin,
                opened.restored,
                self._started.pages,
                self._started.regions,
            )
        )

    def report_progress(self) -> None:
        """Tell how much of the prompt is read."""
        if self.lane is not None:
            self.hooks.event(PromptProgress(self.request.request_id, len(self.lane.tokens), self._n_prompt))

    def score(self, context: Any, rows: Sequence[int]) -> None:
        """Tell how likely the prompt's tokens were that follow the last evaluated ones, by their rows of logits."""
        if not rows:
            return
        assert self.lane is not None
        first = len(self.lane.tokens) - len(rows) + 1
        if not self.scores:
            self._score_question(context, rows, first)
            return
        told = [TokenLogprob(shown(self._vocabulary, self.tokens[0]), 0.0)] if first == 1 else []
        n_logprobs = self.request.sampling.logprobs
        for row, token in zip(rows, self.tokens[first : self._n_prompt], strict=False):
            told.append(token_logprob(context, self._vocabulary, token, n_logprobs, row))
        self.hooks.event(PromptLogprobs(self.request.request_id, 0 if first == 1 else first, tuple(told)))

    def _score_question(self, context: Any, rows: Sequence[int], first: int) -> None:
        for index, row in enumerate(rows, first):
            if index in self._question:
                logprob = token_logprob(context, self._vocabulary, self.tokens[index], 0, row).logprob
                self._question_logprobs.append(logprob)
                if len(self._question_logprobs) == len(self._question):
                    self.hooks.event(QuestionScored(self.request.request_id, sum(self._question_logprobs)))

    @property
    def _n_behind_words(self) -> int:
        """So many tokens must be read so that it can be told how likely the message is whole; 0: that is not asked."""
        return self._n_prompt - self._to_last_word + 1 if self._to_last_word else 0

    def logits_behind(self, at: int, count: int) -> int:
        """Of so many tokens from `at` on, behind how many logits are wanted so that the last word's are among them."""
        behind = at + count - self._to_last_word + 1
        return behind if self._to_last_word and not self.begun and 0 < behind <= count else 0

    def weigh_end(self, context: Any, row: int) -> None:
        """Tell how likely the message is whole, by the row of logits behind its last word."""
        probability = end_probability(context, self._vocabulary, self._ends.tokens, row)
        self.hooks.event(EndWeighed(self.request.request_id, probability))

    def begin_writing(self) -> None:
        """The prompt is in the cache and its last logits are there."""
        self.begun = True
        self._first_sample = time.perf_counter()
        if self.request.prefill_only or self._most <= 0:
            self.reason = FinishReason.LENGTH
        if self.speculator is not None:
            self.speculator.begin(self.tokens)

    def take(self, context: Any, row: int) -> int:
        """Sample from one row of the last batch's logits; the token. Sets `reason` if the answer ends with it.

        Raises `GrammarError`.
        """
        token = self._sampler.sample(context, row)
        if token in self._ends.tokens:
            self.reason = FinishReason.STOP
            if self.scores:
                self._last = token_logprob(context, self._vocabulary, token, self.request.sampling.logprobs, row)
            return token
        self.tokens.append(token)
        n_logprobs = self.request.sampling.logprobs
        logprob = token_logprob(context, self._vocabulary, token, n_logprobs, row) if n_logprobs else None
        if self._pipeline.feed(self._vocabulary.piece(token, special=token in self._ends.controls), logprob):
            self.reason = FinishReason.STOP
            self._stopped = True
        elif len(self.tokens) - self._n_prompt >= self._most:
            self.reason = FinishReason.LENGTH
        elif len(self.tokens) > self._ends.n_ctx:
            self.reason = FinishReason.CONTEXT
        if self.speculator is not None:
            self.speculator.accept(token)
        return token

    def end(self) -> None:
        """Say everything that is left to say, `Usage` and `Finished` last. `reason` is set."""
        assert self.reason is not None
        self._pipeline.finish(stopped=self._stopped)
        if self._last is not None:
            self.hooks.text("", (self._last,))
        if self._was_started:
            self.hooks.event(self._usage())
        self.hooks.event(Finished(self.request.request_id, self.reason))

    def _usage(self) -> Usage:
        now = time.perf_counter()
        guessed = self.speculator
        return Usage(
            request_id=self.request.request_id,
            prompt_tokens=self._n_prompt,
            cached_tokens=self._cached,
            completion_tokens=len(self.tokens) - self._n_prompt,
            n_ctx=self._ends.n_ctx,
            prefill_s=(self._first_sample if self.begun else now) - self._began,
            decode_s=now - self._first_sample if self.begun else 0.0,
            restored_tokens=self._restored,
            drafted_tokens=guessed.drafted if guessed is not None else 0,
            accepted_tokens=guessed.accepted if guessed is not None else 0,
        )

    def close(self) -> None:
        """Free the sampler."""
        self._sampler.close()
