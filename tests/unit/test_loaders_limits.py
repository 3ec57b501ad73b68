"""Each cap holds at its edge: one below and exactly at it a file is read, one above it is not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from engine.errors import DocumentError
from rag.loaders import archive, flow, html, images, loader, pdf, reading, sheets
from rag.loaders.flow import Block, NewPage, pages_of
from rag.loaders.limits import PART_CHARACTERS
from rag.loaders.loader import open_source
from rag.loaders.visible import visible
from rag.types import Unit
from tests.unit import foreign_documents
from tests.unit.foreign_documents import png, read, text_of, zipped


def reads(path: Path, words: str = "") -> bool:
    """False where it is refused with a sentence that has these words."""
    try:
        read(path)
    except DocumentError as error:
        assert words in str(error)
        return False
    return True


EDGE = pytest.mark.parametrize(("over", "expected"), [(-1, True), (0, True), (1, False)])


@EDGE
def test_size_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool) -> None:
    monkeypatch.setattr(loader, "FILE_BYTES", 100)
    (tmp_path / "a.txt").write_text("x" * (100 + over))
    assert reads(tmp_path / "a.txt", "larger than") is expected
    (tmp_path / "a.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(200))
    assert not reads(tmp_path / "a.mkv", "sound or video"), "only the sound of a film is read"


@EDGE
def test_size_of_what_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool) -> None:
    monkeypatch.setattr(html, "WHOLE_BYTES", 100)
    (tmp_path / "a.html").write_text("<p>" + "x" * (97 + over))
    assert reads(tmp_path / "a.html", "larger than") is expected


def opens(path: Path) -> bool:
    source = open_source(path, lambda: None)
    with source.file:
        try:
            archive.open_archive(source).close()
        except DocumentError as error:
            assert "unpacks" in str(error)
            return False
        return True


@EDGE
def test_members_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_MEMBERS", 10)
    zipped(tmp_path / "a.zip", {f"{number}": "x" for number in range(10 + over)})
    assert opens(tmp_path / "a.zip") is expected


@EDGE
def test_unpacked_size_of_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool
) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_BYTES", 1000)
    zipped(tmp_path / "a.zip", {"a": "x" * 500, "b": "x" * (500 + over)})
    assert opens(tmp_path / "a.zip") is expected


@EDGE
def test_how_tightly_a_member_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool
) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_SMALL", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", bytes(100_000))
    [member] = zipfile.ZipFile(tmp_path / "a.zip").infolist()
    monkeypatch.setattr(archive, "ARCHIVE_RATIO", member.file_size / member.compress_size - over / 10)
    assert opens(tmp_path / "a.zip") is expected


@EDGE
def test_size_of_an_xml_member(tmp_path: Path, over: int, expected: bool) -> None:
    zipped(tmp_path / "a.zip", {"a.xml": "x" * (100 + over)})
    source = open_source(tmp_path / "a.zip", lambda: None)
    with source.file, archive.open_archive(source) as opened:
        if expected:
            assert archive.member(opened, source, "a.xml", 100)
        else:
            with pytest.raises(DocumentError, match="unpacks"):
                archive.member(opened, source, "a.xml", 100)


@EDGE
def test_pages_of_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool) -> None:
    monkeypatch.setattr(pdf, "PAGES", 3)
    monkeypatch.setattr(reading, "PAGES", 3)
    foreign_documents.pdf(tmp_path / "a.pdf", *["words"] * (3 + over))
    assert reads(tmp_path / "a.pdf", "more than 3 pages") is expected


@EDGE
def test_pixels_of_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, expected: bool) -> None:
    monkeypatch.setattr(images, "IMAGE_PIXELS", 100)
    (tmp_path / "a.png").write_bytes(png(1, 100 + over))
    try:
        [page] = reading.open_document(tmp_path / "a.png", lambda: lambda _pixels: "words").pages
        assert page.text == "words"
    except DocumentError as error:
        assert "pixels" in str(error)
        assert not expected
    else:
        assert expected


@pytest.mark.parametrize(("over", "n_pages"), [(-1, 1), (0, 1), (1, 2)])
def test_length_of_a_part(over: int, n_pages: int) -> None:
    pages = list(pages_of([Block("x" * (PART_CHARACTERS + over))], Unit.TEXT))
    assert len(pages) == n_pages
    assert sum(len(page.text) for page in pages) == PART_CHARACTERS + over


@pytest.mark.parametrize(("over", "n_pages"), [(-1, 1), (0, 1), (1, 2)])
def test_length_of_a_chapter(monkeypatch: pytest.MonkeyPatch, over: int, n_pages: int) -> None:
    monkeypatch.setattr(flow, "PAGE_CHARACTERS", 100)
    pages = list(pages_of([NewPage("One"), Block("x" * (100 + over)), NewPage("Two")], Unit.CHAPTER))
    assert [page.label for page in pages] == ["One"] * n_pages + ["Two"]
    assert [page.number for page in pages] == list(range(1, n_pages + 2))


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_columns_of_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int) -> None:
    monkeypatch.setattr(sheets, "SHEET_COLUMNS", 5)
    (tmp_path / "a.csv").write_text(",".join(str(number) for number in range(5 + over)) + "\n")
    assert text_of(tmp_path / "a.csv").split() == [str(number) for number in range(min(5 + over, 5))]


@pytest.mark.parametrize(("over", "left"), [(-1, 9), (0, 10), (1, 10)])
def test_length_of_a_page(over: int, left: int) -> None:
    assert len(visible("x" * (10 + over), 10)[0]) == left


def test_lines_go_on_over_parts() -> None:
    lines = [Block(f"{number} " + "x" * 1000, close=True) for number in range(1, 200)]
    for page in pages_of(lines, Unit.TEXT):
        assert page.text.startswith(f"{page.first_line} x")
