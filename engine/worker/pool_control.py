"""What a pool of engines does on its control thread: models come, stay and leave.

Which one may stay is decided by `engine.worker.residents`; `engine.worker.pool` is the side that any thread may call.
Knows of requests only that they are under way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from engine.cancel import CancelToken
from engine.engine import Engine, EngineState, EngineStatus, StateListener
from engine.errors import ModelLoadError, sentence
from engine.types import TERMINAL, LoadedModel, ModelSpec, StreamEvent
from engine.worker.exits import no_model
from engine.worker.residents import HeldJob, Resident, Room, Step, next_step

_STOPPED = sentence("Loading the model was stopped.")
_logger = logging.getLogger(__name__)


class PoolControl:
    """Control thread only, but for reading `state` and `residents`. `tell` puts a call on that thread."""

    def __init__(
        self,
        make: Callable[[ModelSpec], Engine],
        room: Room,
        idle_s: float | None,
        clock: Callable[[], float],
        tell: Callable[[Callable[[], None]], None],
    ) -> None:
        self._make = make
        self._room = room
        self._clock = clock
        self.tell = tell
        self.idle_s = idle_s
        self.state = EngineState(EngineStatus.EMPTY)
        self.listeners: list[StateListener] = []
        self.residents: list[Resident] = []
        self.current: Resident | None = None
        self.asleep: ModelSpec | None = None
        """The current model, unloaded because nobody asked it anything."""

    # Coming

    def load(self, spec: ModelSpec, future: Future[LoadedModel], cancel: CancelToken) -> None:
        """Make this the current model, loaded or not."""
        self.asleep = None
        here = next((each for each in self.residents if not each.embeds and each.serves(spec)), None)
        if here is not None and here.ready and here.model is not None:
            self._abandon_loading()
            self._make_current(here)
            future.set_result(here.model)
            return
        if here is not None and here is self.current and here.loading:
            here.waiting.append(future)
            return
        self._abandon_loading()
        for each in list(self.residents):
            if each.dead or (not each.embeds and each.spec.path == spec.path):  # the same model with other options
                self.let_go(each)
        self._make_current(self.admit(spec, future, cancel))
        self._settle()

    def admit_embedder(self, spec: ModelSpec, future: Future[LoadedModel]) -> None:
        """Load a model beside the current one."""
        self.admit(spec, future, CancelToken(), embeds=True)
        self._settle()

    def admit(
        self, spec: ModelSpec, future: Future[LoadedModel], cancel: CancelToken, *, embeds: bool = False
    ) -> Resident:
        """A newcomer, which waits for room."""
        new = Resident(self._make(spec), spec, self._clock(), embeds, cancel, waiting=[future])
        new.engine.subscribe(lambda state: self.tell(lambda: self._on_state(new, state)))
        cancel.on_cancel(lambda: self.tell(lambda: self._cancel_waiting(new)))
        self.residents.append(new)
        return new

    def _make_current(self, resident: Resident) -> None:
        self.current = resident
        resident.leaving = False
        resident.used_at = self._clock()
        self._set_state(resident.engine.state if resident.started else EngineState(EngineStatus.LOADING))

    def _settle(self) -> None:
        """Begin the loads there is room for, or make room for them."""
        for newcomer in [each for each in self.residents if not each.started and not each.going]:
            step = next_step(newcomer, self.residents, self.current, self._room)
            if isinstance(step, Resident):
                self._dismiss(step)
            elif step is Step.START:
                newcomer.started = True
                loading = newcomer.engine.load(newcomer.spec, newcomer.cancel)
                self._follow_load(newcomer, loading)
                held, newcomer.held = newcomer.held, []
                for job in held:
                    self.give(newcomer, job)

    def _follow_load(self, resident: Resident, loading: Future[LoadedModel]) -> None:
        loading.add_done_callback(lambda loaded: self.tell(lambda: self._load_ended(resident, loaded)))

    def _load_ended(self, resident: Resident, loaded: Future[LoadedModel]) -> None:
        if resident.going:
            return
        if (error := loaded.exception()) is not None:
            self._give_up(resident, error)
        else:
            resident.model = loaded.result()
            resident.used_at = self._clock()
            waiting, resident.waiting = resident.waiting, []
            for future in waiting:
                future.set_result(resident.model)
            self._trim()
        self._settle()

    def _abandon_loading(self) -> None:
        """The model on its way is not wanted any more."""
        resident = self.current
        if resident is not None and resident.loading:
            resident.disappoint(ModelLoadError(sentence("Another model was chosen.")))
            self._dismiss(resident)

    def _cancel_waiting(self, resident: Resident) -> None:
        """Cancelled before it began; later its engine hears the token itself."""
        if not resident.started and not resident.going:
            self._give_up(resident, ModelLoadError(_STOPPED))

    def _give_up(self, resident: Resident, error: BaseException) -> None:
        """No model came of this load: the one before it is current again, if it is still here."""
        resident.disappoint(error)
        if resident is not self.current:
            self._dismiss(resident)
            return
        ready = [each for each in self.residents if each.ready and not each.embeds and not each.leaving]
        if ready:
            self._dismiss(resident)
            self._make_current(max(ready, key=lambda each: each.used_at))
        elif not resident.started:
            self._dismiss(resident)
            self._set_state(EngineState(EngineStatus.EMPTY))

    # Being asked

    def give(self, resident: Resident, job: HeldJob) -> None:
        """Hand a request to a model whose loading has begun; its engine holds it until it is there."""

        def sink(event: StreamEvent) -> None:  # the engine's thread
            try:
                job.sink(event)
            finally:
                if isinstance(event, TERMINAL):
                    self.tell(lambda: self.ended(resident))

        self.begun(resident)
        resident.engine.submit(job.request, job.cancel, sink)

    def begun(self, resident: Resident) -> None:
        """Something is asked of it; `ended` when that is answered."""
        resident.open += 1
        resident.used_at = self._clock()

    def ended(self, resident: Resident) -> None:
        resident.open -= 1
        resident.used_at = self._clock()
        if resident.leaving and not resident.open:
            self._dismiss(resident)
        self._trim()
        self._settle()

    # Leaving

    def unload(self, future: Future[None]) -> None:
        """Stop the load under way, else unload all chat models; the future ends when their memory is free."""
        if self.current is not None and self.current.loading:
            stopped = self.current
            self._give_up(stopped, ModelLoadError(_STOPPED))
            self._when_gone([stopped], future)
            return
        self.asleep = None
        self._when_gone([each for each in self.residents if not each.embeds], future)

    def drop(self, spec: ModelSpec, future: Future[None]) -> None:
        """Unload one model; the future ends when its memory is free."""
        if self.asleep is not None and self.asleep == spec:
            self.asleep = None
            self._set_state(EngineState(EngineStatus.EMPTY))
        self._when_gone([each for each in self.residents if each.spec == spec], future)

    def let_go(self, resident: Resident) -> None:
        """Out of memory, now or when its answers have ended."""
        resident.leaving = True
        if not resident.open:
            self._dismiss(resident)

    def configure(self, max_resident: int, idle_s: float | None) -> None:
        self._room = replace(self._room, max_resident=max_resident)
        self.idle_s = idle_s
        self._trim()

    def check_idle(self) -> None:
        """Unload what nobody has asked anything for `idle_s`."""
        if self.idle_s is None:
            return
        now = self._clock()
        for each in [each for each in self.residents if each.ready and not each.open]:
            if now - each.used_at < self.idle_s:
                continue
            sleeps = each is self.current
            self._dismiss(each)
            if sleeps:
                self.asleep = each.spec
                self._set_state(EngineState(EngineStatus.EMPTY, each.model))

    def close(self) -> None:
        """Each engine may take seconds to write its snapshots, so they are closed side by side."""
        for resident in self.residents:
            resident.disappoint(no_model())
            resident.cancel_held()
        closers = [threading.Thread(target=each.engine.close, name="engine-close") for each in self.residents]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        self.residents = []
        self.current = None
        self._set_state(EngineState(EngineStatus.CLOSED))

    def _trim(self) -> None:
        """Back under the cap, where answers had kept it exceeded."""
        chat = [each for each in self.residents if not each.embeds and not each.going and each.spec.remote is None]
        idle = sorted((each for each in chat if not each.busy), key=lambda each: each.used_at)
        spare = [each for each in idle if each is not self.current and each.started]
        for each in spare[: max(0, len(chat) - self._room.max_resident)]:
            self._dismiss(each)

    def _dismiss(self, resident: Resident) -> None:
        """Unload: what was being read is snapshotted by the engine, then its process ends."""
        if resident.going:
            return
        resident.going = True
        if resident is self.current:
            self.current = None
        resident.cancel_held()
        resident.engine.unload().add_done_callback(lambda _ended: self.tell(lambda: self._gone(resident)))

    def _gone(self, resident: Resident) -> None:
        resident.engine.close()
        self.residents.remove(resident)
        resident.gone.set_result(None)
        self._settle()

    def _when_gone(self, residents: Sequence[Resident], future: Future[None]) -> None:
        """Dismiss all; the future ends when their memory is free."""
        had_current = self.current in residents
        left = [each for each in residents if each in self.residents]
        pending = len(left)
        if not pending:
            future.set_result(None)

        def one_gone() -> None:
            nonlocal pending
            pending -= 1
            if not pending:
                future.set_result(None)

        for each in left:
            each.disappoint(ModelLoadError(_STOPPED))
            self._dismiss(each)
            each.gone.add_done_callback(lambda _ended: one_gone())
        if had_current:
            self._set_state(EngineState(EngineStatus.EMPTY))

    # States

    def _on_state(self, resident: Resident, state: EngineState) -> None:
        if resident.going:
            return
        if state.status is EngineStatus.READY:
            resident.model = state.model
        elif state.status is EngineStatus.CRASHED and resident is not self.current:
            _logger.warning("a model in the background stopped: %s", state.message)
        if resident is self.current and resident.started:
            self._set_state(state)

    def _set_state(self, state: EngineState) -> None:
        self.state = state
        for listener in list(self.listeners):
            try:
                listener(state)
            except Exception:
                _logger.exception("a listener of the engine raised")
