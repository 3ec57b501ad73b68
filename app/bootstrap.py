"""The first stages of a start: folders, language, log, and whether a window can be opened at all.

Imports nothing heavy. What is missing becomes a sentence that says what to do, instead of an abort from within Qt.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.i18n import set_language, tr
from app.logs import start_log
from app.paths import Paths, resolve_paths
from app.settings import Settings

MIN_PYTHON = (3, 11)

# Shared library -> Debian package. Qt aborts the process where one is missing.
_QT_LIBRARIES = {"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libfontconfig.so.1": "libfontconfig1"}
_X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


class StartError(Exception):
    """The program cannot start; the text is the sentence for the person."""


@dataclass(frozen=True, slots=True)
class Start:
    """What every face of the program begins with. The settings were only looked at: load them to keep them."""

    paths: Paths
    settings: Settings


def check_python() -> None:
    """Raises `StartError` on a Python that is too old."""
    if sys.version_info < MIN_PYTHON:
        raise StartError(
            tr(
                "Hearth needs Python {wanted} or newer; this is {found}.",
                wanted="3.11",
                found=platform.python_version(),
            )
        )


def find(data_dir: Path | None, *, portable: bool) -> Start:
    """Folders, settings and language. Changes nothing on the disk, so that `--help` works everywhere."""
    check_python()
    paths = resolve_paths(data_dir, portable=portable)
    settings = Settings.load(paths.settings_file, look_only=True)
    set_language(settings.text("appearance.language"))
    return Start(paths, settings)


def prepare(start: Start, log_level: str) -> None:
    """Make the folders and start the log. Raises `StartError` where that is refused."""
    paths = start.paths
    try:
        paths.create()
        start_log(paths.logs, log_level)
    except OSError as error:
        raise StartError(
            tr(
                "Hearth cannot write into {folder} ({reason}). Choose another folder with --data-dir.",
                folder=error.filename or paths.data,
                reason=error.strerror or str(error),
            )
        ) from error


def why_no_window(environment: Mapping[str, str] = os.environ) -> str | None:
    """The sentence why no window can be opened here; None if one can."""
    if importlib.util.find_spec("PySide6") is None:
        return tr("The window needs PySide6, which is not installed: pip install PySide6-Essentials")
    if not sys.platform.startswith("linux"):
        return None
    platform_plugin = environment.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    missing = missing_libraries(_QT_LIBRARIES)
    if platform_plugin not in ("", "xcb", "wayland"):
        return _install(missing) if missing else None  # such as "offscreen": the person knows what they do
    if platform_plugin != "xcb" and _wayland_answers(environment):
        return _install(missing) if missing else None
    if not environment.get("DISPLAY"):
        return tr("There is no display here to open a window on.")
    missing += missing_libraries(_X11_LIBRARIES)
    if missing:
        return _install(missing)
    if not _x_server_answers():
        return tr("The display {name} does not answer.", name=environment["DISPLAY"])
    return None


def missing_libraries(wanted: Mapping[str, str]) -> list[str]:
    """The packages whose shared library cannot be loaded."""
    missing = []
    for library, package in wanted.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def _install(packages: list[str]) -> str:
    return tr(
        "The window needs system libraries that are missing. On Debian or Ubuntu: sudo apt-get install {packages}",
        packages=" ".join(packages),
    )


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    return bool(name) and (Path(environment.get("XDG_RUNTIME_DIR", "/")) / name).is_socket()


def _x_server_answers() -> bool:
    """Connect as Qt's plugin will do, which would end the process if it failed."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
