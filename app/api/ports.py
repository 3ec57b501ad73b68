"""What the API stands on, as protocols: the server's own tests give it a fake of each, `hearth serve` the real ones.

Knows no HTTP. Each is called from the server's event loop or from a thread of its own, as said there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.api.transcripts import Heard
from app.store.types import SourcesPart
from engine.cancel import CancelToken
from engine.context.segments import PromptMessage
from engine.engine import Engine
from engine.types import Adapter, LoadedModel, SamplingParams
from rag.embedding.embedder import Vectors
from voice.types import Sound

DEFAULT_MODEL = "default"
"""The name of whatever model Hearth uses when nobody names one."""
PERSONA = "persona:"
"""Before the short name of a persona, where a model's name stands."""


class Kind(StrEnum):
    """What a name in the list of models stands for."""

    MODEL = "model"
    PERSONA = "persona"
    EMBEDDER = "embedder"


@dataclass(frozen=True, slots=True)
class Served:
    """A name that can be asked for; `created` in seconds since 1970."""

    name: str
    kind: Kind
    created: int = 0


class Models(Protocol):
    """The models of this computer. Any thread."""

    def served(self) -> Sequence[Served]:
        """Those that can be loaded. May block on the disk."""
        ...

    def use(self, name: str) -> Future[LoadedModel]:
        """Have the engine's next requests go to this model; at once, or after it was loaded.

        Fails with a `HearthError`. Raises `UnknownModelError` for a name that is not served. May block on the disk.
        """
        ...


@dataclass(frozen=True, slots=True)
class Dressed:
    """What a persona makes of a request: its messages with the persona's own and with what the documents say, how it
    draws, whether the model thinks, its adapters (None: the model's own), and the passages that it was given.
    """

    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams
    thinking: bool | None = None
    adapters: tuple[Adapter, ...] | None = None
    sources: SourcesPart | None = None


class Personas(Protocol):
    """The personas that the person has looked at. Both block, on the disk and on the library: off the event loop."""

    def served(self) -> Sequence[Served]: ...

    def dress(self, short_name: str, messages: Sequence[PromptMessage]) -> Dressed:
        """The persona for these messages, the last of which asks. Raises `UnknownModelError`, `HearthError`."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """Shape (texts, dimensions), float32, each of length 1; and how many tokens were read."""

    vectors: Vectors
    tokens: int


class Embedder(Protocol):
    """Makes vectors. Any thread."""

    def served(self) -> Sequence[Served]: ...

    def embed(self, name: str, texts: Sequence[str]) -> Future[Embedded]:
        """A vector for each text. Fails with a `HearthError`; raises `UnknownModelError`. Does not block."""
        ...


class Speech(Protocol):
    """Hears recordings and speaks texts. Any thread; blocks."""

    def hear(self, recording: Path, *, language: str = "", cancel: CancelToken | None = None) -> Heard:
        """What is said in a sound file. `language` is ISO 639-1, "" found out. Raises `VoiceError`, `CancelledError`.

        `SoundError` where the file is at fault.
        """
        ...

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None
    ) -> Iterator[Sound]:
        """A text in Markdown, sentence by sentence, each made when it is asked for.

        Raises `InvalidRequestError` at once, `VoiceError` and `CancelledError` also on the way.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """All of it. What is None is not offered. `sampling` gives how to draw where a request does not say."""

    engine: Engine
    models: Models
    sampling: Callable[[], SamplingParams] = SamplingParams
    personas: Personas | None = None
    embedder: Embedder | None = None
    speech: Speech | None = None
