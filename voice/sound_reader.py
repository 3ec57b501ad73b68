"""Sound files, decoded in a process of their own: foreign formats end there, and no network with them. Knows no model.

The process lives as long as one file is read. It sends a block at a time and waits until it is taken, so that neither
side holds more than a few seconds; where it is silent for too long it is killed.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import numpy as np

from engine.cancel import CancelToken
from engine.errors import SoundError, VoiceError, sentence
from engine.worker.child import EntryPoint, spawning
from engine.worker.envelope import Fault, ProtocolError, enveloped, error_of, fault_of, opened, receive
from voice.types import RATE, Samples

SILENCE_S = 30.0
"""Without a block for so long, a file is given up."""
_VERSION = 1
_MESSAGE_BYTES = 1 + 4 * 60 * RATE
_SLICE_S = 0.05
_LENGTH, _SOUND, _FAULT, _END = b"l", b"s", b"f", b"e"
_CRASHED = sentence("“{name}” cannot be read as sound: it made its reader crash.")
_TOO_SLOW = sentence("“{name}” cannot be read as sound: it took too long.")
_WONT_START = sentence("“{name}” cannot be read as sound: no process can be started.")


def run_reader(connection: Connection) -> None:
    """The process's entry point: takes a path, sends its length and its blocks."""
    from engine.worker.settle import settle  # noqa: PLC0415  # in the process only
    from voice.sound_file import seconds_of, sound_blocks  # noqa: PLC0415  # as above

    settle()
    try:
        path = Path(receive(connection, _MESSAGE_BYTES).decode("utf-8", "surrogateescape"))
        connection.send_bytes(_LENGTH + json.dumps(seconds_of(path)).encode())
        for block in sound_blocks(path):
            connection.send_bytes(_SOUND + block.astype("<f4", copy=False).tobytes())
        connection.send_bytes(_END)
    except VoiceError as error:
        connection.send_bytes(_FAULT + enveloped(fault_of(error), _VERSION, _MESSAGE_BYTES))
    except OSError:
        return  # nobody is listening any more


class SoundReader:
    """One file, from the beginning to the end, as a context manager; iterate over its blocks once.

    Blocks are about a second long, mono, of `RATE` hertz. From one thread. Raises `SoundError`, `CancelledError`.
    """

    def __init__(
        self,
        path: Path,
        cancel: CancelToken | None = None,
        *,
        entry_point: EntryPoint = run_reader,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._name = path.name
        self._cancel = cancel
        self._silence_s = silence_s
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=True)
        self._process = context.Process(target=entry_point, args=(theirs,), name="hearth-sound-reader", daemon=True)
        try:
            with spawning():
                self._process.start()
        except OSError as error:
            self._connection.close()
            raise VoiceError(_WONT_START, name=self._name) from error
        finally:
            theirs.close()
        try:
            self._connection.send_bytes(str(path.absolute()).encode("utf-8", "surrogateescape"))
            kind, body = self._next()
            seconds = json.loads(body) if kind == _LENGTH else None
            self.seconds: float | None = float(seconds) if isinstance(seconds, int | float) else None
            """How long the sound is, as the file says; None where it does not."""
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | ValueError):
                raise SoundError(_CRASHED, name=self._name) from error
            raise

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Samples]:
        while True:
            kind, body = self._next()
            if kind == _END:
                return
            if kind != _SOUND or len(body) % 4:
                raise SoundError(_CRASHED, name=self._name)
            yield np.frombuffer(body, "<f4")

    def close(self) -> None:
        """End the process. May be called again."""
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def _next(self) -> tuple[bytes, bytes]:
        until = time.monotonic() + self._silence_s
        try:
            while not self._connection.poll(_SLICE_S):
                if self._cancel is not None and self._cancel.cancelled:
                    raise CancelledError
                if time.monotonic() > until:
                    raise SoundError(_TOO_SLOW, name=self._name)
            if self._cancel is not None and self._cancel.cancelled:
                raise CancelledError
            message = receive(self._connection, _MESSAGE_BYTES)
            if message[:1] == _FAULT:
                raise error_of(opened(message[1:], Fault, _VERSION))
        except (EOFError, OSError, ProtocolError) as error:
            raise SoundError(_CRASHED, name=self._name) from error
        return message[:1], message[1:]
