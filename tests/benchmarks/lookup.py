"""Guessing ahead from the prompt: tokens a second on answers that quote a document, and on free prose.

Two ways to answer: as the app does by itself, and at temperature 0. Sides: ours with guesses, llama-server without, and
at temperature 0 also ours without guesses, whose answers must be the same to the letter.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.model.cost_curve import NOTES_FILE
from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import Answer, Turn, ask, system, threads, user
from tests.benchmarks.document import SUBJECTS, quoted_share, quoting_question
from tests.benchmarks.served import LlamaServer

N_CTX = 4096
LONGEST = 240
LEAST_QUOTED = 0.5
PROSE = (
    "Write a story about a keeper of bees who moves to the sea.",
    "Explain to a curious child why the sky is blue, at some length.",
    "Write a letter to a friend about a long journey by train.",
    "Describe how a small town prepares for its winter festival.",
)


PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Sides:
    """One question's answers, asked one after the other."""

    with_guesses: Answer
    without: Answer | None
    served: Answer
    quoted: float

    @property
    def differs(self) -> bool:
        return self.without is not None and self.with_guesses.text != self.without.text

    @property
    def timed(self) -> bool:
        """An answer of a single token has no speed."""
        return min(self.with_guesses.completion_tokens, self.served.completion_tokens) > 1


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """For each way a row for answers that quote at least half of their tokens, and one for free prose."""
    pairs = list(zip(SUBJECTS, SUBJECTS[1:] + SUBJECTS[:1], strict=True))[:rounds]
    documents = [[system(), user(quoting_question(*pair))] for pair in pairs]
    prose = [[system(), user(question)] for question in PROSE[:rounds]]
    guessing, plain = EngineClient(), EngineClient()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as notes:
        spec = ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0, notes_folder=Path(notes))
        try:
            guessing.load(spec).result(PATIENCE_S)
            _wait_for(Path(notes) / NOTES_FILE)
            plain.load(replace(spec, speculate=False)).result(PATIENCE_S)
            with LlamaServer(path, "-np", "1", "-c", str(N_CTX)) as server:
                for temperature in (SamplingParams().temperature, 0.0):
                    sampling = SamplingParams(temperature=temperature, max_tokens=LONGEST)
                    warm = replace(sampling, max_tokens=4)
                    without = plain if not temperature else None
                    for turns in (documents[0], prose[0]):  # the document is read
                        _sides(guessing, without, server, turns, warm)
                    quoting = [_sides(guessing, without, server, turns, sampling) for turns in documents]
                    free = [_sides(guessing, without, server, turns, sampling) for turns in prose]
                    enough = [sides for sides in quoting if sides.quoted >= LEAST_QUOTED]
                    rows += [
                        _row(path, temperature, "document", enough, len(quoting)),
                        _row(path, temperature, "prose", free, len(free)),
                    ]
        finally:
            guessing.close()
            plain.close()
    return rows


def _wait_for(file: Path) -> None:
    """The cost curve is measured in the first idle moments."""
    end = time.monotonic() + PATIENCE_S
    while not file.exists():
        if time.monotonic() > end:
            raise RuntimeError("the cost curve was not measured")
        time.sleep(0.1)


def _sides(
    guessing: EngineClient,
    plain: EngineClient | None,
    server: LlamaServer,
    turns: Sequence[Turn],
    sampling: SamplingParams,
) -> Sides:
    if plain is not None:
        # The same blocks are read, so that only the guesses could make a difference.
        guessing.forget("")
        plain.forget("")
    ours = ask(guessing, turns, sampling, key="guessing")
    without = ask(plain, turns, sampling, key="plain") if plain is not None else None
    return Sides(ours, without, server.ask(turns, sampling), quoted_share(guessing, ours.text))


def _row(path: Path, temperature: float, what: str, counted: Sequence[Sides], asked: int) -> dict[str, object]:
    """Medians."""
    measured = [sides for sides in counted if sides.timed]

    def median(values: list[float]) -> float:
        return statistics.median(values) if values else float("nan")

    drafted = sum(sides.with_guesses.drafted_tokens for sides in measured)
    accepted = sum(sides.with_guesses.accepted_tokens for sides in measured)
    return {
        "model": path.stem,
        "temperature": temperature,
        "what": what,
        "answers": f"{len(measured)} of {asked}",
        "differing": sum(sides.differs for sides in counted),
        "quoted": median([sides.quoted for sides in measured]),
        "ours": median([sides.with_guesses.speed for sides in measured]),
        "served": median([sides.served.speed for sides in measured]),
        "to_served": median([sides.with_guesses.speed / sides.served.speed for sides in measured]),
        "to_without": median(
            [sides.with_guesses.speed / sides.without.speed for sides in measured if sides.without is not None]
        ),
        "accepted": accepted / drafted if drafted else 0.0,
    }
