"""Which model of a pool is asked: chats go to the current one, embeddings to the embedding model if there is one.

A model that sleeps is woken by a question. Control thread of the pool only; loads and unloads nothing itself
(`engine.worker.pool_control`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from engine.cancel import CancelToken
from engine.engine import Engine
from engine.types import Failed, Finished, FinishReason, LoadedModel, ModelSpec
from engine.worker.exits import no_model
from engine.worker.pool_control import PoolControl
from engine.worker.residents import HeldJob, Resident

T = TypeVar("T")
Vectors = list[tuple[float, ...]]


class PoolRequests:
    """Every future and every sink that is given here comes to an end, also when its model fails to load."""

    def __init__(self, control: PoolControl) -> None:
        self._control = control
        self._embedder_spec: ModelSpec | None = None

    def submit(self, job: HeldJob) -> None:
        """Ask the current model, or the one that would be current if it were awake."""
        control = self._control
        if control.current is None and control.asleep is not None:
            control.load(control.asleep, Future(), CancelToken())
        resident = control.current
        if resident is None:
            error = no_model()
            job.sink(Failed(job.request.request_id, error.code, error.template))
        elif resident.started:
            control.give(resident, job)
        else:
            resident.held.append(job)
            job.cancel.on_cancel(lambda: control.tell(lambda: _cancel_held(resident, job)))

    def ask(self, question: Callable[[Engine], Future[T]], future: Future[T]) -> None:
        """A question that waits for nothing: without a current model it fails."""
        if self._control.current is None:
            future.set_exception(no_model())
        else:
            question(self._control.current.engine).add_done_callback(partial(_copy, future))

    def forget(self, cache_key: str) -> None:
        for resident in self._control.residents:
            resident.engine.forget(cache_key)

    def force_stop(self) -> None:
        """End the workers that answer, else the current one."""
        residents = self._control.residents
        answering = [each for each in residents if each.open]
        for resident in answering or [each for each in residents if each is self._control.current]:
            resident.engine.force_stop()

    def load_embedder(self, spec: ModelSpec, future: Future[LoadedModel]) -> None:
        self._embedder_spec = spec
        here = self._embedder()
        if here is not None and not here.serves(spec):
            self._control.let_go(here)
            here = None
        if here is None:
            self._control.admit_embedder(spec, future)
        elif here.ready and here.model is not None:
            future.set_result(here.model)
        else:
            here.waiting.append(future)

    def embed(self, texts: tuple[str, ...], future: Future[Vectors]) -> None:
        """Ask the embedding model, which comes back for it if it has left; without one, the current model."""
        resident = self._embedder()
        if resident is None and self._embedder_spec is not None:
            self.load_embedder(self._embedder_spec, Future())
            resident = self._embedder()
        if resident is None:
            self.ask(lambda engine: engine.embed(texts), future)
        elif resident.ready:
            self._ask_embedder(resident, texts, future)
        else:
            loaded: Future[LoadedModel] = Future()
            resident.waiting.append(loaded)
            there = resident

            def on_loaded(ended: Future[LoadedModel]) -> None:  # the control thread
                if (error := ended.exception()) is not None:
                    future.set_exception(error)
                else:
                    self._ask_embedder(there, texts, future)

            loaded.add_done_callback(on_loaded)

    def _ask_embedder(self, resident: Resident, texts: tuple[str, ...], future: Future[Vectors]) -> None:
        control = self._control
        control.begun(resident)
        asked = resident.engine.embed(texts)
        asked.add_done_callback(partial(_copy, future))
        asked.add_done_callback(lambda _ended: control.tell(lambda: control.ended(resident)))

    def _embedder(self) -> Resident | None:
        residents = self._control.residents
        return next((each for each in residents if each.embeds and not each.going and not each.leaving), None)


def _cancel_held(resident: Resident, job: HeldJob) -> None:
    if job in resident.held:
        resident.held.remove(job)
        job.sink(Finished(job.request.request_id, FinishReason.CANCELLED))


def _copy(future: Future[T], ended: Future[T]) -> None:
    if (error := ended.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(ended.result())
