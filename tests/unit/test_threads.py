"""Which numbers of threads are tried, which wins, and what is kept of it. The model is a formula here."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import cores as cores_module
from engine.model.cores import Cores, fast_cores, fastest_class, look_at_cores
from engine.model.threads import (
    MAX_CANDIDATES,
    MAX_ROUNDS,
    NOTES_FILE,
    ThreadChoice,
    ThreadNotes,
    candidates,
    measure,
    notes_key,
)

WIDE = Cores(logical=16, physical=8, performance=8, allowed=16)
HYBRID = Cores(logical=20, physical=14, performance=6, allowed=20)


@st.composite
def some_cores(draw: st.DrawFn) -> Cores:
    physical = draw(st.integers(1, 128))
    logical = physical * draw(st.sampled_from((1, 2)))
    return Cores(logical, physical, draw(st.integers(1, physical)), draw(st.integers(1, logical)))


@given(some_cores())
def test_candidates(cores: Cores) -> None:
    numbers = candidates(cores)
    assert numbers[0] == cores.sensible
    assert len(set(numbers)) == len(numbers) <= MAX_CANDIDATES
    assert all(1 <= number <= cores.allowed for number in numbers)


def test_candidates_of_known_machines() -> None:
    assert candidates(Cores(2, 2, 2, 2)) == (2,)
    assert candidates(Cores(2, 1, 1, 2)) == (1,)
    assert candidates(WIDE) == (8, 4, 15)
    assert candidates(HYBRID) == (6, 7, 10, 14, 19)


class Machine:
    """Seconds by threads and tokens, and a clock that moves by them."""

    def __init__(self, decode: dict[int, float], prefill: dict[int, float]) -> None:
        self.decode, self.prefill = decode, prefill
        self.now = 0.0
        self.asked = 0
        self.noise = 1.0
        self.busy_after = 10**9

    def timed(self, threads: int, n_tokens: int) -> float | None:
        self.asked += 1
        if self.asked > self.busy_after:
            return None
        seconds = (self.decode if n_tokens == 1 else self.prefill)[threads]
        if self.asked % 3:
            seconds *= self.noise
        self.now += seconds
        return seconds

    def choose(self, numbers: tuple[int, ...]) -> ThreadChoice | None:
        return measure(numbers, self.timed, clock=lambda: self.now)


def test_decode_and_prefill_are_chosen_apart() -> None:
    machine = Machine({8: 0.02, 4: 0.015, 15: 0.03}, {8: 0.1, 4: 0.15, 15: 0.08})
    assert machine.choose((8, 4, 15)) == ThreadChoice(decode=4, prefill=15)
    assert machine.now <= 2.0


def test_little_better_is_not_worth_a_change() -> None:
    machine = Machine({8: 0.0200, 4: 0.0196}, {8: 0.1, 4: 0.099})
    assert machine.choose((8, 4)) == ThreadChoice(8, 8)


def test_slow_model_has_one_round_and_a_fast_one_no_more_than_the_most() -> None:
    slow = Machine({8: 1.0, 4: 2.0}, {8: 3.0, 4: 6.0})
    assert slow.choose((8, 4)) == ThreadChoice(8, 8)
    assert slow.asked == 2 * 5
    fast = Machine({8: 0.001, 4: 0.002}, {8: 0.003, 4: 0.006})
    assert fast.choose((8, 4)) == ThreadChoice(8, 8)
    assert fast.asked == 2 * 5 * MAX_ROUNDS


def test_one_candidate_takes_no_time() -> None:
    machine = Machine({}, {})
    assert machine.choose((2,)) == ThreadChoice(2, 2)
    assert machine.asked == 0


def test_interrupted_or_busy_concludes_nothing() -> None:
    machine = Machine({8: 0.02, 4: 0.01}, {8: 0.1, 4: 0.05})
    machine.busy_after = 7
    assert machine.choose((8, 4)) is None
    assert machine.asked == 8
    machine = Machine({8: 0.02, 4: 0.01}, {8: 0.1, 4: 0.05})
    machine.noise = 5.0
    assert machine.choose((8, 4)) is None


@pytest.fixture
def notes(tmp_path: Path) -> ThreadNotes:
    return ThreadNotes(tmp_path / "notes", Path(__file__), "CPU")


def test_notes_are_read_back(notes: ThreadNotes, tmp_path: Path) -> None:
    assert notes.read() is None
    notes.write(ThreadChoice(1, 1))
    assert ThreadNotes(tmp_path / "notes", Path(__file__), "CPU").read() == ThreadChoice(1, 1)
    other = ThreadNotes(tmp_path / "notes", Path(__file__), "CUDA")
    assert other.read() is None
    other.write(ThreadChoice(1, 1))
    assert notes.read() == ThreadChoice(1, 1)
    assert [path.name for path in (tmp_path / "notes").iterdir()] == [NOTES_FILE]
    ThreadNotes(None, Path(__file__), "CPU").write(ThreadChoice(1, 1))
    assert ThreadNotes(None, Path(__file__), "CPU").read() is None


@given(st.one_of(st.binary(max_size=60), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_damaged_notes_know_nothing(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    folder = tmp_path_factory.mktemp("notes")
    (folder / NOTES_FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
    notes = ThreadNotes(folder, Path(__file__), "CPU")
    assert notes.read() is None
    notes.write(ThreadChoice(1, 1))
    assert notes.read() == ThreadChoice(1, 1)


@pytest.mark.parametrize(
    "entry", [None, 3, {}, {"decode": "2", "prefill": 2}, {"decode": 0, "prefill": 1}, {"decode": 1, "prefill": 10**6}]
)
def test_notes_that_make_no_sense_know_nothing(notes: ThreadNotes, tmp_path: Path, entry: object) -> None:
    notes.write(ThreadChoice(1, 1))
    file = tmp_path / "notes" / NOTES_FILE
    file.write_text(json.dumps(dict.fromkeys(json.loads(file.read_text()), entry)))
    assert notes.read() is None


def test_key_changes_with_the_machine(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"one")
    key = notes_key(model, "CPU", WIDE)
    assert notes_key(model, "CPU", WIDE) == key
    assert notes_key(model, "CUDA", WIDE) != key
    assert notes_key(model, "CPU", HYBRID) != key
    model.write_bytes(b"other")
    assert notes_key(model, "CPU", WIDE) != key


def test_key_changes_with_the_build_of_llama_cpp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether guesses are exact was found for that build."""
    libraries = tmp_path / "lib"
    libraries.mkdir()
    (libraries / "libggml.so").write_bytes(b"one")
    monkeypatch.setattr("engine.model.threads.FOLDER", libraries)
    key = notes_key(Path(__file__), "CPU", WIDE)
    assert notes_key(Path(__file__), "CPU", WIDE) == key
    (libraries / "libggml.so").write_bytes(b"other")
    assert notes_key(Path(__file__), "CPU", WIDE) != key


def test_cores_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cores = look_at_cores()
    assert 1 <= cores.performance <= cores.physical <= cores.logical == (os.cpu_count() or 1)
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(cores_module, "_CGROUP_QUOTA", quota)
    quota.write_text("150000 100000\n")
    assert look_at_cores().allowed == min(2, cores.allowed)
    quota.write_text("max 100000\n")
    assert look_at_cores() == cores


def cpu(folder: Path, number: int, siblings: str, capacity: int | None = None, clock: int | None = None) -> None:
    (folder / f"cpu{number}" / "topology").mkdir(parents=True)
    (folder / f"cpu{number}" / "topology" / "core_cpus_list").write_text(siblings + "\n")
    if capacity is not None:
        (folder / f"cpu{number}" / "cpu_capacity").write_text(f"{capacity}\n")
    if clock is not None:
        (folder / f"cpu{number}" / "cpufreq").mkdir()
        (folder / f"cpu{number}" / "cpufreq" / "cpuinfo_max_freq").write_text(f"{clock}\n")


def test_fast_cores_of_linux(tmp_path: Path) -> None:
    assert fast_cores(tmp_path / "none") is None
    arm = tmp_path / "arm"
    for number, capacity in enumerate((446, 446, 446, 446, 1024, 1024)):
        cpu(arm, number, str(number), capacity=capacity)
    (arm / "cpufreq").mkdir()
    assert fast_cores(arm) == 2
    intel = tmp_path / "intel"
    for number in range(4):  # two fast cores of two threads each, one favoured
        cpu(intel, number, f"{number // 2 * 2}-{number // 2 * 2 + 1}", clock=5_400_000 if number < 2 else 5_200_000)
    for number in range(4, 8):
        cpu(intel, number, str(number), clock=3_900_000)
    assert fast_cores(intel) == 2
    unknown = tmp_path / "unknown"
    cpu(unknown, 0, "0")
    assert fast_cores(unknown) is None


def test_fastest_class_of_windows() -> None:
    def record(efficiency: int, relation: int = 0) -> bytes:
        return struct.pack("<IIBB", relation, 48, 1, efficiency) + bytes(38)

    assert fastest_class(record(0) * 4) == 4
    assert fastest_class(record(0) * 8 + record(3, relation=2) + record(1) * 6) == 6
    assert fastest_class(b"") is None
    assert fastest_class(struct.pack("<IIBB", 0, 0, 0, 0)) is None


def test_choice_travels_as_json() -> None:
    assert asdict(ThreadChoice(2, 4)) == {"decode": 2, "prefill": 4}
