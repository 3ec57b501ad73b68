"""Whether a document may be handed to the system's own program for it, and how to have that open at a page.

Qt-free; starts nothing. A file of a library may come from anybody: what the system would *run* is never opened.

Options of the viewers are from their manual pages: evince(1), atril(1), xreader(1), okular(1), zathura(1), mupdf(1),
xpdf(1), SumatraPDF's "Command-line arguments"; browsers take `#page=N` (RFC 8118).
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

Which = Callable[[str], str | None]


class Caution(StrEnum):
    """What opening a file may lead to."""

    NONE = "none"
    """It is shown, and nothing more."""
    ASK = "ask"
    """It may hold programs, or load something from the network, in whatever opens it."""
    NEVER = "never"
    """The system may run it, or nobody knows what it would do with it."""


_SHOWN = (
    ".pdf .txt .text .md .markdown .rst .csv .tsv .log .srt .vtt .ass .docx .odt .ods .odp .xlsx .pptx .epub .rtf"
    " .png .jpg .jpeg .gif .bmp .webp .tif .tiff .wav .mp3 .ogg .flac .m4a .json .toml .yaml .yml .tex .bib"
)
_ASKED = ".html .htm .xhtml .mhtml .mht .svg .xml .eml .mbox .doc .xls .ppt .docm .xlsm .pptm .xlsb .dotm .ipynb"


def caution(path: Path) -> Caution:
    """Judged by the names that the system goes by: the file's own, and that of what a link leads to."""
    try:
        target = path.resolve(strict=True)
        if not stat.S_ISREG(target.stat().st_mode):
            return Caution.NEVER
    except (OSError, RuntimeError):
        return Caution.NEVER
    suffixes = {path.suffix.lower(), target.suffix.lower()}
    shown = frozenset(_SHOWN.split())
    if suffixes <= shown:
        return Caution.NONE
    return Caution.ASK if suffixes <= shown.union(_ASKED.split()) else Caution.NEVER


@dataclass(frozen=True, slots=True)
class _Viewer:
    program: str
    arguments: tuple[str, ...]
    """With {path}, {uri}, {number} (the page from 1) and {label} (its name, else its number)."""


_BY_DESKTOP_FILE = (
    ("evince", _Viewer("evince", ("--page-label={label}", "{path}"))),
    ("papers", _Viewer("papers", ("--page-label={label}", "{path}"))),
    ("atril", _Viewer("atril", ("--page-label={label}", "{path}"))),
    ("xreader", _Viewer("xreader", ("--page-label={label}", "{path}"))),
    ("okular", _Viewer("okular", ("-p", "{number}", "{path}"))),
    ("zathura", _Viewer("zathura", ("--page={number}", "{path}"))),
    ("mupdf", _Viewer("mupdf", ("{path}", "{number}"))),
    ("xpdf", _Viewer("xpdf", ("{path}", "{number}"))),
    ("firefox", _Viewer("firefox", ("{uri}#page={number}",))),
    ("chromium", _Viewer("chromium", ("{uri}#page={number}",))),
    ("google-chrome", _Viewer("google-chrome", ("{uri}#page={number}",))),
)
"""By a part of the desktop file's name, as `xdg-mime query default application/pdf` says it."""
_WINDOWS = _Viewer("SumatraPDF", ("-page", "{number}", "{path}"))


def page_command(
    path: Path, number: int, label: str, *, system: str, default_viewer: str, which: Which
) -> list[str] | None:
    """The command that shows page `number` of a PDF; None where the system's way without a page must do.

    `system` is `sys.platform`, `default_viewer` the desktop file that opens PDFs (Linux), `which` finds programs.
    """
    if path.suffix.lower() != ".pdf" or not path.is_absolute():
        return None
    viewer: _Viewer | None = None
    if system == "win32":
        viewer = _WINDOWS
    elif system != "darwin":
        name = default_viewer.casefold()
        viewer = next((each for part, each in _BY_DESKTOP_FILE if part in name), None) if name else None
    program = which(viewer.program) if viewer is not None else None
    if viewer is None or program is None:
        return None
    # A label that begins with "-" would be read as an option by nobody: it stands behind "=".
    filled = {"path": str(path), "uri": path.as_uri(), "number": str(number), "label": label or str(number)}
    return [program, *(argument.format(**filled) for argument in viewer.arguments)]


def reveal_command(path: Path, *, system: str) -> list[str] | None:
    """The command that shows a file in its folder, chosen; None where only the folder can be opened."""
    if system == "win32":
        return ["explorer", f"/select,{path}"]
    if system == "darwin":
        return ["open", "-R", str(path)]
    return None
