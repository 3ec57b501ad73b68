"""Whether this is an installed program, which brings its own Python, or a run from source.

Knows no settings and no window. What an installed program needs before anything else is in packaging/frozen_start.py.
"""

from __future__ import annotations

import sys
from pathlib import Path


def is_installed() -> bool:
    """True in a program made by packaging/make_dist.py."""
    return bool(getattr(sys, "frozen", False))


def program_folder() -> Path:
    """Where a person sees the program lie: the executable's folder, on a Mac that of `Hearth.app`."""
    program = Path(sys.executable if is_installed() else sys.argv[0]).resolve()
    if sys.platform == "darwin":
        bundle = next((parent for parent in program.parents if parent.suffix == ".app"), None)
        if bundle is not None:
            return bundle.parent
    return program.parent
