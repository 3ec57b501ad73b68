"""What is measured of a loaded model while nobody waits: the best number of threads, and what a batch costs.

Each result is kept in the notes folder, so that the next start knows it. Gives up at once when a request comes, and
begins anew in the next idle moment. Runs on the worker's main thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engine.model.cores import look_at_cores
from engine.model.cost_curve import CostCurve, CostNotes
from engine.model.evaluator import Evaluator, Outcome
from engine.model.exactness import DEPTH, largest_exact
from engine.model.exactness import SIZES as EXACT_SIZES
from engine.model.llama_library import lib
from engine.model.loading import Handles
from engine.model.sequences import Lane, Lanes
from engine.model.threads import ThreadChoice, ThreadNotes, choose_threads, notes_key, probe_threads
from engine.types import ModelSpec

ATTEMPTS = 20
"""A machine that never keeps still is not asked for ever."""
_LOGITS = 32
"""Rows of logits in a trial, at most: as many as a draft is long."""


class IdleWork:
    """`curve` is None until it is known. `news()` is True when somebody waits."""

    def __init__(
        self, handles: Handles, spec: ModelSpec, lanes: Lanes, evaluator: Evaluator, news: Callable[[], bool]
    ) -> None:
        self._context = handles.context
        self._n_vocab: int = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(handles.model))
        self._lanes = lanes
        self._evaluator = evaluator
        self._news = news
        self._attempts = ATTEMPTS
        self._wants_curve = spec.speculate and lanes.shares_prefixes
        key = notes_key(spec.path, handles.backend, look_at_cores())
        self._thread_notes = ThreadNotes(spec.notes_folder, spec.path, handles.backend)
        self._threads, self._wants_threads = choose_threads(
            handles.context, spec.n_threads, handles.n_threads, self._thread_notes
        )
        self._facts = (key, handles.kv_type, handles.flash_attention, handles.n_gpu_layers)
        self._folder = spec.notes_folder
        self.curve: CostCurve | None = self._cost_notes().read() if self._wants_curve else None
        """What batches cost, once anything is known of it."""

    @property
    def threads(self) -> ThreadChoice:
        """In force."""
        return self._threads

    def step(self) -> bool:
        """Measure one thing; False if nothing is left to measure."""
        if self._attempts <= 0 or not (self._wants_threads or self._wants_curve):
            return False
        self._attempts -= 1
        if self._wants_threads:
            self._measure_threads()
        else:
            self._measure_costs()
        return True

    def _cost_notes(self) -> CostNotes:
        return CostNotes(self._folder, *self._facts, self._threads.decode, self._threads.prefill)

    def _measure_threads(self) -> None:
        lane = self._lanes.spare(DEPTH)
        if lane is None:
            return
        try:
            choice = probe_threads(self._context, lambda n: self._timed(lane, n), usual=self._threads)
        finally:
            self._lanes.give_back(lane)
        if choice is not None:
            self._threads, self._wants_threads = choice, False
            self._thread_notes.write(choice)

    def _measure_costs(self) -> None:
        lane = self._lanes.spare(DEPTH + max(EXACT_SIZES) + 1)
        if lane is None:
            return
        try:
            measured, known = CostCurve.measure(lambda n: self._timed(lane, n)), self.curve
            if measured is None:
                return
            if known is None:
                exact = largest_exact(self._evaluator, lane.id, self._n_vocab, waiting=self._news)
                if exact is None:
                    return
                known = replace(measured, exact=exact)
        finally:
            self._lanes.give_back(lane)
        # Once at each start: a curve that was measured beside other programs gets better.
        self.curve, self._wants_curve = known.best_of(measured), False
        self._cost_notes().write(self.curve)

    def _timed(self, lane: Lane, n_tokens: int) -> float | None:
        """Seconds for a batch of arbitrary tokens, forgotten again; None where somebody waits."""
        if self._news():
            return None
        tokens = [(index * 7919 + 101) % self._n_vocab for index in range(n_tokens)]
        evaluator = self._evaluator
        evaluator.clear()
        evaluator.add(lane.id, 0, tokens, logits=min(n_tokens, _LOGITS))
        began = time.perf_counter()
        outcome = evaluator.run()
        seconds = time.perf_counter() - began
        self._lanes.repair(lane)
        return seconds if outcome is Outcome.DONE else None
