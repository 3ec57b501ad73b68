"""A persona as prompts and windows use it: with the names put in, and without what nobody can see. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.limits import PERSONA_TEXT_CHARACTERS
from app.personas.foreign import card
from app.personas.foreign.macros import with_names
from app.personas.memory import Fact
from app.personas.persona import Persona
from engine.context.clean import clean
from engine.types import Adapter

THE_USER = "the user"
"""Who talks with it, as the model reads it."""
_NAMES = re.compile(r"\{\{\s*(char|user)\s*\}\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonaInUse:
    """What a prompt needs of a persona. `adapters` None: those of the loaded model."""

    persona: Persona
    facts: tuple[Fact, ...] = ()
    adapters: tuple[Adapter, ...] | None = None

    @property
    def instructions(self) -> str:
        """As the model reads them."""
        return spoken(self.persona, self.persona.instructions)


def spoken(persona: Persona, text: str, user: str = THE_USER) -> str:
    """A text of a persona with its name and the `user`'s in it, cleaned.

    In a character card's all the macros of its format; in others the two names only, as a text may well speak of
    <user> and mean nobody.
    """
    name = card.character_name(persona)
    if card.NAME in persona.extensions:
        text = with_names(text, name, user)
    else:
        text = _NAMES.sub(lambda match: name if match[1].lower() == "char" else user, text)
    return clean(text, max_characters=PERSONA_TEXT_CHARACTERS).text.strip()
