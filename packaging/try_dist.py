"""Try the built program as somebody without Python would: put it elsewhere, run its own test, open its window. Linux.

It is the one in the tarball, or with `--bundle` the folder that make_bundle.py left. Nothing of this machine's
environment is passed on. Says how long each start took until the window was there (from the second on, from a warm
disk), and writes a picture of it where ImageMagick is. Exit code 1 where anything fails.

    .venv-dist/bin/python packaging/try_dist.py [--bundle] [--model FILE] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from package_facts import BUILD, PROGRAM, ROOT, bundle_name
from PIL import ImageGrab

STARTS = 3
_PATIENCE_S = 120.0
_LOOK_S = 0.02
_PROGRAMS = "/usr/bin:/bin"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bundle", action="store_true", help="the folder, and not what is in the tarball")
    arguments.add_argument("--model", type=Path, help="a GGUF file; the smallest of this user's otherwise")
    arguments.add_argument("--out", type=Path, default=ROOT / "out" / "dist")
    given = arguments.parse_args()
    model = given.model or _smallest_model()
    with tempfile.TemporaryDirectory(prefix="hearth-dist-") as scratch, display() as screen:
        program = put_elsewhere(Path(scratch), tarball=not given.bundle) / PROGRAM
        environment = {"HOME": scratch, "PATH": _PROGRAMS, "LANG": "C.UTF-8", "DISPLAY": screen}
        if not self_test(program, model, environment):
            return 1
        took = [open_window(program, model, environment, given.out) for _ in range(STARTS)]
    print("the window took " + ", ".join(f"{seconds:.2f}" for seconds in took) + " s; the first from a cold program")
    return 0


def put_elsewhere(scratch: Path, *, tarball: bool) -> Path:
    """The program's folder, in a place that knows nothing of this one."""
    place = scratch / bundle_name()
    if not tarball:
        shutil.copytree(BUILD / "bundle" / PROGRAM, place, symlinks=True)
        return place
    shutil.unpack_archive(ROOT / "dist" / f"{bundle_name()}.tar.gz", scratch)  # Python 3.11.2's tarfile has no filters
    return place


def self_test(program: Path, model: Path | None, environment: dict[str, str]) -> bool:
    """Its lines go to this terminal."""
    command = [str(program), "--self-test", *(["--model", str(model)] if model else [])]
    began = time.monotonic()
    done = subprocess.run(command, env=environment, timeout=10 * _PATIENCE_S, check=False)
    print(f"self-test: exit code {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


def open_window(program: Path, model: Path | None, environment: dict[str, str], out: Path) -> float:
    """Seconds until a window of Hearth has something on it; a picture of it some seconds later."""
    began = time.monotonic()
    command = [str(program), *(["--model", str(model)] if model else [])]
    running = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait_for_window(environment)
        seconds = time.monotonic() - began
        time.sleep(5)  # for the lists and the model, which come after the window
        out.mkdir(parents=True, exist_ok=True)
        ImageGrab.grab(xdisplay=environment["DISPLAY"]).save(out / "window.png")
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    return seconds


def _wait_for_window(environment: dict[str, str]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--class", PROGRAM],
            env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        ).stdout.split()  # fmt: skip
        if found:
            return
        time.sleep(_LOOK_S)
    raise SystemExit("no window came")


@contextmanager
def display() -> Iterator[str]:
    """An X server of its own."""
    for needed in ("Xvfb", "xdotool"):
        if shutil.which(needed) is None:
            raise SystemExit(f"{needed} is needed (Debian: xvfb, xdotool)")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def _smallest_model() -> Path | None:
    sys.path.insert(0, str(ROOT))
    from app.paths import default_models_folder  # noqa: PLC0415  # beside this folder

    return min(default_models_folder().glob("*.gguf"), key=lambda file: file.stat().st_size, default=None)


if __name__ == "__main__":
    raise SystemExit(main())
