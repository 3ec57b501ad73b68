"""Reads foreign documents by way of the parser process: starts it, watches it, ends it when it must.

One process reads many files. It is killed where it is silent for too long, takes too much memory, or the reading is
cancelled; a file that made it die gets an error that says so, and the next file a new process. Opens no document
itself.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from engine.cancel import CancelToken
from engine.display_name import display_name
from engine.errors import DocumentError, sentence
from engine.worker.envelope import ProtocolError, error_of, receive
from rag.loaders.loader import TOO_MUCH_MEMORY
from rag.loaders.picture import PagePicture, Span
from rag.parsing.child import Child, EntryPoint, GreedyError, SilentError, run_parser
from rag.parsing.messages import (
    PIXEL_BYTES,
    Command,
    Finished,
    Opened,
    PageRead,
    ReadFile,
    Recognising,
    Refused,
    Rendered,
    RenderPage,
    Report,
    decode_report,
    encode,
)
from rag.types import DocumentInfo, Page

SILENCE_S = 25.0
"""Without a page for so long, a document is given up."""
PAGE_S = 2.0
"""What a page may take on the average, `SILENCE_S` besides."""
RECOGNITION_S = 120.0
"""For a page that is read by character recognition."""
START_S = 3.0
"""More, where the process must be started first. Together they stay below the 30 s that a hostile document may take."""
_KEPT_BYTES = 300 * 1024 * 1024
"""A process that holds more after a document is not kept for the next."""
_SIGXCPU = 24
"""Of Linux and macOS, where the system ends a process that computes for too long."""
_CRASHED = sentence(
    "“{name}” could not be read: it made its reader crash. Open it in its own program and save it again."
)
_TOO_SLOW = sentence("“{name}” could not be read: it took too long. Split it into smaller files, or save it anew.")
_WONT_START = sentence("“{name}” could not be read: no process can be started.")


class Parser:
    """One parser process, started when first needed. All methods from one thread at a time; `close` ends it."""

    def __init__(self, entry_point: EntryPoint = run_parser, *, silence_s: float = SILENCE_S) -> None:
        self._entry_point = entry_point
        self._silence_s = silence_s
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process's number, None while there is none."""
        return self._child.pid if self._child is not None else None

    def read(self, path: Path, cancel: CancelToken | None = None) -> Iterator[DocumentInfo | Page]:
        """First what is known of the document, then its pages in order, as they are read.

        Raises `DocumentError`, at any point, with the sentence that says why not; `CancelledError`. What is not
        consumed to its end costs the process.
        """
        with closing(self._converse(ReadFile(path), path, cancel)) as conversation:
            for report in conversation:
                if isinstance(report, Opened):
                    yield report.info
                elif isinstance(report, PageRead):
                    yield report.page

    def render_page(
        self, path: Path, number: int, width_px: int, spans: Sequence[Span] = (), cancel: CancelToken | None = None
    ) -> PagePicture:
        """A page of a PDF (from 1) as a picture, with where the given characters of its stored text stand on it.

        Raises `DocumentError`, also for files that have no pages to show; `CancelledError`.
        """
        command = RenderPage(path, number, width_px, tuple((start, end) for start, end in spans))
        with closing(self._converse(command, path, cancel)) as conversation:
            for report in conversation:
                if isinstance(report, Rendered):
                    pixels = self._pixels(report, path)
                    return PagePicture(report.width, report.height, pixels, report.rectangles)
        raise DocumentError(_CRASHED, name=display_name(path.name))

    def close(self) -> None:
        """End the process. May be called again; a later reading starts another."""
        if self._child is not None:
            self._child.leave()
            self._child = None

    def _converse(self, command: Command, path: Path, cancel: CancelToken | None) -> Generator[Report]:
        """The reports up to the one that ends the answer, which is the last. Kills the process where it goes wrong."""
        ended = False
        name = display_name(path.name)
        try:
            for report in self._reports(command, name, cancel):
                ended = isinstance(report, Finished | Refused | Rendered)
                if isinstance(report, Refused):
                    raise error_of(report.fault)
                yield report
                if ended:
                    return
        finally:
            if self._child is not None and (not ended or self._child.memory() > _KEPT_BYTES):
                self._end()

    def _reports(self, command: Command, name: str, cancel: CancelToken | None) -> Iterator[Report]:
        child = self._sent(command, name)
        heard = False
        waited = 0.0
        allowed = within = self._silence_s + START_S * child.is_new
        while True:
            started = time.monotonic()
            try:
                report = decode_report(child.hear(min(within, allowed - waited), cancel))
            except SilentError as error:
                raise DocumentError(_TOO_SLOW, name=name) from error
            except GreedyError as error:
                raise DocumentError(TOO_MUCH_MEMORY, name=name) from error
            except EOFError as error:
                code = self._end()
                if code != -_SIGXCPU and not child.is_new and not heard:
                    # It ended for want of work as the command came: what it died of is not this file's fault, or
                    # will be found out again.
                    child = self._sent(command, name)
                    continue
                raise DocumentError(_TOO_SLOW if code == -_SIGXCPU else _CRASHED, name=name) from error
            except ProtocolError as error:
                raise DocumentError(_CRASHED, name=name) from error
            waited += time.monotonic() - started
            if isinstance(report, Recognising):
                within = RECOGNITION_S
                allowed += RECOGNITION_S
            else:
                within = self._silence_s
                allowed += PAGE_S
            heard, child.is_new = True, False
            yield report

    def _sent(self, command: Command, name: str) -> Child:
        """The process that has been given the command: the one there is, or a new one."""
        for _ in range(3):
            if self._child is not None:
                if self._child.send(encode(command)):
                    return self._child
                self._end()
            try:
                self._child = Child(self._entry_point)
            except OSError as error:
                raise DocumentError(_WONT_START, name=name) from error
        raise DocumentError(_CRASHED, name=name)

    def _end(self) -> int | None:
        """Kill the process. Its exit code, None where there is none."""
        child, self._child = self._child, None
        return child.kill() if child is not None else None

    def _pixels(self, report: Rendered, path: Path) -> bytes:
        size = 3 * report.width * report.height
        try:
            if self._child is not None and 0 < size <= PIXEL_BYTES:
                pixels = receive(self._child.connection, PIXEL_BYTES)
                if len(pixels) == size:
                    return pixels
        except (EOFError, ProtocolError):
            pass  # said below
        raise DocumentError(_CRASHED, name=display_name(path.name))
