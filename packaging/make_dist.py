"""Build what can be installed with pip into `dist/`: the wheel and the source distribution.

Bundles for people without Python (AppImage, .deb, .app, installer) are not built yet.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import build_meta

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    os.chdir(ROOT)
    target = ROOT / "dist"
    target.mkdir(exist_ok=True)
    for build in (build_meta.build_wheel, build_meta.build_sdist):
        print(target / build(str(target)))


if __name__ == "__main__":
    main()
