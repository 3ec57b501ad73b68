"""Continuous batching: all answers under way move on together, one batch after another.

Each batch takes the next token of every answer that is being written and fills up with prompts that are still to be
read. Background work has a share only while nobody waits. Whoever does not fit goes back to the queue and loses nothing
but time. Follows the serving loop of Orca (Yu et al., OSDI 2022) on top of llama.cpp's sequences.
Knows tokens, not texts. Runs on the worker's main thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import HearthError
from engine.model.evaluator import Evaluator, Outcome
from engine.model.generation import Generation
from engine.model.image_tokens import has_images, text_run
from engine.model.prefix_tree import common_prefix
from engine.model.sequences import Lanes
from engine.types import Adapter, FinishReason

if TYPE_CHECKING:
    from engine.model.eyes import Eyes

MIXED_PREFILL_TOKENS = 128
"""Of a prompt, in a batch where others are being written: more would make their words come in jerks."""
WORTH_WAITING_TOKENS = 32
"""A prompt waits for one that is being read if it shares at least so many tokens more with that than with the cache."""
GROWTH_TOKENS = 32
"""Cells kept for each answer under way before another may enter."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A generation that has ended; with an error it has sent no `Finished`."""

    generation: Generation
    error: HearthError | None = None


@dataclass(frozen=True, slots=True)
class _Share:
    """A generation's part of a batch: `tokens`, and the row of logits behind the last one (None: not wanted).

    `rows` are those behind every token, where the prompt is scored; `weighed` is the one behind its last word.
    """

    generation: Generation
    tokens: Sequence[int]
    row: int | None
    rows: Sequence[int] = ()
    weighed: int | None = None
    outputs: int = 0
    """Rows of logits in the batch."""


class Scheduler:
    """`max_outputs` limits the rows of logits in a batch. `news()` is True when somebody else has something to say:
    the loop over one lone answer looks up then.
    """

    def __init__(
        self,
        lanes: Lanes,
        evaluator: Evaluator,
        *,
        max_outputs: int,
        news: Callable[[], bool] = lambda: False,
        use_adapters: Callable[[tuple[Adapter, ...]], None] = lambda _adapters: None,
        eyes: Eyes | None = None,
    ) -> None:
        self._lanes = lanes
        self._evaluator = evaluator
        self._max_outputs = max_outputs
        self._news = news
        self._use_adapters = use_adapters
        self._eyes = eyes
        self._active: list[Generation] = []
        self._waiting: deque[Generation] = deque()
        self._ended: list[Ended] = []
        self._variant = ""

    @property
    def busy(self) -> bool:
        return bool(self._active or self._waiting)

    @property
    def serves_foreground(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(not each.background for each in (*self._active, *self._waiting))

    def add(self, generation: Generation) -> None:
        """Queue an answer."""
        self._waiting.append(generation)

    def step(self) -> list[Ended]:
        """One batch (or, for one lone answer, as many as nothing else happens); whoever ended in it."""
        self._ended = []
        self._drop_cancelled()
        self._admit()
        group = self._group()
        if len(group) == 1 and group[0].writing and all(each.background for each in self._waiting):
            self._write_alone(group[0])
        elif (looking := next((each for each in group if each.next_is_image), None)) is not None:
            self._look(looking)
        elif group:
            self._evaluate(self._shares(group))
        return self._ended

    # Who is in

    def _drop_cancelled(self) -> None:
        for generation in [each for each in (*self._active, *self._waiting) if each.hooks.cancelled()]:
            generation.reason = FinishReason.CANCELLED
            self._end(generation)

    def _admit(self) -> None:
        while (generation := self._first_in_line()) is not None and self._may_enter(generation):
            # A model that cannot be cut back would have to read all of it again.
            left = generation.n_to_read if self._lanes.shares_prefixes else 1
            opened = self._lanes.open(
                generation.tokens, key=generation.key, variant=generation.variant, anew=generation.scores, left=left
            )
            if opened is None:
                return
            self._waiting.remove(generation)
            self._active.append(generation)
            generation.enter(opened)
            self._keep_place(generation)

    def _first_in_line(self) -> Generation | None:
        """Background work stays outside while anybody waits for an answer, and comes one at a time."""
        first = next((each for each in self._waiting if not each.background), None)
        if first is None and not self._active and self._waiting:
            return self._waiting[0]
        return first

    def _may_enter(self, generation: Generation) -> bool:
        """There is room beside the others, and nobody is just reading what this one could share."""
        known = self._lanes.longest(generation.tokens, generation.variant)
        cells, shared = 0, 0
        lanes = [each.lane.tokens for each in self._active if each.lane is not None]
        for index, tokens in enumerate(lanes):
            cells += len(tokens) - max((common_prefix(tokens, other) for other in lanes[:index]), default=0)
            shared = max(shared, common_prefix(tokens, generation.tokens))
        for each in self._active:
            if not each.writing and each.variant == generation.variant:
                coming = common_prefix(each.tokens, generation.tokens)
                if not self._lanes.shares_prefixes and coming < len(each.tokens) - 1:
                    coming = 0  # it will be kept there, and nowhere before
                if coming >= known + WORTH_WAITING_TOKENS:
                    return False
        needed = cells + len(generation.tokens) - shared + GROWTH_TOKENS * (len(lanes) + 1)
        return not self._active or needed <= self._lanes.n_cells

    def _group(self) -> list[Generation]:
        """Those that share the next batch: foreground before background, and of one set of adapters at a time."""
        chosen = [each for each in self._active if not each.background] or self._active
        variants = list(dict.fromkeys(each.variant for each in chosen))
        if not variants:
            return []
        if len(variants) > 1:
            later = variants.index(self._variant) + 1 if self._variant in variants else 0
            self._variant = variants[later % len(variants)]
        else:
            self._variant = variants[0]
        group = [each for each in chosen if each.variant == self._variant]
        self._use_adapters(group[0].adapters)
        return group

    # Batches

    def _shares(self, group: Sequence[Generation]) -> list[_Share]:
        """Fill the evaluator's batch: writers first, then prompts in their order."""
        evaluator = self._evaluator
        evaluator.clear()
        shares: list[_Share] = []
        outputs = 0
        reading = [each for each in group if each.n_pending > 1]
        for generation in group:
            if generation.n_pending == 1 and evaluator.room and outputs < self._max_outputs:
                shares.append(self._share(generation, 1))
                outputs += 1
        room = min(evaluator.room, MIXED_PREFILL_TOKENS) if shares else evaluator.room
        for generation in reading:
            if not room or outputs >= self._max_outputs:
                break
            share = self._share(generation, min(generation.n_pending, room), self._max_outputs - outputs)
            shares.append(share)
            room -= len(share.tokens)
            outputs += share.outputs
        return shares

    def _share(self, generation: Generation, count: int, most_outputs: int = 1) -> _Share:
        lane = generation.lane
        assert lane is not None
        at = len(lane.tokens)
        count = min(count, text_run(generation.tokens, at) - at)
        scored_from = generation.scores_from
        scored = scored_from is not None and at >= scored_from
        if scored_from is not None:
            count = min(count, most_outputs if scored else scored_from - at)
        if 1 < count == generation.n_pending and not generation.begun and not self._lanes.shares_prefixes:
            count -= 1  # see `_keep_place`
        tokens = generation.tokens[at : at + count]
        whole = at + count == len(generation.tokens)
        behind = generation.logits_behind(at, count)
        weighs = 0 < behind <= most_outputs
        outputs = count if scored else behind if weighs else int(whole)
        first = self._evaluator.add(lane.id, at, tokens, logits=outputs)
        row = first + outputs - 1 if whole else None
        rows = range(first, first + count) if scored else ()
        return _Share(generation, tokens, row, rows, first if weighs else None, outputs)

    def _evaluate(self, shares: Sequence[_Share]) -> None:
        # With several sequences in a batch llama.cpp may move the states of those that rest, and notes their new places
        # before the graph moves them (`llama_memory_recurrent::find_slot`): abort that, and they are mixed up.
        stateful = not self._lanes.shares_prefixes
        outcome = self._evaluator.run(to_the_end=stateful and len(shares) > 1)
        if outcome is not Outcome.DONE:
            self._undo([share.generation for share in shares], outcome)
            return
        for share in shares:
            lane = share.generation.lane
            assert lane is not None
            lane.tokens.extend(share.tokens)
        for share in shares:
            self._go_on(share)

    def _go_on(self, share: _Share) -> None:
        generation, lane = share.generation, share.generation.lane
        assert lane is not None
        if not generation.begun:
            generation.score(self._evaluator.context, share.rows)
            if share.weighed is not None:
                generation.weigh_end(self._evaluator.context, share.weighed)
            generation.report_progress()
            self._keep_place(generation)
            if share.row is not None:
                self._lanes.settle(lane)
                generation.begin_writing()
        if share.row is not None and generation.reason is None:
            self._take(generation, share.row)
        if generation.reason is not None:
            self._end(generation)

    def _keep_place(self, generation: Generation) -> None:
        """A model that cannot be cut back finds its way to the same prompt again: its state before the last token."""
        if self._lanes.shares_prefixes or generation.begun or generation.n_pending != 1:
            return
        if not generation.background or generation.request.prefill_only:
            assert generation.lane is not None
            self._lanes.checkpoint(generation.lane)

    def _take(self, generation: Generation, row: int) -> int | None:
        """The next token, or None where there is none to be had: the generation has failed."""
        try:
            return generation.take(self._evaluator.context, row)
        except HearthError as error:
            self._end(generation, error)
            return None

    def _look(self, generation: Generation) -> None:
        """Compute an image of a prompt, by itself: the others wait for it."""
        from engine.model.vision import NoRoomError  # noqa: PLC0415 - only vision models bring mtmd into the process

        lane = generation.lane
        assert lane is not None
        assert self._eyes is not None
        at = len(lane.tokens)
        try:
            end = self._eyes.evaluate(
                self._evaluator.context,
                generation.tokens,
                at,
                sequence=lane.id,
                n_batch=self._evaluator.n_batch,
                cancelled=generation.hooks.cancelled,
            )
        except NoRoomError:
            self._undo([generation], Outcome.FULL)
        except CancelledError:
            self._undo([generation], Outcome.ABORTED)
        except HearthError as error:
            self._end(generation, error)
        else:
            lane.tokens.extend(generation.tokens[at:end])
            generation.report_progress()

    def _write_alone(self, generation: Generation) -> None:
        """The decode loop of a single answer, as short as can be."""
        lane, speculator = generation.lane, generation.speculator
        assert lane is not None
        evaluator, take, cancelled, news = self._evaluator, self._take, generation.hooks.cancelled, self._news
        tokens, held = generation.tokens, lane.tokens
        while generation.reason is None and not cancelled() and not news():
            guesses = speculator.propose(self._draft_room(generation)) if speculator is not None else None
            if guesses and not has_images(guesses):
                if not self._verify(generation, guesses):
                    return
                continue
            token = tokens[-1]
            outcome = evaluator.run_one(lane.id, len(held), token)
            if outcome is not Outcome.DONE:
                self._undo([generation], outcome)
                return
            held.append(token)
            if take(generation, 0) is None:
                return
        if generation.reason is not None:
            self._end(generation)

    def _draft_room(self, generation: Generation) -> int:
        return min(self._max_outputs - 1, generation.room, self._evaluator.n_batch - 1)

    def _verify(self, generation: Generation, guesses: Sequence[int]) -> bool:
        """Evaluate guesses with the pending token in one batch; keep those that the model writes itself.

        Sampled row by row, as if alone, up to the first that differs (Leviathan et al., 2023, for a drafter without
        probabilities). False if the generation cannot go on in this loop.
        """
        lane = generation.lane
        assert lane is not None
        evaluator, at = self._evaluator, len(lane.tokens)
        tokens = [generation.tokens[-1], *guesses]
        evaluator.clear()
        row = evaluator.add(lane.id, at, tokens, logits=len(tokens))
        outcome = evaluator.run()
        if outcome is not Outcome.DONE:
            self._undo([generation], outcome)
            return False
        lane.tokens.extend(tokens)
        accepted = 0
        for index in range(len(tokens)):
            token = self._take(generation, row + index)
            if token is None:
                return False
            if generation.reason is not None or index == len(guesses) or token != guesses[index]:
                break
            accepted += 1
        self._lanes.cut(lane, at + 1 + accepted)
        assert generation.speculator is not None
        generation.speculator.verified(len(guesses), accepted)
        return True

    def _undo(self, generations: Sequence[Generation], outcome: Outcome) -> None:
        """A batch did not happen: the lanes hold what they held, and where the cache is full somebody leaves."""
        for generation in generations:
            assert generation.lane is not None
            self._lanes.repair(generation.lane)
        if outcome is Outcome.ABORTED or self._lanes.make_room():
            return
        if len(self._active) == 1:
            self._active[0].reason = FinishReason.CONTEXT
            self._end(self._active[0])
            return
        leaving = next((each for each in reversed(self._active) if each.background), self._active[-1])
        self._leave(leaving)
        self._waiting.appendleft(leaving)

    # Who is out

    def _leave(self, generation: Generation) -> None:
        self._active.remove(generation)
        lane, generation.lane = generation.lane, None
        assert lane is not None
        self._lanes.drop(lane)

    def _end(self, generation: Generation, error: HearthError | None = None) -> None:
        """Let a generation's lane rest (or go: what ran in the background or was scored comes once), and say its
        last words.
        """
        if generation.lane is None:
            self._waiting.remove(generation)
        elif generation.scores or (generation.background and not generation.request.prefill_only):
            self._leave(generation)
        else:
            self._active.remove(generation)
            self._lanes.rest(generation.lane)
        if error is None:
            generation.end()
        generation.close()
        self._ended.append(Ended(generation, error))
