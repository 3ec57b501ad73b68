"""Which models may stay in memory when another one comes: least recently used out, never one that is at work.

Decides only; `engine.worker.pool` acts on it. Sizes are in bytes. Knows no process and asks no operating system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import Enum

from engine.cancel import CancelToken
from engine.engine import Engine, EngineStatus, StreamSink
from engine.types import Finished, FinishReason, GenerationRequest, LoadedModel, ModelSpec

COMFORTABLE_SHARE = 0.85
"""Others stay only where the newcomer takes no more of the free memory than this."""


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A request for a model that waits for room."""

    request: GenerationRequest
    cancel: CancelToken
    sink: StreamSink


@dataclass(slots=True, eq=False)
class Resident:
    """One engine and the model it holds or is to hold. `used_at` in seconds of the pool's clock.

    `started` once loading has begun, `model` once it is there. `open` counts requests and embeddings under way.
    `leaving` means: out as soon as nothing is open; `going`: it is being unloaded, and `gone` ends when it is.
    `waiting` are told of the load.
    """

    engine: Engine
    spec: ModelSpec
    used_at: float
    embeds: bool = False
    cancel: CancelToken = field(default_factory=CancelToken)
    started: bool = False
    model: LoadedModel | None = None
    open: int = 0
    leaving: bool = False
    going: bool = False
    waiting: list[Future[LoadedModel]] = field(default_factory=list)
    held: list[HeldJob] = field(default_factory=list)
    gone: Future[None] = field(default_factory=Future)

    @property
    def ready(self) -> bool:
        return self.model is not None and not self.going and self.engine.state.status is EngineStatus.READY

    @property
    def loading(self) -> bool:
        """On its way for the first time."""
        status = self.engine.state.status
        return self.model is None and not self.going and (not self.started or status is EngineStatus.LOADING)

    @property
    def dead(self) -> bool:
        """Its load failed, or it crashed for good."""
        return self.started and self.engine.state.status not in (EngineStatus.READY, EngineStatus.LOADING)

    @property
    def busy(self) -> bool:
        return self.open > 0 or (
            self.model is None and self.started and self.engine.state.status is EngineStatus.LOADING
        )

    @property
    def offloaded(self) -> bool:
        """Some of it lies in a graphics card's memory."""
        return self.model is not None and self.model.n_gpu_layers != 0 and self.model.backend != "CPU"

    @property
    def held_bytes(self) -> int:
        model = self.model
        return model.weights_bytes + model.kv_bytes + model.compute_bytes if model is not None else 0

    def serves(self, spec: ModelSpec) -> bool:
        """Whether this is what `spec` asks for, wherever it keeps its notes.

        A window that was chosen automatically may also be asked for by its size.
        """
        if _essence(spec) != _essence(self.spec):
            return False
        return spec.n_ctx == self.spec.n_ctx or (self.model is not None and spec.n_ctx == self.model.n_ctx)

    def disappoint(self, error: BaseException) -> None:
        """Everybody who waits for this load hears why nothing comes of it."""
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            future.set_exception(error)

    def cancel_held(self) -> None:
        """End the requests that waited for it to begin."""
        held, self.held = self.held, []
        for job in held:
            job.sink(Finished(job.request.request_id, FinishReason.CANCELLED))


def _essence(spec: ModelSpec) -> ModelSpec:
    """A spec without what makes no other model of it."""
    return replace(spec, n_ctx=None, snapshot_folder=None, snapshot_bytes=0, notes_folder=None)


class Step(Enum):
    """What to do about a model that is to be loaded, if nobody has to leave for it now."""

    START = "start"
    WAIT = "wait"
    """For somebody's answer, or for memory that is being given back."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much there is. `needed_bytes` and `available_bytes` of main memory, `free_gpu_bytes` None if unknown."""

    max_resident: int
    needed_bytes: Callable[[ModelSpec], int]
    available_bytes: Callable[[], int]
    free_gpu_bytes: Callable[[], int | None]


def next_step(
    newcomer: Resident, residents: Sequence[Resident], current: Resident | None, room: Room
) -> Resident | Step:
    """The next one to unload for `newcomer`, or that it can start, or that it must wait. A pure decision.

    `current` stays for an embedding model. The cap counts chat models on this machine only; while all of them are
    at work it is exceeded, memory allowing.
    """
    if newcomer.spec.remote is not None:
        return Step.START
    others = [each for each in residents if each is not newcomer and each.spec.remote is None]
    there = sorted((each for each in others if not each.going), key=lambda each: each.used_at)
    idle = [each for each in there if not each.busy and not (newcomer.embeds and each is current)]
    if not newcomer.embeds and sum(not each.embeds for each in there) >= room.max_resident:
        for each in idle:
            if not each.embeds:
                return each
    if any(each.going for each in others):
        return Step.WAIT
    if not there:
        return Step.START
    blocking = _short_of(newcomer, there, room)
    if not blocking:
        return Step.START
    for each in idle:
        if each in blocking:
            return each
    return Step.WAIT if any(each.busy for each in blocking) else Step.START


def _short_of(newcomer: Resident, there: Sequence[Resident], room: Room) -> list[Resident]:
    """Those whose leaving would help, if something is too short for the newcomer beside them."""
    needed = room.needed_bytes(newcomer.spec)
    if needed > COMFORTABLE_SHARE * room.available_bytes():
        return list(there)
    offloaded = [each for each in there if each.offloaded]
    if not offloaded or newcomer.spec.n_gpu_layers == 0:
        return []
    free = room.free_gpu_bytes()
    return [] if free is not None and needed <= COMFORTABLE_SHARE * free else offloaded


def needed_bytes(spec: ModelSpec) -> int:
    """What loading `spec` would take, told from its header; 0 for a file that will be refused anyway.

    Without a window of its own the largest default one counts, which is what the worker takes if it fits.
    """
    # Half of this module's callers never come here, and the window must be on the screen first.
    from engine.errors import ModelFileError  # noqa: PLC0415
    from engine.model.description import describe  # noqa: PLC0415
    from engine.model.fit import DEFAULT_CONTEXT_CAP, estimate  # noqa: PLC0415

    try:
        description = describe(spec.path)
    except ModelFileError:
        return 0
    window = spec.n_ctx or min(description.n_ctx_train or DEFAULT_CONTEXT_CAP, DEFAULT_CONTEXT_CAP)
    need = estimate(description, max(window, spec.n_cells or 0), spec.kv_type, n_ubatch=spec.n_ubatch).needed_bytes
    beside = [path for path in (spec.projector, spec.draft_path) if path is not None and path.is_file()]
    return need + sum(path.stat().st_size for path in beside)


def available_bytes() -> int:
    """Main memory that programs can have now."""
    from engine.model.memory import machine_memory  # noqa: PLC0415

    return machine_memory().available_bytes
