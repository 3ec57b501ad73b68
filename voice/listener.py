"""Who is told what happens in a conversation by speech: the protocol of the app's side. Knows no threads."""

from __future__ import annotations

from typing import Protocol

from engine.errors import VoiceError
from voice.stt.partials import Partial
from voice.turn_events import TextStatus
from voice.turn_state import Phase


class Listener(Protocol):
    """The app's side. All from one thread of the pipeline; must return at once, and may call the pipeline."""

    def phase_changed(self, phase: Phase) -> None: ...

    def level(self, heard: float, spoken: float) -> None:
        """Root mean squares of microphone and loudspeaker, 0..1, when one has changed; at most 16 times a second."""
        ...

    def partial(self, turn_id: int, partial: Partial) -> None:
        """What the user said so far in a turn that goes on."""
        ...

    def text(self, turn_id: int, text: str, status: TextStatus) -> None:
        """What the user said in a turn."""
        ...

    def ask(self, question: int, turn_id: int, text: str) -> None:
        """Answer this by `VoicePipeline.end_weighed` soon, and by `say`; show, store and carry out nothing before
        `commit`."""
        ...

    def commit(self, question: int, turn_id: int, text: str) -> None:
        """The question stands: store it, and show its answer."""
        ...

    def withdraw(self, question: int) -> None:
        """Forget the question, and stop its answer."""
        ...

    def interrupted(self, question: int, characters: int) -> None:
        """Stop the answer; of its text, so many characters were heard."""
        ...

    def spoken(self, question: int, characters: int) -> None:
        """So many characters of the answer's text were spoken."""
        ...

    def done(self, question: int) -> None:
        """The answer was spoken to its end, or is not spoken any more; its text may go on."""
        ...

    def notice(self, error: VoiceError) -> None:
        """Tell the person."""
        ...


class QuietListener:
    """See `Listener`: does nothing. A base for those who want to hear of a part only."""

    def phase_changed(self, phase: Phase) -> None: ...

    def level(self, heard: float, spoken: float) -> None: ...

    def partial(self, turn_id: int, partial: Partial) -> None: ...

    def text(self, turn_id: int, text: str, status: TextStatus) -> None: ...

    def ask(self, question: int, turn_id: int, text: str) -> None: ...

    def commit(self, question: int, turn_id: int, text: str) -> None: ...

    def withdraw(self, question: int) -> None: ...

    def interrupted(self, question: int, characters: int) -> None: ...

    def spoken(self, question: int, characters: int) -> None: ...

    def done(self, question: int) -> None: ...

    def notice(self, error: VoiceError) -> None: ...
