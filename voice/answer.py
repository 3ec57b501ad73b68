"""One answer on its way to the loudspeaker: what of it is to be spoken, is being spoken, was heard.

No threads and no sound: the caller holds a lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.cancel import CancelToken
from engine.errors import VoiceError
from voice.mixer import Heard
from voice.tts.sentences import Chunk, SentenceSplitter


@dataclass(slots=True)
class Answer:
    """Of one question."""

    question: int
    splitter: SentenceSplitter
    text: str = ""
    sentences: list[Chunk] = field(default_factory=list)
    n_synthesized: int = 0
    n_played: int = 0
    is_committed: bool = False
    is_ended: bool = False
    """All of its text is here."""
    has_started: bool = False
    """Something of it was played."""
    error: VoiceError | None = None
    """Why it cannot be spoken."""
    cancel: CancelToken = field(default_factory=CancelToken)
    """Of its synthesis."""

    def add(self, sentences: Sequence[Chunk]) -> None:
        self.sentences += [sentence for sentence in sentences if sentence.text.strip()]

    @property
    def is_done(self) -> bool:
        """Complete and played to its end, or not to be spoken; never before it is committed."""
        if not self.is_committed:
            return False
        return self.error is not None or (self.is_ended and self.n_played == len(self.sentences))

    def heard_characters(self, heard: Heard | None) -> int:
        """How much of the answer's text was spoken when `heard` was the last that was: whole words only."""
        if heard is None:
            return 0
        sentence = self.sentences[heard.number]
        if heard.whole:
            return sentence.end
        reached = sentence.start + (sentence.end - sentence.start) * heard.played // max(1, heard.length)
        cut = self.text.rfind(" ", sentence.start, reached + 1)
        return cut if cut > sentence.start else sentence.start
