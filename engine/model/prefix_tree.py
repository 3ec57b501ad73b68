"""Which token sequences share which beginnings: a radix tree over all that is in the KV cache.

Each node is a run of tokens; a sequence is a path from the root. Knows numbers only, no cache.
One thread changes it; others may call `longest`.
"""

from __future__ import annotations

from collections.abc import Sequence


class _Node:
    __slots__ = ("children", "holders", "parent", "tokens")

    def __init__(self, tokens: tuple[int, ...], parent: _Node | None) -> None:
        self.tokens = tokens
        self.parent = parent
        self.children: dict[int, _Node] = {}
        self.holders: set[int] = set()


class PrefixTree:
    """Sequences by id. Lengths are in tokens."""

    def __init__(self) -> None:
        self._root = _Node((), None)
        self._ends: dict[int, _Node] = {}
        self.total = 0
        """Tokens in the tree, shared ones counted once: the KV cells that the sequences need together."""

    def insert(self, sequence: int, tokens: Sequence[int]) -> None:
        """Say what a sequence holds, in place of what it held before."""
        self.remove(sequence)
        node, at = self._root, 0
        whole = tuple(tokens)
        while at < len(whole):
            child = node.children.get(whole[at])
            if child is None:
                child = self._add(node, whole[at:])
                node, at = child, len(whole)
            else:
                common = common_prefix(child.tokens, whole[at:])
                if common < len(child.tokens):
                    child = self._split(child, common)
                node, at = child, at + common
            node.holders.add(sequence)
        self._ends[sequence] = node

    def remove(self, sequence: int) -> None:
        """Forget a sequence; unknown ones are none."""
        node: _Node | None = self._ends.pop(sequence, None)
        while node is not None and node.parent is not None:
            node.holders.discard(sequence)
            if not node.holders:
                del node.parent.children[node.tokens[0]]
                self.total -= len(node.tokens)
            node = node.parent

    def longest(self, tokens: Sequence[int]) -> tuple[frozenset[int], int]:
        """The sequences that share the longest beginning with `tokens`, and its length; none and 0 for none."""
        node, at, whole = self._root, 0, tuple(tokens)
        while at < len(whole):
            child = node.children.get(whole[at])
            if child is None:
                break
            common = common_prefix(child.tokens, whole[at : at + len(child.tokens)])
            node, at = child, at + common
            if common < len(child.tokens):
                break
        return frozenset(node.holders), at

    def own(self, sequence: int) -> int:
        """Tokens that no other sequence holds: the cells that become free without it."""
        node: _Node | None = self._ends.get(sequence)
        count = 0
        while node is not None and len(node.holders) == 1:
            count += len(node.tokens)
            node = node.parent
        return count

    def _add(self, parent: _Node, tokens: tuple[int, ...]) -> _Node:
        node = _Node(tokens, parent)
        parent.children[tokens[0]] = node
        self.total += len(tokens)
        return node

    def _split(self, node: _Node, length: int) -> _Node:
        """Cut a node behind `length` tokens; the new upper half."""
        assert node.parent is not None
        upper = _Node(node.tokens[:length], node.parent)
        upper.holders = set(node.holders)
        node.parent.children[upper.tokens[0]] = upper
        node.tokens, node.parent = node.tokens[length:], upper
        upper.children[node.tokens[0]] = node
        return upper


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two rows of one type share from their beginning (comparing slices, not tokens, in Python)."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
