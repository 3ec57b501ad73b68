"""A persona as a value. Knows no file, no store and no window.

What is in it came from whoever made it, perhaps a stranger: nothing here is trusted, and nothing here grants anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Thinking(StrEnum):
    """Whether a model that can think first does so."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn, under llama.cpp's names; None leaves the person's own setting."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter by its file's sha256, in hex; it does not travel with the persona."""

    sha256: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SpeechStyle:
    """How the persona is heard: "" and None leave the person's own setting. `language` is ISO 639-1."""

    voice: str = ""
    language: str = ""
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class KeyedEntry:
    """Knowledge that joins the prompt while one of its words is being talked of (a lorebook's entry).

    `keys` any of which calls it; with `also`, one of those must be there too. `constant`: always there. `order`:
    lower ones come first. `extensions` holds what else the format it came from says of it.
    """

    keys: tuple[str, ...]
    text: str
    also: tuple[str, ...] = ()
    name: str = ""
    enabled: bool = True
    constant: bool = False
    case_sensitive: bool = False
    order: int = 100
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnowledgeFile:
    """A document that the persona answers from. `name` is a plain file name; `sha256` of its bytes, in hex."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Persona:
    """One version of a persona.

    `short_name` is its name on the command line and of its folder: lower-case ASCII letters, digits and hyphens.
    `models` names models in the order of preference, by file name, display name or sha256. `extensions` holds what
    foreign formats say and Hearth has no field for, by format: it comes out again when the persona is written as that
    format.
    """

    short_name: str
    name: str
    description: str = ""
    instructions: str = ""
    """Markdown."""
    greeting: str = ""
    """Markdown; the persona's first message. Other ways to begin are `greetings`."""
    greetings: tuple[str, ...] = ()
    starters: tuple[str, ...] = ()
    """First questions that a person may choose from."""
    tags: tuple[str, ...] = ()
    author: str = ""
    licence: str = ""
    """An SPDX expression, or the author's words."""
    version: str = "1"
    changelog: str = ""
    """Markdown."""
    models: tuple[str, ...] = ()
    sampling: Sampling = Sampling()
    thinking: Thinking = Thinking.AUTO
    tools: tuple[str, ...] = ()
    """What it asks to be allowed; a person grants it, or not."""
    speech: SpeechStyle = SpeechStyle()
    adapter: Adapter | None = None
    keyed: tuple[KeyedEntry, ...] = ()
    knowledge: tuple[KnowledgeFile, ...] = ()
    documents_only: bool = True
    """Where the documents do not answer, it says so; otherwise they are a help, and it may know more than they."""
    icon_sha256: str = ""
    """Of a PNG file that lies beside it, "" for none."""
    extensions: Mapping[str, Json] = field(default_factory=dict)
