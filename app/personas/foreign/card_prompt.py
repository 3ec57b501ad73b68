"""The six texts of a character card that make its prompt, as one Markdown text, and back. Knows no file.

A small model follows a few plain headings well, and a card's own words best untouched. The card's system prompt stands
first, without a heading: a persona that was never a card is all system prompt, and so is a text that a person has
rewritten without the headings (frontends replace their own prompt by it: Character Card V2, `system_prompt`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LEAD = "You are {{char}}, and you are talking with {{user}}. Stay in character and answer as {{char}} would."
"""Where a card has no system prompt, and for its {{original}}, which means that of the frontend."""
SYSTEM = "system_prompt"
HEADINGS: Mapping[str, str] = {
    "description": "## Who {{char}} is",
    "personality": "## Personality",
    "scenario": "## The situation",
    "mes_example": "## How {{char}} talks",
    "post_history_instructions": "## Always remember",
}
"""By the card's field, in their order; a heading is found where it is a line of its own."""
PARTS = (SYSTEM, *HEADINGS)

_ORIGINAL = re.compile(r"\{\{\s*original\s*\}\}", re.IGNORECASE)
_HEADING = re.compile("^(?:" + "|".join(re.escape(heading) for heading in HEADINGS.values()) + ")$", re.MULTILINE)


def instructions_of(parts: Mapping[str, str]) -> str:
    """One text of a card's parts; what is missing or blank is left out."""
    described = {name: parts.get(name, "").strip() for name in HEADINGS}
    described["post_history_instructions"] = _ORIGINAL.sub("", described["post_history_instructions"]).strip()
    system = _ORIGINAL.sub(LEAD, parts.get(SYSTEM, "")).strip()
    sections = [f"{HEADINGS[name]}\n\n{text}" for name, text in described.items() if text]
    if sections:
        system = system or LEAD
    return "\n\n".join([system, *sections] if system else sections)


def parts_of(instructions: str) -> dict[str, str]:
    """All the parts of a text, of which `instructions_of` makes the same text again, but for blanks around it.

    What stands under one of our headings is its part; without them, or where they stand in another order, the whole
    text is the system prompt.
    """
    text = instructions.strip()
    nothing = dict.fromkeys(PARTS, "")
    parts = dict(nothing)
    found = list(_HEADING.finditer(text))
    names = {heading: name for name, heading in HEADINGS.items()}
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):
        parts[names[match[0]]] = text[match.end() : end].strip()
    system = text[: found[0].start()].strip() if found else text
    parts[SYSTEM] = "" if found and system == LEAD else system
    return parts if instructions_of(parts) == text else nothing | {SYSTEM: text}
