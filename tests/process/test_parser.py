"""The parser process: reads, renders, is limited, and is replaced when it goes wrong."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine.cancel import CancelToken
from engine.errors import DocumentError
from rag.loaders import ocr
from rag.parsing.client import Parser
from rag.types import DocumentInfo, Page, Unit
from tests.process import parser_children
from tests.unit.foreign_documents import at, invisible_mode, pdf, png

pytestmark = pytest.mark.beside

WORDS = "The meeting is on Tuesday"


@pytest.fixture
def parser() -> Iterator[Parser]:
    found = Parser()
    yield found
    found.close()


def texts(parser: Parser, path: Path) -> list[str]:
    return [report.text for report in parser.read(path) if isinstance(report, Page)]


def wait_for_end(pid: int) -> None:
    """Looks only: who waits for a process in earnest takes its exit code from who started it."""
    until = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_one_process_reads_many_files(parser: Parser, tmp_path: Path) -> None:
    assert parser.pid is None
    pids = set()
    for number in range(5):
        path = pdf(tmp_path / f"{number}.pdf", f"Document {number}", "Second page", title="Manual")
        info, *pages = parser.read(path)
        assert info == DocumentInfo("Manual", Unit.PAGE, "application/pdf", 2)
        assert [page.text for page in pages if isinstance(page, Page)] == [f"Document {number}", "Second page"]
        pids.add(parser.pid)
    assert len(pids) == 1
    assert None not in pids


def test_a_file_that_cannot_be_read_is_named_and_the_process_stays(parser: Parser, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WORDS)
    assert texts(parser, tmp_path / "a.txt") == [WORDS]
    pid = parser.pid
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(DocumentError, match=r"“broken\.pdf” is damaged"):
        list(parser.read(tmp_path / "broken.pdf"))
    with pytest.raises(DocumentError, match="not there"):
        list(parser.read(tmp_path / "missing.pdf"))
    assert texts(parser, tmp_path / "a.txt") == [WORDS]
    assert parser.pid == pid


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are text there")
def test_a_name_may_be_no_text(parser: Parser, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe.txt")
    path.write_text(WORDS)
    assert texts(parser, path) == [WORDS]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("die", "crash"),
        ("leave", "crash"),
        ("hang", "too long"),
        ("babble", "crash"),
        ("flood", "crash"),
        pytest.param("grow", "crash", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux's limit")),
        pytest.param("spin", "too long", marks=pytest.mark.skipif(sys.platform == "win32", reason="no such limit")),
    ],
)
def test_a_process_that_goes_wrong_is_replaced(tmp_path: Path, name: str, words: str) -> None:
    parser = Parser(parser_children.obey, silence_s=3.0)
    with closing(parser):
        assert texts(parser, tmp_path / "good.txt") == ["words"]
        pid = parser.pid
        with pytest.raises(DocumentError, match=words) as raised:
            list(parser.read(tmp_path / f"{name}.txt"))
        assert name in str(raised.value)
        if pid is not None:
            wait_for_end(pid)
        assert parser.pid is None


def test_memory_is_watched_where_the_system_does_not(tmp_path: Path) -> None:
    with closing(Parser(parser_children.greedy)) as parser, pytest.raises(DocumentError, match="too much memory"):
        list(parser.read(tmp_path / "a.txt"))


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_the_process_may_read_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with closing(Parser(parser_children.probe)) as parser, pytest.raises(DocumentError) as raised:
        list(parser.read(tmp_path / "a.txt"))
    assert str(raised.value) == "words"
    assert (tmp_path / "a.txt").read_text() == "words"


def test_an_idle_process_ends_and_another_is_started(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(WORDS)
    with closing(Parser(parser_children.impatient)) as parser:
        pids = []
        for _ in range(2):
            assert texts(parser, tmp_path / "a.txt") == [WORDS]
            assert parser.pid is not None
            pids.append(parser.pid)
            wait_for_end(parser.pid)
        assert pids[0] != pids[1]


def test_cancelling_ends_the_process_within_a_second(tmp_path: Path) -> None:
    cancel = CancelToken()
    with closing(Parser(parser_children.obey)) as parser:
        reports = parser.read(tmp_path / "hang.txt", cancel)
        next(reports)
        pid = parser.pid
        assert pid is not None
        cancel.cancel()
        started = time.monotonic()
        with pytest.raises(CancelledError):
            next(reports)
        assert time.monotonic() - started < 1.0
        assert not psutil.pid_exists(pid)
        assert texts(parser, tmp_path / "good.txt") == ["words"]


def test_what_is_not_read_to_its_end_costs_the_process(parser: Parser, tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", *["words"] * 50)
    reports = parser.read(path)
    next(reports)
    pid = parser.pid
    assert pid is not None
    reports.close()  # type: ignore[attr-defined]
    assert not psutil.pid_exists(pid)
    assert len(texts(parser, path)) == 50


def _as_the_library_does(connection: Connection, path: str) -> None:
    with closing(Parser()) as parser:
        connection.send(texts(parser, Path(path)))


def test_a_daemon_may_have_a_parser(tmp_path: Path) -> None:
    """The library process is one, and `multiprocessing` forbids them children."""
    (tmp_path / "a.txt").write_text(WORDS)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    arguments = (theirs, str(tmp_path / "a.txt"))
    library = multiprocessing.get_context("spawn").Process(target=_as_the_library_does, args=arguments, daemon=True)
    library.start()
    theirs.close()
    try:
        assert ours.poll(60)
        assert ours.recv() == [WORDS]
    finally:
        library.join(20)
        ours.close()


def letters(document: Any) -> None:
    at(document, 50, 100, "First line of words")
    document.set_fill_color(255, 255, 0)
    document.set_text_color(255, 255, 255)
    at(document, 50, 150, "Hidden words that are first")
    document.set_text_color(0, 0, 0)
    document.rect(50, 196, document.get_string_width("last words"), 20, style="F")
    at(document, 50, 200, "last words of naïve readers")


def test_a_page_is_rendered_with_its_passages(parser: Parser, tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", "First page", letters)
    [_info, _first, page] = parser.read(path)
    assert isinstance(page, Page)
    assert page.text == "First line of words\nlast words of naïve readers"
    start = page.text.index("last words")
    spans = [(start, start + len("last words")), (0, len(page.text))]
    picture = parser.render_page(path, 2, 595, spans)
    assert picture.width == 595
    pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, 595, 3)
    [[(left, top, right, bottom)], lines] = picture.rectangles
    yellow = np.argwhere((pixels[:, :, 2] < 100) & (pixels[:, :, 0] > 200))
    (y0, x0), (y1, x1) = yellow.min(axis=0), yellow.max(axis=0)
    assert abs(left - x0) <= 4
    assert abs(right - x1) <= 4
    assert y0 - 4 <= top < bottom <= y1 + 4
    assert len(lines) == 2


@pytest.mark.parametrize(("name", "number", "words"), [("a.pdf", 3, "no page 3"), ("a.txt", 1, "no pages")])
def test_what_cannot_be_rendered_is_said(parser: Parser, tmp_path: Path, name: str, number: int, words: str) -> None:
    pdf(tmp_path / "a.pdf", "words")
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(DocumentError, match=words):
        parser.render_page(tmp_path / name, number, 500)


def scanned(document: Any) -> None:
    def draw(image: Any) -> None:
        from PIL import ImageFont

        image.text((80, 120), "The meeting is on Tuesday", fill="black", font=ImageFont.load_default(48))

    document.image(png(900, 1270, draw), 0, 0, 595, 842)


def test_scans_are_read_within_the_limits(parser: Parser, tmp_path: Path) -> None:
    """By the real recogniser, where one is installed."""
    if ocr.recogniser() is None:
        pytest.skip("nothing here reads print in pictures")
    pages = texts(parser, pdf(tmp_path / "scan.pdf", scanned))
    assert [" ".join(page.split()) for page in pages] == [WORDS]
    (tmp_path / "photo.png").write_bytes(png(400, 100))
    with pytest.raises(DocumentError, match="no text"):
        texts(parser, tmp_path / "photo.png")


def test_tesseract_is_asked_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name on the path, which tells what it was given."""
    program = tmp_path / "tesseract"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:], sys.stdin.buffer.read(11))\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ocr._tesseract(np.zeros((3, 4, 3), np.uint8)) == "['stdin', 'stdout'] b'P6 4 3 255\\n'"


def test_a_text_layer_is_not_recognised_again(parser: Parser, tmp_path: Path) -> None:
    def layered(document: Any) -> None:
        scanned(document)
        invisible_mode(document)
        document.set_font_size(30)
        document.text(55, 108, WORDS)

    assert texts(parser, pdf(tmp_path / "scan.pdf", layered)) == [WORDS]
