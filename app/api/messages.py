"""A request's messages as typed segments. Pure.

What the client says in the words of system, user and assistant is trusted as a person's is; what a tool returned is
not, and never enters the system role. Content is tokenised as text only (`engine.context.assemble`), so that none of
it becomes a control token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from app.api.faults import InvalidRequestError
from app.api.schemas import ImagePart, Message, TextPart, ToolCall
from app.limits import API_TEXT_CHARACTERS
from engine.context.clean import clean
from engine.context.segments import Origin, PromptMessage, Role, Segment

KeepImage = Callable[[str], Segment]
"""An image's data URL as a segment. Raises `InvalidRequestError`."""
_ROLES = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT, "tool": Role.TOOL,
}  # fmt: skip
_ORIGINS = {Role.SYSTEM: Origin.PERSONA, Role.USER: Origin.USER, Role.ASSISTANT: Origin.ASSISTANT}


def prompt_messages(messages: Sequence[Message], keep_image: KeepImage) -> tuple[PromptMessage, ...]:
    """The messages; neighbours of one role are joined, as many chat templates refuse them. Raises as `KeepImage`."""
    made: list[PromptMessage] = []
    for number, message in enumerate(messages):
        role = _ROLES[message.role]
        segments = tuple(_segments(message, role, keep_image))
        if not segments:
            if message.role != "assistant":
                raise InvalidRequestError("A message is empty.", param=f"messages.{number}.content")
            continue
        one = PromptMessage(role, segments)
        if made and made[-1].role is role and role is not Role.TOOL:
            one = replace(one, segments=(*made.pop().segments, Segment("\n\n", Origin.APP), *one.segments))
        made.append(one)
    if not made:
        raise InvalidRequestError("There is nothing to answer.", param="messages")
    return tuple(made)


def with_instructions(messages: Sequence[PromptMessage], segments: Sequence[Segment]) -> tuple[PromptMessage, ...]:
    """The messages with something in front of their system message."""
    if not segments:
        return tuple(messages)
    if messages and messages[0].role is Role.SYSTEM:
        joined = (*segments, Segment("\n\n", Origin.APP), *messages[0].segments)
        return (replace(messages[0], segments=joined), *messages[1:])
    return (PromptMessage(Role.SYSTEM, tuple(segments)), *messages)


def _segments(message: Message, role: Role, keep_image: KeepImage) -> Iterable[Segment]:
    if isinstance(message.content, str):
        if message.content:
            yield _text(message.content, role)
    else:
        for part in message.content or ():
            if isinstance(part, ImagePart):
                if role is not Role.USER:
                    raise InvalidRequestError("Images stand in messages of the user only.", param="messages")
                yield keep_image(part.image_url.url)
                yield Segment("\n", Origin.APP)
            elif isinstance(part, TextPart) and part.text:
                yield _text(part.text, role)
    if role is Role.ASSISTANT:
        for call in message.tool_calls or ():
            yield Segment(_called(call), Origin.ASSISTANT)


def _text(text: str, role: Role) -> Segment:
    if role is Role.TOOL:
        return clean(text, max_characters=API_TEXT_CHARACTERS).segment(Origin.TOOL, "tool")
    return Segment(text, _ORIGINS[role])


def _called(call: ToolCall) -> str:
    """A call as `app.api.tools` asks for it."""
    try:
        arguments = json.loads(call.function.arguments)
    except (ValueError, RecursionError):
        arguments = call.function.arguments
    text = json.dumps({"name": call.function.name, "arguments": arguments}, ensure_ascii=False)
    return f"\n<tool_call>\n{text}\n</tool_call>"
