"""GET /v1/models: what may stand as `model` in a request."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.asking import desk_of
from app.api.faults import UnknownModelError, json_response
from app.api.ports import Parts, Served

router = APIRouter()


@router.get("/v1/models", summary="List models and personas", response_model=None)
async def models(request: Request) -> Response:
    """Models on this computer, personas as `persona:NAME`, and what makes embeddings."""
    served = await asyncio.to_thread(_served, desk_of(request).parts)
    return json_response({"object": "list", "data": [_as_json(each) for each in served]})


@router.get("/v1/models/{name:path}", summary="Look one up", response_model=None)
async def model(name: str, request: Request) -> Response:
    """One of the list."""
    served = await asyncio.to_thread(_served, desk_of(request).parts)
    found = next((each for each in served if each.name == name), None)
    if found is None:
        raise UnknownModelError("There is no model called “{name}”.", name=name, param="model")
    return json_response(_as_json(found))


def _served(parts: Parts) -> list[Served]:
    served = list(parts.models.served())
    for more in (parts.personas, parts.embedder):
        served += more.served() if more is not None else ()
    return served


def _as_json(served: Served) -> dict[str, Any]:
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": "hearth",
        "hearth": {"kind": served.kind.value},
    }
