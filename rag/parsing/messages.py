"""The messages between the parser process and its client, as versioned JSON over a pipe.

Knows no process. A picture's pixels follow their `Rendered` as a message of bare bytes; nothing is ever pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.worker.envelope import Fault, enveloped, opened
from rag.loaders.limits import PREVIEW_PIXELS
from rag.types import DocumentInfo, Page

VERSION = 1
COMMAND_BYTES = 1024 * 1024
REPORT_BYTES = 16 * 1024 * 1024
"""The longest page: 400,000 characters of six bytes each as JSON writes them, and what is hidden on it."""
PIXEL_BYTES = 3 * PREVIEW_PIXELS
PAGE_HEADINGS = 1_000


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Answered by `Opened`, `PageRead` and `Recognising` as they come, and `Finished`; or by `Refused` at any point."""

    path: Path


@dataclass(frozen=True, slots=True)
class RenderPage:
    """Answered by `Rendered` and its pixels, or by `Refused`."""

    path: Path
    number: int
    width_px: int
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known before the first page."""

    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page, in order."""

    page: Page


@dataclass(frozen=True, slots=True)
class Recognising:
    """The next page is read by character recognition, which takes its time."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The document has been read to its end."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """3 bytes a pixel follow (red, green, blue). One tuple of rectangles a span: left, top, right, bottom in pixels."""

    width: int
    height: int
    rectangles: tuple[tuple[tuple[int, int, int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the file is not read any further."""

    fault: Fault


Command = ReadFile | RenderPage
Report = Opened | PageRead | Recognising | Finished | Rendered | Refused


def encode(message: Command | Report) -> bytes:
    """Bytes for the pipe. Raises `MessageTooLongError`, which the caps on pages rule out."""
    return enveloped(message, VERSION, REPORT_BYTES)


def decode_command(raw: bytes) -> Command:
    """Raises `ProtocolError`."""
    command: Command = opened(raw, Command, VERSION)
    return command


def decode_report(raw: bytes) -> Report:
    """Raises `ProtocolError`."""
    report: Report = opened(raw, Report, VERSION)
    return report
