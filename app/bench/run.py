"""Runs the parts of a benchmark one after the other and puts together what they found.

What fails is left out with its reason, and the others go on. Knows no terminal and no picture.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import psutil

from app.bench.answers import Progress, measure_model
from app.bench.documents import measure_documents
from app.bench.memory import probe_memory
from app.bench.report import (
    ENGINE_PARTS,
    Machine,
    Measured,
    MemorySpeed,
    ModelFacts,
    Part,
    Report,
    Skipped,
)
from app.bench.speech import measure_speech
from app.hardware import look_at_hardware
from app.i18n import error_sentence
from app.paths import Paths
from engine.errors import HearthError
from engine.types import ModelSpec

LOAD_S = 0.5
"""How long the processor is looked at."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The model to measure: how it would be loaded, and what a person calls it."""

    spec: ModelSpec
    name: str


def run_benchmark(
    parts: Collection[Part],
    paths: Paths,
    choose: Callable[[], Subject],
    *,
    begins: Progress = lambda _part: None,
) -> Report:
    """Measure `parts`, in the order of `Part`. `choose` is asked only where a model is needed. Blocks for minutes."""
    wanted = [part for part in Part if part in parts]
    bench = _Bench()
    others = others_share()
    engine_parts = [part for part in wanted if part in ENGINE_PARTS]
    if engine_parts:
        bench.probe()

        def model() -> Iterable[Measured | ModelFacts]:
            subject = choose()
            return measure_model(subject.spec, subject.name, engine_parts, begins)

        bench.collect(engine_parts, model)
        bench.probe()
    documents = [part for part in wanted if part in (Part.INGEST, Part.QUERY)]
    if documents:
        bench.collect(documents, lambda: measure_documents(paths, documents, begins))
    if Part.SPEECH in wanted:
        bench.collect([Part.SPEECH], lambda: measure_speech(paths, begins))
    hardware = look_at_hardware()
    machine = Machine(hardware.processor, hardware.cores, hardware.memory_total, max(others, others_share()))
    return bench.report(machine)


def others_share() -> float:
    """The share 0..1 of the processor that is in use now, while this program waits. Blocks for `LOAD_S`."""
    return float(psutil.cpu_percent(LOAD_S)) / 100


class _Bench:
    """What was found so far."""

    def __init__(self) -> None:
        self._model: ModelFacts | None = None
        self._memory: MemorySpeed | None = None
        self._measured: list[Measured] = []
        self._skipped: list[Skipped] = []

    def probe(self) -> None:
        """Look at the memory, and keep the best that was ever seen of it."""
        seen, known = probe_memory(), self._memory
        if known is not None:
            seen = MemorySpeed(max(known.read, seen.read), max(known.triad, seen.triad))
        self._memory = seen

    def collect(self, parts: Sequence[Part], measure: Callable[[], Iterable[Measured | ModelFacts]]) -> None:
        """Take what comes; where it ends too early, say of the rest of `parts` why."""
        done: set[Part] = set()
        try:
            for found in measure():
                if isinstance(found, ModelFacts):
                    self._model = found
                else:
                    self._measured.append(found)
                    done.add(_part_of(found))
        except HearthError as error:
            reason = error_sentence(error)
            self._skipped += [Skipped(part, reason) for part in parts if part not in done]

    def report(self, machine: Machine) -> Report:
        order = list(Part)
        self._measured.sort(key=lambda each: order.index(_part_of(each)))
        return Report(machine, self._model, self._memory, tuple(self._measured), tuple(self._skipped))


def _part_of(measured: Measured) -> Part:
    return Part(measured.kind.value) if measured.kind.value in list(Part) else Part.SPEECH
