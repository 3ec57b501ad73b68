"""The environment of the clients, in the user's cache folder, made anew when what is pinned has changed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
BROWSER = "chromium-headless-shell"
"""Debian's package, and the program in it."""


def clients_folder() -> Path:
    return platformdirs.user_cache_path("hearth", appauthor=False) / "api-clients"


def make_environment() -> Path:
    """The folder of the environment's programs; installs them the first time."""
    folder = clients_folder()
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    mark = folder / "made-from.txt"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest() + sys.version
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        return programs
    shutil.rmtree(folder, ignore_errors=True)
    venv.EnvBuilder(with_pip=True).create(folder)
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "install", "-q", "--no-deps", "-r", str(REQUIREMENTS)], check=True)
    mark.write_text(wanted, "utf-8")
    return programs


def install_browser() -> str:
    """What became of it, as a sentence: installed by Debian's own way where that is allowed."""
    if shutil.which(BROWSER) or shutil.which("chromium"):
        return "a Chromium is installed"
    if shutil.which("apt-get") is None:
        return "install Chromium to have hostile pages tried"
    subprocess.run(["apt-get", "update", "-q"], check=False, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", BROWSER]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    return "Chromium was installed" if done.returncode == 0 else f"install {BROWSER} to have hostile pages tried"
