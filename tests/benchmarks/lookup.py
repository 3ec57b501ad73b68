"""Guessing ahead from the prompt: tokens a second on answers that quote a document, and on free prose.

Three sides at temperature 0: ours with guesses, ours without, and llama-server without. Answers with and without
guesses must be the same to the letter.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.benchmarks.asking import Answer, Turn, ask, system, threads, user
from tests.benchmarks.document import SUBJECTS, quoted_share, quoting_question
from tests.benchmarks.served import LlamaServer

N_CTX = 4096
LONGEST = 320
LEAST_QUOTED = 0.5
PROSE = (
    "Write a story about a keeper of bees who moves to the sea.",
    "Explain to a curious child why the sky is blue, at some length.",
    "Write a letter to a friend about a long journey by train.",
    "Describe how a small town prepares for its winter festival.",
)


@dataclass(frozen=True, slots=True)
class Sides:
    """One question's three answers, asked one after the other."""

    with_guesses: Answer
    without: Answer
    served: Answer
    quoted: float

    @property
    def differs(self) -> bool:
        return self.with_guesses.text != self.without.text


def measure(path: Path, *, rounds: int) -> list[dict[str, object]]:
    """A row for answers that quote at least half of their tokens, one for free prose."""
    pairs = list(zip(SUBJECTS, SUBJECTS[1:] + SUBJECTS[:1], strict=True))[:rounds]
    documents = [[system(), user(quoting_question(*pair))] for pair in pairs]
    prose = [[system(), user(question)] for question in PROSE[:rounds]]
    sampling = SamplingParams(temperature=0, max_tokens=LONGEST)
    guessing, plain = EngineClient(), EngineClient()
    with tempfile.TemporaryDirectory() as notes:
        spec = ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0, notes_folder=Path(notes))
        plain_spec = ModelSpec(path, n_ctx=N_CTX, n_threads=threads(), n_gpu_layers=0, speculate=False)
        try:
            guessing.load(spec).result(120)
            plain.load(plain_spec).result(120)
            with LlamaServer(path, "-np", "1", "-c", str(N_CTX)) as server:
                warm = SamplingParams(temperature=0, max_tokens=4)
                for turns in (documents[0], prose[0]):  # the cost curve is measured, the document is read
                    _sides(guessing, plain, server, turns, warm)
                quoting = [_sides(guessing, plain, server, turns, sampling) for turns in documents]
                free = [_sides(guessing, plain, server, turns, sampling) for turns in prose]
        finally:
            guessing.close()
            plain.close()
    enough = [sides for sides in quoting if sides.quoted >= LEAST_QUOTED]
    return [_row(path, "document", enough, len(quoting)), _row(path, "prose", free, len(free))]


def _sides(
    guessing: EngineClient, plain: EngineClient, server: LlamaServer, turns: Sequence[Turn], sampling: SamplingParams
) -> Sides:
    ours = ask(guessing, turns, sampling, key="guessing")
    without = ask(plain, turns, sampling, key="plain")
    return Sides(ours, without, server.ask(turns, sampling), quoted_share(guessing, ours.text))


def _row(path: Path, what: str, counted: Sequence[Sides], asked: int) -> dict[str, object]:
    """Medians; an answer of a single token has no speed and is not counted."""
    measured = [sides for sides in counted if min(_tokens(sides)) > 1]

    def median(values: list[float]) -> float:
        return statistics.median(values) if values else float("nan")

    drafted = sum(sides.with_guesses.drafted_tokens for sides in measured)
    accepted = sum(sides.with_guesses.accepted_tokens for sides in measured)
    return {
        "model": path.stem,
        "what": what,
        "answers": f"{len(measured)} of {asked}",
        "differing": sum(sides.differs for sides in counted),
        "quoted": median([sides.quoted for sides in measured]),
        "ours": median([sides.with_guesses.speed for sides in measured]),
        "without": median([sides.without.speed for sides in measured]),
        "served": median([sides.served.speed for sides in measured]),
        "to_served": median([sides.with_guesses.speed / sides.served.speed for sides in measured]),
        "to_without": median([sides.with_guesses.speed / sides.without.speed for sides in measured]),
        "accepted": accepted / drafted if drafted else 0.0,
    }


def _tokens(sides: Sides) -> tuple[int, int, int]:
    return (
        sides.with_guesses.completion_tokens, sides.without.completion_tokens, sides.served.completion_tokens
    )  # fmt: skip
