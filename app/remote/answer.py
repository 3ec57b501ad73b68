"""One answer of another computer: what the server reports becomes the stream events of a request.

A chat that is too long for the server is asked again without its oldest turns, where the request allows that and the
server says so (Ollama cuts silently).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.remote.calls import RemoteCalls
from app.remote.completions import request_body, without_oldest
from app.remote.messages import Begun, Chat, Ended, Refusal, RemoteReport, ServerKind, Spent, Words
from engine.cancel import CancelToken
from engine.context.segments import PromptMessage
from engine.engine import StreamSink
from engine.errors import HearthError, PromptTooLongError
from engine.types import (
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    OverflowPolicy,
    ReasoningDelta,
    Started,
    TextDelta,
    Usage,
)
from engine.worker.envelope import error_of, fault_of


@dataclass(frozen=True, slots=True)
class Respondent:
    """Who answers: the model's name there, the kind of server, and its window in tokens (0: unknown)."""

    name: str
    server: ServerKind
    n_ctx: int


class Answer:
    """An `OpenCall` for one request; `send` asks. Exactly one terminal event comes of it."""

    def __init__(
        self,
        calls: RemoteCalls,
        request: GenerationRequest,
        cancel: CancelToken,
        sink: StreamSink,
        respondent: Respondent,
        *,
        messages: tuple[PromptMessage, ...] | None = None,
        dropped: tuple[str, ...] = (),
    ) -> None:
        """`messages` are those that are left of the request, `dropped` the ids of those left out."""
        self._calls = calls
        self._request, self._cancel, self._sink = request, cancel, sink
        self._respondent = respondent
        self._messages = request.messages if messages is None else messages
        self._dropped = dropped
        self._has_words = False

    def send(self) -> None:
        """Ask the server; what goes wrong on the way is the answer's end."""
        calls, respondent = self._calls, self._respondent
        try:
            body = request_body(self._request, self._messages, respondent.name, respondent.server)
            call_id = calls.begin(lambda number: Chat(number, body), self)
        except HearthError as error:
            self.fail(error)
            return
        self._cancel.on_cancel(lambda: calls.cancel(call_id))

    def take(self, report: RemoteReport) -> None:
        request_id, sink, n_ctx = self._request.request_id, self._sink, self._respondent.n_ctx
        match report:
            case Begun():
                sink(Started(request_id, 0, 0, n_ctx, self._request.sampling.seed or 0, self._dropped))
            case Words(_, text, reasoning):
                self._has_words = True
                if reasoning:
                    sink(ReasoningDelta(request_id, reasoning))
                if text:
                    sink(TextDelta(request_id, text))
            case Spent(_, prompt, cached, completion, prefill_s, decode_s):
                sink(Usage(request_id, prompt, cached, completion, n_ctx, prefill_s, decode_s))
            case Ended(_, reason):
                sink(Finished(request_id, reason))
            case Refusal(_, fault):
                self._refused(error_of(fault))

    def fail(self, error: HearthError) -> None:
        self._sink(failed(self._request.request_id, error))

    def stop(self) -> None:
        self._sink(Finished(self._request.request_id, FinishReason.CANCELLED))

    def _refused(self, error: HearthError) -> None:
        """Leave the oldest turn out and ask again, if that is what was too much and may be done."""
        may_shorten = self._request.overflow is not OverflowPolicy.STOP and not self._has_words
        if isinstance(error, PromptTooLongError) and may_shorten:
            kept, gone = without_oldest(self._messages)
            if gone:
                dropped = self._dropped + tuple(message.message_id for message in gone if message.message_id)
                Answer(
                    self._calls,
                    self._request,
                    self._cancel,
                    self._sink,
                    self._respondent,
                    messages=tuple(kept),
                    dropped=dropped,
                ).send()
                return
        self.fail(error)


def failed(request_id: str, error: HearthError) -> Failed:
    """The terminal event for an error."""
    fault = fault_of(error)
    return Failed(request_id, fault.code, fault.template, fault.fields)
