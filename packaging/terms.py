"""On which terms others' work may go into the installed program; what may not ends the build.

Hearth is Apache-2.0. Python's distributions state their terms in their metadata; a Debian package has a text that only
a person can read, so its terms are stated here, by whoever looked. Where there is no dpkg only the former are held.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from app.licences import Licence

DEBIAN = {
    "libbrotli1": "MIT",
    "libbz2-1.0": "bzip2-1.0.6",
    "libcom-err2": "MIT",
    "libffi8": "MIT",
    "libglib2.0-0": "LGPL-2.1-or-later",
    "libglib2.0-0t64": "LGPL-2.1-or-later",
    "libgomp1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "libgssapi-krb5-2": "MIT",
    "libk5crypto3": "MIT",
    "libkeyutils1": "LGPL-2.0-or-later",
    "libkrb5-3": "MIT",
    "libkrb5support0": "MIT",
    "liblzma5": "public domain",
    "libpcre2-8-0": "BSD-3-Clause",
    "libportaudio2": "MIT",
    "libsqlite3-0": "public domain",
    "libssl3": "Apache-2.0",
    "libssl3t64": "Apache-2.0",
    "libuuid1": "BSD-3-Clause",
    "libxcb-cursor0": "MIT",
    "libxcb-glx0": "MIT",
    "libxcb-icccm4": "MIT",
    "libxcb-image0": "MIT",
    "libxcb-keysyms1": "MIT",
    "libxcb-randr0": "MIT",
    "libxcb-render-util0": "MIT",
    "libxcb-render0": "MIT",
    "libxcb-shape0": "MIT",
    "libxcb-shm0": "MIT",
    "libxcb-sync1": "MIT",
    "libxcb-util1": "MIT",
    "libxcb-xfixes0": "MIT",
    "libxcb-xkb1": "MIT",
    "libxkbcommon-x11-0": "MIT",
    "libxkbcommon0": "MIT",
    "libzstd1": "BSD-3-Clause",
    "zlib1g": "Zlib",
}
"""The libraries of each that go along, not all that its source holds."""
_PYTHON = re.compile(r"libpython3\.\d+(t64)?(-minimal|-stdlib)?")
"""Debian's own Python, under its licence (PSF-2.0), whichever version made the environment."""


class ForbiddenError(Exception):
    """Something may not go along. The text names all of it."""


def forbidden(terms: str) -> bool:
    """Whether each alternative that is offered is the GPL or AGPL, without an exception for those who link."""
    alternatives = re.split(r"\s+OR\s+", terms)
    return all(re.match(r"A?GPL", each.strip("() ")) and " WITH " not in each for each in alternatives)


def hold_terms(works: Iterable[Licence], packages: Iterable[str]) -> None:
    """Raises `ForbiddenError`."""
    wrong = [f"{each.name}: {each.terms}" for each in works if forbidden(each.terms)]
    wrong += [f"{name}: its terms are not in packaging/terms.py" for name in packages if not _is_known(name)]
    if wrong:
        raise ForbiddenError("may not go into the program: " + "; ".join(sorted(wrong)))


def _is_known(package: str) -> bool:
    return package in DEBIAN or _PYTHON.fullmatch(package) is not None


def debian_packages(libraries: Iterable[str]) -> list[str]:
    """The packages that files belong to; none where there is no dpkg."""
    paths = {str(Path(library).resolve()) for library in libraries}
    if shutil.which("dpkg-query") is None or not paths:
        return []
    # A package may have installed below /lib what is found below /usr/lib.
    paths |= {path.removeprefix("/usr") for path in paths}
    found = subprocess.run(["dpkg-query", "-S", *sorted(paths)], capture_output=True, text=True, check=False).stdout
    return sorted({line.split(":", 1)[0] for line in found.splitlines() if not line.startswith("diversion")})
