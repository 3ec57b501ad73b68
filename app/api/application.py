"""The API as an ASGI application: its routes, its OpenAPI document, and the guard around them.

Knows no server and no `app.services`: everything it stands on is given (`app.api.ports`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from app.api import audio, chat, completions, embeddings, model_list, responses
from app.api.admission import Admission
from app.api.answering import ClientGoneError, Kernel
from app.api.asking import Desk
from app.api.faults import InvalidRequestError, fault_response, json_response
from app.api.guard import Guard, GuardLimits
from app.api.images import ImageShelf
from app.api.openapi import described
from app.api.ports import Parts
from app.api.tokens import TokenCheck
from app.limits import API_SOUNDS
from engine.errors import HearthError

ROUTERS = (model_list.router, chat.router, completions.router, embeddings.router, responses.router, audio.router)
FORMS = ("/v1/audio/transcriptions",)
"""The addresses that take forms with files; all others take JSON."""
_NO_FORM = "union_tag_invalid"
_GONE = 499
"""Nobody reads it (nginx's number for a client that left)."""


def make_application(
    parts: Parts,
    *,
    tokens: TokenCheck,
    hosts: Collection[str],
    admission: Admission | None = None,
    limits: GuardLimits | None = None,
) -> ASGIApp:
    """The whole API. `hosts` are the names with port by which it is reached ("127.0.0.1:8791")."""
    app = FastAPI(
        title="Hearth",
        version=version("hearth-assistant"),
        summary="The models and personas of this computer, as OpenAI's clients ask for them",
        docs_url=None,  # their pages would fetch scripts from elsewhere
        redoc_url=None,
        exception_handlers={
            HearthError: _refused,
            RequestValidationError: _invalid,
            HTTPException: _http,
            ClientGoneError: _gone,
            Exception: _bug,
        },
        lifespan=_lifespan,
    )
    kernel = Kernel(parts.engine, parts.models, admission)
    app.state.desk = Desk(parts, kernel, ImageShelf(), Admission(API_SOUNDS))
    for router in ROUTERS:
        app.include_router(router)
    described(app)
    return Guard(app, hosts=hosts, tokens=tokens, forms=FORMS, limits=limits)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.desk.images.close()


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HearthError)
    return fault_response(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    """The first thing that is wrong, without the request's own words.

    Of the forms that a value may have, the one that fits furthest is spoken of.
    """
    assert isinstance(error, RequestValidationError)
    found: list[tuple[str, dict[str, Any]]] = [(_place(each, error.body), each) for each in error.errors()]
    place, first = max(found, key=lambda each: each[0].count("."))
    # This message alone would repeat what was sent.
    what = f"Input should be one of {first['ctx']['expected_tags']}" if first["type"] == _NO_FORM else first["msg"]
    return fault_response(InvalidRequestError("{what}", what=f"{place or 'body'}: {what}", param=place))


def _place(error: dict[str, Any], body: object) -> str:
    """Where in the request, in its own names: pydantic puts those of our types in between."""
    value, names = body, []
    for name in error["loc"][1:]:
        if not isinstance(value, Mapping | list):
            break  # a plain value has no parts
        if isinstance(value, dict | list):  # and not a form, whose names are all its own
            try:
                value = value[name]
            except (LookupError, TypeError):
                if error["type"] != "missing" or name != error["loc"][-1]:
                    continue
        names.append(str(name))
    return ".".join(names)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"message": str(error.detail), "type": "invalid_request_error", "param": None, "code": "not_found"}
    return json_response({"error": body}, error.status_code, error.headers)


async def _bug(_request: Request, _error: Exception) -> Response:
    """The error itself goes to the log, by the server."""
    return json_response(
        {"error": {"message": "Something went wrong here.", "type": "server_error", "param": None, "code": "error"}},
        500,
    )


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_GONE)
