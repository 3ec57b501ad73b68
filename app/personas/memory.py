"""What a person asked a persona to remember: one file beside its versions, in no bundle.

    memory.json     {"on": true, "facts": [{"id", "text", "kept_at", "conversation_id", "message_id", "undone"}]}

Off until the person turns it on. Which words of a person ask for it is `app.personas.remembering`. Two threads may
use one memory; of two programs that change it at once the last one's file stays. Blocks on the disk.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from app.limits import PERSONA_FACT_CHARACTERS, PERSONA_FACTS
from app.personas.declared import Flag, Line, Number, Place, Rule, Several, Table, strict_json
from app.personas.faults import telling
from engine.atomic_write import atomic_write
from engine.context.clean import clean
from engine.errors import LimitError, PersonaError, sentence

FILE_NAME = "memory.json"
_CHANGING = threading.Lock()
"""A change reads the file, and writes it whole."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line that the person asked to have remembered; `kept_at` in seconds since 1970.

    `message_id` is the question that asked, in `conversation_id`; both "" for one that was typed into the list.
    An `undone` one is remembered no longer, and can be again.
    """

    id: str
    text: str
    kept_at: float = 0.0
    conversation_id: str = ""
    message_id: str = ""
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """The whole memory: whether it is used, and all facts, oldest first."""

    on: bool = False
    facts: tuple[Fact, ...] = ()

    @property
    def used(self) -> tuple[Fact, ...]:
        """What a prompt is told."""
        return tuple(each for each in self.facts if not each.undone) if self.on else ()


_ID = Line(64, least=1)
_FACT: Mapping[str, Rule] = MappingProxyType(
    {
        "id": _ID,
        "text": Line(PERSONA_FACT_CHARACTERS, least=1),
        "kept_at": Number(0, 1e12),
        "conversation_id": Line(64),
        "message_id": Line(64),
        "undone": Flag(),
    }
)
_TABLE = Table(Remembered, MappingProxyType({"on": Flag(), "facts": Several(Table(Fact, _FACT), PERSONA_FACTS)}))


class PersonaMemory:
    """The memory of the persona whose folder is `folder`. Changing it raises `PersonaError` or `LimitError`."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE_NAME
        self._now = now

    def read(self) -> Remembered:
        """Nothing where there is none. Raises `PersonaError` for a file that cannot be read."""
        with telling(self._path):
            try:
                data = self._path.read_bytes()
            except FileNotFoundError:
                return Remembered()
        try:
            read = _TABLE.read(strict_json(data.decode("utf-8")), Place(FILE_NAME))
        except ValueError:
            raise PersonaError(sentence("{path} is damaged."), path=self._path) from None
        assert isinstance(read, Remembered)
        return read

    def turn(self, on: bool) -> Remembered:
        """Use it from now on, or not; what it holds stays."""
        return self._change(lambda before: replace(before, on=on))

    def keep(self, text: str, *, conversation_id: str = "", message_id: str = "") -> Fact | None:
        """Remember a line; None where it is known already."""
        line = one_line(text)
        if not line:
            return None
        fact = Fact(uuid.uuid4().hex, line, self._now(), conversation_id, message_id)

        def add(before: Remembered) -> Remembered:
            if any(each.text.casefold() == line.casefold() and not each.undone for each in before.facts):
                return before
            facts = before.facts
            if len(facts) >= PERSONA_FACTS:
                oldest_undone = next((each for each in facts if each.undone), None)
                if oldest_undone is None:
                    raise LimitError(
                        sentence("A persona remembers {limit} things at most. Remove some of them first."),
                        limit=PERSONA_FACTS,
                    )
                facts = tuple(each for each in facts if each is not oldest_undone)
            return replace(before, facts=(*facts, fact))

        return fact if fact in self._change(add).facts else None

    def edit(self, fact_id: str, text: str) -> Remembered:
        """Change the words of a fact. Raises `ValueError` for none."""
        line = one_line(text)
        if not line:
            raise ValueError("a fact needs words; undo it instead")
        return self._change_one(fact_id, lambda fact: replace(fact, text=line))

    def undo(self, fact_id: str, undone: bool = True) -> Remembered:
        """Forget a fact, or remember it after all."""
        return self._change_one(fact_id, lambda fact: replace(fact, undone=undone))

    def clear(self) -> None:
        """Forget everything for good."""
        self._change(lambda before: replace(before, facts=()))

    def _change_one(self, fact_id: str, change: Callable[[Fact], Fact]) -> Remembered:
        def apply(before: Remembered) -> Remembered:
            if not any(each.id == fact_id for each in before.facts):
                raise PersonaError(sentence("This is not remembered any more."))
            facts = tuple(change(each) if each.id == fact_id else each for each in before.facts)
            return replace(before, facts=facts)

        return self._change(apply)

    def _change(self, change: Callable[[Remembered], Remembered]) -> Remembered:
        with _CHANGING:
            before = self.read()
            after = change(before)
            if after != before:
                with telling(self._path):
                    atomic_write(self._path, json.dumps(_TABLE.write(after), ensure_ascii=False, indent=1) + "\n")
            return after


def one_line(text: str) -> str:
    """As a fact is kept: one line without what nobody can see."""
    return " ".join(clean(text, max_characters=4 * PERSONA_FACT_CHARACTERS).text.split())[:PERSONA_FACT_CHARACTERS]
