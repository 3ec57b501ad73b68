"""Jan's assistants as personas, and back. Knows no file.

Follows `assistant.json` of its folder `assistants/<id>` (janhq/jan: `Assistant` in
core/src/types/assistant/assistantEntity.ts, written by extensions/assistant-extension/src/index.ts). `parameters` has
the names of an OpenAI-like request. "*" as the model is any.
"""

from __future__ import annotations

from typing import Any

from app.i18n import tr
from app.personas.document import SAMPLING
from app.personas.foreign.documents import Document, at, under
from app.personas.foreign.fields import (
    a_line,
    at_path,
    give,
    line,
    number,
    persona_of,
    take,
    text,
    values_of,
)
from app.personas.foreign.imported import Format, Imported
from app.personas.names import short_name_of
from app.personas.persona import Json, Persona

NAME = "jan"
UNNAMED = "Unnamed"
_ANY = "*"


def is_assistant(document: Json) -> bool:
    """Whether this is an assistant of Jan."""
    if not isinstance(document, dict) or "name" not in document:
        return False
    return document.get("object") == "assistant" or (
        "instructions" in document
        and any(key in document for key in ("avatar", "parameters", "file_ids", "created_at"))
    )


def read_assistant(document: Document) -> Imported:
    """The persona of an assistant."""
    values, rest = take(_ALL, document)
    persona = persona_of(values, short_name=short_name_of(values["name"]), extensions={NAME: rest})
    files = at(document, ("file_ids",))
    notes = (tr("Jan keeps the files of an assistant elsewhere. Add them here again."),) if files else ()
    return Imported(persona, Format.JAN, notes=notes)


def assistant_of(persona: Persona) -> Document:
    """A persona as an assistant."""
    document = under(persona.extensions, NAME)
    if document is None:
        document = {
            "id": persona.short_name,
            "object": "assistant",
            "avatar": "",
            "name": "",
            "created_at": 0,
            "description": "",
            "model": _ANY,
            "instructions": "",
            "parameters": {},
            "file_ids": [],
        }
    return give(_ALL, document, values_of(persona))


def _models(document: Document) -> tuple[str, ...]:
    model = a_line(document.get("model"))
    return (model,) if model not in ("", _ANY) else ()


def _model_json(models: Any) -> Json:
    return models[0] if models else _ANY


_ALL = (
    line("name", "name", default=UNNAMED),
    text("description", "description"),
    text("instructions", "instructions"),
    at_path("models", ("model",), _models, _model_json, ()),
    *(number(name, "parameters", name) for name in SAMPLING),
)
