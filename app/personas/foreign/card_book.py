"""The entries of a card's lorebook as keyed knowledge, and back. Knows no card.

Follows `character_book` of Character Card V2 (malfoyslastname/character-card-spec-v2, spec_v2.md) and the Lorebook
object of V3 (kwaroran/character-card-spec-v3, SPEC_V3.md). What an entry says beyond `KeyedEntry`, `use_regex` and
`priority` among it, is its `extensions`; `app.personas.keyed` reads those two.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from app.limits import PERSONA_KEYED_ENTRIES, PERSONA_TEXT_CHARACTERS
from app.personas.foreign.documents import Document, at, has, put
from app.personas.foreign.fields import Field, a_line, at_path, give, strings, take
from app.personas.persona import Json, KeyedEntry

_KEY_CHARACTERS = 1_000
_FARTHEST = 10**9
_OWN: Document = {
    "keys": [],
    "content": "",
    "extensions": {},
    "enabled": True,
    "insertion_order": 100,
    "case_sensitive": False,
    "use_regex": False,
    "constant": False,
}
"""An entry that was never in a card: what V3 calls for."""
_ENTRIES = ("character_book", "entries")


def entries_field(*place: str) -> Field:
    """`keyed`, of the card's data at `place`."""
    path = (*place, *_ENTRIES)

    def read(document: Document) -> tuple[KeyedEntry, ...]:
        found = at(document, path)
        return entries_of(found) if isinstance(found, list) else ()

    def write(document: Document, entries: tuple[KeyedEntry, ...]) -> Document:
        document = put(document, path, entries_json(entries))
        extensions = (*path[:-1], "extensions")
        return document if has(document, extensions) else put(document, extensions, {})

    return Field("keyed", read, write, lambda document: put(document, path, []) if has(document, path) else document)


def entries_of(found: list[Json]) -> tuple[KeyedEntry, ...]:
    """The entries of a lorebook; what is none is left out."""
    usable = [entry for entry in found if isinstance(entry, dict)][:PERSONA_KEYED_ENTRIES]
    return tuple(_entry(entry) for entry in usable)


def entries_json(entries: tuple[KeyedEntry, ...]) -> list[Json]:
    """Entries as a lorebook has them."""
    return [
        give(
            _FIELDS, dict(entry.extensions) or _OWN, {field.name: getattr(entry, field.name) for field in fields(entry)}
        )
        for entry in entries
    ]


def _entry(entry: Document) -> KeyedEntry:
    values, rest = take(_FIELDS, entry)
    return KeyedEntry(**values, extensions=rest)


def _keys(value: Json) -> tuple[str, ...]:
    return tuple(key[:_KEY_CHARACTERS] for key in strings(value))


def _also(document: Document) -> tuple[str, ...]:
    return _keys(document.get("secondary_keys")) if document.get("selective") is True else ()


def _write_also(document: Document, also: tuple[str, ...]) -> Document:
    document = put(document, ("secondary_keys",), list(also))
    return put(document, ("selective",), True) if also else document


def _without_also(document: Document) -> Document:
    return put(document, ("secondary_keys",), []) if has(document, ("secondary_keys",)) else document


def _order(document: Document) -> int:
    order = document.get("insertion_order")
    whole = isinstance(order, int | float) and not isinstance(order, bool) and abs(order) <= _FARTHEST
    return int(order) if whole and order == int(order) else 100  # type: ignore[arg-type]


def _flag(attribute: str, default: bool) -> Field:
    def read(document: Document) -> bool:
        value = document.get(attribute)
        return value if isinstance(value, bool) else default

    return at_path(attribute, (attribute,), read, blank=default)


def _content(document: Document) -> str:
    content = document.get("content")
    return content[:PERSONA_TEXT_CHARACTERS] if isinstance(content, str) else ""


_FIELDS: tuple[Any, ...] = (
    at_path("keys", ("keys",), lambda document: _keys(document.get("keys")), list, ()),
    at_path("text", ("content",), _content),
    Field("also", _also, _write_also, _without_also),
    at_path("name", ("name",), lambda document: a_line(document.get("name")) or a_line(document.get("comment"))),
    _flag("enabled", True),
    _flag("constant", False),
    _flag("case_sensitive", False),
    at_path("order", ("insertion_order",), _order, blank=100),
)
