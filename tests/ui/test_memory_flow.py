"""The memory map in the whole window: the pages of a real conversation, and what comes of pinning and leaving out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.paths import resolve_paths
from app.ui.context_panel import ContextPanel
from app.ui.icons import IconButton
from app.ui.main_window import MainWindow
from engine.engine import EngineStatus
from engine.fake import FakeAnswer, FakeEngine
from engine.pages import CacheEntry, CacheReport, PageState
from tests.ui.test_shell import WAIT_MS, Shell


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    made = Shell(qtbot, qapp, paths)
    yield made
    made.stop()


def opened(window: MainWindow) -> ContextPanel:
    """The panel, on show."""
    window.panel.show_context()
    window.panel.show()
    panel = window.panel.context
    assert panel is not None
    return panel


def shown(panel: ContextPanel) -> list[tuple[str, str, bool, bool]]:
    return [(page.origin, page.text, page.pinned, page.state is PageState.OUT) for page in panel.memory.model.pages()]


def texts(panel: ContextPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible() and label.text()]


def test_pages_are_pinned_left_out_and_taken_back(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One it is.", "Two it is."]))
    panel = opened(window)
    shell.ask(window, "First question")
    shell.ask(window, "Second question")
    whole = [
        ("user", "First question", False, False),
        ("assistant", "One it is.", False, False),
        ("user", "Second question", False, False),
        ("assistant", "Two it is.", False, False),
    ]
    shell.qtbot.waitUntil(lambda: shown(panel) == whole, timeout=WAIT_MS)
    memory = panel.memory
    memory.map.setFocus()
    memory.map.setCurrentIndex(memory.model.index(1))
    QTest.keyClick(memory.map, Qt.Key.Key_P)
    shell.qtbot.waitUntil(lambda: ("assistant", "One it is.", True, False) in shown(panel), timeout=WAIT_MS)
    assert window.page.path[1].pinned
    memory.map.setCurrentIndex(memory.model.index(0))
    QTest.keyClick(memory.map, Qt.Key.Key_Delete)
    out = ("user", "First question", False, True)
    shell.qtbot.waitUntil(lambda: shown(panel)[-1:] == [out], timeout=WAIT_MS)
    assert memory.model.page(memory.map.currentIndex()).text == "First question"  # still the selected one
    assert memory.details.evict_button.text() == "Take back in"
    QTest.mouseClick(memory.details.evict_button, Qt.MouseButton.LeftButton)
    shell.qtbot.waitUntil(lambda: shown(panel)[:1] == whole[:1], timeout=WAIT_MS)


def test_the_answer_grows_in_the_map(shell: Shell) -> None:
    gate, end = threading.Event(), threading.Event()
    answer = FakeAnswer(
        "many words " * 40,
        gate=gate,
        end_gate=end,
        cached_tokens=3,
        restored_tokens=3,
        drafted_tokens=8,
        accepted_tokens=5,
    )
    window = shell.start(FakeEngine([answer]))
    panel = opened(window)
    shell.ask(window, "Write a lot, please", wait=False)
    shell.qtbot.waitUntil(lambda: [page[0] for page in shown(panel)] == ["user"], timeout=WAIT_MS)
    gate.set()
    shell.qtbot.waitUntil(lambda: panel.memory.model.pages()[-1].tokens >= 80, timeout=WAIT_MS)
    growing = panel.memory.model.pages()[-1]
    assert growing.growing
    assert growing.message_id == window.page.path[-1].id
    assert shown(panel)[0][1] == "Write a lot, please"
    # Another window onto the same conversation sees what has come so far.
    window.workspace.window_requested.emit(window.page.conversation_id)
    assert shell.application is not None
    other = opened(shell.application.windows[-1])
    shell.qtbot.waitUntil(lambda: bool(shown(other)) and other.memory.model.pages()[-1].growing, timeout=WAIT_MS)
    end.set()
    shell.wait_until_answered(window)
    for each in (panel, other):
        shell.qtbot.waitUntil(
            lambda each=each: [page[0] for page in shown(each)] == ["user", "assistant"], timeout=WAIT_MS
        )
        shell.qtbot.waitUntil(lambda each=each: not each.memory.model.pages()[-1].growing, timeout=WAIT_MS)
    assert "3 tokens (from disk)" in texts(panel)
    assert "5 of 8 right" in texts(panel)


def test_another_conversation_shows_its_own_pages(shell: Shell) -> None:
    window = shell.start(FakeEngine(["Alpha.", "Beta."]))
    panel = opened(window)
    first = shell.ask(window, "First chat")
    shell.run(window, "new_chat")
    # An empty window is a map too.
    shell.qtbot.waitUntil(lambda: shown(panel) == [] and panel.memory.isVisible(), timeout=WAIT_MS)
    shell.ask(window, "Second chat")
    window.open_conversation(first)
    shell.qtbot.waitUntil(lambda: [page[1] for page in shown(panel)] == ["First chat", "Alpha."], timeout=WAIT_MS)


def test_without_a_model_there_is_no_map(shell: Shell) -> None:
    engine = FakeEngine(["Yes."])
    window = shell.start(engine)
    panel = opened(window)
    shell.ask(window, "Anybody?")
    shell.qtbot.waitUntil(lambda: len(shown(panel)) == 2, timeout=WAIT_MS)
    engine.unload()
    shell.qtbot.waitUntil(lambda: window.workspace.engine_state.status is EngineStatus.EMPTY, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: not panel.memory.isVisible(), timeout=WAIT_MS)
    window.page.open("")
    shell.qtbot.waitUntil(lambda: "No model is loaded" in texts(panel), timeout=WAIT_MS)


def test_other_chats_can_be_forgotten(shell: Shell) -> None:
    engine = FakeEngine(["Alpha.", "Beta."])
    window = shell.start(engine)
    first = shell.ask(window, "First chat")
    shell.run(window, "new_chat")
    here = shell.ask(window, "Second chat")
    entries = (CacheEntry(first, 3980, True, False, 9.0), CacheEntry(here, 12, False, True, 0.0))
    engine.cached = CacheReport(entries, 12, 4096, 5_000_000, 9_000_000)
    panel = opened(window)
    shell.qtbot.waitUntil(panel.remembered.isVisible, timeout=WAIT_MS)
    shell.qtbot.waitUntil(lambda: "First chat" in texts(panel), timeout=WAIT_MS)
    said = texts(panel)
    assert "3,980 tokens · on disk" in said
    assert "5.0 MB on the disk" in said
    forget = next(
        each for each in panel.remembered.findChildren(IconButton) if each.accessibleName() == "Forget First chat"
    )
    engine.cached = CacheReport(entries[1:], 12, 4096, 0, 9_000_000)
    QTest.keyClick(forget, Qt.Key.Key_Space)
    shell.qtbot.waitUntil(lambda: not panel.remembered.isVisible(), timeout=WAIT_MS)
    assert engine.forgotten == [first]


def test_a_summary_is_read_edited_and_undone(shell: Shell) -> None:
    window = shell.start(FakeEngine(["One.", "Two."]))
    conversation_id = shell.ask(window, "First question")
    shell.ask(window, "Second question")
    path = window.page.path
    services = window.workspace.services
    assert services is not None
    services.store_call(
        lambda store: store.add_summary(conversation_id, path[0].id, path[1].id, "They spoke of one.")
    ).result(10)
    panel = opened(window)
    shell.qtbot.waitUntil(lambda: ("summary", "They spoke of one.", False, False) in shown(panel), timeout=WAIT_MS)
    memory = panel.memory
    memory.map.setCurrentIndex(memory.model.index(0))
    assert "They spoke of one." in texts(panel)
    QTest.mouseClick(memory.details.edit_button, Qt.MouseButton.LeftButton)
    memory.details.editor.setPlainText("They spoke of 1.")
    QTest.mouseClick(memory.details.edit_button, Qt.MouseButton.LeftButton)
    shell.qtbot.waitUntil(lambda: shown(panel)[0][1] == "They spoke of 1.", timeout=WAIT_MS)
    QTest.mouseClick(memory.details.undo_button, Qt.MouseButton.LeftButton)
    shell.qtbot.waitUntil(lambda: [page[1] for page in shown(panel)][:1] == ["First question"], timeout=WAIT_MS)
    undo = next(each for each in window.findChildren(QPushButton) if each.isVisible() and each.text() == "Undo")
    QTest.mouseClick(undo, Qt.MouseButton.LeftButton)
    shell.qtbot.waitUntil(lambda: shown(panel)[0][1] == "They spoke of 1.", timeout=WAIT_MS)
