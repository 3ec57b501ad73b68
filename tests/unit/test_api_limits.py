"""Every cap of the API's requests at one below, at it, and one above."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.api.images import KEPT, ImageShelf
from app.api.responses import as_chat
from app.api.schemas import ChatRequest, CompletionRequest, EmbeddingRequest, ResponseRequest
from app.limits import API_CHOICES, API_MESSAGES, API_STOPS, API_TEXT_CHARACTERS, API_TEXTS, API_TOOLS
from tests.unit.images import png

MESSAGE = {"role": "user", "content": "x"}
TOOL = {"type": "function", "function": {"name": "x"}}


def chat(**fields: object) -> dict[str, object]:
    return {"model": "default", "messages": [MESSAGE], **fields}


def texts(count: int, field: str) -> dict[str, object]:
    return {"model": "default", field: ["x"] * count}


CAPS: dict[str, tuple[type[BaseModel], int, Any]] = {
    "messages": (ChatRequest, API_MESSAGES, lambda n: chat(messages=[MESSAGE] * n)),
    "characters": (ChatRequest, API_TEXT_CHARACTERS, lambda n: chat(messages=[{"role": "user", "content": "x" * n}])),
    "choices": (ChatRequest, API_CHOICES, lambda n: chat(n=n)),
    "stops": (ChatRequest, API_STOPS, lambda n: chat(stop=["x"] * n)),
    "tools": (ChatRequest, API_TOOLS, lambda n: chat(tools=[TOOL] * n)),
    "alternatives": (ChatRequest, 20, lambda n: chat(logprobs=True, top_logprobs=n)),
    "prompts": (CompletionRequest, API_TEXTS, lambda n: texts(n, "prompt")),
    "texts": (EmbeddingRequest, API_TEXTS, lambda n: texts(n, "input")),
    "items": (ResponseRequest, API_MESSAGES - 1, lambda n: {"model": "default", "input": [MESSAGE] * n}),
}


@pytest.mark.parametrize("name", CAPS)
@pytest.mark.parametrize(("beyond", "fits"), [(-1, True), (0, True), (1, False)])
def test_caps(name: str, beyond: int, fits: bool) -> None:
    kind, cap, made = CAPS[name]
    if fits:
        kind.model_validate(made(cap + beyond))
    else:
        with pytest.raises(ValidationError):
            kind.model_validate(made(cap + beyond))


def test_instructions_and_the_most_items_make_a_chat() -> None:
    body = {"model": "default", "input": [MESSAGE] * (API_MESSAGES - 1), "instructions": "Be brief."}
    assert len(as_chat(ResponseRequest.model_validate(body)).messages) == API_MESSAGES


def test_images_are_kept_up_to_a_number_and_then_gone() -> None:
    import base64

    shelf = ImageShelf()
    paths = []
    for number in range(KEPT + 1):
        data = base64.b64encode(png(1 + number, 1)).decode()
        image = shelf.segment(f"data:image/png;base64,{data}").image
        assert image is not None
        paths.append(image.path)
    assert not paths[0].exists()
    assert all(path.exists() for path in paths[1:])
    shelf.close()
    assert not paths[-1].exists()
