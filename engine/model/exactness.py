"""Up to which batch size are a token's logits, keys and values bit for bit those it gets alone? Found by trying.

At temperature 0 a draft may change no letter of an answer. A batch that is rounded otherwise than single tokens does:
one differing bit turns some activation into the neighbouring 8-bit number, and the logits are then off by 0.1 to 0.7
(never by a little), as are the keys and values that all later tokens see. No margin between the first two
tokens makes up for that. Measured on an x86 with AVX-512 (llama.cpp 0.3.36 of llama-cpp-python):

* Flash attention on keys and values that are both f16: from 512 cells on a single token takes another path than two.
  With other types (q8_0, or two different ones) each row is computed by itself, whatever the batch.
* Without flash attention, scores of two and more rows go through another matrix product than those of one.
* Weights of Q4_1, Q5_0, Q8_0: each row by itself. Q4_K rearranged at load (`use_extra_bufts`): other sums from 4 rows
  on. K-quants as they are: other sums from 8 rows on.

So SmolLM2 Q4_1 with q8_0 keys and values is exact in any batch, and Qwen2.5 Q4_K_M, not rearranged, up to 7 tokens.
Otherwise greedy choices flip at 1 to 3 of 100 tokens of foreign text. Knows no drafts and no costs; worker process.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Sequence

from engine.model.evaluator import Evaluator, Outcome
from engine.model.llama_library import lib

SIZES = (2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 24, 32)
"""Tried in this order, up to the first that differs: remainders of groups of four and eight are among them."""
DEPTH = 264
"""Tokens before the tried ones: cells are counted in blocks of 256, and some paths begin at 512."""
_ROWS = 8
"""Rows compared at each size, at least; small sizes are tried with several texts."""


class _GaveUpError(Exception):
    """Somebody is waiting, or there is no room."""


class _Trial:
    """One unused sequence of the context, filled to `DEPTH`, behind which texts are tried and forgotten again."""

    def __init__(self, evaluator: Evaluator, sequence: int, n_vocab: int, waiting: Callable[[], bool]) -> None:
        self._evaluator = evaluator
        self._memory = lib.llama_get_memory(evaluator.context)
        self._sequence = sequence
        self._n_vocab = n_vocab
        self._waiting = waiting
        self._alone: dict[int, list[bytes]] = {}

    def fill(self) -> None:
        """Read what stands before the tried texts."""
        step = self._evaluator.n_batch
        for start in range(0, DEPTH, step):
            self._evaluate(0, start, min(step, DEPTH - start), logits=0)

    def forget(self, start: int) -> None:
        """Everything from position `start` on."""
        lib.llama_memory_seq_rm(self._memory, self._sequence, start, -1)

    def exact(self, size: int) -> bool:
        """Whether batches of `size` give the rows that single tokens give, and the same row after them."""
        for text in range(-(-_ROWS // size)):
            alone = self._rows_alone(text, size + 1)
            self.forget(DEPTH)
            together = self._evaluate(text, DEPTH, size, logits=size)
            together += self._evaluate(text, DEPTH + size, 1, logits=1)
            if together != alone:
                return False
        return True

    def _rows_alone(self, text: int, count: int) -> list[bytes]:
        rows = self._alone.get(text, [])
        if len(rows) < count:
            self.forget(DEPTH)
            ends = range(DEPTH, DEPTH + max(count, _ROWS + 1))
            rows = [self._evaluate(text, position, 1, logits=1)[0] for position in ends]
            self._alone[text] = rows
        return rows[:count]

    def _evaluate(self, text: int, start: int, count: int, *, logits: int) -> list[bytes]:
        """A text's tokens from position `start` on in one batch; the last `logits` rows of logits."""
        if self._waiting():
            raise _GaveUpError
        evaluator = self._evaluator
        evaluator.clear()
        # Any tokens will do; neighbours are far apart in the vocabulary.
        tokens = [(position * 7919 + text * 104729 + 101) % self._n_vocab for position in range(start, start + count)]
        first = evaluator.add(self._sequence, start, tokens, logits=logits)
        if evaluator.run() is not Outcome.DONE:
            raise _GaveUpError
        width = self._n_vocab * ctypes.sizeof(ctypes.c_float)
        rows = range(first, first + logits)
        return [ctypes.string_at(lib.llama_get_logits_ith(evaluator.context, row), width) for row in rows]


def largest_exact(
    evaluator: Evaluator,
    sequence: int,
    n_vocab: int,
    *,
    sizes: Sequence[int] = SIZES,
    waiting: Callable[[], bool] = lambda: False,
) -> int | None:
    """The largest of `sizes` up to which all are exact, 1 if none is; None if `waiting()` became true on the way.

    In an idle moment, on the thread that evaluates, with a `sequence` that nobody uses and that is empty
    again afterwards. Takes about as long as reading 500 tokens, and less where batches of two differ already.
    """
    trial = _Trial(evaluator, sequence, n_vocab, waiting)
    try:
        trial.fill()
        passed = itertools.takewhile(trial.exact, sizes)
        return max(passed, default=1)
    except _GaveUpError:
        return None
    finally:
        trial.forget(0)
