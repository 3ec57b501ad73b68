"""Fixtures for tests with a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import resolve_paths
from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.theme import Theme, ThemeChoice
from app.ui.workspace import Workspace


@pytest.fixture(scope="session", autouse=True)
def _empty_clipboard(qapp: QApplication) -> Iterator[None]:
    """Take our objects out of the clipboard before Python ends.

    The offscreen platform keeps it in a C++ static, which is destroyed after the interpreter: a QMimeData made in
    Python crashes there (PySide6 6.11). Real platforms drop it with the QApplication.
    """
    yield
    qapp.clipboard().clear()


@pytest.fixture
def workspace(qtbot: QtBot, tmp_path: Path) -> Iterator[Workspace]:
    """What every window shares, on a folder of its own, before the store is open."""
    paths = resolve_paths(tmp_path)
    paths.create()
    made = Workspace(paths, Settings.load(paths.settings_file), Theme(ThemeChoice.LIGHT), EventBridge())
    yield made
    made.pool.shutdown()
