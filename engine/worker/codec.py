"""Frozen dataclasses to JSON values and back, strictly by their annotations.

Knows no message. What does not fit its annotation is refused, never guessed: a worker that went wrong
must not be able to put odd values into the window.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

TAG = "="
"""Names the class of a value whose annotation is a union of dataclasses; no field can be called that."""


_PLAIN = frozenset({str, int, float, bool, type(None)})
Decoder = Callable[[Any], Any]


class CodecError(ValueError):
    """A value does not fit its annotation."""


def to_json(value: Any) -> Any:
    """A JSON value for a dataclass made of dataclasses, enums, paths, tuples and plain values."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, tuple):
        return [item if type(item) in _PLAIN else to_json(item) for item in value]
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        body: dict[str, Any] = {}
        for name in _hints(kind):
            item = getattr(value, name)
            body[name] = item if type(item) in _PLAIN else to_json(item)
        body[TAG] = kind.__name__
        return body
    raise CodecError(f"{kind.__name__} cannot travel")


def from_json(annotation: Any, value: Any) -> Any:
    """The value that `to_json` encoded. Raises `CodecError`."""
    return _decoder(annotation)(value)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _decoder(annotation: Any) -> Decoder:
    """What reads a value of this annotation. Annotations are looked into once, not for each message."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(typing.get_args(annotation))
    if origin is tuple:
        return _list_decoder(typing.get_args(annotation))
    if is_dataclass(annotation):
        return _object_decoder(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Path):
        return lambda value: Path(value) if isinstance(value, str) else _refuse(value)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enum_decoder(annotation)
    if annotation is float:
        return lambda value: float(value) if type(value) in (float, int) else _refuse(value)
    return lambda value: value if type(value) is annotation else _refuse(value)


def _refuse(value: Any) -> typing.NoReturn:
    raise CodecError(f"{value!r:.80} is not of the kind that was expected")


def _object_decoder(kind: Any) -> Decoder:
    parts = [(name, _decoder(hint)) for name, hint in _hints(kind).items()]

    def decode(value: Any) -> Any:
        if not isinstance(value, dict) or len(value) - (TAG in value) != len(parts):
            raise CodecError(f"not the fields of {kind.__name__}")
        try:
            return kind(**{name: part(value[name]) for name, part in parts})
        except KeyError as error:
            raise CodecError(f"not the fields of {kind.__name__}") from error
        except CodecError:
            raise
        except ValueError as error:
            raise CodecError(str(error)) from error

    return decode


def _union_decoder(members: tuple[Any, ...]) -> Decoder:
    optional = type(None) in members
    tagged: dict[str, Decoder] = {}
    for member in members:
        if is_dataclass(member) and isinstance(member, type):
            tagged[member.__name__] = _decoder(member)
    plain = [_decoder(member) for member in members if member is not type(None) and not is_dataclass(member)]

    def decode(value: Any) -> Any:
        if value is None:
            if optional:
                return None
            raise CodecError("nothing where something was expected")
        if isinstance(value, dict):
            tag = value.get(TAG)
            found = tagged.get(tag) if isinstance(tag, str) else None
            if found is None:
                raise CodecError(f"unknown {TAG}: {tag!r:.80}")
            return found(value)
        if len(plain) != 1:
            raise CodecError("cannot tell what this value is")
        return plain[0](value)

    return decode


def _list_decoder(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        each = _decoder(arguments[0])
        return lambda value: tuple([each(item) for item in _list(value)])
    parts = [_decoder(argument) for argument in arguments]

    def decode(value: Any) -> tuple[Any, ...]:
        if len(_list(value)) != len(parts):
            raise CodecError("a list of the wrong length")
        return tuple([part(item) for part, item in zip(parts, value, strict=True)])

    return decode


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise CodecError("not a list")
    return value


def _enum_decoder(kind: type[Enum]) -> Decoder:
    def decode(value: Any) -> Enum:
        if not isinstance(value, str):
            _refuse(value)
        try:
            return kind(value)
        except ValueError as error:
            raise CodecError(f"unknown {kind.__name__}: {value!r:.80}") from error

    return decode
