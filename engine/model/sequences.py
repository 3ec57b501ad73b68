"""The sequences of the KV cache: which tokens each holds, whom they belong to, and who has to leave.

What is in the cache is not computed again: a new prompt takes over, or copies, the longest beginning that any sequence
has, or reads back a snapshot. Where room is short, the sequence that rested longest goes to disk.
Knows tokens and keys, no text. One thread; `longest` and `known` may be called from others.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.model.image_tokens import whole_images
from engine.model.llama_library import lib
from engine.model.prefix_tree import PrefixTree, common_prefix
from engine.model.snapshots import Snapshot, SnapshotShelf
from engine.pages import CacheEntry, CacheReport

TAKE_OVER_TOKENS = 64
"""A conversation's resting sequence is cut and used again if it has at most so many tokens beyond the common ones (an
answer that is tokenised a little differently); a longer rest may be another branch and is kept beside."""
SNAPSHOT_TOKENS = 256
"""A shorter sequence is read again faster than it is worth a file."""
RESTORE_GAIN_TOKENS = 64
"""A snapshot is read only where it spares at least so many tokens more than the cache does."""


@dataclass(slots=True, eq=False)
class Lane:
    """One sequence of the cache: `tokens` by position, all with their keys and values. `key` and `variant` say whose.

    An active lane belongs to a generation; the others rest and may be taken or evicted.
    """

    id: int
    key: str
    variant: str
    tokens: list[int] = field(default_factory=list)
    active: bool = True
    used_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A lane for a prompt. Of the prompt's tokens `cached` are there, `restored` of them from a snapshot."""

    lane: Lane
    cached: int
    restored: int = 0


class Lanes:
    """All sequences of one context. `variant` separates what was computed with different adapters."""

    def __init__(self, context: Any, model: Any, shelf: SnapshotShelf | None = None) -> None:
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._shelf = shelf
        self._n_swa: int = lib.llama_model_n_swa(model)
        self.shares_prefixes = not (lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
        self.n_cells: int = lib.llama_n_ctx(context)
        self._free = list(range(lib.llama_n_seq_max(context)))
        self._lanes: list[Lane] = []
        self._trees: dict[str, PrefixTree] = {}

    # What is there

    def longest(self, tokens: Sequence[int], variant: str = "") -> int:
        """How many tokens of a prompt's beginning are in the cache, and can be used from there."""
        if not self.shares_prefixes:
            return self._whole(tokens, len(tokens) - 1, variant)[1]
        return whole_images(tokens, self._in_tree(tokens, variant))

    def known(self, tokens: Sequence[int], variant: str = "") -> int:
        """How many tokens of a prompt's beginning need not be computed: they are in the cache, or on disk."""
        cached, limit = self.longest(tokens, variant), len(tokens) - 1
        found = self._better_snapshot(tokens, limit, variant, cached)
        return cached if found is None else whole_images(tokens, min(found[1], limit))

    def report(self) -> CacheReport:
        """Everything that need not be computed again."""
        now = time.monotonic()
        entries = [
            CacheEntry(lane.key, len(lane.tokens), False, lane.active, max(0.0, now - lane.used_at))
            for lane in self._lanes
        ]
        shelf = self._shelf
        if shelf is not None:
            clock = time.time()
            entries += [
                CacheEntry(each.key, len(each.tokens), True, False, max(0.0, clock - each.used_at))
                for each in shelf.entries()
            ]
        return CacheReport(
            tuple(entries),
            self.used_cells,
            self.n_cells,
            shelf.disk_bytes if shelf is not None else 0,
            shelf.max_bytes if shelf is not None else 0,
        )

    @property
    def used_cells(self) -> int:
        """Cells in use, shared ones counted once."""
        resting = sum(tree.total for tree in list(self._trees.values()))
        return resting + sum(len(lane.tokens) - self._known(lane) for lane in list(self._lanes) if lane.active)

    def _known(self, lane: Lane) -> int:
        """Tokens of an active lane that the tree counts already."""
        return self._in_tree(lane.tokens, lane.variant)

    def _in_tree(self, tokens: Sequence[int], variant: str) -> int:
        tree = self._trees.get(variant)
        return tree.longest(tokens)[1] if tree is not None else 0

    # Taking and giving back

    def open(
        self, tokens: Sequence[int], *, key: str, variant: str = "", anew: bool = False, left: int = 1
    ) -> Opened | None:
        """A lane that holds as much of the prompt's beginning as is to be had without computing; nothing with `anew`.

        At least the last `left` tokens are left to evaluate, so that there are logits. None if every lane is active.
        """
        if anew:
            empty = self._new(key, variant)
            return Opened(empty, 0) if empty is not None else None
        limit = len(tokens) - left
        basis, cached = self._basis(tokens, limit, key, variant)
        snapshot = self._better_snapshot(tokens, limit, variant, cached)
        if snapshot is not None:
            opened = self._restore(snapshot, tokens, limit, key)
            if opened is not None:
                return opened
            basis, cached = self._basis(tokens, limit, key, variant)  # making room may have cost the best one
        if basis is not None and not basis.active and self._may_take_over(basis, cached, key):
            return self._take_over(basis, cached, key)
        lane = self._new(key, variant, spare=basis)
        if lane is None:
            if basis is None or basis.active:
                return None
            self._save(basis)  # the only one that rests
            return self._take_over(basis, cached, key)
        if basis is not None and basis in self._lanes and cached:
            # The copy costs no memory: both sequences own the same cells.
            end = cached if self.shares_prefixes else -1
            lib.llama_memory_seq_cp(self._memory, basis.id, lane.id, 0, end)
            lane.tokens = list(tokens[:cached])
            self._check_window(lane)
        return Opened(lane, len(lane.tokens))

    def spare(self, n_tokens: int) -> Lane | None:
        """A lane to try something in, if one is free and the cache has that much room without anybody leaving.

        It is not counted among the others; `give_back` it.
        """
        if not self._free or self.used_cells + n_tokens > self.n_cells:
            return None
        return Lane(self._free.pop(0), "", "")

    def give_back(self, lane: Lane) -> None:
        """End of a trial."""
        lib.llama_memory_seq_rm(self._memory, lane.id, -1, -1)
        self._free.append(lane.id)

    def settle(self, lane: Lane) -> None:
        """Let others share what an active lane holds now."""
        self._tree(lane.variant).insert(lane.id, lane.tokens)

    def rest(self, lane: Lane) -> None:
        """A generation has ended; what it computed stays while there is room, once for each conversation."""
        for each in [each for each in self._lanes if not each.active and self._same(each, lane)]:
            self.drop(each)
        lane.active = False
        lane.used_at = time.monotonic()
        if lane.tokens:
            self.settle(lane)
        else:
            self.drop(lane)

    def checkpoint(self, lane: Lane) -> None:
        """Keep a lane's present state beside it, for models that cannot be cut back to it. Best effort."""
        copy = self._new(lane.key, lane.variant, spare=lane)
        if copy is None:
            return
        for older in [each for each in self._lanes if each.key == lane.key and not each.active]:
            self.drop(older)
        lib.llama_memory_seq_cp(self._memory, lane.id, copy.id, -1, -1)
        copy.tokens = list(lane.tokens)
        self.rest(copy)

    def cut(self, lane: Lane, length: int) -> None:
        """Forget all from position `length` on; everything where the model cannot forget a part."""
        if length < len(lane.tokens):
            if lib.llama_memory_seq_rm(self._memory, lane.id, length, -1):
                del lane.tokens[length:]
            else:
                self._clear(lane)

    def repair(self, lane: Lane) -> None:
        """After an evaluation that did not finish: the cache holds the lane's own tokens again, or none."""
        if not lib.llama_memory_seq_rm(self._memory, lane.id, len(lane.tokens), -1):
            self._clear(lane)
        self._check_window(lane)

    def drop(self, lane: Lane) -> None:
        """Give a lane up, and what it holds."""
        self._clear(lane)
        self._lanes.remove(lane)
        self._free.append(lane.id)

    def make_room(self) -> bool:
        """Evict the lane that rested longest, before all others one that frees cells for certain; False if none rests.

        Two lanes that wrote the same tokens apart look as if they shared cells.
        """
        resting = list(self._resting())
        owning = (lane for lane in resting if self._tree(lane.variant).own(lane.id))
        leaving = next(owning, resting[0] if resting else None)
        if leaving is not None:
            self._evict(leaving)
        return leaving is not None

    def forget(self, key: str) -> None:
        """Let go of everything under a key ("" is everything), in memory and on disk. Active lanes only lose it."""
        for lane in list(self._lanes):
            if key not in ("", lane.key):
                continue
            if lane.active:
                lane.key = ""
            else:
                self.drop(lane)
        if self._shelf is not None:
            if key:
                self._shelf.forget(key)
            else:
                self._shelf.clear()

    def save_all(self, within_s: float) -> None:
        """Write a snapshot of each conversation's newest lane, newest first, for at most `within_s` seconds."""
        if self._shelf is None:
            return
        end = time.monotonic() + within_s
        saved: set[str] = set()
        for lane in sorted(self._lanes, key=lambda lane: (lane.active, lane.used_at), reverse=True):
            if lane.key not in saved and time.monotonic() < end:
                saved.add(lane.key)
                self._save(lane)
        self._shelf.flush(max(0.0, end - time.monotonic()))

    # How

    @staticmethod
    def _same(one: Lane, other: Lane) -> bool:
        return (one.key, one.variant, one.tokens) == (other.key, other.variant, other.tokens)

    def _tree(self, variant: str) -> PrefixTree:
        return self._trees.setdefault(variant, PrefixTree())

    def _basis(self, tokens: Sequence[int], limit: int, key: str, variant: str) -> tuple[Lane | None, int]:
        """The lane to start from, and how many of its tokens serve. Of several its own, else the newest."""
        if self.shares_prefixes:
            owners, length = self._tree(variant).longest(tokens)
            lanes = [lane for lane in self._lanes if lane.id in owners]
            best = max(lanes, key=lambda lane: (not lane.active and lane.key == key, lane.used_at), default=None)
            return best, whole_images(tokens, min(length, limit))
        return self._whole(tokens, limit, variant)

    def _whole(self, tokens: Sequence[int], limit: int, variant: str) -> tuple[Lane | None, int]:
        """The longest resting lane that is a beginning of the prompt as it is, and its length."""
        whole = [
            lane
            for lane in list(self._lanes)
            if not lane.active and lane.variant == variant and len(lane.tokens) <= limit
            and common_prefix(lane.tokens, list(tokens)) == len(lane.tokens)
        ]  # fmt: skip
        longest = max(whole, key=lambda lane: len(lane.tokens), default=None)
        return longest, len(longest.tokens) if longest is not None else 0

    def _may_take_over(self, basis: Lane, cached: int, key: str) -> bool:
        beyond = len(basis.tokens) - cached
        own = basis.key == key != "" and beyond <= TAKE_OVER_TOKENS
        return own or (not basis.key and not beyond)

    def _take_over(self, lane: Lane, cached: int, key: str) -> Opened:
        self._tree(lane.variant).remove(lane.id)
        lane.active, lane.key = True, key
        self.cut(lane, cached)
        self._check_window(lane)
        return Opened(lane, len(lane.tokens))

    def _check_window(self, lane: Lane) -> None:
        """A sliding window keeps only the last tokens; before a cut it may lack those that it needs now."""
        if lane.tokens and self._n_swa and self.shares_prefixes:
            first = lib.llama_memory_seq_pos_min(self._memory, lane.id)
            if first < 0 or first > max(0, len(lane.tokens) - self._n_swa + 1):
                self._clear(lane)

    def _new(self, key: str, variant: str, *, spare: Lane | None = None) -> Lane | None:
        """An empty active lane, at the cost of the one that rested longest; None if all others are active."""
        if not self._free:
            leaving = next((lane for lane in self._resting() if lane is not spare), None)
            if leaving is None:
                return None
            self._evict(leaving)
        lane = Lane(self._free.pop(0), key, variant)
        self._lanes.append(lane)
        return lane

    def _resting(self) -> Iterator[Lane]:
        """Lanes that may go, the one that rested longest first."""
        yield from sorted((lane for lane in self._lanes if not lane.active), key=lambda lane: lane.used_at)

    def _evict(self, lane: Lane) -> None:
        self._save(lane)
        self.drop(lane)

    def _clear(self, lane: Lane) -> None:
        self._tree(lane.variant).remove(lane.id)
        lib.llama_memory_seq_rm(self._memory, lane.id, -1, -1)
        lane.tokens.clear()

    # Snapshots

    def _save(self, lane: Lane) -> None:
        if self._shelf is None or not lane.key or len(lane.tokens) < SNAPSHOT_TOKENS:
            return
        if self._shelf.holds(lane.tokens, key=lane.key, variant=lane.variant):
            return
        size: int = lib.llama_state_seq_get_size(self._context, lane.id)
        state = bytearray(size)
        buffer = (ctypes.c_uint8 * size).from_buffer(state)
        if lib.llama_state_seq_get_data(self._context, buffer, size, lane.id) == size:
            self._shelf.save(tuple(lane.tokens), state, key=lane.key, variant=lane.variant)

    def _better_snapshot(
        self, tokens: Sequence[int], limit: int, variant: str, cached: int
    ) -> tuple[Snapshot, int] | None:
        if self._shelf is None:
            return None
        found = self._shelf.longest(tokens, variant, whole=not self.shares_prefixes)
        if found is None or min(found[1], limit) < cached + RESTORE_GAIN_TOKENS:
            return None
        if found[1] > limit and not self.shares_prefixes:
            return None
        return found

    def _restore(self, found: tuple[Snapshot, int], tokens: Sequence[int], limit: int, key: str) -> Opened | None:
        snapshot, common = found
        assert self._shelf is not None
        state = self._shelf.load(snapshot)
        lane = self._new(key, snapshot.variant) if state is not None else None
        if state is None or lane is None:
            return None
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        while not lib.llama_state_seq_set_data(self._context, buffer, len(state), lane.id):
            if not self.make_room():
                self.drop(lane)
                return None
        lane.tokens = list(snapshot.tokens)
        self.cut(lane, whole_images(tokens, min(common, limit)))
        self._check_window(lane)
        return Opened(lane, len(lane.tokens), len(lane.tokens))
