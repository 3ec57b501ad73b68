"""Opening a document in its own program, or showing it in its folder: the one door for local files, with its questions.

A recording is played by the system's player: this window has none, and sound has its process.

What may be opened is judged by `app.file_opening`, on the pool: a file may lie on a slow disk.
"""

from __future__ import annotations

import mimetypes
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.amounts import clock_text
from app.file_opening import Caution, caution, page_command, reveal_command, time_command
from app.i18n import tr
from app.shown_names import shown_name
from app.ui.dialogs import confirm
from app.ui.workspace import Workspace

_QUERY_S = 5.0
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Judged:
    is_there: bool
    is_folder: bool
    caution: Caution
    command: list[str] | None


def reveal(workspace: Workspace, path: Path) -> None:
    """Show a file in the system's file manager; its folder, where that cannot point at a file."""

    def show(place: tuple[bool, Path]) -> None:
        is_there, folder = place
        command = reveal_command(path, system=sys.platform) if is_there else None
        if command is None or not QProcess.startDetached(command[0], command[1:])[0]:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def look() -> tuple[bool, Path]:
        return path.exists(), path if path.is_dir() else path.parent

    workspace.bridge.then(workspace.run(look), show, lambda _error: show((False, path.parent)))


def open_document(
    workspace: Workspace,
    parent: QWidget,
    path: Path,
    *,
    page: int = 1,
    label: str = "",
    seconds: int | None = None,
    said: Said,
) -> None:
    """Open a file in its own program, at a page, or a recording at a time, where that can be done.

    `said` is told what could not be done.
    """

    def act(judged: _Judged) -> None:
        if not isValid(parent):
            return
        if not judged.is_there:
            said(tr("The file is not there any more"))
        elif judged.is_folder:
            reveal(workspace, path)
        elif judged.caution is Caution.NEVER:
            said(tr("Files of this kind are not opened: the system might run them. Its folder is shown instead."))
            reveal(workspace, path)
        elif judged.caution is Caution.NONE or _asked(workspace, parent, path):
            _start(path, judged.command, said, seconds)

    workspace.bridge.then(
        workspace.run(lambda: _judged(path, page, label, seconds)),
        act,
        lambda _error: said(tr("The file is not there any more")),
    )


def _asked(workspace: Workspace, parent: QWidget, path: Path) -> bool:
    return confirm(
        workspace.theme,
        parent,
        tr("Open this file in its own program?"),
        tr(
            "It may hold programs, or load something from the network once it is open. Its place is: {path}",
            path=shown_name(path),
        ),
        yes=tr("Open"),
        icon="triangle-alert",
    )


def _start(path: Path, command: list[str] | None, said: Said, seconds: int | None) -> None:
    if command is not None and QProcess.startDetached(command[0], command[1:])[0]:
        return
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        said(tr("No program was found that opens this file"))
    elif seconds:
        said(tr("This player cannot be told where to begin: go to {time} in it", time=clock_text(seconds)))


def _judged(path: Path, page: int, label: str, seconds: int | None) -> _Judged:
    command = None
    if seconds is not None:
        player = _default_viewer(mimetypes.guess_type(path.name)[0] or "")
        command = time_command(path, seconds, system=sys.platform, default_viewer=player, which=shutil.which)
    elif path.suffix.lower() == ".pdf":
        viewer = _default_viewer("application/pdf")
        command = page_command(path, page, label, system=sys.platform, default_viewer=viewer, which=shutil.which)
    return _Judged(path.exists(), path.is_dir(), caution(path), command)


def _default_viewer(media_type: str) -> str:
    """The desktop file of the program that opens files of a kind, "" if nobody knows."""
    query = shutil.which("xdg-mime")
    if query is None or not media_type or sys.platform in ("win32", "darwin"):
        return ""
    try:
        answer = subprocess.run(
            [query, "query", "default", media_type],
            capture_output=True,
            text=True,
            timeout=_QUERY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
