"""A virtual screen with a window manager, and a real Hearth on it that is driven by real key events.

Every program started here runs under strace where that is allowed, and what it asked of the network is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from PIL import ImageGrab

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 90.0
T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
    """Look again and again until there is something; fail by name when patience ends."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")


def inet_calls(trace: Path) -> list[str]:
    """The lines of an strace log that touch the Internet address families or a name server."""
    return [
        line
        for line in trace.read_text(errors="replace").splitlines()
        if re.search(r"\bAF_INET6?\b|\bsin6?_addr\b|htons\(53\)", line)
    ]


class Screen:
    """Xvfb and a small window manager (a global shortcut and a focus need one)."""

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self._xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x860x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as answer:
            self.display = f":{answer.readline().strip()}"
        self.environment = {**os.environ, "DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb", "LC_ALL": "C.UTF-8"}
        self._manager = subprocess.Popen(["openbox"], env=self.environment, stderr=subprocess.DEVNULL)

    def xdotool(self, *arguments: str) -> str:
        """Run one command of xdotool; "" if it found nothing."""
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout.strip()

    def close(self) -> None:
        for process in (self._manager, self._xvfb):
            process.terminate()
            process.wait(10)


class Program:
    """One run of `main.py` with a window. Leave the `with` block only after it has ended, or it is killed."""

    def __init__(self, screen: Screen, data: Path, model: Path, trace: Path) -> None:
        self._screen = screen
        self._database = data / "conversations.db"
        self.trace = trace
        self._log = (data.parent / f"{trace.stem}.log").open("w+")
        command = [sys.executable, str(ROOT / "main.py"), "--data-dir", str(data), "--model", str(model)]
        if shutil.which("strace"):
            command = ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", str(trace), *command]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=screen.environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.window = wait_for("the window", lambda: screen.xdotool("search", "--onlyvisible", "--name", "Hearth"))
        self.window = self.window.splitlines()[-1]
        screen.xdotool("windowactivate", "--sync", self.window)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            with suppress(OSError):  # the screen may be gone too
                self.screenshot(self._database.parent.parent / "failure.png")
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        self._log.seek(0)
        if error is not None:
            sys.stderr.write(self._log.read()[-4000:])
        self._log.close()

    def key(self, *keys: str) -> None:
        """Press keys, in xdotool's names ("ctrl+r")."""
        self._screen.xdotool("key", "--clearmodifiers", *keys)

    def type(self, text: str) -> None:
        self._screen.xdotool("type", "--clearmodifiers", "--delay", "8", text)

    def ask(self, text: str) -> None:
        """Type a question into the composer and send it."""
        self.type(text)
        self.key("Return")

    def title(self) -> str:
        """What the window manager shows."""
        return self._screen.xdotool("getwindowname", self.window)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Look into the database the way any SQLite tool does."""
        if not self._database.exists():
            return []
        connection = sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []  # not made yet
        finally:
            connection.close()

    def answers(self, state: str) -> list[str]:
        """Texts of the model's messages in that state, oldest first."""
        rows = self.query(
            "SELECT group_concat(p.text, '') FROM messages m LEFT JOIN parts p ON p.message_number = m.number"
            f" AND p.kind = 'text' WHERE m.role = 'assistant' AND m.state = '{state}'"
            " GROUP BY m.number ORDER BY m.number"
        )
        return [str(row[0] or "") for row in rows]

    def screenshot(self, path: Path) -> None:
        ImageGrab.grab(xdisplay=self._screen.display).save(path)

    def quit(self) -> int:
        """Ctrl+Q; returns the exit status."""
        self.key("ctrl+q")
        return self._process.wait(60)
