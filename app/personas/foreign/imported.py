"""What came out of another program's file. Knows no format's insides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.i18n import ntr
from app.limits import PERSONA_KNOWLEDGE_FILES
from app.personas.names import FILE_NAME_CHARACTERS, is_knowledge_name, same_file
from app.personas.persona import KnowledgeFile, Persona


class Format(StrEnum):
    """A kind of file. All can be read; `CARD_V1` and `CHATGPT` are not written."""

    CARD_V1 = "character_card_v1"
    CARD_V2 = "character_card_v2"
    CARD_V3 = "character_card_v3"
    CARD_V3_PNG = "character_card_v3_png"
    CARD_V2_PNG = "character_card_v2_png"
    CHARX = "charx"
    OPEN_WEBUI = "open_webui"
    LM_STUDIO = "lm_studio"
    JAN = "jan"
    SKILL = "skill"
    CHATGPT = "chatgpt"


Files = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """A persona and what belongs to it.

    `icon` is a PNG file of any size, not decoded; the persona names none until it is kept. `knowledge` are the files
    that `persona.knowledge` lists, in its order. `notes` are sentences on what could not come along.
    """

    persona: Persona
    format: str
    icon: bytes | None = None
    knowledge: Files = ()
    notes: tuple[str, ...] = ()


def knowledge_files(files: Files) -> tuple[KnowledgeFile, ...]:
    """What a persona says of its files."""
    return tuple(KnowledgeFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files)


def plain_names(files: Iterable[tuple[str, bytes]]) -> tuple[dict[str, str], Files, tuple[str, ...]]:
    """Files from folders of a stranger under plain names of their own; what no persona may hold is left out.

    Gives the names in the source by ours, the files, and notes on what was left out.
    """
    sources: dict[str, str] = {}
    kept: list[tuple[str, bytes]] = []
    taken: set[str] = set()
    n_left_out = 0
    for source, data in files:
        name = source if "/" not in source and "\\" not in source else source.replace("\\", "/").replace("/", "-")
        fits = len(name) <= FILE_NAME_CHARACTERS and is_knowledge_name(name) and same_file(name) not in taken
        if not fits or len(kept) >= PERSONA_KNOWLEDGE_FILES:
            n_left_out += 1
            continue
        taken.add(same_file(name))
        sources[name] = source
        kept.append((name, data))
    notes = (
        (
            ntr(
                "{count} file was left out: Hearth cannot answer from files of its kind or name.",
                "{count} files were left out: Hearth cannot answer from files of their kinds or names.",
                n_left_out,
            ),
        )
        if n_left_out
        else ()
    )
    return sources, tuple(kept), notes
