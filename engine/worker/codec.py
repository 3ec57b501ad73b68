"""Frozen dataclasses to JSON values and back, strictly by their annotations.

Knows no message. What does not fit its annotation is refused, never guessed: a worker that went wrong
must not be able to put odd values into the window.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

TAG = "kind"
"""Names the class of a value whose annotation is a union of dataclasses."""


class CodecError(ValueError):
    """A value does not fit its annotation."""


def to_json(value: Any) -> Any:
    """A JSON value for a dataclass made of dataclasses, enums, paths, tuples and plain values."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        body = {name: to_json(getattr(value, name)) for name in _hints(type(value))}
        body[TAG] = type(value).__name__
        return body
    raise CodecError(f"{type(value).__name__} cannot travel")


def from_json(annotation: Any, value: Any) -> Any:
    """The value that `to_json` encoded. Raises `CodecError`."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _from_union(typing.get_args(annotation), value)
    if origin is tuple:
        return _from_list(typing.get_args(annotation), value)
    if is_dataclass(annotation):
        return _from_object(annotation, value)
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(annotation, type):
        if issubclass(annotation, Path) and isinstance(value, str):
            return Path(value)
        if issubclass(annotation, Enum) and isinstance(value, str):
            return _from_enum(annotation, value)
        if type(value) is annotation:
            return value
    raise CodecError(f"{value!r:.80} is not of the kind that was expected")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _from_object(kind: Any, value: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(value, dict) or value.keys() - {TAG} != hints.keys():
        raise CodecError(f"not the fields of {kind.__name__}")
    try:
        return kind(**{name: from_json(hint, value[name]) for name, hint in hints.items()})
    except CodecError:
        raise
    except ValueError as error:
        raise CodecError(str(error)) from error


def _from_union(members: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        if type(None) in members:
            return None
        raise CodecError("nothing where something was expected")
    if isinstance(value, dict):
        for member in members:
            if is_dataclass(member) and getattr(member, "__name__", "") == value.get(TAG):
                return _from_object(member, value)
        raise CodecError(f"unknown {TAG}: {value.get(TAG)!r:.80}")
    plain = [member for member in members if member is not type(None) and not is_dataclass(member)]
    if len(plain) != 1:
        raise CodecError("cannot tell what this value is")
    return from_json(plain[0], value)


def _from_list(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise CodecError("not a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(from_json(arguments[0], item) for item in value)
    if len(arguments) != len(value):
        raise CodecError("a list of the wrong length")
    return tuple(from_json(argument, item) for argument, item in zip(arguments, value, strict=True))


def _from_enum(kind: type[Enum], value: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        raise CodecError(f"unknown {kind.__name__}: {value!r:.80}") from error
