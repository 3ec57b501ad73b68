"""What the model has read of a chat goes with the chat, whether or not a model is loaded."""

from __future__ import annotations

import time
from array import array
from pathlib import Path

import pytest

from app.head_start import GIGABYTE, spec_by_settings
from app.housekeeping import KEPT_DELETED_S, Housekeeping
from app.paths import Paths, resolve_paths
from app.remembered import RememberedChats
from app.services import Services
from app.settings import Settings
from engine.fake import FakeEngine
from engine.model import snapshot_file
from engine.model.snapshot_file import Header
from tests.unit.chat_bench import WAIT_S, Bench, disposable_paths, nowhere


def remember(folder: Path, key: str, model: str = "a" * 32) -> Path:
    """As a worker does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = snapshot_file.new_path(folder, model, key)
    tokens = array("i", range(10))
    snapshot_file.write(path, Header(model, key, "", len(tokens), 100), tokens, bytes(100))
    return path


def test_forget_tells_the_engine_and_removes_the_files_of_every_model(tmp_path: Path) -> None:
    engine = FakeEngine(loaded=False)
    chats = RememberedChats(tmp_path, engine)
    gone = [remember(tmp_path, "gone"), remember(tmp_path, "gone", "b" * 32)]
    kept = remember(tmp_path, "kept")
    chats.forget("gone")
    assert engine.forgotten == ["gone"]
    assert not any(path.exists() for path in gone)
    assert chats.size() == kept.stat().st_size
    chats.clear()
    assert engine.forgotten == ["gone", ""]
    assert chats.size() == 0
    engine.close()


def test_without_an_engine_and_without_a_folder(tmp_path: Path) -> None:
    chats = RememberedChats(tmp_path / "missing")
    assert chats.size() == 0
    chats.forget("any")
    chats.clear()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        RememberedChats(tmp_path / "file").size()


def test_housekeeping_forgets_what_is_in_the_bin_or_gone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = disposable_paths(tmp_path).snapshots
    kept, binned, purged = (
        bench.store(lambda store, title=title: store.create_conversation(title=title)).id for title in "kbp"
    )
    for conversation_id in (binned, purged):
        bench.store(lambda store, each=conversation_id: store.delete_conversation(each))
    bench.store(lambda store: store.purge_deleted(time.time() + 1))
    bench.store(lambda store: store.restore_conversation(kept))
    paths = {key: remember(folder, key) for key in (kept, binned, purged, "")}
    keeper = Housekeeping(
        bench.services.store_call, disposable_paths(tmp_path).backups, bench.events, bench.services.remembered
    )
    keeper.run().result(WAIT_S)
    assert {key: path.exists() for key, path in paths.items()} == {kept: True, binned: False, purged: False, "": True}
    assert sorted(bench.fake.forgotten) == sorted([binned, purged])
    assert KEPT_DELETED_S > 0
    bench.close()


def spec_of(paths: Paths, gigabytes: int | None = None) -> tuple[Path | None, int, Path | None]:
    settings = Settings.load(paths.settings_file)
    if gigabytes is not None:
        settings.override("model.snapshot_gigabytes", gigabytes)
    spec = spec_by_settings(Path("a.gguf"), settings, None, paths)
    return spec.snapshot_folder, spec.snapshot_bytes, spec.notes_folder


def test_where_snapshots_lie_and_how_much_they_may_take(tmp_path: Path) -> None:
    paths = resolve_paths(tmp_path)
    assert spec_of(paths) == (tmp_path / "cache" / "snapshots", 4 * GIGABYTE, tmp_path / "cache" / "notes")
    assert spec_of(paths, 1) == (tmp_path / "cache" / "snapshots", GIGABYTE, tmp_path / "cache" / "notes")
    assert spec_of(paths, 0) == (None, 0, tmp_path / "cache" / "notes")
    assert spec_by_settings(Path("a.gguf"), Settings.load(paths.settings_file), None).snapshot_folder is None


def test_a_run_that_keeps_nothing_has_no_snapshots(tmp_path: Path) -> None:
    paths = disposable_paths(tmp_path)
    engine = FakeEngine()
    settings = Settings.load(paths.settings_file)
    with Services.open(paths, engine=engine, settings=settings, database=tmp_path / "x.db", places=nowhere(tmp_path)):
        assert spec_by_settings(Path("a.gguf"), settings, None, paths).snapshot_folder is None
    with Services.open(paths, engine=FakeEngine(), places=nowhere(tmp_path)) as services:
        spec = spec_by_settings(Path("a.gguf"), services.settings, None, paths)
        assert spec.snapshot_folder == paths.snapshots, "the control"
