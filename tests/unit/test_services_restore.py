"""Restoring a backup while the program runs: answers are stopped, lists hear of it, failures change nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.events import StoreChanged
from app.store.types import MessageState
from engine.errors import StoreError
from engine.fake import FakeAnswer
from tests.unit.chat_bench import WAIT_S, Bench


def _titles(bench: Bench) -> list[str]:
    return [each.title for each in bench.store(lambda store: store.conversations())]


def test_chats_are_those_of_the_backup_and_go_on_from_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["One.", "Two.", "Three."])
    first, _answer = bench.ask("First question")
    backup = bench.store(lambda store: store.backup())
    bench.ask("Second question")
    kept = bench.services.restore_backup(backup).result(WAIT_S)
    assert kept.exists()
    assert _titles(bench) == ["First question"]
    assert any(event.changes.folders and not event.changes.conversations for event in bench.events.of(StoreChanged))
    bench.chat.send(first, "And then?").result(WAIT_S)
    assert bench.chat.wait_until_idle(WAIT_S)
    texts = [message.text for message in bench.store(lambda store: store.path(first))]
    assert texts == ["First question", "One.", "And then?", "Three."]
    bench.close()


def test_an_answer_under_way_is_stopped_and_kept_in_what_is_put_aside(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [FakeAnswer("never", end_gate=threading.Event())])
    backup = bench.store(lambda store: store.backup())
    bench.chat.send(None, "Long?").result(WAIT_S)
    kept = bench.services.restore_backup(backup).result(WAIT_S)
    assert bench.chat.wait_until_idle(0)
    assert _titles(bench) == []
    again = bench.services.restore_backup(kept).result(WAIT_S)
    assert again.exists()
    [conversation] = bench.store(lambda store: store.conversations())
    path = bench.store(lambda store: store.path(conversation.id))
    assert path[-1].state is MessageState.STOPPED
    bench.close()


def test_an_answer_that_was_growing_in_the_backup_is_marked_as_broken_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [FakeAnswer("never", end_gate=threading.Event())])
    conversation = bench.chat.send(None, "Long?").result(WAIT_S)
    backup = bench.store(lambda store: store.backup())
    bench.services.restore_backup(backup).result(WAIT_S)
    assert bench.path(conversation)[-1].state is MessageState.INTERRUPTED
    bench.close()


def test_a_damaged_backup_leaves_everything_as_it_is(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["One."])
    bench.ask("First question")
    backup = bench.store(lambda store: store.backup())
    backup.write_bytes(b"\0" * 9000)
    with pytest.raises(StoreError):
        bench.services.restore_backup(backup).result(WAIT_S)
    assert _titles(bench) == ["First question"]
    bench.close()
