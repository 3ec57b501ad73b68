"""Whether a document may be handed to the system's own program for it, and how to have that open at a page or a time.

Qt-free; starts nothing. A file of a library may come from anybody: what the system would *run* is never opened.

Options of the viewers are from their manual pages: evince(1), atril(1), xreader(1), okular(1), zathura(1), mupdf(1),
xpdf(1), SumatraPDF's "Command-line arguments"; browsers take `#page=N` (RFC 8118). Those of the players are from
mpv(1), celluloid(1) and vlc(1); browsers take `#t=SECONDS` (W3C, "Media Fragments URI").
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.recording_kinds import RECORDING_SUFFIXES

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
    " .png .jpg .jpeg .gif .bmp .webp .tif .tiff .json .toml .yaml .yml .tex .bib"
)
_ASKED = (
    ".html .htm .xhtml .mhtml .mht .svg .xml .eml .mbox .doc .xls .ppt .docm .xlsm .pptm .xlsb .dotm .ipynb"
    " .wmv .wma .asf"
)
"""Windows Media files may name addresses that a player opens."""


def caution(path: Path) -> Caution:
    """Judged by the names that the system goes by: the file's own, and that of what a link leads to."""
    try:
        target = path.resolve(strict=True)
        if not stat.S_ISREG(target.stat().st_mode):
            return Caution.NEVER
    except (OSError, RuntimeError):
        return Caution.NEVER
    suffixes = {path.suffix.lower(), target.suffix.lower()}
    asked = frozenset(_ASKED.split())
    shown = RECORDING_SUFFIXES.union(_SHOWN.split()) - asked
    if suffixes <= shown:
        return Caution.NONE
    return Caution.ASK if suffixes <= shown | asked else Caution.NEVER


@dataclass(frozen=True, slots=True)
class _Viewer:
    program: str
    arguments: tuple[str, ...]
    """With {path}, {uri}, and of a page {number} (from 1) and {label} (its name, else its number), or {seconds}."""


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
_PLAYERS = (
    ("mpv", _Viewer("mpv", ("--start={seconds}", "{path}"))),
    ("celluloid", _Viewer("celluloid", ("--mpv-start={seconds}", "{path}"))),
    ("vlc", _Viewer("vlc", ("--start-time={seconds}", "{path}"))),
    ("firefox", _Viewer("firefox", ("{uri}#t={seconds}",))),
    ("chromium", _Viewer("chromium", ("{uri}#t={seconds}",))),
    ("google-chrome", _Viewer("google-chrome", ("{uri}#t={seconds}",))),
)
_WINDOWS_PLAYER = _Viewer("vlc", ("--start-time={seconds}", "{path}"))


def page_command(
    path: Path, number: int, label: str, *, system: str, default_viewer: str, which: Which
) -> list[str] | None:
    """The command that shows page `number` of a PDF; None where the system's way without a page must do.

    `system` is `sys.platform`, `default_viewer` the desktop file that opens PDFs (Linux), `which` finds programs.
    """
    if path.suffix.lower() != ".pdf" or not path.is_absolute():
        return None
    viewer = _WINDOWS if system == "win32" else _by_desktop_file(_BY_DESKTOP_FILE, system, default_viewer)
    # A label that begins with "-" would be read as an option by nobody: it stands behind "=".
    return _filled(viewer, path, which, number=str(number), label=label or str(number))


def time_command(path: Path, seconds: int, *, system: str, default_viewer: str, which: Which) -> list[str] | None:
    """The command that plays a recording from a second on; None where the system's way from the beginning must do.

    As `page_command`; `default_viewer` is what opens recordings of this kind.
    """
    if path.suffix.lower() not in RECORDING_SUFFIXES or not path.is_absolute():
        return None
    player = _WINDOWS_PLAYER if system == "win32" else _by_desktop_file(_PLAYERS, system, default_viewer)
    return _filled(player, path, which, seconds=str(seconds))


def reveal_command(path: Path, *, system: str) -> list[str] | None:
    """The command that shows a file in its folder, chosen; None where only the folder can be opened."""
    if system == "win32":
        return ["explorer", f"/select,{path}"]
    if system == "darwin":
        return ["open", "-R", str(path)]
    return None


def _by_desktop_file(known: Sequence[tuple[str, _Viewer]], system: str, default_viewer: str) -> _Viewer | None:
    name = default_viewer.casefold()
    if system == "darwin" or not name:
        return None
    return next((each for part, each in known if part in name), None)


def _filled(viewer: _Viewer | None, path: Path, which: Which, **fields: str) -> list[str] | None:
    program = which(viewer.program) if viewer is not None else None
    if viewer is None or program is None:
        return None
    return [program, *(argument.format(path=str(path), uri=path.as_uri(), **fields) for argument in viewer.arguments)]
