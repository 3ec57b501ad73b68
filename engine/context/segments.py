"""Typed pieces of a prompt: where a text comes from and how far it is trusted.

Knows no template and no tokeniser. Two rules are held by construction: untrusted text never enters
the system role, and untrusted text has passed the one filter in `engine.context.clean`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """Who speaks, in the words of the chat templates."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Origin(StrEnum):
    """Where a text comes from; decides its colour in the memory map and its place in a citation."""

    APP = "app"
    PERSONA = "persona"
    USER = "user"
    ASSISTANT = "assistant"
    SUMMARY = "summary"
    DOCUMENT = "document"
    TOOL = "tool"


class Trust(StrEnum):
    """Trusted text may instruct; untrusted text is material only."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image file of ours, by its place and the sha256 (hex) of its bytes, which travel in no message."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One run of text with one origin. `label` names the source to the person ("notes.txt, page 3").

    A model that can see gets `image`, where there is one, in place of `text`, which is then `image_text(label)`.
    """

    text: str
    origin: Origin
    trust: Trust = Trust.TRUSTED
    label: str = ""
    image: ImageRef | None = None


def image_text(name: str) -> str:
    """What stands for an image where the model cannot see."""
    return f"[image: {name}]" if name else "[image]"


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn's half as the model will see it: a role and its segments, in order.

    `message_id` is the stored message, "" if there is none; a pinned message is never dropped. An `excluded` one is
    left out whatever room there is, and named among the dropped: it comes along for the page table only.
    Raises `ValueError` for untrusted text in the system role (a bug of the caller).
    """

    role: Role
    segments: tuple[Segment, ...]
    message_id: str = ""
    pinned: bool = False
    excluded: bool = False

    def __post_init__(self) -> None:
        if self.role is Role.SYSTEM and any(s.trust is Trust.UNTRUSTED for s in self.segments):
            raise ValueError("untrusted text cannot enter the system role")

    @property
    def text(self) -> str:
        """The segments' texts, joined as they stand."""
        return "".join(segment.text for segment in self.segments)
