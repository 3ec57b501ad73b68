"""All that a conversation's requests are made of, read at one moment.

For requests that nobody typed: a look at the window, a summary, a title. Touches the store in `PromptSource.read` only.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.prompting import FindImage, build_request, no_images, prompt_messages
from app.settings import Settings
from app.store.summaries import newest_on
from app.store.types import Conversation, MessageState, StoredMessage, Summary
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    from app.personas.in_use import PersonaInUse
    from app.store.store import ConversationStore


Dress = Callable[[Conversation], "PersonaInUse | None"]
"""The persona of a conversation as its prompts use it; None where there is none."""


def nobody(_conversation: Conversation) -> PersonaInUse | None:
    """Every conversation without its persona."""
    return None


@dataclass(frozen=True, slots=True)
class PromptSource:
    """`summary` is the one that counts."""

    conversation: Conversation
    path: tuple[StoredMessage, ...]
    summary: Summary | None
    find: FindImage = no_images
    dress: Dress = nobody

    @classmethod
    def read(cls, store: ConversationStore, conversation_id: str, dress: Dress = nobody) -> PromptSource:
        """On the store's thread. Raises `StoreError`."""
        path = tuple(store.path(conversation_id))
        summary = newest_on(path, store.summaries(conversation_id))
        return cls(store.conversation(conversation_id), path, summary, store.images.ref, dress)

    def request(self, name: str, settings: Settings) -> GenerationRequest:
        """The request as it would be now; its id begins with `name`.

        Cleaning long files takes time: not on a thread that a frame waits for.
        """
        whole = [message for message in self.path if message.state is not MessageState.STREAMING]
        return build_request(
            _new_id(name),
            self.conversation,
            whole,
            settings,
            summary=self.summary,
            find=self.find,
            persona=self.dress(self.conversation),
        )

    def wish(
        self, name: str, instruction: str, settings: Settings, sampling: SamplingParams, *, covering: int | None = None
    ) -> GenerationRequest:
        """Ask something of the model behind the first `covering` messages (all of them), in the background.

        `sampling` limits the answer's tokens.
        """
        persona = self.dress(self.conversation)
        path = self.path[:covering]
        messages = prompt_messages(self.conversation, path, settings, self.summary, self.find, persona=persona)
        assert sampling.max_tokens is not None
        return GenerationRequest(
            request_id=_new_id(name),
            messages=(*messages, PromptMessage(Role.USER, (Segment(instruction, Origin.APP),))),
            sampling=sampling,
            answer_reserve=sampling.max_tokens,
            thinking=False,
            background=True,
            cache_key=self.conversation.id,
            adapters=None if persona is None else persona.adapters,
        )


def _new_id(name: str) -> str:
    """A request's id that no other has."""
    return f"{name}-{uuid.uuid4().hex}"
