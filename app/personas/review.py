"""All of a persona as a person looks at it before its first use: every word of it, and what it asks for.

Text only, translated; knows no window.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.amounts import bytes_text
from app.i18n import tr
from app.personas.folder import Shelved
from app.personas.persona import KeyedEntry, Persona
from app.personas.reveal import Mark, Piece, reveal
from app.personas.signing import Author, key_words
from app.personas.trust import Origin


@dataclass(frozen=True, slots=True)
class Section:
    """One text of a persona under its label."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A switch: something the persona asks to be allowed, in plain words."""

    tool: str
    words: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Review:
    """What to show. `warnings` are sentences, the gravest first; `origin` says whose it is."""

    origin: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    asks: tuple[Ask, ...]


def review(shelved: Shelved, author: Author = Author.UNSIGNED) -> Review:
    """`author` is what is known of the key that signed it (`Keys.author`)."""
    persona, trust = shelved.persona, shelved.trust
    sections = tuple(Section(label, reveal(text)) for label, text in _texts(persona) if text)
    return Review(
        _origin(shelved, author),
        tuple(_warnings(shelved, author, sections)),
        sections,
        tuple(
            Ask(tool, tr("Use the tool “{tool}”", tool=tool), tool in trust.granted)
            for tool in dict.fromkeys(persona.tools)
        ),
    )


def _origin(shelved: Shelved, author: Author) -> str:
    trust = shelved.trust
    if trust.origin is Origin.OWN:
        return tr("Made on this computer.")
    if trust.origin is Origin.BUILT_IN:
        return tr("Comes with Hearth.")
    if not trust.public_key:
        return tr("From the file {file}. Nobody has signed it.", file=trust.source)
    words = key_words(trust.public_key)
    if author is Author.OWN:
        return tr("From the file {file}, signed with your own key.", file=trust.source)
    if author is Author.KNOWN:
        return tr(
            "From the file {file}, signed with a key you have accepted before: {words}", file=trust.source, words=words
        )
    return tr(
        "From the file {file}, signed with a key you have not met before: {words}. Ask the author for these words"
        " if it matters who it is.",
        file=trust.source,
        words=words,
    )  # fmt: skip


def _warnings(shelved: Shelved, author: Author, sections: tuple[Section, ...]) -> Iterator[str]:
    if author is Author.OTHER:
        yield tr(
            "You know an author “{author}” with another key. This may be somebody else.", author=shelved.persona.author
        )
    marks = {piece.mark for section in sections for piece in section.pieces}
    if Mark.HIDDEN in marks:
        yield tr("It holds characters that nobody can see. They are spelled out below, and the model never gets them.")
    if Mark.LOOKALIKE in marks:
        yield tr("It holds words with letters that only look like others. They are marked below.")


def _texts(persona: Persona) -> Iterator[tuple[str, str]]:
    yield tr("Name"), persona.name
    yield tr("Description"), persona.description
    yield tr("Author"), persona.author
    yield tr("Licence"), persona.licence
    yield tr("Version"), persona.version
    yield tr("Instructions"), persona.instructions
    yield tr("Greeting"), persona.greeting
    for greeting in persona.greetings:
        yield tr("Another greeting"), greeting
    yield tr("Starters"), "\n".join(persona.starters)
    yield tr("Tags"), ", ".join(persona.tags)
    yield tr("Changes"), persona.changelog
    yield tr("Preferred models"), ", ".join(persona.models)
    for entry in persona.keyed:
        yield _keyed_label(entry), _keyed_text(entry)
    yield tr("Documents"), "\n".join(f"{each.name} ({bytes_text(each.size_bytes)})" for each in persona.knowledge)
    if persona.adapter is not None:
        yield tr("Adapter"), persona.adapter.sha256
    yield from _foreign(persona.extensions)


def _keyed_label(entry: KeyedEntry) -> str:
    if not entry.enabled:
        return tr("Turned off")
    return tr("Always added") if entry.constant else tr("Added when its words are talked of")


def _keyed_text(entry: KeyedEntry) -> str:
    words = ", ".join(f"“{key}”" for key in (*entry.keys, *entry.also))
    more = json.dumps(dict(entry.extensions), ensure_ascii=False) if entry.extensions else ""
    return "\n".join(part for part in (entry.name, words, entry.text, more) if part)


def _foreign(extensions: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(extensions.items()):
        yield tr("For other programs ({format})", format=name), json.dumps(value, ensure_ascii=False, indent=1)
