"""A ChatGPT GPT rebuilt from what its editor shows: OpenAI exports no GPTs, so people copy the fields of "Configure".

The editor's fields are Name, Description, Instructions, Conversation starters, Knowledge and Capabilities
(help.openai.com, "Creating and editing GPTs"). Knows no window and no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.i18n import tr
from app.limits import PERSONA_LIST_ITEMS
from app.personas.foreign.fields import a_line, starters_of
from app.personas.foreign.imported import Files, Format, Imported, knowledge_files, plain_names
from app.personas.names import short_name_of
from app.personas.persona import Persona
from engine.errors import PersonaError, sentence

_LABELS = {
    "name": "name",
    "description": "description",
    "beschreibung": "description",
    "instructions": "instructions",
    "anweisungen": "instructions",
    "hinweise": "instructions",
    "conversation starters": "starters",
    "gesprächseinstiege": "starters",
    "knowledge": "",
    "wissen": "",
    "capabilities": "",
    "fähigkeiten": "",
    "actions": "",
    "aktionen": "",
}
"""What stands above each field; "" for what cannot be copied as text."""
_ORDER = ("name", "description", "instructions", "starters", "")
_HINTS = (
    "name your gpt",
    "add a short description about what this gpt does",
    "what does this gpt do? how does it behave? what should it avoid doing?",
    "conversations with your gpt can potentially include part or all of the instructions provided.",
)
"""What the editor shows in and below empty fields, and a copy of the page takes along."""
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])(?:\s+|$)")
_QUOTES = {'"': '"', "“": "”", "„": "“", "'": "'", "«": "»"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The fields as they were copied. `starters`: one a line."""

    name: str = ""
    description: str = ""
    instructions: str = ""
    starters: str = ""


def configuration_of(pasted: str) -> Configuration:
    """The fields of a copy of the whole page: what follows each label, in the order of the editor.

    A label is a line of its own, and only counts once and in its order, so that instructions may have such headings.
    Without any label all is instructions.
    """
    found: dict[str, list[str]] = {}
    current = "instructions"
    labelled = False
    for line in pasted.replace("\r\n", "\n").split("\n"):
        field = _LABELS.get(line.strip().rstrip(":*").lower())
        is_next = field is not None and (not labelled or _ORDER.index(field) > _ORDER.index(current))
        if field is not None and is_next:
            current, labelled = field, True
        else:
            found.setdefault(current, []).append(line)
    texts = {field: _without_hints(lines) for field, lines in found.items() if field}
    return Configuration(**texts)


def rebuilt(configuration: Configuration, files: Files = ()) -> Imported:
    """The persona of a GPT; `files` are its knowledge, which people still have. Raises `PersonaError` for nothing."""
    instructions = configuration.instructions.strip()
    name = a_line(configuration.name)
    if not instructions and not name:
        raise PersonaError(sentence("Paste at least the GPT’s name and its instructions."))
    _, kept, notes = plain_names(files)
    name = name or tr("My GPT")
    persona = Persona(
        short_name=short_name_of(name),
        name=name,
        description=configuration.description.strip(),
        instructions=instructions,
        starters=starters_in(configuration.starters),
        knowledge=knowledge_files(kept),
    )
    return Imported(persona, Format.CHATGPT, knowledge=kept, notes=notes)


def starters_in(pasted: str) -> tuple[str, ...]:
    """One starter a line, without bullets and quotation marks around it, each once."""
    starters = (_unquoted(_BULLET.sub("", line.strip())) for line in pasted.splitlines())
    return starters_of(dict.fromkeys(starters))[:PERSONA_LIST_ITEMS]


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and _QUOTES.get(text[0]) == text[-1]
    return text[1:-1].strip() if quoted else text


def _without_hints(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line.strip().lower() not in _HINTS).strip()
