"""The words of a whole answer."""

from __future__ import annotations

from engine.types import Failed, GenerationRequest, TextDelta
from engine.worker.client import EngineClient


def whole_answer(engine: EngineClient, request: GenerationRequest) -> str:
    """Blocks. Raises `RuntimeError` where the engine fails."""
    text = ""
    for event in engine.generate(request):
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, Failed):
            raise RuntimeError(event.message)
    return text
