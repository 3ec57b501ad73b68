"""Build what can be installed into `dist/`: wheel and source distribution, and the packages of the system it runs on.

Run in `.venv-dist` (`make dist`). Linux: a tarball and a .deb; macOS: a disk image; Windows: a zip file and an
installer. With `--wheels` only what pip takes, which any environment can make.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from package_facts import ROOT
from setuptools import build_meta

TARGET = ROOT / "dist"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--wheels", action="store_true", help="only the wheel and the source distribution")
    wheels_only = arguments.parse_args().wheels
    os.chdir(ROOT)
    TARGET.mkdir(exist_ok=True)
    made = [TARGET / build(str(TARGET)) for build in (build_meta.build_wheel, build_meta.build_sdist)]
    if not wheels_only:
        made += make_packages()
    for file in made:
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")


def make_packages() -> list[Path]:
    """Those of this system."""
    from make_bundle import make_bundle, needed_glibc, sizes  # noqa: PLC0415  # not for wheels

    began = time.monotonic()
    bundle = make_bundle()
    taken = sizes(bundle)
    print(f"{bundle}: {sum(size for _, size in taken) / 1e6:.0f} MB, built in {time.monotonic() - began:.0f} s")
    for name, size in taken[:12]:
        print(f"  {size / 1e6:6.1f} MB  {name}")
    if sys.platform == "darwin":
        from macos_packages import make_macos_packages  # noqa: PLC0415

        return make_macos_packages(bundle, TARGET)
    if sys.platform == "win32":
        from windows_packages import make_windows_packages  # noqa: PLC0415

        return make_windows_packages(bundle, TARGET)
    from linux_packages import make_linux_packages  # noqa: PLC0415

    print(f"  needs glibc {needed_glibc(bundle)}")
    return make_linux_packages(bundle, TARGET)


if __name__ == "__main__":
    main()
