"""From a request of any route to the engine's: the model or persona it names, its messages, how it is drawn.

Knows no answer. One event loop; what blocks (a persona's documents) is done on a thread.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from app.api.admission import Admission
from app.api.answering import Kernel
from app.api.faults import InvalidRequestError, UnknownModelError
from app.api.images import ImageShelf
from app.api.ports import DEFAULT_MODEL, PERSONA, Parts
from app.store.types import SourcesPart
from engine.context.segments import PromptMessage
from engine.types import Adapter, GenerationRequest, LoadedModel, OverflowPolicy, SamplingParams

ANSWER_RESERVE = 512
"""Tokens kept free for the answer, where it has no smaller limit."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes share, in `request.app.state.desk`."""

    parts: Parts
    kernel: Kernel
    images: ImageShelf
    sounds: Admission
    """Who may have something heard or spoken now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's prompt. `model` is the name of the model that answers it."""

    model: str
    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams
    thinking: bool | None = None
    adapters: tuple[Adapter, ...] | None = None
    sources: SourcesPart | None = None

    def maker(self, request_id: str) -> Callable[[LoadedModel], GenerationRequest]:
        """For `Kernel.answer`."""

        def make(loaded: LoadedModel) -> GenerationRequest:
            seen = any(segment.image is not None for message in self.messages for segment in message.segments)
            if seen and not loaded.can_see:
                raise InvalidRequestError("This model cannot see images.", param="messages")
            if not loaded.can_chat:
                raise InvalidRequestError("This model makes embeddings only.", param="model")
            return GenerationRequest(
                request_id=request_id,
                messages=self.messages,
                sampling=self.sampling,
                overflow=OverflowPolicy.STOP,
                answer_reserve=answer_reserve(loaded, self.sampling.max_tokens),
                thinking=self.thinking,
                adapters=self.adapters,
            )

        return make


def answer_reserve(loaded: LoadedModel, most: int | None) -> int:
    """Tokens to keep free for an answer of `most`: half of the window goes to the prompt in any case."""
    return min(ANSWER_RESERVE, ANSWER_RESERVE if most is None else most, loaded.n_ctx // 2)


def desk_of(request: Request) -> Desk:
    """The desk of the application that a request came to."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


def new_id(kind: str) -> str:
    """A random id, with what it names in front."""
    return f"{kind}-{secrets.token_hex(16)}"


async def asked(
    parts: Parts,
    model: str,
    messages: Sequence[PromptMessage],
    draw: Callable[[SamplingParams], SamplingParams],
) -> Asked:
    """The prompt for a model or persona of this name; `draw` puts what the request says on top of their own.

    Raises `ApiError`, `HearthError`.
    """
    if not model.startswith(PERSONA):
        return Asked(model, tuple(messages), draw(parts.sampling()))
    if parts.personas is None:
        raise UnknownModelError("There is no model called “{name}”.", name=model, param="model")
    dressed = await asyncio.to_thread(parts.personas.dress, model.removeprefix(PERSONA), tuple(messages))
    return Asked(
        DEFAULT_MODEL,
        dressed.messages,
        draw(dressed.sampling),
        dressed.thinking,
        dressed.adapters,
        dressed.sources,
    )
