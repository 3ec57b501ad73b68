"""Parsed JSON that is looked into and changed without being trusted or mutated. Knows no format.

Changed documents share what did not change with the old ones, so nothing here costs more than the way to a place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias, cast

from app.limits import PERSONA_FOREIGN_TEXT_BYTES
from app.personas.declared import strict_json
from app.personas.persona import Json
from engine.errors import LimitError, PersonaError, sentence

Document: TypeAlias = dict[str, Json]
Path: TypeAlias = tuple[str, ...]

_HALVES = re.compile("[\ud800-\udfff]")


def text_of(data: bytes, name: str) -> str:
    """A file's bytes as text. Raises `PersonaError` for what is not UTF-8, `LimitError` beyond the cap."""
    if len(data) > PERSONA_FOREIGN_TEXT_BYTES:
        raise LimitError(
            sentence("The text in {name} is too long: {limit} MB are the most."),
            name=name,
            limit=PERSONA_FOREIGN_TEXT_BYTES >> 20,
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PersonaError(sentence("{name} is not text in UTF-8."), name=name) from None


def parsed(data: bytes, name: str) -> Json:
    """JSON of a file. Halves of surrogate pairs become U+FFFD. Raises `PersonaError`, `LimitError`."""
    text = text_of(data, name)
    try:
        value = cast(Json, strict_json(text))
    except ValueError:
        raise PersonaError(sentence("{name} is damaged: what it holds cannot be read."), name=name) from None
    # Only an escape can name half a pair; strict_json has limited the depth.
    return _whole(value) if re.search(r"\\u[dD][89a-fA-F]", text) else value


def dumped(value: Json) -> str:
    """JSON as people can read it, in the order given."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def at(document: Json, path: Path) -> Json:
    """What stands at a place; None where nothing does."""
    value = document
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def has(document: Json, path: Path) -> bool:
    """Whether anything stands at a place, be it null."""
    holder = at(document, path[:-1])
    return isinstance(holder, dict) and path[-1] in holder


def put(document: Document, path: Path, value: Json) -> Document:
    """The document with a value at a place; objects on the way there are made."""
    key, *others = path
    if others:
        inner = document.get(key)
        value = put(inner if isinstance(inner, dict) else {}, tuple(others), value)
    return {**document, key: value}


def without(document: Document, path: Path) -> Document:
    """The document with nothing at a place."""
    if not has(document, path):
        return document
    key, *others = path
    if others:
        return {**document, key: without(cast(Document, document[key]), tuple(others))}
    return {name: value for name, value in document.items() if name != key}


def under(extensions: Mapping[str, Json], name: str) -> Document | None:
    """What a persona keeps for a format; None where it did not come from it."""
    kept = extensions.get(name)
    return kept if isinstance(kept, dict) else None


def _whole(value: Json) -> Json:
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_HALVES.sub("\ufffd", key): _whole(item) for key, item in value.items()}
    return value
