"""JSON as a stranger may write it: what is ambiguous, endless or too deep is refused. Knows no file and no persona."""

from __future__ import annotations

import json
import math
from typing import Any

from app.limits import PERSONA_JSON_DEPTH


def strict_json(text: str) -> Any:
    """JSON without NaN, endless numbers, equal keys, or more depth than any honest file has. Raises `ValueError`."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("too deep") from None
    if _depth(value) > PERSONA_JSON_DEPTH:
        raise ValueError("too deep")
    return value


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _depth(value: object) -> int:
    """How many containers stand inside one another; no recursion, as the depth is a stranger's."""
    deepest, level = 0, [value]
    while level:
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if any(isinstance(each, dict | list) for each in level):
            deepest += 1
        level = inner
        if deepest > PERSONA_JSON_DEPTH:
            break
    return deepest
