"""Entry points for parser processes that go wrong in a known way, or say what they may do."""

from __future__ import annotations

import os
import signal
import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

from engine.errors import DocumentError
from engine.worker.envelope import fault_of
from engine.worker.settle import settle
from rag.parsing import process
from rag.parsing.messages import Finished, Opened, PageRead, Refused, decode_command, encode
from rag.types import DocumentInfo, Page, Unit

INFO = DocumentInfo("x", Unit.PAGE, "text/plain", 3)


def obey(connection: Connection) -> None:
    """Does with a file what its name says."""
    settle()
    process._limit()
    while True:
        command = decode_command(connection.recv_bytes())
        what = command.path.stem
        connection.send_bytes(encode(Opened(INFO)))
        if what == "hang":
            time.sleep(600)
        elif what == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif what == "leave":
            return
        elif what == "grow":
            hold = [bytearray(64 * 1024 * 1024) for _ in range(100)]
            time.sleep(600 * bool(hold))
        elif what == "babble":
            connection.send_bytes(b"{nonsense")
        elif what == "flood":
            connection.send_bytes(b" " * (1 << 25))
        elif what == "spin":
            process._grant(1)
            while True:
                pass
        connection.send_bytes(encode(PageRead(Page(1, "words"))))
        connection.send_bytes(encode(Finished()))


def greedy(connection: Connection) -> None:
    """Takes more memory than it may, where the system sets no limit."""
    decode_command(connection.recv_bytes())
    hold = bytearray(1200 * 1024 * 1024)
    hold[::4096] = b"x" * len(hold[::4096])
    time.sleep(600 * len(hold))


def probe(connection: Connection) -> None:
    """Tries what a parser may not; refuses the file with what came of it."""
    settle()
    process._limit()
    command = decode_command(connection.recv_bytes())
    found = []
    try:
        socket.socket(socket.AF_INET)
        found.append("network")
    except OSError:
        pass
    try:
        with Path(command.path).open("ab") as file:
            file.write(b"x")
        found.append("write")
    except OSError:
        pass
    try:
        bytearray(2 * process.MEMORY_BYTES)
        found.append("memory")
    except MemoryError:
        pass
    with Path(command.path).open("rb") as file:
        found.append(file.read(5).decode())
    connection.send_bytes(encode(Refused(fault_of(DocumentError("{found}", found=" ".join(found))))))


def impatient(connection: Connection) -> None:
    """The real one, with no patience."""
    process.IDLE_S = 0.0
    process.main(connection)
