"""The library of documents over the whole window, with the real library process and the real parsers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from fpdf import FPDF
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.documents_view import Readiness, readiness
from app.paths import resolve_paths
from app.ui.documents_dialog import DocumentsDialog, open_documents
from app.ui.documents_preview import PagePreview
from app.ui.main_window import MainWindow
from rag.store.types import FileState, StoredFile
from tests.ui.test_shell import Shell

WAIT_MS = 60_000


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
    shell = Shell(qtbot, qapp, paths)
    window = shell.start()
    qtbot.waitUntil(lambda: window.workspace.services is not None, timeout=WAIT_MS)
    yield window
    shell.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A PDF of three pages, a text, a Word file, and a PDF that is none."""
    made = tmp_path / "house"
    made.mkdir()
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for words in ("Installing the boiler.", "If the display shows F4, press the reset button once.", "Warranty."):
        document.add_page()
        document.multi_cell(0, 8, words)
    document.output(str(made / "boiler.pdf"))
    (made / "garden.txt").write_text("Tomatoes want water.\nRoses want pruning in March.\n" * 40)
    lease = Document()
    lease.add_paragraph("The landlord keeps the heating in working order.")
    lease.save(str(made / "lease.docx"))
    (made / "torn.pdf").write_bytes(b"%PDF-1.7\n%%EOF")
    return made


def known(dialog: DocumentsDialog) -> list[StoredFile]:
    """Few enough files to be all known to the list."""
    return list(dialog.flow.rows.values())


def opened(window: MainWindow) -> DocumentsDialog:
    window.actions_of.action("documents").trigger()
    (dialog,) = window.findChildren(DocumentsDialog)
    return dialog


def test_a_folder_is_read_searched_and_a_page_shown(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    dialog = opened(window)
    qtbot.waitUntil(lambda: dialog.flow.loaded, timeout=WAIT_MS)
    dialog.add_paths([folder])

    def all_read() -> bool:
        files = known(dialog)
        return len(files) == 4 and all(file.state is not FileState.WAITING for file in files)

    qtbot.waitUntil(all_read, timeout=WAIT_MS)
    states = {file.path.name: readiness(file) for file in known(dialog)}
    assert states.pop("torn.pdf") is Readiness.FAILED
    assert set(states.values()) <= {Readiness.READY, Readiness.BY_WORDS}
    qtbot.waitUntil(dialog.work.failed.isVisible, timeout=WAIT_MS)
    (boiler,) = [file for file in known(dialog) if file.path.name == "boiler.pdf"]
    assert boiler.n_pages == 3

    with qtbot.waitSignal(dialog.found.searched, timeout=WAIT_MS):
        QTest.keyClicks(dialog.search, "reset button")
    first = dialog.found.list.passages.lines[0]
    assert (first.name, first.where) == ("boiler.pdf", "page 2")
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    preview = dialog.findChild(PagePreview)
    assert preview is not None
    qtbot.waitUntil(lambda: preview.shows_picture, timeout=WAIT_MS)
    assert preview.picture.page.rectangles
    assert "reset button" in preview.picture.accessibleDescription()
    with qtbot.waitSignal(dialog.found.searched, timeout=WAIT_MS):
        dialog.search.setText("zeppelin")
    assert all("zeppelin" not in line.text for line in dialog.found.list.passages.lines)
    preview.close()
    dialog.close()


def test_what_is_removed_is_gone(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    dialog = opened(window)
    qtbot.waitUntil(lambda: dialog.flow.loaded, timeout=WAIT_MS)
    dialog.add_paths([folder / "garden.txt"])
    dialog.add_text("Shopping list\nmilk")
    qtbot.waitUntil(lambda: len(known(dialog)) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: all(file.n_chunks for file in known(dialog)), timeout=WAIT_MS)
    for source in dialog.flow.sources:
        dialog.flow.remove_source(source.id)
    qtbot.waitUntil(lambda: dialog.flow.loaded and not dialog.flow.sources, timeout=WAIT_MS)
    with qtbot.waitSignal(dialog.found.searched, timeout=WAIT_MS):
        dialog.search.setText("tomatoes")
    assert dialog.found.list.passages.lines == ()
    assert (folder / "garden.txt").exists()
    dialog.close()


def test_the_library_opens_over_the_window_that_asked(window: MainWindow) -> None:
    dialog = open_documents(window.workspace, window)
    assert dialog is not None
    assert dialog.parentWidget() is window
    assert window.workspace.commands.keys_text("documents")
    dialog.close()
