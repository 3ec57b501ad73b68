"""What a single value in a persona's files may be: texts, numbers, choices, JSON. See `app.personas.declared`.

Each rule reads strictly, writes what it has read, and describes itself as JSON Schema. Knows no table and no file.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.limits import PERSONA_LINE_CHARACTERS, PERSONA_TEXT_CHARACTERS
from app.personas.places import Place
from app.personas.strict_json import strict_json
from engine.context.clean import clean

Schema = dict[str, object]


@dataclass(frozen=True, slots=True)
class Text:
    """Several lines, as they are: what is hidden in them is shown before the first use."""

    most: int = PERSONA_TEXT_CHARACTERS

    def read(self, value: object, place: Place) -> str:
        if not isinstance(value, str):
            raise place.wrong()
        if len(value) > self.most:
            raise place.too_long(self.most)
        if not value.isascii() and re.search("[\ud800-\udfff]", value):
            raise place.hidden()
        return value

    def write(self, value: str) -> object:
        return value

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.most}


@dataclass(frozen=True, slots=True)
class Line:
    """One line without hidden characters. `pattern` is a whole regular expression, `allowed` a check beyond it."""

    most: int = PERSONA_LINE_CHARACTERS
    pattern: str = ""
    least: int = 0
    allowed: Callable[[str], bool] | None = None

    def read(self, value: object, place: Place) -> str:
        if not isinstance(value, str):
            raise place.wrong()
        if len(value) > self.most:
            raise place.too_long(self.most)
        if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value) or (
            clean(value, max_characters=len(value)).removed
        ):
            raise place.hidden()
        wrong_form = self.pattern and re.fullmatch(self.pattern, value) is None
        if len(value.strip()) < self.least or wrong_form or (self.allowed is not None and not self.allowed(value)):
            raise place.refused(value)
        return value

    def write(self, value: str) -> object:
        return value

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "maxLength": self.most}
        if self.least:
            schema["minLength"] = self.least
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True, slots=True)
class Choice:
    """A member of an enumeration, by its value."""

    options: type[StrEnum]

    def read(self, value: object, place: Place) -> StrEnum:
        if not isinstance(value, str):
            raise place.wrong()
        try:
            return self.options(value)
        except ValueError:
            raise place.refused(value) from None

    def write(self, value: StrEnum) -> object:
        return value.value

    def schema(self) -> Schema:
        return {"enum": [option.value for option in self.options]}


@dataclass(frozen=True, slots=True)
class Number:
    """A real number, or with `whole` an integer, between two bounds that belong to it."""

    low: float
    high: float
    whole: bool = False

    def read(self, value: object, place: Place) -> float:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise place.wrong()
        # Written so that NaN fails.
        if not self.low <= value <= self.high:
            raise place.outside(self.low, self.high)
        return value if self.whole else float(value)

    def write(self, value: float) -> object:
        # Equal personas are written equally, whoever gave 1 for 1.0.
        short = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
        return float(value) if short and not self.whole else value

    def schema(self) -> Schema:
        return {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: object, place: Place) -> bool:
        if not isinstance(value, bool):
            raise place.wrong()
        return value

    def write(self, value: bool) -> object:
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class JsonText:
    """Any JSON value, or with `table` any object, written as JSON text: TOML knows no null."""

    most: int
    table: bool = False

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, str):
            raise place.wrong()
        if len(value) > self.most:
            raise place.too_long(self.most)
        try:
            parsed = strict_json(value)
        except ValueError:
            raise place.wrong() from None
        if self.table and not isinstance(parsed, dict):
            raise place.wrong()
        return parsed

    def write(self, value: Any) -> object:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        except (ValueError, TypeError, RecursionError):
            return None  # what is read back is then of the wrong kind, and named
        return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)

    def schema(self) -> Schema:
        return {"type": "string", "contentMediaType": "application/json", "maxLength": self.most}
