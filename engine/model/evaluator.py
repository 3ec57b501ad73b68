"""Batches of tokens through llama.cpp: several sequences in one evaluation, with logits where they are asked for.

Knows positions and sequence ids, not what the tokens are for. One thread, except `abort`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from enum import Enum
from typing import Any

from engine.model.llama_library import lib

_DONE, _NO_SLOT, _ABORTED = 0, 1, 2


class Outcome(Enum):
    """How an evaluation ended."""

    DONE = "done"
    ABORTED = "aborted"
    FULL = "full"
    """The KV cache has no room for it."""


class DecodeError(Exception):
    """llama.cpp failed to compute a batch (a bug or a device fault; the worker gives up)."""


class AbortFlag:
    """A byte that llama.cpp looks at between two nodes of its graph.

    llama.cpp asks a C function; one of Python would need the interpreter lock some hundred times a token.
    `strlen` is such a function: 0 for an empty string (go on), 1 for a string of one byte (abort).
    """

    def __init__(self) -> None:
        runtime = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        self._byte = (ctypes.c_char * 2)(b"\0", b"\0")
        self.callback = ctypes.cast(runtime.strlen, lib.ggml_abort_callback)
        self.data = ctypes.cast(self._byte, ctypes.c_void_p)

    def set(self) -> None:
        self._byte[0] = b"\1"

    def clear(self) -> None:
        self._byte[0] = b"\0"


class Evaluator:
    """One batch, its arrays owned by Python and filled anew for each evaluation."""

    def __init__(self, context: Any, n_batch: int) -> None:
        self.context = context
        self.n_batch = n_batch
        self.abort = AbortFlag()
        self.beats = 0
        """Counts evaluations; a watcher sees by it that work goes on."""
        lib.llama_set_abort_callback(context, self.abort.callback, self.abort.data)
        self._size = 0
        self._token = (ctypes.c_int32 * n_batch)()
        self._position = (ctypes.c_int32 * n_batch)()
        self._wants_logits = (ctypes.c_int8 * n_batch)()
        self._sequence = (ctypes.c_int32 * n_batch)()
        count = (ctypes.c_int32 * n_batch)(*([1] * n_batch))
        ids = (ctypes.POINTER(ctypes.c_int32) * n_batch)()
        step = ctypes.sizeof(ctypes.c_int32)
        for index in range(n_batch):
            entry = ctypes.c_int32.from_buffer(self._sequence, index * step)
            ids[index] = ctypes.pointer(entry)
        self._batch = lib.llama_batch(0, self._token, None, self._position, count, ids, self._wants_logits)

    @property
    def room(self) -> int:
        """Tokens that the batch can still take."""
        return self.n_batch - self._size

    def clear(self) -> None:
        """Begin a new batch."""
        self._size = 0

    def add(self, sequence: int, position: int, tokens: Sequence[int], *, logits: int) -> int:
        """Put tokens of one sequence behind what is in the batch, with logits for the last `logits` of them.

        The index in the batch of the first token that has logits (meaningless for none).
        """
        low, count = self._size, len(tokens)
        high = low + count
        self._token[low:high] = list(tokens)
        self._position[low:high] = list(range(position, position + count))
        self._sequence[low:high] = [sequence] * count
        wanted: list[ctypes.c_byte | int] = [int(index >= count - logits) for index in range(count)]
        self._wants_logits[low:high] = wanted
        self._size = high
        return high - logits

    def run(self, *, to_the_end: bool = False) -> Outcome:
        """Evaluate the batch, if wished without listening to `abort`.

        After ABORTED or FULL a part of it may be in the cache. Raises `DecodeError`.
        """
        self._batch.n_tokens = self._size
        if not to_the_end:
            return self._decode()
        lib.llama_set_abort_callback(self.context, lib.ggml_abort_callback(), None)
        try:
            return self._decode()
        finally:
            lib.llama_set_abort_callback(self.context, self.abort.callback, self.abort.data)

    def run_one(self, sequence: int, position: int, token: int) -> Outcome:
        """`clear`, `add` and `run` of a single token with logits, with nothing allocated: for the decode loop."""
        self._token[0] = token
        self._position[0] = position
        self._sequence[0] = sequence
        self._wants_logits[0] = 1
        self._batch.n_tokens = 1
        return self._decode()

    def _decode(self) -> Outcome:
        result: int = lib.llama_decode(self.context, self._batch)
        self.beats += 1
        if result == _DONE:
            return Outcome.DONE
        if result == _NO_SLOT:
            return Outcome.FULL
        if result == _ABORTED:
            return Outcome.ABORTED
        raise DecodeError(f"llama_decode returned {result}")
