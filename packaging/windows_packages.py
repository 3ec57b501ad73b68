"""The program for Windows: a folder in a zip file, and an installer where Inno Setup is found.

Written by the manuals and UNTESTED: no Windows was at hand. `HEARTH_SIGN_COMMAND` is run with each file that is to be
signed as its last argument (such as `signtool sign /fd SHA256 /tr ADDRESS /td SHA256 /a`); without it nothing is.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from package_facts import ROOT, VERSION, bundle_name

SCRIPT = ROOT / "packaging" / "windows" / "hearth.iss"


def make_windows_packages(bundle: Path, target: Path) -> list[Path]:
    """The zip file, and the installer if it can be made here."""
    for program in bundle.glob("*.exe"):
        sign(program)
    made = [Path(shutil.make_archive(str(target / bundle_name()), "zip", bundle))]
    compiler = shutil.which("iscc") or shutil.which(r"C:\Program Files (x86)\Inno Setup 6\ISCC.exe")
    if compiler is None:
        print("Inno Setup is not installed: no installer was made")
        return made
    name = f"{bundle_name()}-setup"
    given = {"Version": VERSION, "Bundle": bundle, "Target": target, "BaseName": name}
    subprocess.run([compiler, *(f"/D{key}={value}" for key, value in given.items()), str(SCRIPT)], check=True)
    sign(target / f"{name}.exe")
    return [*made, target / f"{name}.exe"]


def sign(file: Path) -> None:
    """With the command that was given for it."""
    command = os.environ.get("HEARTH_SIGN_COMMAND")
    if command:
        subprocess.run([*shlex.split(command, posix=False), str(file)], check=True)
