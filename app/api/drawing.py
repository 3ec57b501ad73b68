"""How a request wants its tokens drawn, as the engine's sampling parameters. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from app.api.faults import InvalidRequestError
from app.api.schemas import Drawing, ResponseFormat
from engine.types import SamplingParams

_SEEDS = 2**32
_AS_IT_IS = (
    "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty",
)  # fmt: skip


def drawn(
    request: Drawing, own: SamplingParams, *, max_tokens: int | None, logprobs: int = 0, json_schema: str | None = None
) -> SamplingParams:
    """`own` with what the request says. `logprobs` is the number of alternatives, 0 for none."""
    said: dict[str, Any] = {name: value for name in _AS_IT_IS if (value := getattr(request, name)) is not None}
    if request.seed is not None:
        said["seed"] = request.seed % _SEEDS
    if request.stop is not None:
        stops = [request.stop] if isinstance(request.stop, str) else request.stop
        said["stop"] = tuple(stop for stop in stops if stop)
    if request.logit_bias:
        said["logit_bias"] = tuple((int(token), float(bias)) for token, bias in request.logit_bias.items())
    if max_tokens is not None:
        said["max_tokens"] = max_tokens
    if json_schema is not None:
        said["json_schema"] = json_schema
    return replace(own, **said, logprobs=logprobs)


def schema_of(wanted: ResponseFormat | None) -> str | None:
    """The JSON schema that an answer must follow, as JSON text; None for free text. Raises `InvalidRequestError`."""
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return '{"type":"object"}'
    if wanted.json_schema is None or wanted.json_schema.json_schema is None:
        raise InvalidRequestError("A schema is missing.", param="response_format.json_schema.schema")
    return json.dumps(wanted.json_schema.json_schema)
