"""Which format a file has: by what it holds first, by its name second. Opens no format itself."""

from __future__ import annotations

import re
from enum import StrEnum

from engine.decode_text import decode_text, encoding_of
from engine.errors import DocumentError, RecordingError, sentence
from rag.loaders.archive import open_archive
from rag.loaders.loader import PROTECTED, Source
from rag.recording_kinds import RECORDING_SUFFIXES, is_recording


class Format(StrEnum):
    """A format that has a loader."""

    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    OPEN_TEXT = "opendocument text"
    OPEN_SLIDES = "opendocument slides"
    WORKBOOK = "workbook"
    CSV = "csv"
    EPUB = "epub"
    HTML = "html"
    MHTML = "mhtml"
    MAIL = "mail"
    MAILBOX = "mailbox"
    RTF = "rtf"
    NOTEBOOK = "notebook"
    SUBTITLES = "subtitles"
    IMAGE = "image"
    MARKDOWN = "markdown"
    RESTRUCTURED = "restructured text"
    CODE = "code"
    TEXT = "text"


_RECORDING = sentence("“{name}” is a sound or video file, and there is nothing here that hears.")
_ARCHIVE = sentence("“{name}” is an archive. Unpack it and add the files inside.")
_OLD_OFFICE = sentence(
    "“{name}” has an office format of before 2007, which Hearth cannot read. Save it in a newer one, or as PDF."
)
_MESSAGE = sentence("“{name}” is an Outlook message, which Hearth cannot read. Save it as .eml.")
_OTHER_OFFICE = sentence("Hearth cannot read this kind of office document (“{name}”). Save it as PDF.")
_OTHER_PICTURE = sentence("Hearth cannot read this kind of image (“{name}”). Save it as PNG or JPEG.")
_MODEL = sentence("“{name}” is a model, not a document. Open it in the list of models.")
_NOT_TEXT = sentence("“{name}” does not hold text, so it was not read.")

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGINNING = 4096
_PDF_WITHIN = 1024
"""The mark of a PDF may come a little later, says annex H of its reference, and in mails and prints it does."""
_MAGIC: tuple[tuple[bytes, Format | str], ...] = (
    (b"{\\rtf", Format.RTF),
    (b"\x89PNG\r\n\x1a\n", Format.IMAGE),
    (b"\xff\xd8\xff", Format.IMAGE),
    (b"GIF87a", Format.IMAGE),
    (b"GIF89a", Format.IMAGE),
    (b"II*\x00", Format.IMAGE),
    (b"MM\x00*", Format.IMAGE),
    (b"GGUF", _MODEL),
    (b"\x1f\x8b", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
)
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the second header of a BMP file; its first two letters begin many a text."""
_OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": Format.OPEN_TEXT,
    "application/vnd.oasis.opendocument.text-template": Format.OPEN_TEXT,
    "application/vnd.oasis.opendocument.presentation": Format.OPEN_SLIDES,
    "application/vnd.oasis.opendocument.presentation-template": Format.OPEN_SLIDES,
    "application/vnd.oasis.opendocument.spreadsheet": Format.WORKBOOK,
    "application/vnd.oasis.opendocument.spreadsheet-template": Format.WORKBOOK,
    "application/epub+zip": Format.EPUB,
}
_MEMBERS = {
    "word/document.xml": Format.DOCX,
    "ppt/presentation.xml": Format.PPTX,
    "xl/workbook.xml": Format.WORKBOOK,
    "xl/workbook.bin": Format.WORKBOOK,
    "META-INF/container.xml": Format.EPUB,
}
_OLE_STREAMS: tuple[tuple[str, Format | str], ...] = (
    ("EncryptedPackage", PROTECTED),
    ("Workbook", Format.WORKBOOK),
    ("Book", Format.WORKBOOK),
    ("WordDocument", _OLD_OFFICE),
    ("PowerPoint Document", _OLD_OFFICE),
    ("__properties_version1.0", _MESSAGE),
)
_OLE_DIRECTORY = 1024 * 1024
"""Where the directory of an OLE file is looked for: its first and its last megabyte."""
_SUFFIXES: dict[str, Format] = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".tab": Format.CSV,
    ".htm": Format.HTML,
    ".html": Format.HTML,
    ".xhtml": Format.HTML,
    ".mht": Format.MHTML,
    ".mhtml": Format.MHTML,
    ".eml": Format.MAIL,
    ".mbox": Format.MAILBOX,
    ".ipynb": Format.NOTEBOOK,
    ".srt": Format.SUBTITLES,
    ".vtt": Format.SUBTITLES,
    ".ass": Format.SUBTITLES,
    ".ssa": Format.SUBTITLES,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdx": Format.MARKDOWN,
    ".rst": Format.RESTRUCTURED,
    ".rest": Format.RESTRUCTURED,
}
_CODE = (
    ".ada .adb .ads .asm .awk .bas .bash .bat .c .cc .clj .cmake .coffee .cpp .cr .cs .css .cu .cxx .d .dart"
    " .diff .el .ex .exs .erl .f .f90 .fish .fs .go .gradle .graphql .groovy .h .hh .hpp .hs .hxx .ini .java .jl"
    " .js .json .jsx .kt .kts .lean .less .lisp .lua .m .mjs .mk .ml .mli .mm .nim .nix .pas .patch .php .pl .pm"
    " .proto .ps1 .py .pyi .pyx .r .rb .rs .scala .scm .scss .sh .sql .sv .svelte .swift .tcl .tex .tf .toml .ts"
    " .tsx .v .vb .vhd .vim .vue .xml .yaml .yml .zig .zsh"
)
CODE_SUFFIXES = frozenset(_CODE.split())
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_HEADER = re.compile(rb"(?:From|To|Date|Subject|Received|Return-Path|Message-ID|MIME-Version|Delivered-To): ?\S", re.I)
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,76}:[ \t]?[^\n]*\n(?:[ \t]+[^\n]*\n)*")
_MAIL_HEADERS = 3
"""So many lines of a mail's head at least, with two of the well-known ones, make a text without such a name a mail."""


def detect(source: Source) -> Format:
    """The format of a file. Raises `DocumentError` for what cannot be read, `RecordingError` for what must be heard."""
    head = source.beginning(_BEGINNING)
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return Format.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_archive(source)
    if head.startswith(_OLE):
        return _in_ole(source)
    found = next((meant for magic, meant in _MAGIC if head.startswith(magic)), None)
    if is_recording(head):
        raise RecordingError(_RECORDING, name=source.name)
    if head.startswith(b"RIFF"):
        found = Format.IMAGE if head[8:12] == b"WEBP" else _NOT_TEXT
    elif head[4:8] == b"ftyp":
        found = _OTHER_PICTURE
    elif head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS and head[6:10] == bytes(4):
        found = Format.IMAGE
    return _settled(source, found) if found is not None else _of_text(source, head)


def _settled(source: Source, found: Format | str) -> Format:
    if isinstance(found, Format):
        return found
    raise source.error(found)


def _in_archive(source: Source) -> Format:
    with open_archive(source) as archive:
        names = set(archive.namelist())
        if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
            try:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
            except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError):
                kind = ""
            if kind in _OPEN_DOCUMENT:
                return _OPEN_DOCUMENT[kind]
            if kind.startswith("application/vnd.oasis"):
                raise source.error(_OTHER_OFFICE)
        for name, meant in _MEMBERS.items():
            if name in names:
                return meant
        raise source.error(_OTHER_OFFICE if "[Content_Types].xml" in names else _ARCHIVE)


def _in_ole(source: Source) -> Format:
    first = source.beginning(_OLE_DIRECTORY)
    source.file.seek(max(source.size - _OLE_DIRECTORY, 0))
    places = first + source.file.read(_OLE_DIRECTORY)
    for stream, meant in _OLE_STREAMS:
        if stream.encode("utf-16-le") + b"\0\0" in places or stream.encode("utf-16-le") in places:
            return _settled(source, meant)
    raise source.error(_OTHER_OFFICE)


def _of_text(source: Source, head: bytes) -> Format:
    by_name = _SUFFIXES.get(source.suffix)
    if by_name in (Format.MAIL, Format.MAILBOX, Format.MHTML):
        return by_name if by_name is not Format.MAILBOX or head.startswith(b"From ") else Format.MAIL
    if encoding_of(source.file) is None:
        if source.suffix in RECORDING_SUFFIXES:
            raise RecordingError(_RECORDING, name=source.name)
        raise DocumentError(_NOT_TEXT, name=source.name)
    if by_name is not None:
        return by_name
    if source.suffix not in CODE_SUFFIXES and (told := _by_text(head)):
        return told
    return Format.CODE if source.suffix in CODE_SUFFIXES or head.startswith(b"#!") else Format.TEXT


def _by_text(head: bytes) -> Format | None:
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return Format.HTML
    if head.startswith(b"WEBVTT"):
        return Format.SUBTITLES
    text = head.replace(b"\r\n", b"\n")
    if text.startswith(b"From ") and _is_mail(text.partition(b"\n")[2]):
        return Format.MAILBOX
    if _is_mail(text):
        return Format.MHTML if re.search(rb"^content-type:\s*multipart/related", text, re.I | re.M) else Format.MAIL
    return None


def _is_mail(text: bytes) -> bool:
    n_lines = n_known = at = 0
    while match := _HEADER_LINE.match(text, at):
        n_lines += 1
        n_known += _HEADER.match(match[0]) is not None
        at = match.end()
    ended = text[at : at + 1] in (b"", b"\n") or at > len(text) - 200
    return ended and n_lines >= _MAIL_HEADERS and n_known >= 2


def text_of(source: Source, most: int) -> str:
    """The text of a file that is read whole. Raises `DocumentError` where it is too large or none."""
    text = decode_text(source.whole(most))
    if text is None:
        raise source.error(_NOT_TEXT)
    return text.replace("\r\n", "\n").replace("\r", "\n")
