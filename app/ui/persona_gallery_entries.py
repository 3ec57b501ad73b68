"""What the gallery shows: the person's own personas, those that come with Hearth, and bundles in folders.

Values and how they are found; knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.i18n import error_sentence, tr
from app.personas.builtin import BuiltIn
from app.personas.folder import Shelved
from app.personas.persona import Persona
from app.personas.shelf import Problem
from app.personas.shelves import Offer


class Group(StrEnum):
    """Where an entry comes from, in the order of the list."""

    OWN = "own"
    BUILT_IN = "built_in"
    FOLDERS = "folders"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the gallery; one of `shelved`, `built_in` and `offer` says more, or `problem` why nothing does."""

    group: Group
    key: str
    name: str
    description: str = ""
    author: str = ""
    version: str = ""
    tags: tuple[str, ...] = ()
    starters: tuple[str, ...] = ()
    n_documents: int = 0
    signed_by: str = ""
    shelved: Shelved | None = None
    built_in: BuiltIn | None = None
    offer: Offer | None = None
    problem: str = ""


def group_name(group: Group) -> str:
    """The heading above a group."""
    return {
        Group.OWN: tr("Yours"),
        Group.BUILT_IN: tr("Come with Hearth"),
        Group.FOLDERS: tr("In your folders"),
    }[group]


def entries_of(
    personas: Iterable[Shelved], problems: Iterable[Problem], built_in: Iterable[BuiltIn], offers: Iterable[Offer]
) -> tuple[Entry, ...]:
    """All of it. What comes with Hearth is left out while it is among the person's own."""
    own = tuple(personas)
    there = {each.persona.short_name for each in own}
    return (
        *(_of_persona(Group.OWN, each.persona, each.persona.short_name, shelved=each) for each in own),
        *(
            Entry(Group.OWN, each.short_name, each.short_name, problem=error_sentence(each.error))
            for each in problems
        ),
        *(
            _of_persona(Group.BUILT_IN, each.persona, each.persona.short_name, built_in=each)
            for each in built_in
            if each.persona.short_name not in there
        ),
        *map(_of_offer, offers),
    )  # fmt: skip


def _of_persona(
    group: Group, persona: Persona, key: str, *, shelved: Shelved | None = None, built_in: BuiltIn | None = None
) -> Entry:
    return Entry(
        group, key, persona.name, " ".join(persona.description.split()), persona.author, persona.version, persona.tags,
        persona.starters, len(persona.knowledge), shelved=shelved, built_in=built_in,
    )  # fmt: skip


def _of_offer(offer: Offer) -> Entry:
    problem = error_sentence(offer.fault) if offer.fault is not None else ""
    return Entry(
        Group.FOLDERS, str(offer.path), offer.name, offer.description, offer.author, offer.version, offer.tags,
        n_documents=offer.n_documents, signed_by=offer.signed_by, offer=offer, problem=problem,
    )  # fmt: skip
