"""How a format's fields and a persona's attributes belong together, so that nothing is lost on the way in and out.

A field knows how its attribute is read from a document, written into one, and how the document is without it.
`take` keeps of a document what the persona cannot give back itself; `give` adds to that what the persona says now, and
touches only what says something else. So a document comes out as it came in, whatever was odd in it, and an edit wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from app.limits import PERSONA_LINE_CHARACTERS, PERSONA_LIST_ITEMS
from app.personas.document import SAMPLING
from app.personas.foreign.documents import Document, Path, at, has, put, without
from app.personas.persona import Json, Persona, Sampling
from engine.context.clean import clean

STARTER_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Field:
    """`attribute` is one of a persona's, or of its sampling."""

    attribute: str
    read: Callable[[Document], Any]
    write: Callable[[Document, Any], Document]
    emptied: Callable[[Document], Document] = lambda document: document


def take(each: Sequence[Field], document: Document) -> tuple[dict[str, Any], Document]:
    """The attributes' values, and of the document what they cannot give back."""
    values = {field.attribute: field.read(document) for field in each}
    for field in each:
        shorter = field.emptied(document)
        if _given(field, shorter, values[field.attribute]) == document:
            document = shorter
    return values, document


def give(each: Sequence[Field], document: Document, values: Mapping[str, Any]) -> Document:
    """The document with the attributes' values where it says something else."""
    for field in each:
        document = _given(field, document, values[field.attribute])
    return document


def _given(field: Field, document: Document, value: Any) -> Document:
    return document if field.read(document) == value else field.write(document, value)


def values_of(persona: Persona) -> dict[str, Any]:
    """A persona's attributes and its sampling's, by their names."""
    values = {field.name: getattr(persona, field.name) for field in fields(Persona)}
    return values | {name: getattr(persona.sampling, name) for name in SAMPLING}


def persona_of(values: Mapping[str, Any], **others: Any) -> Persona:
    """The persona that `take`'s values make, with other attributes."""
    sampling = Sampling(**{name: value for name, value in values.items() if name in SAMPLING})
    return Persona(
        **{name: value for name, value in values.items() if name not in SAMPLING}, sampling=sampling, **others
    )


def text(attribute: str, *path: str) -> Field:
    """A long text."""

    def read(document: Document) -> str:
        value = at(document, path)
        return value if isinstance(value, str) else ""

    return at_path(attribute, path, read)


def line(attribute: str, *path: str, default: str = "") -> Field:
    """One line without hidden characters, at most `PERSONA_LINE_CHARACTERS` long; `default` where there is none."""
    return at_path(attribute, path, lambda document: a_line(at(document, path)) or default)


def lines(attribute: str, *path: str) -> Field:
    """Several lines; the empty ones are left where they are."""
    return at_path(attribute, path, lambda document: lines_of(strings(at(document, path))), list, ())


def number(attribute: str, *path: str) -> Field:
    """A number of `Sampling`; None for one outside its range. With None the key is taken away."""

    def write(document: Document, value: Any) -> Document:
        return without(document, path) if value is None else put(document, path, value)

    return Field(
        attribute,
        lambda document: in_range(attribute, at(document, path)),
        write,
        lambda document: without(document, path),
    )


def at_path(
    attribute: str,
    path: Path,
    read: Callable[[Document], Any],
    encode: Callable[[Any], Json] = lambda value: value,
    blank: Any = "",
) -> Field:
    """A field with one place of its own, whose value is written as `encode` makes it.

    The place stays, with a `blank` value, as most formats call for all their fields.
    """

    def write(document: Document, value: Any) -> Document:
        return put(document, path, encode(value))

    return Field(attribute, read, write, lambda document: write(document, blank) if has(document, path) else document)


def strings(value: Json) -> list[str]:
    """The texts of a list, `PERSONA_LIST_ITEMS` at most."""
    found = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return found[:PERSONA_LIST_ITEMS]


def a_line(value: Json) -> str:
    """A text as one line that shows all it holds; "" for what is no text."""
    shown = (
        clean(value[: 4 * PERSONA_LINE_CHARACTERS], max_characters=4 * PERSONA_LINE_CHARACTERS).text
        if isinstance(value, str)
        else ""
    )
    return " ".join(shown.split())[:PERSONA_LINE_CHARACTERS].strip()


def lines_of(values: Iterable[str]) -> tuple[str, ...]:
    """Each as one line, without the empty ones."""
    return tuple(one for one in map(a_line, values) if one)


def starters_of(values: Iterable[str]) -> tuple[str, ...]:
    """Those that say something and are short enough to choose from."""
    return tuple(one for one in values if one.strip() and len(one) <= STARTER_CHARACTERS)


def in_range(attribute: str, value: Json) -> float | int | None:
    """A number of `Sampling` as the persona may hold it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    rule = SAMPLING[attribute]
    if not rule.low <= value <= rule.high:
        return None  # it says nothing here, and stays in the document
    if rule.whole:
        return int(value) if value == int(value) else None
    return float(value)
