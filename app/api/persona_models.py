"""Personas as models of the API: those that the person has looked at, with their instructions and their documents.

A conversation lives with the client here, so nothing is stored; what a persona was asked to remember is the person's
own and stays out. Blocks on the disk and on the library: never on an event loop.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from app.api.faults import UnknownModelError
from app.api.ports import PERSONA, Dressed, Kind, Served
from app.consulting import PATIENCE_S, is_asked, most_characters, sources_part
from app.document_questions import search_words
from app.personas.builtin import put_on
from app.prompting import prompt_message, sampling_of
from app.prompting_persona import drawn_as, persona_segments, thinks
from app.services import Services
from app.store.types import Conversation, MessageState, Part, SourcesPart, StoredMessage, TextPart
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.errors import PersonaError
from rag.passages import Way

if TYPE_CHECKING:
    from app.personas.folder import Shelved

_NOTHING = (
    "My documents hold nothing that answers the question that follows. Say that my documents do not say, and nothing"
    " else.\n\n"
)


class ServedPersonas:
    """A `Personas` of the person's own shelf, with those that come with Hearth."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # Passages stand between marks made of this and the question: nobody foresees them, and a question that is
        # asked again is the same prompt, which need not be read again.
        self._secret = secrets.token_bytes(16)
        with suppress(PersonaError):  # a folder that cannot be written can be read still
            put_on(services.personas.shelf)

    def served(self) -> Sequence[Served]:
        listing = self._services.personas.shelf.listing()
        return [Served(PERSONA + each.persona.short_name, Kind.PERSONA) for each in listing.personas if each.usable]

    def dress(self, short_name: str, messages: Sequence[PromptMessage]) -> Dressed:
        services = self._services
        shelf = services.personas.shelf
        shelved = shelf.get(short_name) if shelf.has(short_name) else None
        conversation = _conversation(short_name)
        persona = services.dress(conversation) if shelved is not None else None
        if shelved is None or persona is None or not shelved.usable:
            raise UnknownModelError("There is no persona called “{name}”.", name=short_name, param="model")
        persona = replace(persona, facts=())
        own = "\n\n".join(each.text for each in messages if each.role is Role.SYSTEM)
        head = PromptMessage(Role.SYSTEM, persona_segments(persona, own, ()))
        said = [each for each in messages if each.role is not Role.SYSTEM]
        path = [_stored(conversation, each) for each in said]
        sources = self._found(shelved, path)
        if said and said[-1].role is Role.USER:
            said[-1] = replace(said[-1], segments=(*self._material(shelved, path, sources), *said[-1].segments))
        return Dressed(
            messages=(head, *said),
            sampling=drawn_as(persona.persona, sampling_of(services.settings)),
            thinking=thinks(persona, services.settings),
            adapters=persona.adapters,
            sources=sources,
        )

    def _found(self, shelved: Shelved, path: Sequence[StoredMessage]) -> SourcesPart | None:
        """What the persona's documents say to the last question; None where they are not asked."""
        if not is_asked(path):
            return None
        collection = self._services.personas.documents.collection(shelved)
        if collection is None:
            return None
        words = search_words(path)
        most = most_characters(self._services.settings, self._services.engine)
        found = self._services.documents.search(
            words, most_characters=most, collection_ids=(collection,), wait_s=PATIENCE_S
        ).result()
        return sources_part(found, "" if words == path[-1].text else words)

    def _material(
        self, shelved: Shelved, path: Sequence[StoredMessage], sources: SourcesPart | None
    ) -> tuple[Segment, ...]:
        from app.persona_knowledge import keyed_part  # noqa: PLC0415  # most personas have none
        from app.personas.in_use import PersonaInUse  # noqa: PLC0415

        only = shelved.persona.documents_only
        if sources is not None and sources.way == Way.NOTHING and only:
            return (Segment(_NOTHING, Origin.APP),)
        model = self._services.engine.state.model
        keyed = keyed_part(PersonaInUse(shelved.persona), path, model.n_ctx if model is not None else None)
        parts: tuple[Part, ...] = tuple(part for part in (sources, keyed) if part is not None)
        mark = hmac.digest(self._secret, path[-1].text.encode(), "sha256").hex()
        asked = replace(path[-1], id=mark, parts=parts)
        return prompt_message(asked, documents_only=only).segments


def _conversation(short_name: str) -> Conversation:
    """One that is nowhere: for what asks for a persona by its conversation."""
    return Conversation("", "", title_is_automatic=False, created_at=0.0, updated_at=0.0, persona=short_name)


def _stored(conversation: Conversation, message: PromptMessage) -> StoredMessage:
    parts = (TextPart(message.text),)
    return StoredMessage("", conversation.id, None, message.role, parts, MessageState.COMPLETE, time.time())
