"""The terminal as the commands write to it: answers to stdout, everything about them to stderr.

Knows no command. With `json` only JSON goes to stdout; with `quiet` only the answer itself is written. A note, a
failure and a status are one line each, whatever a file's name or a stranger's word in them holds; in what may have
several lines, names are for the caller to show as `app.shown_names` does.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from typing import TextIO

from app.shown_names import shown_name

_DIM, _BOLD, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_SECRET = secrets.token_hex(8)
_STYLES = {f"<{_SECRET} {name}>": code for name, code in (("dim", _DIM), ("bold", _BOLD), ("plain", _PLAIN))}
"""What stands for our own styles until a line is written: nobody else's text can foresee it, so none can bring one."""
_DIM_MARK, _BOLD_MARK, _PLAIN_MARK = _STYLES


@dataclass(slots=True)
class Console:
    """One run's streams."""

    json: bool = False
    quiet: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    source: TextIO = field(default_factory=lambda: sys.stdin)

    @property
    def interactive(self) -> bool:
        """A person types here and reads here."""
        return self.source.isatty() and self.out.isatty()

    @property
    def err_is_terminal(self) -> bool:
        return self.err.isatty()

    def say(self, text: str = "") -> None:
        """A line of the result."""
        self.out.write(_safe(text, self.out) + "\n")
        self.out.flush()

    def stream(self, text: str) -> None:
        """A piece of the result, at once."""
        self.out.write(_safe(text, self.out))
        self.out.flush()

    def record(self, value: object) -> None:
        """A JSON value on a line of its own."""
        self.out.write(json.dumps(value, ensure_ascii=True) + "\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """Something about the result, in one line; not with `quiet` or `json`."""
        if not (self.quiet or self.json):
            self.err.write(shown_name(text) + "\n")
            self.err.flush()

    def dim(self, text: str) -> None:
        """A piece of something about the result, in a weaker colour."""
        shown = _safe(text, self.err)
        self.err.write(f"{_DIM}{shown}{_PLAIN}" if colour(self.err) else shown)
        self.err.flush()

    def fail(self, text: str) -> None:
        """Why it did not work, in one line."""
        self.err.write(f"hearth: {shown_name(text)}\n")
        self.err.flush()

    def status(self, text: str) -> None:
        """Overwrite the one status line of a terminal; nothing elsewhere."""
        if self.err_is_terminal and not (self.quiet or self.json):
            self.err.write(f"\r\x1b[K{shown_name(text)}")
            self.err.flush()

    def end_status(self) -> None:
        """Take the status line away."""
        self.status("")

    def bold(self, text: str) -> str:
        """For `say` and `stream`, as a part of what they are given."""
        return f"{_BOLD_MARK}{text}{_PLAIN_MARK}" if colour(self.out) else text

    def faint(self, text: str) -> str:
        return f"{_DIM_MARK}{text}{_PLAIN_MARK}" if colour(self.out) else text


def colour(stream: TextIO) -> bool:
    """Whether colours are wanted there (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _safe(text: str, stream: TextIO) -> str:
    """What a terminal may be sent: a model's answer must not steer it. Pipes get the text as it is."""
    if not stream.isatty():
        return text
    shown = "".join(character for character in text if character in "\n\t" or not _is_control(character))
    for mark, code in _STYLES.items():
        shown = shown.replace(mark, code)
    return shown


def _is_control(character: str) -> bool:
    """What steers a terminal, or reverses the order of what it shows (a file's name may be from anybody)."""
    return (
        character < " "
        or "\x7f" <= character <= "\x9f"
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    )
