"""An engine whose one token is a mark that nobody sees, as "<think>" is: what it cost is told, and nothing is said."""

from __future__ import annotations

from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.fake import FakeEngine
from engine.types import Finished, FinishReason, GenerationRequest, Usage


class MarkEngine(FakeEngine):
    """Answers every question so."""

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        sink(Usage(request.request_id, 300, 0, 1, 4096, 0.01, 0.0))
        sink(Finished(request.request_id, FinishReason.LENGTH))
