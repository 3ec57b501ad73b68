"""Which keyed knowledge is called by what was said last, and fits. Pure; knows no conversation and no model.

Follows the lorebook of Character Card V2 and V3 (SPEC_V3.md, "Lorebook Fields" and "Decorators") where it is strict,
and decides where it leaves that to the program: a key is found at the beginning of a word, so that "elf" is not in
"himself" but in "elves"' singular's genitive too; equal letters are equal however they are encoded; entries call no
other entries. Of the decorators, those that say when an entry is called are heard (@@activate, @@dont_activate,
@@scan_depth, @@additional_keys, @@exclude_keys); the others, and fallbacks, are only taken out of the text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.personas import patterns
from app.personas.persona import KeyedEntry

SCANNED_CHARACTERS = 8_000
"""Of the end of what was said, for all messages together."""
SCANNED_MESSAGES = 8
LOOKED_FOR = 10_000
"""Keys, of all entries together; entries beyond them are not called. A large lorebook has half as many."""
_DECORATOR_KEYS = 100
_OF_WORD = re.compile("[^\\W_\u0e00-\u109f\u1780-\u17ff\u2e80-\uabff\ud7a4-\U0010ffff]")
"""A letter or digit of words that stand apart: neither Thai and its neighbours nor Han, Kana and beyond, but Hangul."""


@dataclass(frozen=True, slots=True)
class _Decorators:
    activate: bool = False
    dont_activate: bool = False
    scan_depth: int | None = None
    additional_keys: tuple[tuple[str, ...], ...] = ()
    exclude_keys: tuple[str, ...] = ()


def called(
    entries: Sequence[KeyedEntry],
    messages: Sequence[str],
    *,
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    scan_depth: int = SCANNED_MESSAGES,
) -> tuple[KeyedEntry, ...]:
    """The entries that belong into the prompt, in their order there: lower `order` first, equal ones as they stand.

    `messages` are the last ones, the newest last, of which `scan_depth` are looked at. Where `budget_tokens` does not
    hold all of them, constant ones are taken first, then those of higher priority, which is `order` where the card
    gives none (V3: the lowest are removed first); one that does not fit leaves its place to a shorter one. Show an
    entry as `without_decorators(entry.text)`, which is what `count_tokens` is given.
    """
    said = _Said(_last(messages, SCANNED_CHARACTERS), scan_depth)
    n_keys = 0
    found: list[tuple[int, KeyedEntry]] = []
    for number, entry in enumerate(entries):
        n_keys += len(entry.keys) + len(entry.also)
        if n_keys > LOOKED_FOR:
            break
        if _is_called(entry, said):
            found.append((number, entry))
    chosen: list[tuple[int, KeyedEntry]] = []
    left = budget_tokens
    for number, entry in sorted(found, key=lambda each: (not each[1].constant, -_priority(each[1]), each[0])):
        if left <= 0:
            break
        text = without_decorators(entry.text)
        if not text.strip():
            continue
        n_tokens = count_tokens(text)
        if n_tokens <= left:
            left -= n_tokens
            chosen.append((number, entry))
    return tuple(entry for _, entry in sorted(chosen, key=lambda each: (each[1].order, each[0])))


def without_decorators(text: str) -> str:
    """An entry's text as the model is shown it: without the lines with @@ before it and blank ones after those."""
    lines = text.splitlines(keepends=True)
    number = next((number for number, line in enumerate(lines) if not line.startswith("@@")), len(lines))
    return "".join(lines[number:]).lstrip("\r\n") if number else text


class _Said:
    """What was said, in which keys are looked for; written equally once for each depth and case."""

    def __init__(self, messages: Sequence[str], depth: int) -> None:
        self._messages = messages
        self._depth = depth
        self._folded: dict[tuple[int, bool], str] = {}
        self.spending = patterns.Spending()

    def text(self, depth: int | None) -> str:
        """The last `depth` messages; with None as many as are looked at where an entry says nothing."""
        return "\n".join(self._messages[len(self._messages) - self._reach(depth) :])

    def has(self, keys: Iterable[str], depth: int | None, case_sensitive: bool) -> bool:
        """Whether one of the keys is there."""
        place = (self._reach(depth), case_sensitive)
        if place not in self._folded:
            self._folded[place] = _folded(self.text(depth), case_sensitive)
        return any(_stands_in(_folded(key, case_sensitive).strip(), self._folded[place]) for key in keys)

    def _reach(self, depth: int | None) -> int:
        return min(max(self._depth if depth is None else depth, 0), len(self._messages))


def _is_called(entry: KeyedEntry, said: _Said) -> bool:
    if not entry.enabled:
        return False
    decorators = _decorators(entry.text)
    if decorators.activate:
        return True
    if decorators.dont_activate:
        return False
    if entry.extensions.get("use_regex") is True:
        # V3: `constant`, `secondary_keys` and @@exclude_keys are then without effect.
        text = said.text(decorators.scan_depth)
        groups: tuple[tuple[str, ...], ...] = (entry.keys, *decorators.additional_keys)
        return all(any(said.spending.found(key, text, entry.case_sensitive) for key in keys) for keys in groups)

    def has(keys: Iterable[str]) -> bool:
        return said.has(keys, decorators.scan_depth, entry.case_sensitive)

    if not entry.constant and not (has(entry.keys) and (not entry.also or has(entry.also))):
        return False
    return all(map(has, decorators.additional_keys)) and not has(decorators.exclude_keys)


def _stands_in(key: str, text: str) -> bool:
    """Whether a word of `text` begins with `key`; in scripts without spaces, whether it is there at all."""
    if not key or key not in text:
        return False
    return _OF_WORD.match(key) is None or _at_beginning(key).search(text) is not None


@functools.lru_cache(maxsize=4096)
def _at_beginning(key: str) -> re.Pattern[str]:
    return re.compile(f"(?<!{_OF_WORD.pattern}){re.escape(key)}")


def _folded(text: str, case_sensitive: bool) -> str:
    text = unicodedata.normalize("NFC", text)
    return text if case_sensitive else unicodedata.normalize("NFC", text.casefold())


def _last(messages: Sequence[str], most: int) -> list[str]:
    """The end of all messages together, a message each still."""
    kept: list[str] = []
    for message in reversed(messages):
        if most <= 0:
            break
        kept.append(message[-most:])
        most -= len(message)
    return kept[::-1]


def _priority(entry: KeyedEntry) -> float:
    priority = entry.extensions.get("priority")
    return priority if isinstance(priority, int | float) and not isinstance(priority, bool) else entry.order


def _decorators(text: str) -> _Decorators:
    if not text.startswith("@@"):
        return _Decorators()
    found: dict[str, str] = {}
    additional: list[tuple[str, ...]] = []
    for line in text.splitlines():
        if not line.startswith("@@"):
            break
        name, _, value = line.removeprefix("@@").partition(" ")
        if name == "additional_keys" and len(additional) < _DECORATOR_KEYS:
            additional.append(_separated(value))
        elif not name.startswith("@"):
            found.setdefault(name.strip(), value)
    depth = found.get("scan_depth", "").strip()
    return _Decorators(
        "activate" in found,
        "dont_activate" in found,
        int(depth) if depth.isascii() and depth.isdigit() and len(depth) < 10 else None,
        tuple(additional),
        _separated(found.get("exclude_keys", "")),
    )


def _separated(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())[:_DECORATOR_KEYS]
