"""Make the installed program, a folder with its own Python: `build/bundle/hearth` (on a Mac `Hearth.app`).

PyInstaller does most, by hearth.spec. What it leaves out is added here: llama.cpp's libraries with a back end for every
kind of processor, and the licences of what was taken from this system. Runs in `.venv-dist`; in `.venv-bundle`, whose
llama.cpp is for this machine alone, it makes a program to try and not to give away.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from package_facts import BUILD, ICON, NAME, PROGRAM, ROOT
from terms import debian_packages, hold_terms

from app.licences import licences

WORK = BUILD / "pyinstaller"
BUNDLES = BUILD / "bundle"
_ICON_SIDE = 1024
_SYMBOL = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def make_bundle() -> Path:
    """Build it anew. Returns the folder that is the program, or the `.app`."""
    import PyInstaller.__main__  # noqa: PLC0415  # only in .venv-dist

    draw_icon(BUILD / "hearth.png")
    shutil.rmtree(BUNDLES, ignore_errors=True)
    PyInstaller.__main__.run(
        [str(ROOT / "packaging" / "hearth.spec"), "--noconfirm", "--log-level", "WARN",
         "--distpath", str(BUNDLES), "--workpath", str(WORK)]
    )  # fmt: skip
    bundle = BUNDLES / (f"{NAME}.app" if sys.platform == "darwin" else PROGRAM)
    packages = debian_packages(json.loads(next(WORK.rglob("system_libraries.json")).read_text()))
    hold_terms(licences(), packages)
    inside = contents(bundle)
    add_llama(inside)
    collect_licences(inside / "app" / "licence_texts" / "collected", packages)
    return bundle


def contents(bundle: Path) -> Path:
    """Where its libraries and data lie."""
    return bundle / "Contents" / "Frameworks" if bundle.suffix == ".app" else bundle / "_internal"


def draw_icon(target: Path) -> None:
    """The program's icon as PNG, of which PyInstaller makes what each system wants."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt  # noqa: PLC0415  # after the platform is named
    from PySide6.QtGui import QImage, QPainter  # noqa: PLC0415
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415

    image = QImage(_ICON_SIDE, _ICON_SIDE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(ICON)).render(painter)
    painter.end()
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(target))


def add_llama(inside: Path) -> None:
    """llama.cpp's libraries, each once: wheels hold a library under its names with and without version."""
    package = find_spec("llama_cpp")
    assert package is not None and package.submodule_search_locations is not None
    source = Path(next(iter(package.submodule_search_locations))) / "lib"
    target = inside / "llama_cpp" / "lib"
    target.mkdir(parents=True, exist_ok=True)
    for library in sorted(source.iterdir()):
        if library.suffix in (".so", ".dylib", ".dll"):
            shutil.copy2(library.resolve(), target / library.name)


def collect_licences(target: Path, packages: Iterable[str]) -> None:
    """Python's, and those of Debian packages whose libraries went along."""
    target.mkdir(parents=True, exist_ok=True)
    for folder in (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix)):
        if (folder / "LICENSE.txt").exists():
            shutil.copyfile(folder / "LICENSE.txt", target / "Python.txt")
    for package in packages:
        text = Path("/usr/share/doc") / package / "copyright"
        if text.exists():
            shutil.copyfile(text, target / f"{package}.txt")


@cache  # the report and the package for Debian both ask, and each look reads all of it
def needed_glibc(bundle: Path) -> str:
    """The newest version of glibc that anything in it asks for, "" where nothing does."""
    newest = (0, 0)
    for file in bundle.rglob("*"):
        if file.is_file() and not file.is_symlink() and (".so" in file.name or file.name == PROGRAM):
            found = {(int(major), int(minor)) for major, minor in _SYMBOL.findall(file.read_bytes())}
            newest = max((newest, *found))
    return f"{newest[0]}.{newest[1]}" if newest[0] else ""


def sizes(bundle: Path) -> list[tuple[str, int]]:
    """Bytes by what takes them, the most first; each file once."""
    taken: Counter[str] = Counter()
    inside = contents(bundle)
    for file in bundle.rglob("*"):
        if file.is_file() and not file.is_symlink():
            place = file.relative_to(inside if file.is_relative_to(inside) else bundle)
            taken[place.parts[0].removesuffix(".libs") if len(place.parts) > 1 else _stem(place.name)] += (
                file.stat().st_size
            )
    return taken.most_common()


def _stem(name: str) -> str:
    return "single libraries" if ".so" in name or name.endswith((".dylib", ".dll")) else name


if __name__ == "__main__":
    print(make_bundle())
