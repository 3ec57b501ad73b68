"""An image through the whole window: sent, kept over a restart, exported, and brought into another Hearth."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.paths import Paths, resolve_paths
from app.store.types import Draft, ImagePart, StoredMessage
from app.ui.import_dialog import ImportDialog
from app.ui.main_window import MainWindow
from app.ui.picture_tile import PictureTile
from tests.ui.test_shell import WAIT_MS, Shell
from tests.unit.images import png


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[str], tuple[Shell, MainWindow]]]:
    shells: list[Shell] = []

    def paths_of(name: str) -> Paths:
        paths = replace(resolve_paths(tmp_path / name), models=tmp_path / "models")
        paths.create()
        return paths

    def start(name: str) -> tuple[Shell, MainWindow]:
        for shell in shells:
            shell.stop()
        shells.append(Shell(qtbot, qapp, paths_of(name)))
        return shells[-1], shells[-1].start()

    yield start
    for shell in shells:
        shell.stop()


def send_image(shell: Shell, window: MainWindow) -> ImagePart:
    folder = window.workspace.pictures.folder
    part = ImagePart("cat.png", folder.put(png(300, 200), "image/png"), len(png(300, 200)), 300, 200)
    window.page.composer.set_draft(Draft("What is it?", (part,)))
    window.page.composer.submit()
    shell.qtbot.waitUntil(lambda: bool(window.page.conversation_id), timeout=WAIT_MS)
    shell.wait_until_answered(window)
    return part


def shown_tile(qtbot: QtBot, window: MainWindow) -> PictureTile:
    qtbot.waitUntil(
        lambda: any(tile.is_shown for tile in window.page.transcript.findChildren(PictureTile)), timeout=WAIT_MS
    )
    return window.page.transcript.findChildren(PictureTile)[0]


def export(qtbot: QtBot, window: MainWindow, target: Path) -> bytes:
    conversation = window.workspace.library.conversation(window.page.conversation_id)
    assert conversation is not None
    written: list[bool] = []
    kind = {"md": "markdown"}.get(target.suffix[1:], target.suffix[1:])
    window.operations.export_to(conversation, kind, target, lambda: written.append(True))
    qtbot.waitUntil(lambda: bool(written), timeout=WAIT_MS)
    return target.read_bytes()


def test_an_image_outlives_a_restart(qtbot: QtBot, start: Callable[[str], tuple[Shell, MainWindow]]) -> None:
    shell, window = start("data")
    part = send_image(shell, window)
    shown_tile(qtbot, window)
    conversation_id = window.page.conversation_id
    assert window.workspace.library.conversation(conversation_id) is not None
    shell, window = start("data")
    window.page.open(conversation_id)
    assert shown_tile(qtbot, window).part == part


def test_every_export_holds_the_image_or_its_name(
    qtbot: QtBot, start: Callable[[str], tuple[Shell, MainWindow]], tmp_path: Path
) -> None:
    shell, window = start("data")
    send_image(shell, window)
    data = base64.b64encode(png(300, 200))
    assert b"Image: cat.png" in export(qtbot, window, tmp_path / "a.md")
    assert data in export(qtbot, window, tmp_path / "a.html")
    assert data in export(qtbot, window, tmp_path / "a.json")
    assert b"/Subtype /Image" in export(qtbot, window, tmp_path / "a.pdf")


def test_an_export_is_taken_in_with_its_image(
    qtbot: QtBot, start: Callable[[str], tuple[Shell, MainWindow]], tmp_path: Path
) -> None:
    shell, window = start("data")
    send_image(shell, window)
    export(qtbot, window, tmp_path / "a.json")
    shell, window = start("other")
    ImportDialog(window.workspace, tmp_path / "a.json", window).open()
    qtbot.waitUntil(lambda: len(window.workspace.library.conversations) == 1, timeout=WAIT_MS)
    window.page.open(window.workspace.library.conversations[0].id)
    tile = shown_tile(qtbot, window)
    assert (tile.part.name, tile.part.width, tile.part.height) == ("cat.png", 300, 200)
    path: list[StoredMessage] = window.page.path
    assert path[0].text == "What is it?"
