"""POST /v1/embeddings: texts as vectors, by the embedder that the person's documents use."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import while_connected
from app.api.asking import desk_of
from app.api.faults import InvalidRequestError, UnknownModelError, json_response
from app.api.schemas import EmbeddingRequest

router = APIRouter()


@router.post("/v1/embeddings", summary="Turn texts into vectors", response_model=None)
async def embeddings(body: EmbeddingRequest, request: Request) -> Response:
    """Each of length 1, as numbers or (32 bits, little-endian) in base64."""
    desk = desk_of(request)
    if desk.parts.embedder is None:
        raise UnknownModelError("“{name}” makes no embeddings here.", name=body.model, param="model")
    texts = [body.input] if isinstance(body.input, str) else body.input
    place = await while_connected(request.receive, desk.kernel.admission.enter())
    try:
        future = asyncio.wrap_future(desk.parts.embedder.embed(body.model, texts))
        made = await while_connected(request.receive, future)
    finally:
        place.leave()
    n_dimensions = made.vectors.shape[1]
    if body.dimensions is not None and body.dimensions != n_dimensions:
        raise InvalidRequestError("Its vectors have {count} numbers.", count=n_dimensions, param="dimensions")
    in_base64 = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if in_base64 else vector.tolist()}
        for index, vector in enumerate(made.vectors)
    ]
    usage = {"prompt_tokens": made.tokens, "total_tokens": made.tokens}
    return json_response({"object": "list", "data": data, "model": body.model, "usage": usage})


def _base64(vector: Any) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
