"""Runs in a process of its own: opens foreign documents, one after the other, and hands back text and pictures.

Parsers have had holes and run away on small hostile files; what goes wrong here ends here. No network, no file is
written, memory and computing time are limited, and who started it ends it when it is silent for too long.
Knows no store and no index.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from engine.errors import DocumentError
from engine.worker.envelope import ProtocolError, fault_of, receive
from engine.worker.settle import settle
from rag.loaders import ocr
from rag.loaders.loader import TOO_MUCH_MEMORY
from rag.loaders.reading import open_document
from rag.parsing.messages import (
    COMMAND_BYTES,
    PAGE_HEADINGS,
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
    decode_command,
    encode,
)

MEMORY_BYTES = 896 * 1024 * 1024
"""Of memory of its own (RLIMIT_DATA); with libraries and what of the file is mapped it stays below 1 GB."""
_ADDRESS_BYTES = 6 * 1024 * 1024 * 1024
"""Of address space: a second lock, for what the first does not count."""
CPU_S = 20
"""Of computing without a page; each page gets as much again."""
RECOGNITION_CPU_S = 200
"""For a page that is read by character recognition, two threads, the loading of its model included."""
IDLE_S = 60.0
"""Without an order for so long, the process ends and gives its memory back."""


def main(connection: Connection) -> None:
    """Answer commands until the pipe closes or nothing was asked for `IDLE_S`."""
    sys.dont_write_bytecode = True
    logging.disable(logging.CRITICAL)  # libraries log what they find in documents
    # Before anything loads numpy or OpenMP: their threads would take memory for nothing.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MALLOC_ARENA_MAX="2")
    settle()
    _limit()
    try:
        while connection.poll(IDLE_S):
            if not _answer(connection, decode_command(receive(connection, COMMAND_BYTES))):
                return
    except (EOFError, BrokenPipeError, ConnectionError, ProtocolError):
        return  # nobody is listening any more


def _answer(connection: Connection, command: Command) -> bool:
    """Carry a command out. False where this process had better end: memory that ran out does not come back whole."""

    def send(report: Report) -> None:
        connection.send_bytes(encode(report))

    _grant(CPU_S)
    try:
        if isinstance(command, ReadFile):
            _read(command, send)
        else:
            _render(command, send, connection)
    except DocumentError as error:
        send(Refused(fault_of(error)))
        return error.template != TOO_MUCH_MEMORY
    except MemoryError:
        send(Refused(fault_of(DocumentError(TOO_MUCH_MEMORY, name=command.path.name))))
        return False
    return True


def _read(command: ReadFile, send: Callable[[Report], None]) -> None:
    def recogniser() -> ocr.Recogniser | None:
        send(Recognising())
        _grant(RECOGNITION_CPU_S)
        return ocr.recogniser()

    document = open_document(command.path, recogniser)
    send(Opened(document.info))
    for page in document.pages:
        send(PageRead(replace(page, headings=page.headings[:PAGE_HEADINGS])))
        _grant(CPU_S)
    send(Finished())


def _render(command: RenderPage, send: Callable[[Report], None], connection: Connection) -> None:
    from rag.loaders.pdf_preview import render_page  # noqa: PLC0415  # loads PDFium

    picture = render_page(command.path, command.number, command.width_px, command.spans)
    send(Rendered(picture.width, picture.height, picture.rectangles))
    connection.send_bytes(picture.pixels)


def _limit() -> None:
    """What the system refuses from now on. Windows has no such limits; there the client watches alone."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    for what, most in (
        (resource.RLIMIT_DATA, MEMORY_BYTES),
        (resource.RLIMIT_AS, _ADDRESS_BYTES),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _soft, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard > most:
            _set(resource, what, (most, most))


def _grant(seconds: int) -> None:
    """Allow so much computing from now on; beyond, the system ends this process (SIGXCPU)."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    _set(resource, resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


def _set(resource: Any, what: int, limits: tuple[int, int]) -> None:
    try:
        resource.setrlimit(what, limits)
    except (ValueError, OSError):
        pass  # macOS refuses some of them: the client watches memory and time in any case
