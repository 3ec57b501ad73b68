"""What a chat template is to the rest of the engine, and the reviewed kind.

Knows no family (see `engine.context.templates`), no GGUF file and no tokeniser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from engine.context.pieces import Content, Piece, Writer
from engine.context.segments import PromptMessage, Role

Clock = Callable[[], date]
"""Today, for templates that tell the model the date."""


@dataclass(frozen=True, slots=True)
class ReasoningMarks:
    """How a model marks its reasoning: `start` opens, `end` closes.

    `silent` marks belong to the format and are never shown. `anywhere` is for formats whose marks are control
    tokens and may come at any place; elsewhere reasoning is recognised only before the answer has begun, so
    that an answer may speak about `<think>`.
    """

    start: str
    end: str
    silent: tuple[str, ...] = ()
    anywhere: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Every mark, for finding out which control tokens spell them."""
        return (self.start, self.end, *self.silent)


THINK = ReasoningMarks("<think>", "</think>")
HARMONY = ReasoningMarks(
    "<|channel|>analysis<|message|>",
    "<|end|>",
    silent=("<|start|>assistant", "<|channel|>final<|message|>", "<|channel|>commentary<|message|>", "<|end|>"),
    anywhere=True,
)


class ChatTemplate(Protocol):
    """Turns messages into pieces. Pure: the same messages on the same day give the same pieces."""

    @property
    def family(self) -> str:
        """The reviewed family's name, or "jinja" for a model's own template."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Marks that end the model's turn."""
        ...

    @property
    def reasoning(self) -> ReasoningMarks | None:
        """None for models that do not mark reasoning."""
        ...

    @property
    def can_think(self) -> bool:
        """Whether `thinking` makes a difference."""
        ...

    def render(self, messages: Sequence[PromptMessage], *, thinking: bool | None, continue_last: bool) -> list[Piece]:
        """The prompt, up to where the model goes on writing.

        That is the head of a new assistant turn or, with `continue_last`, the end of the last message (the
        assistant's), without an end mark and with its trailing white space. Raises `TemplateError`.
        """
        ...

    def starts_in_reasoning(self, thinking: bool | None) -> bool:
        """Whether the prompt itself already opens the reasoning (never with `continue_last`)."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as the families see it."""

    role: Role
    content: Content


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rendering depends on besides its messages.

    `continued`: an answer is begun and follows the head of the turn, so the head must not open reasoning.
    """

    bos: str
    eos: str
    today: date
    thinking: bool | None
    continued: bool


Render = Callable[[Writer, list[Turn], Setting], None]
"""Write a whole conversation and the head of the assistant's turn."""
Arrange = Callable[[list[Turn]], list[Turn]]
"""Bring a conversation into the form that a family was trained on."""


@dataclass(frozen=True, slots=True)
class Family:
    """A reviewed template as data.

    `signs` all occur in the Jinja text of its models. `arrange` makes of a conversation that the Jinja refuses
    or garbles one that it takes; `render` then equals the Jinja byte for byte. `opens` says for which values of
    `thinking` the prompt opens reasoning. `trims`: the Jinja trims contents. `loses_system`: the Jinja silently
    leaves out the system message, ours does not. `architectures` take this family if they bring no template.
    """

    name: str
    render: Render
    arrange: Arrange
    stop: tuple[str, ...]
    signs: tuple[str, ...]
    reasoning: ReasoningMarks | None = None
    can_think: bool = False
    opens: frozenset[bool | None] = frozenset()
    trims: bool = False
    loses_system: bool = False
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewedTemplate:
    """A family with a model's own words for beginning and end of text. A `ChatTemplate`."""

    kind: Family
    bos: str
    eos: str
    clock: Clock

    @property
    def family(self) -> str:
        return self.kind.name

    @property
    def stop(self) -> tuple[str, ...]:
        return self.kind.stop

    @property
    def reasoning(self) -> ReasoningMarks | None:
        return self.kind.reasoning

    @property
    def can_think(self) -> bool:
        return self.kind.can_think

    def starts_in_reasoning(self, thinking: bool | None) -> bool:
        return thinking in self.kind.opens

    def render(self, messages: Sequence[PromptMessage], *, thinking: bool | None, continue_last: bool) -> list[Piece]:
        turns = [Turn(message.role, Content(message.segments)) for message in messages]
        begun = turns.pop().content if continue_last else None
        setting = Setting(self.bos, self.eos, self.clock(), thinking, continued=continue_last)
        writer = Writer()
        self.kind.render(writer, self.kind.arrange(turns), setting)
        if begun is not None:
            writer.put(begun.lstrip() if self.kind.trims else begun)
        return writer.pieces
