"""What a table of a persona's files may hold, declared once: read strictly, written, and described as JSON Schema.

Strictly: an unknown key, a value of another kind or outside its range is an error that names its place. What is at
its default is not written. Single values are `app.personas.declared_values`. Knows no persona and no file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.limits import PERSONA_LIST_ITEMS
from app.personas.declared_values import Choice, Flag, JsonText, Line, Number, Schema, Text
from app.personas.places import Place, shown
from app.personas.strict_json import strict_json

__all__ = [
    "Choice", "Flag", "JsonText", "Line", "Named", "Number", "Place", "Rule", "Schema", "Several", "Table", "Text",
    "shown", "strict_json",
]  # fmt: skip


class Rule(Protocol):
    """What one value may be. `read` raises `PersonaError` or `LimitError`; `write` takes what `read` gave."""

    def read(self, value: object, place: Place) -> Any: ...
    def write(self, value: Any) -> object: ...
    def schema(self) -> Schema: ...


@dataclass(frozen=True, slots=True)
class Several:
    """An array of what `rule` allows, read as a tuple."""

    rule: Rule
    most: int = PERSONA_LIST_ITEMS

    def read(self, value: object, place: Place) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise place.wrong()
        if len(value) > self.most:
            raise place.too_many(self.most)
        return tuple(self.rule.read(item, place.item(number)) for number, item in enumerate(value))

    def write(self, value: Sequence[Any]) -> object:
        return [self.rule.write(item) for item in value]

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": self.most, "items": self.rule.schema()}


@dataclass(frozen=True, slots=True)
class Named:
    """A table of any names that `names` allows, each with what `rule` allows; written in the order of the names."""

    rule: Rule
    names: Line
    most: int = PERSONA_LIST_ITEMS

    def read(self, value: object, place: Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise place.wrong()
        if len(value) > self.most:
            raise place.too_many(self.most)
        return {self.names.read(key, place): self.rule.read(item, place.at(key)) for key, item in value.items()}

    def write(self, value: Mapping[str, Any]) -> object:
        return {key: self.rule.write(value[key]) for key in sorted(value)}

    def schema(self) -> Schema:
        return {
            "type": "object", "maxProperties": self.most,
            "propertyNames": self.names.schema(), "additionalProperties": self.rule.schema(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the attributes of the dataclass `make`; those with a default there may be left out."""

    make: type[Any]
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def read(self, value: object, place: Place) -> Any:
        if not isinstance(value, dict):
            raise place.wrong()
        for key in value:
            if key not in self.rules:
                raise place.at(key).unknown()
        for key in self._required():
            if key not in value:
                raise place.at(key).missing()
        return self.make(**{key: self.rules[key].read(item, place.at(key)) for key, item in value.items()})

    def write(self, value: Any) -> object:
        defaults = self._defaults()
        pairs = ((key, rule, getattr(value, key)) for key, rule in self.rules.items())
        return {key: rule.write(item) for key, rule, item in pairs if key not in defaults or item != defaults[key]}

    def schema(self) -> Schema:
        schema: Schema = {
            "type": "object", "additionalProperties": False,
            "properties": {key: rule.schema() for key, rule in self.rules.items()},
        }  # fmt: skip
        if required := self._required():
            schema["required"] = required
        return schema

    def _required(self) -> list[str]:
        defaults = self._defaults()
        return [key for key in self.rules if key not in defaults]

    def _defaults(self) -> dict[str, object]:
        defaults: dict[str, object] = {}
        for each in dataclasses.fields(self.make):
            if each.default is not dataclasses.MISSING:
                defaults[each.name] = each.default
            elif each.default_factory is not dataclasses.MISSING:
                defaults[each.name] = each.default_factory()
        return defaults
