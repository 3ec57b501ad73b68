"""Whether passages bear on a question, by the model: do they make its words likelier?

A question is likelier after a passage that answers it (query likelihood, Ponte and Croft 1998; by a language model,
Sachan et al. 2022) than after none. The two are compared where the search is not sure. What is read for it stays in the
KV cache: the answer reads only the last token anew. Stores and shows nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine
from engine.types import TERMINAL, GenerationRequest, PromptProgress, QuestionScored, StreamEvent

_DOUBTFUL = 0.60
"""Confidence of the search (0..1) below which its passages are weighed."""
_LEAST_GAIN = 11.0
"""Natural-log units. Read off the tuning half of the FAQ set with the starter model; see ARCHITECTURE.md."""
_MOST_SHARE = 0.4
"""Of what a question says by itself: who asks in two words cannot gain much."""
_ALONE = "Answer my question briefly.\n\nQuestion:"


def is_in_doubt(confidence: float, question: str) -> bool:
    """Whether it is worth asking the model. Measured with English questions only, so others are believed."""
    return confidence < _DOUBTFUL and question.isascii()


def bears_on(with_passages: float, alone: float) -> bool:
    """By the natural-log probabilities of the question's words."""
    return with_passages - alone >= min(_LEAST_GAIN, _MOST_SHARE * -alone)


class QuestionWeigher:
    """Any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def weigh(
        self,
        request: GenerationRequest,
        cancel: CancelToken,
        *,
        tell: Callable[[StreamEvent], None],
        done: Callable[[bool], None],
    ) -> None:
        """Call `done` once, on any thread: whether the passages of `request` bear on its question; they do where the
        model does not say. `tell` gets how far the prompt is read."""
        scoring = replace(request, prefill_only=True, scores_question=True)
        alone = tuple(message for message in request.messages if message.role is Role.SYSTEM)
        words = tuple(segment for segment in request.messages[-1].segments if segment.origin is Origin.USER)
        question = PromptMessage(Role.USER, (Segment(_ALONE, Origin.APP), *words))
        scores: dict[str, float] = {}
        left = {"alone", "passages"}
        lock = threading.Lock()

        def take(which: str, event: StreamEvent) -> None:
            if isinstance(event, QuestionScored):
                scores[which] = event.logprob
            elif isinstance(event, PromptProgress) and which == "passages":
                tell(event)
            elif isinstance(event, TERMINAL):
                with lock:
                    left.discard(which)
                    is_last = not left
                if is_last:
                    done(len(scores) < 2 or bears_on(scores["passages"], scores["alone"]))

        for which, asked in (
            ("alone", replace(scoring, messages=(*alone, question), cache_key="")),
            ("passages", scoring),
        ):
            name = f"{request.request_id}-{which}"
            self._engine.submit(
                replace(asked, request_id=name),
                cancel,
                lambda event, which=which: take(which, event),  # type: ignore[misc]
            )
