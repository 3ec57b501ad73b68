"""The composition root: opening, housekeeping, damaged files, closing."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from app.events import Notice
from app.housekeeping import BACKUP_AGE_S, KEPT_DELETED_S, Housekeeping
from app.services import UNCLEAN_MARK, Services
from app.store.types import Changes
from engine.errors import ModelFileError, StoreError
from engine.fake import FakeEngine
from tests.unit.chat_bench import WAIT_S, Bench, disposable_paths, nowhere


def test_closing_leaves_no_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    bench = Bench(tmp_path, ["Hello."])
    bench.ask("Hi")
    bench.close()
    bench.close()
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()


def test_the_folders_are_for_this_user_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    mode = disposable_paths(tmp_path).data.stat().st_mode & 0o777
    bench.close()
    assert mode == 0o700 or os.name == "nt"


def test_the_mark_of_an_unclean_end(tmp_path: Path) -> None:
    mark = disposable_paths(tmp_path).data / UNCLEAN_MARK
    bench = Bench(tmp_path)
    there = mark.exists()
    bench.close()
    assert (there, mark.exists()) == (True, False)


def test_a_damaged_database_is_recovered_and_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ["Hello."])
    bench.ask("Hi")
    bench.close()
    database = disposable_paths(tmp_path).conversations_db
    data = bytearray(database.read_bytes())
    data[:100] = b"\xff" * 100
    database.write_bytes(data)
    again = Bench(tmp_path)
    notices, report = again.events.notices(), again.services.recovery
    again.close()
    assert report is not None and report.damaged_copy.exists()
    assert any("damaged" in text for text in notices)


def test_a_database_that_cannot_be_opened_fails_the_opening_and_leaves_nothing_locked(tmp_path: Path) -> None:
    paths = disposable_paths(tmp_path)
    paths.create()
    paths.conversations_db.mkdir()
    with pytest.raises(StoreError):
        Services.open(paths, engine=FakeEngine(), places=nowhere(tmp_path))
    paths.conversations_db.rmdir()
    bench = Bench(tmp_path)
    mark = paths.data / UNCLEAN_MARK
    assert mark.exists(), "the lock was free again"
    bench.close()


def test_housekeeping_backs_up_once_a_day_and_empties_the_bin(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    kept = bench.store(lambda store: store.create_conversation(title="kept"))
    gone = bench.store(lambda store: store.create_conversation(title="gone"))
    changes: Changes = bench.store(lambda store: store.delete_conversation(gone.id))
    assert gone.id in changes.conversations
    backups = disposable_paths(tmp_path).backups
    now = [0.0]
    keeper = Housekeeping(bench.services.store_call, backups, bench.events, now=lambda: now[0])

    now[0] = time.time()
    keeper.run().result(WAIT_S)
    keeper.run().result(WAIT_S)
    assert len(list(backups.iterdir())) == 1, "once a day"
    assert bench.store(lambda store: store.conversation(gone.id)).title == "gone"
    now[0] += KEPT_DELETED_S + BACKUP_AGE_S
    keeper.run().result(WAIT_S)
    assert len(list(backups.iterdir())) == 2
    with pytest.raises(StoreError):
        bench.store(lambda store: store.conversation(gone.id))
    assert bench.store(lambda store: store.conversation(kept.id)).title == "kept"
    bench.close()


def test_a_model_that_is_not_there_is_a_notice(tmp_path: Path) -> None:
    bench = Bench(tmp_path, engine=FakeEngine(loaded=False))
    with pytest.raises(ModelFileError):
        bench.services.load_first_model("nonsense").result(WAIT_S)
    bench.events.wait(lambda event: isinstance(event, Notice) and "nonsense" in event.text)
    before = len(bench.events.notices())
    with pytest.raises(ModelFileError):
        bench.services.load_first_model().result(WAIT_S)
    after = len(bench.events.notices())
    bench.close()
    assert before == after, "the first-run screen says that there is none"


def test_a_setting_that_cannot_be_written_is_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings.atomic_write", full)
    bench.services.settings.set("chat.top_k", 7)
    bench.events.wait(lambda event: isinstance(event, Notice) and "could not be saved" in event.text)
    bench.close()
