"""The few tokens that can be chosen at all, found in a row of logits by a vectorised scan.

llama.cpp's samplers build and sort an array of the whole vocabulary for each token: 1 to 3 % of the time of a small
model's step. Given this list instead, they choose the same token: see `Shortlist.find` for the argument.
Knows logits and token ids, no sampling parameters. Importing this imports NumPy.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.model.llama_library import lib

Logits = NDArray[np.float32]
Ids = NDArray[np.intp]

MOST = 4096
"""Candidates that the list has room for."""
_FIRST_MARGIN, _WIDER, _NARROWER = 8.0, 1.5, 0.9
"""How far below the best logit the floor lies at first, and how it is moved: towards what the last rows needed."""
_TRIES = 16
_TOO_MANY = 12
"""Times what is wanted: with more than that the next scan begins with a higher floor."""
_ENTRY = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])


class LogitRows:
    """The logits of a context's last batch as arrays, not copied: read them before the next evaluation."""

    def __init__(self, size: int) -> None:
        self._type = ctypes.c_float * size
        self._views: dict[int, Logits] = {}

    def row(self, context: Any, row: int = -1) -> Logits:
        """One row (-1: the last). It must have been evaluated with logits."""
        address = ctypes.addressof(lib.llama_get_logits_ith(context, row).contents)
        view = self._views.get(address)
        if view is None:
            view = self._views[address] = np.ctypeslib.as_array(self._type.from_address(address))
        return view


def lead(logits: Logits) -> float:
    """By how much the best token is before the second best: 0 for a tie."""
    best = int(logits.argmax())
    others = max(
        float(logits[:best].max(initial=-np.inf)),
        float(logits[best + 1 :].max(initial=-np.inf)),
    )
    return float(logits[best]) - others


class Shortlist:
    """An array for llama.cpp's samplers, filled anew for each row. One thread."""

    def __init__(self, size: int, wanted: int) -> None:
        """`wanted` of the best tokens of a vocabulary of `size` must be in it, whatever is done to the touched ones."""
        self._wanted = wanted
        self._mask = np.empty(size, dtype=np.bool_)
        self._entries = np.zeros(MOST, dtype=_ENTRY)
        self._id, self._logit = self._entries["id"], self._entries["logit"]
        data = self._entries.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        self.array = lib.llama_token_data_array(data, 0, -1, False)
        """As `llama_sampler_apply` takes it."""
        self._margin = _FIRST_MARGIN

    def find(self, logits: Logits, touched: Ids) -> bool:
        """Fill the array, by ascending id; False where that takes the whole vocabulary.

        `touched` are the tokens whose logits the samplers will change before they choose. All others with a logit of
        at least some floor are in the list, and there are at least `wanted` of them. So a token that is not in it is
        worse than `wanted` tokens that are, also after the change.
        """
        peak, mask = logits.max(), self._mask
        for _ in range(_TRIES):
            np.greater_equal(logits, peak - np.float32(self._margin), out=mask)
            mask[touched] = False
            count = int(np.count_nonzero(mask))
            if count < self._wanted:
                self._margin *= _WIDER
            elif count > MOST - len(touched):
                self._margin *= _NARROWER
            else:
                break
        else:
            self._margin = _FIRST_MARGIN
            return False
        if count > _TOO_MANY * self._wanted:
            self._margin *= _NARROWER
        mask[touched] = True
        ids = np.flatnonzero(mask)
        count = len(ids)
        self._id[:count] = ids
        self._logit[:count] = logits[ids]
        self.array.size = count
        self.array.selected = -1
        self.array.sorted = False
        return True

    def has_ties(self) -> bool:
        """Whether the order of the `wanted` best is open: llama.cpp's partial sort is not stable."""
        best = np.sort(self._logit[: self.array.size])[-self._wanted :]
        return bool(np.isnan(best[-1])) or bool((best[1:] == best[:-1]).any())

    @property
    def chosen(self) -> int:
        """The token that the samplers selected."""
        return int(self._id[self.array.selected])
