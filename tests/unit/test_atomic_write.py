"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine import atomic_write as module
from engine.atomic_write import atomic_write


def test_text_and_bytes(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    atomic_write(file, "Grüße")
    assert file.read_bytes() == "Grüße".encode()
    atomic_write(file, b"\x00\x01")
    assert file.read_bytes() == b"\x00\x01"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    atomic_write(file, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]


def test_content_is_on_the_disk_before_it_has_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(path, target)

    monkeypatch.setattr(module.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    atomic_write(tmp_path / "x", "y")
    assert steps == (["file", "replace", "folder"] if os.name == "posix" else ["file", "replace"])
