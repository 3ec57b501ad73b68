"""What a person has decided about a persona: where it came from, what of it was accepted, what it was granted.

An imported persona may be used once the person has looked at it; a change by anybody else must be looked at again.
Nothing is granted by default. Knows no folder and no window.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from app.personas.declared import Choice, Line, Place, Rule, Several, Table, strict_json
from app.personas.document import SHA256
from engine.errors import LimitError, PersonaError

FILE_NAME = "trust.json"
_MOST = 1_000
"""Versions of a persona that are remembered as accepted."""


class Origin(StrEnum):
    """Whose a persona is."""

    OWN = "own"
    IMPORTED = "imported"
    BUILT_IN = "built_in"
    """Comes with Hearth; what was put there, and what the person made of it since, is accepted."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`accepted` are fingerprints of what was seen and accepted; `granted` the tools that it may use.

    `source` is the name of the file it came in, `public_key` its author's, in hex, "" for none.
    """

    origin: Origin = Origin.IMPORTED
    source: str = ""
    public_key: str = ""
    accepted: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()

    def allows(self, fingerprint: str) -> bool:
        """Whether a persona of that fingerprint may be used."""
        return self.origin is Origin.OWN or fingerprint in self.accepted

    def accepting(self, fingerprint: str) -> Trust:
        """The person has looked at it."""
        if self.allows(fingerprint):
            return self
        return replace(self, accepted=(*self.accepted, fingerprint)[-_MOST:])

    def granting(self, tool: str, granted: bool) -> Trust:
        """The person has turned the switch of a tool."""
        others = tuple(each for each in self.granted if each != tool)
        return replace(self, granted=tuple(sorted((*others, tool))) if granted else others)


_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "origin": Choice(Origin),
        "source": Line(),
        "public_key": Line(64, pattern=f"(?:{SHA256})?"),
        "accepted": Several(Line(64, pattern=SHA256), _MOST),
        "granted": Several(Line(least=1)),
    }
)
_TABLE = Table(Trust, _RULES)


def trust_bytes(trust: Trust) -> bytes:
    return (json.dumps(_TABLE.write(trust), indent=1, sort_keys=True) + "\n").encode()


def read_trust(data: bytes) -> Trust:
    """What was decided; nothing, where that cannot be read."""
    try:
        read = _TABLE.read(strict_json(data.decode("utf-8")), Place(FILE_NAME))
    except (ValueError, PersonaError, LimitError):
        return Trust()
    assert isinstance(read, Trust)
    return read
