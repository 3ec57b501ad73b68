"""Character cards as personas, and back: the JSON of V1, V2 and V3. Knows no file that holds them.

Follows Character Card V1 and V2 (malfoyslastname/character-card-spec-v2: spec_v1.md, spec_v2.md) and V3
(kwaroran/character-card-spec-v3: SPEC_V3.md). `creator_notes`, which are for people and never for the prompt, are the
description; the six texts of the prompt are kept and are the instructions together (`card_prompt`). As SillyTavern
writes cards, the fields of V1 stand beside `data` once more; which ones repeat it is kept, their texts are not.
"""

from __future__ import annotations

from typing import Any

from app.i18n import ntr, tr
from app.personas.foreign import card_icon
from app.personas.foreign.card_book import entries_field
from app.personas.foreign.card_prompt import PARTS, instructions_of, parts_of
from app.personas.foreign.documents import Document, Path, at, put, under
from app.personas.foreign.fields import (
    Field,
    at_path,
    give,
    line,
    lines,
    persona_of,
    starters_of,
    strings,
    take,
    text,
    values_of,
)
from app.personas.foreign.imported import Format, Imported
from app.personas.keyed import without_decorators
from app.personas.names import short_name_of
from app.personas.persona import Json, Persona

NAME = "character_card"
UNNAMED = "Unnamed"
WARNING = (
    "This character card is Character Card V3, but it is loaded as a Character Card V2. Please use a Character Card V3 "
    "compatible application to use this character card properly."
)
"""What V3 asks for in the notes of a V2 copy of itself."""

_V1_KEYS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_TEXT_KEYS = (*_V1_KEYS, "creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version")
_DATA: Document = {**dict.fromkeys(_TEXT_KEYS, ""), "alternate_greetings": [], "tags": [], "extensions": {}}
_RENAMED = {"creatorcomment": "creator_notes"}
_SPECS = {2: ("chara_card_v2", "2.0"), 3: ("chara_card_v3", "3.0")}


def is_card(document: Document) -> bool:
    """Whether this is a character card of any version."""
    if isinstance(document.get("data"), dict):
        return str(document.get("spec", "")).startswith("chara_card")
    return "name" in document and ("first_mes" in document or "mes_example" in document)


def version_of(document: Document) -> int:
    """1, 2 or 3; what calls itself newer is read as 3."""
    if not isinstance(document.get("data"), dict):
        return 1
    return 2 if document.get("spec") == _SPECS[2][0] else 3


def read_card(document: Document, *, apart: bool = False) -> Imported:
    """The persona of a card; its icon is the main one of its assets, where that is a PNG inside.

    `apart`: the icon lies elsewhere, and one inside the card stays there.
    """
    version = version_of(document)
    place: Path = () if version == 1 else ("data",)
    notes = list(_notes(document, version))
    document, n_large = card_icon.without_large(document, place, spare_icon=not apart)
    if n_large:
        notes.append(
            ntr(
                "{count} picture or sound of the card was left out.",
                "{count} pictures or sounds of the card were left out.",
                n_large,
            )
        )
    icon, document = (None, document) if apart else card_icon.take_icon(document, place)
    copied, document = _without_copies(document) if place else ((), document)
    values, rest = take(_fields(place), document)
    kept: Document = {"card": rest, "copied": list(copied)} if copied else {"card": rest}
    persona = persona_of(values, short_name=short_name_of(values["name"]), extensions={NAME: kept})
    kinds = {1: Format.CARD_V1, 2: Format.CARD_V2, 3: Format.CARD_V3}
    return Imported(persona, kinds[version], icon, notes=tuple(notes))


def card_of(persona: Persona, version: int) -> Document:
    """The card of a persona, as V2 or V3; a card of the other version is changed into this one."""
    kept = under(persona.extensions, NAME) or {}
    card = kept.get("card")
    if not isinstance(card, dict):
        card = {"data": _DATA}
    elif not isinstance(card.get("data"), dict):
        card = {"data": _DATA | card}
    card = _as_version(give(_fields(("data",)), card, values_of(persona)), version)
    for key in strings(kept.get("copied")):
        value = at(card, ("data", _RENAMED.get(key, key)))
        if value is not None:
            card = put(card, (key,), value)
    return card


def backfilled(persona: Persona) -> Document:
    """The V2 copy that stands beside a V3 card, for programs that know no other, with the warning V3 asks for."""
    card = card_of(persona, 2)
    notes = at(card, ("data", "creator_notes"))
    return put(
        card,
        ("data", "creator_notes"),
        "\n\n".join(text for text in (WARNING, notes) if isinstance(text, str) and text),
    )


def character_name(persona: Persona) -> str:
    """What {{char}} stands for: the card's nickname, or the persona's name."""
    card = (under(persona.extensions, NAME) or {}).get("card")
    nickname = at(card, ("data", "nickname"))
    return nickname.strip() if isinstance(nickname, str) and nickname.strip() else persona.name


def _fields(place: Path) -> tuple[Field, ...]:
    greetings = (*place, "alternate_greetings")
    hearth = (*place, "extensions", "hearth")
    starters = (*hearth, "starters")
    return (
        entries_field(*place),
        line("name", *place, "name", default=UNNAMED),
        text("description", *place, "creator_notes"),
        _prompt(place),
        text("greeting", *place, "first_mes"),
        at_path(
            "greetings",
            greetings,
            lambda card: tuple(one for one in strings(at(card, greetings)) if one.strip()),
            list,
            (),
        ),
        lines("tags", *place, "tags"),
        line("author", *place, "creator"),
        line("version", *place, "character_version", default="1"),
        at_path("starters", starters, lambda card: starters_of(strings(at(card, starters))), list, ()),
        line("licence", *hearth, "licence"),
    )


def _prompt(place: Path) -> Field:
    """`instructions`, whose parts stay in the card, so that they go back to their fields unless they were edited."""

    def read(card: Document) -> str:
        found = {part: at(card, (*place, part)) for part in PARTS}
        return instructions_of({part: value for part, value in found.items() if isinstance(value, str)})

    def write(card: Document, instructions: Any) -> Document:
        for part, value in parts_of(instructions).items():
            card = put(card, (*place, part), value)
        return card

    return Field("instructions", read, write)


def _without_copies(card: Document) -> tuple[tuple[str, ...], Document]:
    data = card["data"]
    assert isinstance(data, dict)
    copied = tuple(
        key
        for key, value in card.items()
        if key not in ("spec", "spec_version", "data")
        and (name := _RENAMED.get(key, key)) in data
        and data[name] == value
    )
    return copied, {key: value for key, value in card.items() if key not in copied}


def _as_version(card: Document, version: int) -> Document:
    if isinstance(card.get("spec"), str) and version_of(card) == version:
        return card
    spec, number = _SPECS[version]
    card = {**card, "spec": spec, "spec_version": number}
    entries = at(card, ("data", "character_book", "entries"))
    if isinstance(entries, list):
        card = put(card, ("data", "character_book", "entries"), [_entry_as(entry, version) for entry in entries])
    if version == 3 and at(card, ("data", "group_only_greetings")) is None:
        card = put(card, ("data", "group_only_greetings"), [])
    return card


def _entry_as(entry: Json, version: int) -> Json:
    """V3 requires `use_regex`; V2 knows no decorators."""
    if not isinstance(entry, dict):
        return entry
    if version == 3:
        return {"use_regex": False, **entry}
    content = entry.get("content")
    return {**entry, "content": without_decorators(content)} if isinstance(content, str) else entry


def _notes(card: Document, version: int) -> list[str]:
    number = card.get("spec_version")
    try:
        newer = version == 3 and float(number if isinstance(number, str | int | float) else 3.0) > 3.0
    except ValueError:
        newer = False
    return [tr("The card was made for a newer version of its format: some of it may not work here.")] if newer else []
