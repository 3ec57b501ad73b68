"""What both sides have said lately, as captions: from what the voice hears and speaks, and from the chat's messages.

Stable words stay as they are; of an answer that is being spoken it is known how much was heard. Values and rules only;
knows no widget, and of the conversation only what it is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.events import MessageAdded, MessageFinished, Streamed
from app.store.types import StoredMessage, UnspokenPart
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar
from engine.context.segments import Role
from engine.types import TextDelta
from voice.stt.partials import Partial
from voice.turn_events import TextStatus

KEPT = 8
_MARKS = re.compile(r"\*\*|__|`+|^#{1,6} +|^ *[-*] (?=\S)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Caption:
    """Of `text`, `firm` is sure, or was heard; `rest` may still change, or is yet to be spoken, or never was."""

    is_person: bool
    firm: str
    rest: str = ""
    is_cut: bool = False
    """It was interrupted after `firm`."""


@dataclass(slots=True)
class _Said:
    is_person: bool
    text: str
    firm: int = 0
    """Characters."""
    message_id: str = ""
    is_growing: bool = False
    """Of the person, more or other words may come; of an answer, more is to be spoken."""
    is_by_voice: bool = True
    """Of the person; not typed."""
    is_cut: bool = False


class Exchange:
    """The captions of one conversation by speech, oldest first."""

    def __init__(self) -> None:
        self._said: list[_Said] = []

    @property
    def captions(self) -> tuple[Caption, ...]:
        return tuple(_caption(said) for said in self._said if said.text)

    def settle(self) -> None:
        """Nobody speaks: words that came to nothing go, and of no answer more is to be heard."""
        if self._said and self._said[-1].is_person and self._said[-1].is_growing:
            self._said.pop()
        for said in self._said:
            said.is_growing = False

    def hear(self, event: HeardSoFar | HeardText) -> None:
        """More of what the person says. What never became a question is dropped."""
        if isinstance(event, HeardText) and event.status is TextStatus.COMMITTED:
            self._commit(event.text)
            return
        said = self._growing()
        if isinstance(event, HeardSoFar):
            said.text, said.firm = Partial(event.stable, event.tail).text, len(event.stable)
        elif event.status is TextStatus.RESCUED:
            self._said.remove(said)
        elif event.status is TextStatus.PROVISIONAL:
            said.text, said.firm = event.text, min(said.firm, len(event.text))

    def _commit(self, text: str) -> None:
        before = [said for said in self._said if said.is_person and not said.is_growing]
        if before and before[-1].message_id and before[-1].text.strip() == text.strip() and not before[-1].is_by_voice:
            before[-1].is_by_voice = True  # its message was quicker
            self._said = [said for said in self._said if not (said.is_person and said.is_growing)]
            return
        said = self._growing()
        said.text, said.firm, said.is_growing = text, len(text), False

    def take(self, event: MessageAdded | Streamed | MessageFinished) -> None:
        """What happened in the conversation."""
        if isinstance(event, MessageAdded):
            self._add(event.message)
        elif isinstance(event, Streamed):
            said = self._of(event.message_id)
            if said is not None and isinstance(event.event, TextDelta):
                said.text += event.event.text
        elif (said := self._of(event.message.id)) is not None:
            self._keep(said, event.message)

    def spoken(self, event: SpokenSoFar) -> None:
        if (said := self._of(event.message_id)) is not None:
            said.firm = max(said.firm, event.characters)

    def stored(self, path: Sequence[StoredMessage]) -> None:
        """The conversation's messages as they are now: of an interrupted one, what was heard."""
        for message in path:
            if any(isinstance(part, UnspokenPart) for part in message.parts) and (said := self._of(message.id)):
                self._keep(said, message)

    def _growing(self) -> _Said:
        if not self._said or not self._said[-1].is_person or not self._said[-1].is_growing:
            self._append(_Said(True, "", is_growing=True))
        return self._said[-1]

    def _append(self, said: _Said) -> None:
        self._said = [*self._said[1 - KEPT :], said]

    def _add(self, message: StoredMessage) -> None:
        last = self._said[-1] if self._said else None
        if message.role is Role.USER:
            asked = last is not None and last.is_person and not last.is_growing and not last.message_id
            if last is not None and asked and last.text.strip() == message.text.strip():
                last.message_id = message.id
            else:
                text = message.text
                self._append(_Said(True, text, len(text), message.id, is_by_voice=False))
        elif message.role is Role.ASSISTANT and self._of(message.id) is None:
            question = self._of(message.parent_id or "")
            by_voice = question is not None and question.is_by_voice
            self._append(_Said(False, message.text, message_id=message.id, is_growing=by_voice))

    def _keep(self, said: _Said, message: StoredMessage) -> None:
        unheard = "".join(part.text for part in message.parts if isinstance(part, UnspokenPart))
        said.text, said.is_cut = message.text + unheard, bool(unheard)
        if unheard:
            said.firm = len(message.text)

    def _of(self, message_id: str) -> _Said | None:
        return next((said for said in self._said if message_id and said.message_id == message_id), None)


def _caption(said: _Said) -> Caption:
    firm = said.firm if said.is_growing or said.is_cut else len(said.text)
    if said.is_person:
        return Caption(True, said.text[:firm], said.text[firm:])
    heard, rest = _plain(said.text[:firm]), _plain(said.text[firm:]).rstrip()
    return Caption(False, heard if rest else heard.rstrip(), rest, said.is_cut)


def _plain(markdown: str) -> str:
    """Without the commonest signs, so that it reads as it sounds."""
    return _MARKS.sub("", markdown)
