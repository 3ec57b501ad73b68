"""The KV cache as token sequences: what is in it is not computed again.

Two sequences share one unified cache: the conversation, and background work that must not push it out.
Knows tokens and positions, no text. One thread only, except `abort()`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from engine.model.llama_library import lib

FOREGROUND, BACKGROUND = 0, 1
SEQUENCES = 2
_NO_SLOT, _ABORTED = 1, 2


class Outcome(Enum):
    """How an evaluation ended."""

    DONE = "done"
    ABORTED = "aborted"
    FULL = "full"


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


class KvCache:
    """Evaluates tokens in a llama.cpp context, and remembers which tokens each sequence holds."""

    def __init__(self, context: Any, model: Any, *, n_batch: int) -> None:
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._n_batch = n_batch
        self._n_swa: int = lib.llama_model_n_swa(model)
        self._stateful: bool = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
        self._tokens: list[list[int]] = [[] for _ in range(SEQUENCES)]
        self.n_ctx: int = lib.llama_n_ctx(context)
        self.abort = AbortFlag()
        self.beats = 0
        """Counts evaluations; a watcher sees by it that work goes on."""
        lib.llama_set_abort_callback(context, self.abort.callback, self.abort.data)
        self._make_batch(n_batch)

    def _make_batch(self, size: int) -> None:
        """One batch for all evaluations, its arrays owned by Python."""
        self._token = (ctypes.c_int32 * size)()
        self._position = (ctypes.c_int32 * size)()
        self._wants_logits = (ctypes.c_int8 * size)()
        self._sequence_id = ctypes.c_int32(0)
        count = (ctypes.c_int32 * size)(*([1] * size))
        ids = (ctypes.POINTER(ctypes.c_int32) * size)()
        for index in range(size):
            ids[index] = ctypes.pointer(self._sequence_id)
        self._batch = lib.llama_batch(0, self._token, None, self._position, count, ids, self._wants_logits)

    def tokens(self, sequence: int) -> Sequence[int]:
        """The tokens whose keys and values are in the cache, by position."""
        return self._tokens[sequence]

    def reuse(self, sequence: int, tokens: Sequence[int]) -> int:
        """Cut the sequence to what it has in common with `tokens`, and return that number.

        At least the last token is left to evaluate, so that there are logits. Background work first
        borrows the conversation's prefix where that is longer than its own.
        """
        limit = len(tokens) - 1
        common = min(common_prefix(self._tokens[sequence], tokens), limit)
        if sequence == BACKGROUND and not self._stateful:
            shared = min(common_prefix(self._tokens[FOREGROUND], tokens), limit)
            if shared > common:
                self.clear(BACKGROUND)
                lib.llama_memory_seq_cp(self._memory, FOREGROUND, BACKGROUND, 0, shared)
                self._tokens[BACKGROUND] = list(tokens[:shared])
                common = shared
        self._cut(sequence, common)
        return len(self._tokens[sequence])

    def _cut(self, sequence: int, length: int) -> None:
        """Forget all from position `length` on; everything where the model cannot forget a part."""
        held = self._tokens[sequence]
        if length < len(held):
            if not lib.llama_memory_seq_rm(self._memory, sequence, length, -1):
                self.clear(sequence)
                return
            del held[length:]
        if held and self._n_swa and not self._stateful:
            # A sliding window keeps only the last tokens; before a cut it may lack those it needs now.
            first = lib.llama_memory_seq_pos_min(self._memory, sequence)
            if first > max(0, len(held) - self._n_swa):
                self.clear(sequence)

    def clear(self, sequence: int) -> None:
        """Forget a whole sequence."""
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        self._tokens[sequence].clear()

    def extend(self, sequence: int, tokens: Sequence[int], between: Callable[[int], bool] | None = None) -> Outcome:
        """Evaluate `tokens` behind the sequence, in blocks, with logits for the last one.

        `between` is told after each block how many positions the sequence holds; its False ends the work
        as ABORTED. After ABORTED or FULL the sequence holds the whole blocks that were done.
        """
        held = self._tokens[sequence]
        start, end = 0, len(tokens)
        while start < end:
            block = tokens[start : start + self._n_batch]
            start += len(block)
            outcome = self._evaluate(sequence, block, last=start == end)
            if outcome is not Outcome.DONE:
                return outcome
            if between is not None and not between(len(held)) and start < end:
                return Outcome.ABORTED
        return Outcome.DONE

    def _evaluate(self, sequence: int, block: Sequence[int], *, last: bool) -> Outcome:
        held = self._tokens[sequence]
        position, count = len(held), len(block)
        if position + count > self.n_ctx:
            return Outcome.FULL
        self._token[:count] = list(block)
        self._position[:count] = list(range(position, position + count))
        self._wants_logits[count - 1] = last
        self._sequence_id.value = sequence
        self._batch.n_tokens = count
        result = self._decode(sequence)
        self._wants_logits[count - 1] = False
        if result == 0:
            held.extend(block)
            return Outcome.DONE
        self._repair(sequence, position)
        return Outcome.ABORTED if result == _ABORTED else Outcome.FULL

    def step(self, sequence: int, token: int) -> Outcome:
        """Evaluate one token with logits: `extend` for the decode loop, with nothing allocated."""
        held = self._tokens[sequence]
        position = len(held)
        if position >= self.n_ctx:
            return Outcome.FULL
        self._token[0] = token
        self._position[0] = position
        self._wants_logits[0] = 1
        self._sequence_id.value = sequence
        self._batch.n_tokens = 1
        result = self._decode(sequence)
        self._wants_logits[0] = 0
        if result == 0:
            held.append(token)
            return Outcome.DONE
        self._repair(sequence, position)
        return Outcome.ABORTED if result == _ABORTED else Outcome.FULL

    def _decode(self, sequence: int) -> int:
        result: int = lib.llama_decode(self._context, self._batch)
        if result == _NO_SLOT and sequence == FOREGROUND and self._tokens[BACKGROUND]:
            self.clear(BACKGROUND)
            result = lib.llama_decode(self._context, self._batch)
        self.beats += 1
        if result not in (0, _NO_SLOT, _ABORTED):
            raise DecodeError(f"llama_decode returned {result}")
        return result

    def _repair(self, sequence: int, length: int) -> None:
        """After an evaluation that did not finish: the cache holds `length` positions again, or none."""
        if not lib.llama_memory_seq_rm(self._memory, sequence, length, -1):
            self.clear(sequence)


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two lists share from their beginning (comparing slices, not tokens, in Python)."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
