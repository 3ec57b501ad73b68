"""What a benchmark found, as values: medians, the noise around them, and what the machine could do at most.

Knows no measurement and no words that people read; see `app.bench.words`.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from enum import StrEnum

BUSY_SHARE = 0.15
"""From so much of the processor in other programs' hands on, the numbers say more of those than of this computer."""


class Part(StrEnum):
    """What is measured, in this order; the names that `hearth bench --only` takes."""

    MODEL = "model"
    """Loading it, in seconds."""
    PREFILL = "prefill"
    DECODE = "decode"
    PARALLEL = "parallel"
    LOOKUP = "lookup"
    INGEST = "ingest"
    QUERY = "query"
    SPEECH = "speech"


ENGINE_PARTS = (Part.MODEL, Part.PREFILL, Part.DECODE, Part.PARALLEL, Part.LOOKUP)
"""Those that need a language model."""


class Kind(StrEnum):
    """One line of the table. Speech has two."""

    MODEL = "model"
    PREFILL = "prefill"
    DECODE = "decode"
    PARALLEL = "parallel"
    LOOKUP = "lookup"
    INGEST = "ingest"
    QUERY = "query"
    HEARING = "hearing"
    SPEAKING = "speaking"


class Unit(StrEnum):
    """What the numbers of a line count."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    TOKENS = "tokens/s"
    PASSAGES = "passages/s"
    TIMES = "x real time"
    """Seconds of speech in each second."""


UNITS: dict[Kind, Unit] = {
    Kind.MODEL: Unit.SECONDS,
    Kind.PREFILL: Unit.TOKENS,
    Kind.DECODE: Unit.TOKENS,
    Kind.PARALLEL: Unit.TOKENS,
    Kind.LOOKUP: Unit.TOKENS,
    Kind.INGEST: Unit.PASSAGES,
    Kind.QUERY: Unit.MILLISECONDS,
    Kind.HEARING: Unit.TIMES,
    Kind.SPEAKING: Unit.TIMES,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One line: a value of each round, at least one."""

    kind: Kind
    values: tuple[float, ...]

    @property
    def unit(self) -> Unit:
        return UNITS[self.kind]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part that could not be measured, and why, as a translated sentence."""

    part: Part
    reason: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that was measured. `bytes_per_token` is what is read of memory for each token of one answer."""

    name: str
    quantisation: str
    weights_bytes: int
    bytes_per_token: int
    n_threads: int
    on_gpu: bool


@dataclass(frozen=True, slots=True)
class MemorySpeed:
    """Bytes a second, by all cores at once: only read, and read and written as STREAM's triad does."""

    read: float
    triad: float


@dataclass(frozen=True, slots=True)
class Machine:
    """`others` is the share 0..1 of the processor that other programs took, before or after the measurements."""

    processor: str
    cores: int
    memory_bytes: int
    others: float

    @property
    def is_busy(self) -> bool:
        return self.others >= BUSY_SHARE


@dataclass(frozen=True, slots=True)
class Report:
    """Everything. `model` and `memory` are None where no part needed them."""

    machine: Machine
    model: ModelFacts | None
    memory: MemorySpeed | None
    measured: tuple[Measured, ...]
    skipped: tuple[Skipped, ...]

    @property
    def limit(self) -> float | None:
        """Tokens a second that one answer can reach at most, a token at a time; None where nothing is known of it.

        Each token needs nearly all weights, and no cache holds them: memory bandwidth over bytes read a token.
        A graphics card reads its own memory, of which the probe knows nothing.
        """
        if self.model is None or self.memory is None or self.model.on_gpu or not self.model.bytes_per_token:
            return None
        return max(self.memory.read, self.memory.triad) / self.model.bytes_per_token

    def of(self, kind: Kind) -> Measured | None:
        """The line of that kind, if it was measured."""
        return next((each for each in self.measured if each.kind is kind), None)

    def as_json(self) -> dict[str, object]:
        """For other programs: bytes, seconds, and the units named in each line."""
        return {
            "machine": {**asdict(self.machine), "busy": self.machine.is_busy},
            "model": None if self.model is None else asdict(self.model),
            "memory_bytes_per_s": None if self.memory is None else asdict(self.memory),
            "decode_limit_tokens_per_s": self.limit,
            "measured": [
                {
                    "what": each.kind.value, "unit": each.unit.value, "median": each.median, "lowest": each.lowest,
                    "highest": each.highest, "values": list(each.values),
                }
                for each in self.measured
            ],
            "skipped": [{"what": each.part.value, "reason": each.reason} for each in self.skipped],
        }  # fmt: skip
