"""Speech processes that go wrong, for the tests of their client."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection

from voice.speech.messages import MESSAGE_BYTES, Begin, decode_command


def hangs(connection: Connection) -> None:
    """Takes every job and answers none."""
    while True:
        connection.recv_bytes(MESSAGE_BYTES)


def dies(connection: Connection) -> None:
    """Ends with the first job, as a native library does that aborts."""
    while True:
        command, _ = decode_command(connection.recv_bytes(MESSAGE_BYTES))
        if not isinstance(command, Begin):
            os._exit(6)


def babbles(connection: Connection) -> None:
    """Sends what is no message."""
    connection.send_bytes(b"\xff" * 100)
    time.sleep(60)


def dies_at_once(connection: Connection) -> None:
    """Ends before it has said anything."""
    os._exit(6)


def sleeps(connection: Connection) -> None:
    """Says nothing."""
    time.sleep(60)
