"""What every kind of package says of Hearth: names, version, the files that it opens. Standard library only."""

from __future__ import annotations

import platform
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
NAME, PROGRAM, APP_ID = "Hearth", "hearth", "org.hearth.assistant"
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSION: str = _PROJECT["version"]
SUMMARY: str = _PROJECT["description"]
_AUTHOR: dict[str, str] = _PROJECT["authors"][0]
MAINTAINER = _AUTHOR["name"] + (f" <{_AUTHOR['email']}>" if "email" in _AUTHOR else "")
"""Whoever publishes packages writes their own name and address into pyproject.toml."""
ICON = ROOT / "app" / "ui" / "icons" / "hearth.svg"
MICROPHONE = "Hearth listens when you dictate or talk to it. What you say stays on this computer."
PERSONA_TYPE = "application/x-hearth-persona"
PERSONA_SUFFIX = ".hearth"
DOCUMENT_TYPES = (
    "application/pdf", "application/epub+zip", "text/plain", "text/markdown", "text/html", "message/rfc822",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text",
)  # fmt: skip
"""What "Open with Hearth" is offered for; Hearth never makes itself the first choice for these."""


def architecture() -> str:
    """As file names have it: "x86_64", "arm64"."""
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)


def bundle_name() -> str:
    """The folder in a tarball, and the beginning of every package's name."""
    return f"{PROGRAM}-{VERSION}-{platform.system().lower()}-{architecture()}"
