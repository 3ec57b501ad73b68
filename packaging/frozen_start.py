"""Runs first in every process of an installed Hearth: where libraries are found, by us and by what we start.

PyInstaller's start puts the program's folder on the search path of the dynamic linker (Linux), which reads it once,
when a process starts. Other programs that are started from here (a browser, ffmpeg) would inherit it and get our
libraries in place of the system's. So the path is taken away again, and processes of our own are told to put it there
for themselves.
"""

import ctypes.util
import os
import sys
from pathlib import Path

if sys.platform.startswith("linux"):
    _before = os.environ.pop("LD_LIBRARY_PATH_ORIG", "")
    os.environ.pop("LD_LIBRARY_PATH", None)
    if _before:
        os.environ["LD_LIBRARY_PATH"] = _before
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    _find_elsewhere = ctypes.util.find_library

    def _find_library(name: str) -> str | None:
        """Ours first: the system's list of libraries does not know them."""
        ours = sorted(Path(sys._MEIPASS).glob(f"lib{name}.so*"))
        return str(ours[0]) if ours else _find_elsewhere(name)

    ctypes.util.find_library = _find_library
