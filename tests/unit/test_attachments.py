"""Dropped files become text, or a sentence says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import attachments
from app.attachments import read_attachment, read_picture
from app.limits import ATTACHMENT_BYTES
from engine.display_name import display_name
from engine.errors import AttachmentError, HearthError, LimitError
from tests.unit.images import bmp, png

GERMAN = "Straße, Äpfel und größere Öfen: die Übung für müde Bäcker.\n" * 20
RUSSIAN = "Всё, что нужно знать о тёплых домах и длинных зимах.\n" * 20
JAPANESE = "これは日本語の文章です。火のそばで本を読みます。\n" * 20


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (GERMAN, "cp1252"),
        (RUSSIAN, "cp1251"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
    ],
)
def test_text_is_read_in_its_own_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(text.encode(encoding))
    part = read_attachment(path)
    assert part.text == text
    assert part.name == "notes.txt"
    assert part.size == path.stat().st_size


def test_line_ends_become_plain(tmp_path: Path) -> None:
    path = tmp_path / "dos.txt"
    path.write_bytes(b"one\r\ntwo\rthree\n")
    assert read_attachment(path).text == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.md", "text/markdown"), ("a.py", "text/x-python"), ("a.csv", "text/csv"), ("Makefile", "text/plain")],
)
def test_the_media_type_follows_the_name(tmp_path: Path, name: str, media_type: str) -> None:
    path = tmp_path / name
    path.write_text("x = 1\n")
    assert read_attachment(path).media_type == media_type


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("paper.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a document"),
        ("renamed.txt", b"%PDF-1.4\nplain looking", "is a document"),
        ("letter.docx", b"PK\x03\x04rest", "is a document"),
        ("things.zip", b"PK\x03\x04rest", "archive"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "is an image"),
        ("photo.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "is an image"),
        ("photo.heic", b"\x00\x00\x00\x18ftypheic", "kind of image"),
        ("photo.tiff", b"II*\x00\x08\x00\x00\x00", "kind of image"),
        ("song.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "sound"),
        ("clip.mp4", b"\x00\x00\x00\x18ftypisom", "sound"),
        ("model.gguf", b"GGUF\x03\x00\x00\x00", "model"),
        ("a.out", b"\x7fELF\x02\x01\x01\x00\x00\x00", "does not hold text"),
        ("noise.txt", bytes(range(256)) * 8, "does not hold text"),
        ("nothing.txt", b"", "empty"),
    ],
)
def test_what_is_not_text_is_refused_by_name(tmp_path: Path, name: str, data: bytes, word: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(AttachmentError) as caught:
        read_attachment(path)
    assert word in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", png(), "png"),
        ("a.bmp", bmp(), "bmp"),
        ("a.jpg", b"\xff\xd8\xff\xe0....", "jpeg"),
        ("a.gif", b"GIF89a....", "gif"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
    ],
)
def test_an_image_is_told_by_its_bytes(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert read_picture(path) == (kind, data)


def test_a_text_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "cars.txt"
    path.write_text("BMW and others make cars, and this is about them all.")
    assert read_picture(path) is None
    assert read_attachment(path).text.startswith("BMW")


@pytest.mark.parametrize(("over", "refused"), [(-1, False), (0, False), (1, True)])
def test_the_size_cap_of_images_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, refused: bool
) -> None:
    monkeypatch.setattr(attachments, "IMAGE_BYTES", 1000)
    path = tmp_path / "a.png"
    path.write_bytes(png() + bytes(1000 + over - len(png())))
    if refused:
        with pytest.raises(LimitError):
            read_picture(path)
    else:
        assert read_picture(path) is not None


def test_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match="folder"):
        read_attachment(tmp_path)
    with pytest.raises(AttachmentError, match="not there"):
        read_attachment(tmp_path / "gone.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.timeout(10)
def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    with pytest.raises(AttachmentError, match="not an ordinary file"):
        read_attachment(path)


@pytest.mark.parametrize(("over", "refused"), [(-1, False), (0, False), (1, True)])
def test_the_size_cap_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, refused: bool) -> None:
    monkeypatch.setattr(attachments, "ATTACHMENT_BYTES", 1000)
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" * (1000 + over))
    if refused:
        with pytest.raises(LimitError):
            read_attachment(path)
    else:
        assert read_attachment(path).size == 1000 + over


def test_the_cap_is_the_documented_one(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(ATTACHMENT_BYTES + 1)
    with pytest.raises(HearthError, match="10 MB"):
        read_attachment(path)


def test_names_cannot_play_tricks() -> None:
    assert display_name("invoice\u202efdp.txt") == "invoice\ufffdfdp.txt"
    assert display_name("a\nb.txt") == "a\ufffdb.txt"
    assert len(display_name("x" * 400 + ".txt")) == 120
    assert display_name("x" * 400 + ".txt").endswith(".txt")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Name,Ort\nJörg,Köln am Rhein\n", "cp1252"),
        ("Nom;Prénom\nHélène;François\n", "cp1252"),
        ("naïve “quotes” – and a dash\n", "cp1252"),
        ("10 €, 5 °C, señor\n", "cp1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy\n", "cp1250"),
        ("Zażółć gęślą jaźń; Łódź, Kraków\n", "cp1250"),
        ("Имя;Город\nАнна;Москва\n", "cp1251"),
        ("日本語の文章です。\n", "shift_jis"),
    ],
)
def test_short_texts_are_not_mistaken(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "short.txt"
    path.write_bytes(text.encode(encoding))
    assert read_attachment(path).text == text
