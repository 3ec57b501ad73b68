"""An answer under way: stream events in, blocks and a status line out. Knows no widget."""

from __future__ import annotations

import time

from app.i18n import tr
from app.store.types import ReasoningPart, StoredMessage
from app.ui.markdown.growing import GrowingMarkdown
from app.ui.markdown.reader import MarkdownReader
from engine.types import (
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
)


class LiveAnswer:
    """What has come so far. Deltas are only collected; `flush` reads them."""

    def __init__(self, message: StoredMessage, reader: MarkdownReader) -> None:
        self.text = GrowingMarkdown(reader)
        self.reasoning = GrowingMarkdown(reader)
        self.reason: FinishReason | None = None
        self.dropped = 0
        self.ended = False
        self._new_text = [message.text]
        thoughts = [part for part in message.parts if isinstance(part, ReasoningPart)]
        self._new_reasoning = ["\n\n".join(part.text for part in thoughts)]
        self._thought_before = sum(part.seconds for part in thoughts)
        # Thoughts without an answer yet: it still thinks, though nothing may come for long.
        self._thinking_since = time.monotonic() if thoughts and not message.text else None
        self._thought = 0.0
        self._progress: PromptProgress | None = None
        self._started = False
        self.flush()

    def feed(self, event: StreamEvent) -> bool:
        """Take an event. True: something to show has changed."""
        match event:
            case TextDelta():
                self._end_thinking()
                self._new_text.append(event.text)
            case ReasoningDelta():
                self._thinking_since = self._thinking_since or time.monotonic()
                self._new_reasoning.append(event.text)
            case Started():
                self._started, self.dropped = True, len(event.dropped)
            case PromptProgress():
                self._progress = event
            case Finished():
                self._end_thinking()
                self.reason, self.ended = event.reason, True
            case Failed():
                self._end_thinking()
                self.ended = True
            case _:
                return False
        return True

    def flush(self) -> None:
        """Read what was collected."""
        if self._new_reasoning:
            self.reasoning.append("".join(self._new_reasoning))
            self._new_reasoning.clear()
        if self._new_text:
            self.text.append("".join(self._new_text))
            self._new_text.clear()

    def finish(self) -> None:
        """Nothing more comes."""
        self.flush()
        self.text.finish()
        self.reasoning.finish()

    @property
    def source(self) -> str:
        """The answer so far, what was not flushed included."""
        return self.text.source + "".join(self._new_text)

    @property
    def is_thinking(self) -> bool:
        return self._thinking_since is not None

    @property
    def thought_s(self) -> float:
        running = time.monotonic() - self._thinking_since if self._thinking_since is not None else 0.0
        return self._thought_before + self._thought + running

    @property
    def ended_early(self) -> bool:
        """A limit ended it; the model had more to say."""
        return self.reason in (FinishReason.LENGTH, FinishReason.CONTEXT)

    def status(self) -> str:
        """What happens while there is nothing to read yet; "" once there is."""
        if self.ended or self.text.source or self.reasoning.source:
            return ""
        progress = self._progress
        if progress is not None and progress.total > 0 and progress.processed < progress.total:
            return tr("Reading, {percent} %", percent=round(100 * progress.processed / progress.total))
        return tr("Reading") if self._started else tr("Waiting for the model")

    def _end_thinking(self) -> None:
        if self._thinking_since is not None:
            self._thought += time.monotonic() - self._thinking_since
            self._thinking_since = None
