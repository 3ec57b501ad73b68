"""LM Studio's presets as personas, and back. Knows no file.

Follows the `.preset.json` files of its config-presets folder (lmstudio-ai/docs, "Config Presets"; the keys in
lmstudio-ai/lmstudio-js, packages/lms-kv-config/src/schema.ts): `operation.fields` is a list of {key, value}, where what
can be switched off is {checked, value}. Presets before 0.3 (`inference_params`) are another format and are not read.
"""

from __future__ import annotations

from typing import Any

from app.personas.foreign.documents import Document, at, put, under
from app.personas.foreign.fields import Field, give, in_range, line, persona_of, take, values_of
from app.personas.foreign.imported import Format, Imported
from app.personas.names import short_name_of
from app.personas.persona import Json, Persona

NAME = "lm_studio"
UNNAMED = "Unnamed"
_FIELDS = ("operation", "fields")
_PROMPT = "llm.prediction.systemPrompt"
_KEYS = {
    "temperature": "llm.prediction.temperature",
    "top_p": "llm.prediction.topPSampling",
    "top_k": "llm.prediction.topKSampling",
    "min_p": "llm.prediction.minPSampling",
    "repeat_penalty": "llm.prediction.repeatPenalty",
    "max_tokens": "llm.prediction.maxPredictedTokens",
}
_SWITCHED = ("top_p", "min_p", "repeat_penalty", "max_tokens")


def is_preset(document: Json) -> bool:
    """Whether this is a preset."""
    return isinstance(document, dict) and isinstance(at(document, _FIELDS), list)


def read_preset(document: Document) -> Imported:
    """The persona of a preset."""
    values, rest = take(_ALL, document)
    persona = persona_of(values, short_name=short_name_of(values["name"]), extensions={NAME: rest})
    return Imported(persona, Format.LM_STUDIO)


def preset_of(persona: Persona) -> Document:
    """A persona as a preset."""
    document = under(persona.extensions, NAME)
    if document is None:
        document = {
            "identifier": f"@local:{persona.short_name}",
            "name": "",
            "changed": False,
            "operation": {"fields": []},
            "load": {"fields": []},
        }
    document = give(_ALL, document, values_of(persona))
    # What stood there only to keep its place.
    whole = [item for item in _items(document) if not _is_empty(item)]
    return put(document, _FIELDS, whole)


def _prompt() -> Field:
    def read(document: Document) -> str:
        value = _value(document, _PROMPT)
        return value if isinstance(value, str) else ""

    return Field(
        "instructions",
        read,
        lambda document, value: _with(document, _PROMPT, value),
        lambda document: _emptied(document, _PROMPT),
    )


def _number(name: str) -> Field:
    key = _KEYS[name]

    def read(document: Document) -> float | int | None:
        value = _value(document, key)
        if isinstance(value, dict):
            value = value.get("value") if value.get("checked") is True else None
        return in_range(name, value)

    def write(document: Document, value: Any) -> Document:
        if value is None:
            return put(document, _FIELDS, [item for item in _items(document) if not _is(item, key)])
        return _with(document, key, {"checked": True, "value": value} if name in _SWITCHED else value)

    return Field(name, read, write, lambda document: _emptied(document, key))


def _items(document: Document) -> list[Json]:
    items = at(document, _FIELDS)
    return items if isinstance(items, list) else []


def _is(item: Json, key: str) -> bool:
    return isinstance(item, dict) and item.get("key") == key


def _is_empty(item: Json) -> bool:
    return isinstance(item, dict) and "value" not in item and item.get("key") in (_PROMPT, *_KEYS.values())


def _value(document: Document, key: str) -> Json:
    """What the first field of that key says."""
    found = next((item for item in _items(document) if _is(item, key)), None)
    return found.get("value") if isinstance(found, dict) else None


def _with(document: Document, key: str, value: Json) -> Document:
    items = _items(document)
    for number, item in enumerate(items):
        if isinstance(item, dict) and _is(item, key):
            return put(document, _FIELDS, [*items[:number], {**item, "value": value}, *items[number + 1 :]])
    return put(document, _FIELDS, [*items, {"key": key, "value": value}])


def _emptied(document: Document, key: str) -> Document:
    """Without the value of the first field of that key, which keeps its place in the list."""
    items = _items(document)
    for number, item in enumerate(items):
        if isinstance(item, dict) and _is(item, key):
            bare: Document = {name: value for name, value in item.items() if name != "value"}
            return put(document, _FIELDS, [*items[:number], bare, *items[number + 1 :]])
    return document


_ALL = (line("name", "name", default=UNNAMED), _prompt(), *map(_number, _KEYS))
