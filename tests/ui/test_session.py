"""What was open is open again: after a real kill, after an orderly end, and from a state file that was meddled with."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import resolve_paths
from app.ui.session import WindowPlace, _read
from app.ui.window_state import WindowState
from tests.ui.test_shell import WAIT_MS, Shell

CHILD_MS = 40_000


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(qtbot, qapp, replace(resolve_paths(tmp_path), models=tmp_path / "models"))
    yield made
    made.stop()


def kept(shell: Shell) -> list[dict[str, object]]:
    """What the file holds now, read as another program would."""
    text = WindowState(shell.paths.window_state).text("session/windows")
    return list(json.loads(text)) if text else []


def draft_is_stored(shell: Shell) -> bool:
    with closing(sqlite3.connect(f"{shell.paths.conversations_db.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM drafts WHERE text = 'half a thought'").fetchone()[0] == 1


def test_a_killed_hearth_comes_back_as_it_was(shell: Shell, qtbot: QtBot) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.ui.session_child", str(shell.paths.data)],
        env=dict(os.environ, QT_QPA_PLATFORM="offscreen"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        first, second, message, offset = child.stdout.readline().split()

        def all_kept() -> bool:
            places = kept(shell)
            known = [place["conversation_id"] for place in places] == [first, second]
            return known and places[0]["message_id"] == message and bool(places[1]["panel"]) and draft_is_stored(shell)

        qtbot.waitUntil(all_kept, timeout=CHILD_MS)
    finally:
        child.kill()
        child.communicate(timeout=10)
    window = shell.start()
    assert shell.application is not None
    assert shell.application.session.was_cut_off
    one, other = shell.application.windows
    assert (one.page.conversation_id, other.page.conversation_id) == (first, second)
    assert one.sidebar.isHidden()
    assert not other.sidebar.isHidden()
    assert not other.panel.isHidden()
    assert other.height() == 600
    qtbot.waitUntil(lambda: other.page.composer.draft.text == "half a thought", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: one.page.place[0] == message, timeout=WAIT_MS)
    assert one.page.place[1] == pytest.approx(int(offset), abs=4)
    assert window is one
    toast = (shell.application.windows[1].toasts.current, shell.application.windows[0].toasts.current)
    assert any(each is not None and "cut off" in each.label.text() for each in toast)


def test_an_orderly_end_is_no_crash(shell: Shell) -> None:
    shell.start()
    shell.stop()
    shell.start()
    assert shell.application is not None
    assert not shell.application.session.was_cut_off


def test_a_session_of_an_older_hearth_is_opened(shell: Shell) -> None:
    state = WindowState(shell.paths.window_state)
    shell.paths.create()
    state.keep("session/conversations", ["one", "two"])
    state.sync()
    application = shell.begin()
    assert [each.page.conversation_id for each in application.windows] == ["one", "two"]


def test_a_chat_that_is_gone_leaves_a_new_one_that_answers(shell: Shell, qtbot: QtBot) -> None:
    state = WindowState(shell.paths.window_state)
    shell.paths.create()
    state.keep("session/windows", json.dumps([{"conversation_id": "gone"}]))
    state.sync()
    window = shell.start()
    qtbot.waitUntil(lambda: not window.page.conversation_id, timeout=WAIT_MS)
    assert window.toasts.current is not None
    assert "not there any more" in window.toasts.current.label.text()
    shell.ask(window, "Hello")
    assert [message.text for message in window.page.path] == ["Hello", "You said: Hello"]


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "{}", "[1]", '[{"conversation_id": 7}]', '[{"geometry": "\\u00fc"}]', '[{"unknown": ""}]', "null"],
)
def test_a_meddled_state_is_no_session(text: str) -> None:
    assert _read(text) == []


def test_a_place_is_read_as_it_was_written() -> None:
    assert _read('[{"conversation_id": "a", "offset": 3, "panel": true}]') == [WindowPlace("a", offset=3, panel=True)]
