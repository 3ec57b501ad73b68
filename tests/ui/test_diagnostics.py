"""The diagnostics page in a program full of secrets: none of them is in what is copied."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.attachments import read_attachment
from app.logs import LOG_NAME, start_log, stop_log
from app.paths import resolve_paths
from app.ui.diagnostics_dialog import DiagnosticsDialog
from engine.errors import DocumentError, sentence
from engine.fake import FakeEngine
from tests.ui.test_shell import WAIT_MS, Shell
from tests.unit.gguf_writing import tiny_model

SECRET = "blue-pot-key"


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Shell]:
    home = tmp_path / f"home-of-{SECRET}"
    home.mkdir()
    made = Shell(qtbot, qapp, replace(resolve_paths(home), models=home / "models"))
    made.paths.create()
    start_log(made.paths.logs, "debug")
    yield made
    made.stop()
    stop_log()


def fail_loudly(file: Path) -> None:
    """As the program fails by a bug, and as it fails by the world, each time with the secret in it."""
    log = logging.getLogger("app.ui.somewhere")
    try:
        file.read_text()
    except OSError as error:
        log.warning("reading failed: %s", error)
        sys.excepthook(OSError, error, error.__traceback__)
    try:
        raise DocumentError(sentence("“{name}” cannot be read."), name=SECRET)
    except DocumentError:
        log.exception("a document failed: %s", SECRET)


def test_no_secret_gets_into_what_is_copied(shell: Shell, qtbot: QtBot, qapp: QApplication) -> None:
    paths = shell.paths
    (paths.models / f"{SECRET}.gguf").write_bytes(tiny_model())
    window = shell.start(FakeEngine([f"It is under the {SECRET}."]))
    shell.ask(window, f"Where is the {SECRET}?")
    letter = paths.data / f"{SECRET}.txt"
    letter.write_text(f"Dear {SECRET},")
    assert read_attachment(letter).name == letter.name
    window.add_files([letter])
    fail_loudly(paths.data / f"{SECRET}-that-is-gone.txt")
    shell.run(window, "diagnostics")
    dialog = next(each for each in window.findChildren(DiagnosticsDialog))
    qtbot.waitUntil(dialog.copy_button.isEnabled, timeout=3 * WAIT_MS)
    dialog.copy_button.click()
    report = qapp.clipboard().text()
    assert SECRET not in report
    assert str(paths.data.parent) not in report
    assert report == dialog.view.toPlainText()
    for words in ("llama-cpp-python", "window", "unhandled error", "FileNotFoundError", "engine.errors.DocumentError"):
        assert words in report
    assert SECRET in (paths.logs / LOG_NAME).read_text(), "the control: the secret was logged"
    dialog.close()
