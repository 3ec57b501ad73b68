"""Another program's file as a persona, whichever format it is, and a persona as such a file.

The format is found by what is in the file, not by its name. Raises `PersonaError` for what cannot be read or written,
`LimitError` beyond the caps of `app.limits`. Blocks on the disk; belongs off the window's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app.i18n import ntr, tr
from app.limits import PERSONA_BUNDLE_BYTES
from app.personas.document import instructions_bytes, toml_bytes
from app.personas.foreign import card, card_files, jan, lm_studio, open_webui, skill, skill_files
from app.personas.foreign.documents import Document, dumped, parsed, text_of
from app.personas.foreign.imported import Files, Format, Imported
from app.personas.foreign.macros import with_names
from app.personas.foreign.png_text import SIGNATURE
from app.personas.patterns import pattern_of
from app.personas.persona import Json, Persona, Sampling
from engine.atomic_write import atomic_write
from engine.errors import LimitError, PersonaError, sentence

_CARDS = (Format.CARD_V3_PNG, Format.CARD_V3, Format.CARD_V2_PNG, Format.CARD_V2, Format.CHARX)
WRITTEN = (*_CARDS, Format.OPEN_WEBUI, Format.LM_STUDIO, Format.JAN, Format.SKILL)
SUFFIXES: Mapping[Format, str] = {
    Format.CARD_V3_PNG: ".png",
    Format.CARD_V3: ".json",
    Format.CARD_V2_PNG: ".png",
    Format.CARD_V2: ".json",
    Format.CHARX: ".charx",
    Format.OPEN_WEBUI: ".json",
    Format.LM_STUDIO: ".preset.json",
    Format.JAN: ".json",
    Format.SKILL: "",
}
"""What the names of files of a format end with; a skill is a folder, or with ".zip" a file."""
_UNKNOWN = sentence("{name} is none of the kinds that Hearth can make a persona of.")
_ZIP = b"PK\x03\x04"
_MOST_MODELS = 100
_USER = "the user"
"""Who talks with a character in a program that puts no name in."""


def read(path: Path) -> Imported:
    """The persona in a file, or in a skill's or assistant's folder; of several the first, with a note."""
    found = read_all(path)
    if len(found) == 1:
        return found[0]
    note = ntr(
        "The file holds {count} more; only this one was read.",
        "The file holds {count} more; only the first was read.",
        len(found) - 1,
    )
    return replace(found[0], notes=(*found[0].notes, note))


def read_all(path: Path) -> tuple[Imported, ...]:
    """All the personas in a file, one at least: exports of Open WebUI hold several."""
    try:
        found = _in_folder(path) if path.is_dir() else _in_file(path)
    except OSError as error:
        raise PersonaError(
            sentence("{name} cannot be read: {reason}."), name=path.name, reason=error.strerror or error
        ) from error
    return tuple(_checked(each, path.name) for each in found)


def write(persona: Persona, kind: str, path: Path, icon: bytes | None = None, knowledge: Files = ()) -> None:
    """Write a persona as one of `WRITTEN`, replacing a file; a skill's folder must be new or empty.

    `icon` is a PNG file, `knowledge` the persona's files by their names; what the format has no place for stays away.
    """
    persona = _spoken(persona, kind)
    try:
        if kind == Format.SKILL:
            skill_files.write(persona, path, knowledge)
        else:
            atomic_write(path, _WRITERS[Format(kind)](persona, icon), mode=0o644)
    except OSError as error:
        raise PersonaError(
            sentence("{name} cannot be written: {reason}."), name=path.name, reason=error.strerror or error
        ) from error


def left_out(persona: Persona, kind: str) -> tuple[str, ...]:
    """Sentences on what of a persona a format has no place for and a person would miss."""
    is_card = kind in _CARDS
    missed = []
    if persona.keyed and not is_card:
        missed.append(tr("The knowledge that is called by words stays behind."))
    if persona.knowledge and kind != Format.SKILL:
        missed.append(tr("The documents stay behind."))
    if (persona.greeting or persona.greetings) and not is_card:
        missed.append(tr("The greeting stays behind."))
    if persona.starters and kind in (Format.LM_STUDIO, Format.JAN, Format.SKILL):
        missed.append(tr("The first questions stay behind."))
    if persona.sampling != Sampling() and (is_card or kind == Format.SKILL):
        missed.append(tr("The settings of the model stay behind."))
    return tuple(missed)


def _spoken(persona: Persona, kind: str) -> Persona:
    """A card with its names put in, for programs that know no cards."""
    if kind in _CARDS or card.NAME not in persona.extensions or kind in persona.extensions:
        return persona
    name = card.character_name(persona)
    return replace(persona, instructions=with_names(persona.instructions, name, _USER))


def _in_folder(path: Path) -> tuple[Imported, ...]:
    if (path / skill.FILE).is_file():
        return (skill_files.read_folder(path),)
    if (path / "assistant.json").is_file():
        return _in_file(path / "assistant.json")
    raise PersonaError(_UNKNOWN, name=path.name)


def _in_file(path: Path) -> tuple[Imported, ...]:
    if not path.is_file():
        raise PersonaError(sentence("{name} is not a file that can be read."), name=path.name)
    with path.open("rb") as file:
        data = file.read(PERSONA_BUNDLE_BYTES + 1)
    if len(data) > PERSONA_BUNDLE_BYTES:
        raise LimitError(
            sentence("{name} is too large: {limit} MB are the most."), name=path.name, limit=PERSONA_BUNDLE_BYTES >> 20
        )
    if data.startswith(SIGNATURE):
        return (card_files.read_png(data, path.name),)
    if data.startswith(_ZIP):
        return (_in_zip(data, path.name),)
    text = text_of(data, path.name).lstrip()
    if text.startswith("---"):
        return (skill.read_skill(text, (), path.name),)
    if not text.startswith(("{", "[")):
        raise PersonaError(_UNKNOWN, name=path.name)
    return _in_json(parsed(data, path.name), path.name)


def _in_zip(data: bytes, name: str) -> Imported:
    found = card_files.read_charx(data, name) or skill_files.read_zip(data, name)
    if found is None:
        raise PersonaError(_UNKNOWN, name=name)
    return found


def _in_json(document: Json, name: str) -> tuple[Imported, ...]:
    several = document if isinstance(document, list) else [document]
    found = tuple(each for each in map(_one, several[:_MOST_MODELS]) if each is not None)
    if not found:
        raise PersonaError(_UNKNOWN, name=name)
    return found


def _one(document: Json) -> Imported | None:
    if not isinstance(document, dict):
        return None
    return next((read_one(document) for is_one, read_one in _KINDS if is_one(document)), None)


def _checked(imported: Imported, name: str) -> Imported:
    """As it was, with what else there is to say; raises for what no persona may hold."""
    try:
        toml_bytes(imported.persona)
        instructions_bytes(imported.persona)
    except LimitError as error:
        raise LimitError(sentence("{name} holds more text than a persona may."), name=name) from error
    except PersonaError as error:
        raise PersonaError(sentence("{name} holds something that no persona may hold."), name=name) from error
    n_unheard = sum(
        entry.extensions.get("use_regex") is True and not any(map(pattern_of, entry.keys))
        for entry in imported.persona.keyed
    )
    if not n_unheard:
        return imported
    note = ntr(
        "{count} entry is called by a pattern that Hearth does not run, so it is never used.",
        "{count} entries are called by patterns that Hearth does not run, so they are never used.",
        n_unheard,
    )
    return replace(imported, notes=(*imported.notes, note))


_KINDS: tuple[tuple[Callable[[Document], bool], Callable[[Document], Imported]], ...] = (
    (card.is_card, card.read_card),
    (lm_studio.is_preset, lm_studio.read_preset),
    (open_webui.is_model, open_webui.read_model),
    (jan.is_assistant, jan.read_assistant),
)
_WRITERS: Mapping[Format, Callable[[Persona, bytes | None], str | bytes]] = {
    Format.CARD_V3_PNG: lambda persona, icon: card_files.png_of(persona, icon, 3),
    Format.CARD_V3: lambda persona, icon: card_files.json_of(persona, icon, 3),
    Format.CARD_V2_PNG: lambda persona, icon: card_files.png_of(persona, icon, 2),
    Format.CARD_V2: lambda persona, icon: card_files.json_of(persona, icon, 2),
    Format.CHARX: card_files.charx_of,
    Format.OPEN_WEBUI: lambda persona, icon: dumped([open_webui.model_of(persona, icon)]),
    Format.LM_STUDIO: lambda persona, icon: dumped(lm_studio.preset_of(persona)),
    Format.JAN: lambda persona, icon: dumped(jan.assistant_of(persona)),
}
