"""Open WebUI's exported models as personas, and back. Knows no file.

Follows what its workspace writes and reads, a list of models (open-webui/open-webui: `downloadModels` in
src/lib/components/workspace/Models.svelte; `ModelForm`, `ModelMeta` and `ModelParams` in
backend/open_webui/models/models.py). Older versions wrote the model's own fields under `info`.
"""

from __future__ import annotations

from typing import Any

from app.i18n import tr
from app.personas.document import SAMPLING
from app.personas.foreign.card_icon import png_of_uri, uri_of_png
from app.personas.foreign.documents import Document, Path, at, put, under, without
from app.personas.foreign.fields import (
    Field,
    a_line,
    at_path,
    give,
    line,
    lines_of,
    number,
    persona_of,
    starters_of,
    strings,
    take,
    text,
    values_of,
)
from app.personas.foreign.imported import Format, Imported
from app.personas.names import short_name_of
from app.personas.persona import Json, Persona

NAME = "open_webui"
UNNAMED = "Unnamed"
_NO_ICON = "/static/favicon.png"
_ICON = ("meta", "profile_image_url")


def is_model(document: Json) -> bool:
    """Whether this is an exported model."""
    if not isinstance(document, dict) or not isinstance(document.get("id"), str) or "name" not in document:
        return False
    model = document.get("info", document)
    return isinstance(model, dict) and isinstance(model.get("meta"), dict) and isinstance(model.get("params"), dict)


def read_model(document: Document) -> Imported:
    """The persona of an exported model. Its icon is the one inside the file, where that is a PNG."""
    place = _place(document)
    uri = at(document, (*place, *_ICON))
    icon = png_of_uri(uri) if isinstance(uri, str) else None
    if icon is not None and uri_of_png(icon) == uri:
        document = without(document, (*place, *_ICON))
    values, rest = take(_fields(place), document)
    persona = persona_of(values, short_name=short_name_of(values["name"]), extensions={NAME: rest})
    notes = []
    if at(document, (*place, "meta", "knowledge")):
        notes.append(tr("Open WebUI does not export the documents of a model. Add them here again."))
    if any(at(document, (*place, "meta", key)) for key in ("toolIds", "actionIds", "filterIds")):
        notes.append(tr("It uses tools that Hearth does not have."))
    return Imported(persona, Format.OPEN_WEBUI, icon, notes=tuple(notes))


def model_of(persona: Persona, icon: bytes | None) -> Document:
    """A persona as Open WebUI imports it; put it into a list. One that was never there is private there."""
    document = under(persona.extensions, NAME)
    if document is None:
        document = {
            "id": persona.short_name,
            "base_model_id": None,
            "name": "",
            "params": {},
            "meta": {"profile_image_url": _NO_ICON, "description": "", "capabilities": {}, "suggestion_prompts": None},
            "access_control": {},
            "is_active": True,
        }
    place = _place(document)
    document = give(_fields(place), document, values_of(persona))
    path = (*place, *_ICON)
    uri = at(document, path)
    if icon is not None and (png_of_uri(uri) if isinstance(uri, str) else None) != icon:
        return put(document, path, uri_of_png(icon))
    return document


def _place(document: Document) -> Path:
    return ("info",) if isinstance(document.get("info"), dict) else ()


def _fields(place: Path) -> tuple[Field, ...]:
    return (
        line("name", *place, "name", default=UNNAMED),
        text("description", *place, "meta", "description"),
        text("instructions", *place, "params", "system"),
        _starters((*place, "meta", "suggestion_prompts")),
        _tags((*place, "meta", "tags")),
        _models((*place, "base_model_id")),
        *(number(name, *place, "params", name) for name in SAMPLING),
    )


def _starters(path: Path) -> Field:
    def read(document: Document) -> tuple[str, ...]:
        return starters_of(_of_each(at(document, path), "content"))

    return at_path("starters", path, read, lambda starters: [{"content": starter} for starter in starters], ())


def _tags(path: Path) -> Field:
    def read(document: Document) -> tuple[str, ...]:
        return lines_of(_of_each(at(document, path), "name"))

    return at_path("tags", path, read, lambda tags: [{"name": tag} for tag in tags], ())


def _models(path: Path) -> Field:
    def read(document: Document) -> tuple[str, ...]:
        model = a_line(at(document, path))
        return (model,) if model else ()

    def encode(models: Any) -> Json:
        return models[0] if models else None

    return at_path("models", path, read, encode, ())


def _of_each(value: Json, key: str) -> list[str]:
    return strings([item.get(key) for item in value if isinstance(item, dict)]) if isinstance(value, list) else []
