"""How many threads compute fastest here: measured in an idle moment, kept for this model on this processor.

More threads than fast cores make each other wait, and reading a prompt (limited by arithmetic) can want more of them
than writing (limited by memory), so both are timed. Knows no scheduler: whoever evaluates tokens is handed in.
"""

from __future__ import annotations

import hashlib
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.model.cores import Cores, look_at_cores
from engine.model.llama_library import FOLDER, lib
from engine.model.notes_file import NotesFile

PREFILL_TOKENS = 64
DECODES = 4
"""One-token evaluations in a round."""
MAX_CANDIDATES = 5
MAX_ROUNDS = 4
BUDGET_S = 2.0
WORTH_CHANGING = 0.95
"""Another number of threads must take less than this share of the usual one's time."""
UNSETTLED = 1.5
"""Where a median is so many times the best of its rounds, the machine is busy, and nothing is concluded."""
NOTES_FILE = "threads.json"

Evaluate = Callable[[int], float | None]
"""Evaluate so many tokens in an unused sequence, forget them, and return the seconds; None: somebody is waiting."""
_Times = dict[int, list[float]]


@dataclass(frozen=True, slots=True)
class ThreadChoice:
    """Threads for single tokens and for prompts."""

    decode: int
    prefill: int

    def apply(self, context: Any) -> None:
        """From the next evaluation on. The thread that evaluates."""
        lib.llama_set_n_threads(context, self.decode, self.prefill)


def candidates(cores: Cores) -> tuple[int, ...]:
    """Numbers of threads worth timing, the usual one first; only that where nothing else can be better.

    One thread is not among them where there are two cores: it would take most of the time and never win.
    """
    usual = cores.sensible
    tried = (cores.performance, cores.physical, cores.physical // 2, cores.logical - 1, cores.logical // 2)
    others = {min(number, cores.allowed) for number in tried} - {usual}
    return (usual, *sorted(number for number in others if number > 1))[:MAX_CANDIDATES]


def probe_threads(
    context: Any, evaluate: Evaluate, *, usual: ThreadChoice, cores: Cores | None = None, budget_s: float = BUDGET_S
) -> ThreadChoice | None:
    """Time the candidates and apply the best; None where somebody interrupted or the machine is too busy to tell.

    On the thread that evaluates, in an idle moment; takes about `budget_s` seconds at most, on a model so slow that
    one round takes longer one round. After None the `usual` choice holds again.
    """

    def timed(threads: int, n_tokens: int) -> float | None:
        lib.llama_set_n_threads(context, threads, threads)
        return evaluate(n_tokens)

    choice = measure(candidates(cores or look_at_cores()), timed, budget_s=budget_s)
    (choice or usual).apply(context)
    return choice


def measure(
    numbers: Sequence[int],
    timed: Callable[[int, int], float | None],
    *,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.perf_counter,
) -> ThreadChoice | None:
    """The best of `numbers` (the usual one first) by `timed(threads, n_tokens)` seconds, in interleaved rounds.

    None where `timed` says None, or where the usual number's own times do not agree.
    """
    usual = numbers[0]
    if len(numbers) == 1:
        return ThreadChoice(usual, usual)
    decode: _Times = {number: [] for number in numbers}
    prefill: _Times = {number: [] for number in numbers}
    began = clock()
    for round_number in range(1, MAX_ROUNDS + 1):
        for number in numbers:
            for times, n_tokens, repeats in ((prefill, PREFILL_TOKENS, 1), (decode, 1, DECODES)):
                for _repeat in range(repeats):
                    seconds = timed(number, n_tokens)
                    if seconds is None:
                        return None
                    times[number].append(seconds)
        spent = clock() - began
        if spent * (round_number + 1) / round_number > budget_s:
            break
    if statistics.median(decode[usual]) > UNSETTLED * min(decode[usual]):
        return None
    return ThreadChoice(_best(decode, usual), _best(prefill, usual))


def _best(times: _Times, usual: int) -> int:
    """By the shortest time of each: what makes a round longer is other programs."""
    best = min(times, key=lambda number: min(times[number]))
    return best if min(times[best]) < WORTH_CHANGING * min(times[usual]) else usual


class ThreadNotes:
    """What was measured, in one file of the notes folder. A damaged file, or None for a folder, knows nothing."""

    def __init__(self, folder: Path | None, model: Path, backend: str) -> None:
        self._file = NotesFile(folder / NOTES_FILE if folder is not None else None)
        self._cores = look_at_cores()
        self._key = notes_key(model, backend, self._cores)

    def read(self) -> ThreadChoice | None:
        """What was measured of this model on this machine, if anything."""
        entry = self._file.read(self._key)
        if not isinstance(entry, dict):
            return None
        decode, prefill = entry.get("decode"), entry.get("prefill")
        if not isinstance(decode, int) or not isinstance(prefill, int):
            return None
        possible = range(1, self._cores.logical + 1)
        return ThreadChoice(decode, prefill) if decode in possible and prefill in possible else None

    def write(self, choice: ThreadChoice) -> None:
        """Keep it."""
        self._file.write(self._key, asdict(choice))


def notes_key(model: Path, backend: str, cores: Cores) -> str:
    """Changes with the model's file, llama.cpp's libraries, the back end, the processor and what of it may be used."""
    try:
        status = model.stat()
        file = [model.name, status.st_size, status.st_mtime_ns]
    except OSError:
        file = [model.name]
    facts = [file, _libraries(), backend, platform.machine(), _processor(), asdict(cores)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _libraries() -> list[list[str | int]]:
    """Another build of the same version may take other times, and round otherwise."""
    found: list[list[str | int]] = []
    for path in sorted(FOLDER.iterdir()):
        status = path.stat()
        found.append([path.name, status.st_size, status.st_mtime_ns])
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("model name", "CPU part"))), platform.processor())


def choose_threads(context: Any, wanted: int | None, usual: int, notes: ThreadNotes) -> tuple[ThreadChoice, bool]:
    """At load, without measuring: the person's number, else what was measured before, else the usual number.

    Applied to the context at once. The second value says whether `probe_threads` would tell more.
    """
    if wanted:
        choice, open_question = ThreadChoice(wanted, wanted), False
    elif (noted := notes.read()) is not None:
        choice, open_question = noted, False
    else:
        choice, open_question = ThreadChoice(usual, usual), len(candidates(look_at_cores())) > 1
    choice.apply(context)
    return choice, open_question
