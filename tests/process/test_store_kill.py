"""What the store has acknowledged survives `kill -9`: 200 kills over one database, and a control that loses."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.store.store import ConversationStore
from engine.errors import StoreError

KILLS = 200
CONTROL_KILLS = 20
MOST_ACKNOWLEDGED = 25
"""A child is killed after at most so many, and up to `LATER_S` seconds later: anywhere within a commit."""
LATER_S = 0.004

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="kill -9 and fork are POSIX"), pytest.mark.beside]


@contextmanager
def writer(path: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """The program that forks a chatting child for each line it is told."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.process.store_writer", str(path), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield program
    finally:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.close()
        program.stdout.close()
        program.wait(30)


def kill_once(program: subprocess.Popen[str], chance: random.Random) -> dict[str, int]:
    """Start a child, kill it at a random moment, and give the words it acknowledged for each message."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("go\n")
    program.stdin.flush()
    child = int(program.stdout.readline())
    told: dict[str, int] = {}
    for _ in range(chance.randrange(MOST_ACKNOWLEDGED)):
        message, words = program.stdout.readline().split()
        told[message] = int(words)
    moment = time.perf_counter() + chance.uniform(0, LATER_S)
    while time.perf_counter() < moment:
        pass
    os.kill(child, signal.SIGKILL)
    while (line := program.stdout.readline()) != "gone\n":
        message, words = line.split()
        told[message] = int(words)
    return told


def missing(store: ConversationStore, told: dict[str, int]) -> int:
    """How many acknowledged messages are not there as they were acknowledged."""
    count = 0
    for message, words in told.items():
        try:
            count += len(store.message(message).text.split()) < words
        except StoreError:
            count += 1
    return count


def test_nothing_acknowledged_is_lost_in_200_kills(tmp_path: Path) -> None:
    path, chance = tmp_path / "conversations.db", random.Random(2026)
    told: dict[str, int] = {}
    left_open = 0
    with writer(path, "honest") as program:
        for _ in range(KILLS):
            new = kill_once(program, chance)
            told |= new
            store = ConversationStore.open(path)
            left_open += store.was_left_open
            assert store.is_sound()
            assert missing(store, new) == 0
            store.recover_interrupted()
            store.close()
    assert left_open > KILLS / 2, "the kills came while the file was in use"
    assert len(told) > KILLS
    store = ConversationStore.open(path)
    assert missing(store, told) == 0
    assert len(store.search("question", limit=len(told))) >= sum(words == 1 for words in told.values()) / 2
    store.close()


def test_acknowledging_before_the_commit_would_be_noticed(tmp_path: Path) -> None:
    path, chance = tmp_path / "conversations.db", random.Random(2026)
    lost = 0
    with writer(path, "early") as program:
        for _ in range(CONTROL_KILLS):
            new = kill_once(program, chance)
            store = ConversationStore.open(path)
            lost += missing(store, new)
            store.close()
    assert lost > 0
