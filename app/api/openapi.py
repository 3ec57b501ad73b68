"""The OpenAPI document: FastAPI's own, with the token and with the refusals that every address shares."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_REFUSALS = {
    "400": "Something in the request is not as it must be.",
    "401": "The token is missing or unknown.",
    "403": "The request comes from a web page, or names another host.",
    "404": "There is no such model.",
    "408": "The request took too long to arrive.",
    "413": "The request is too large.",
    "415": "The request is not JSON.",
    "429": "Too many requests are waiting; `Retry-After` says when to come back.",
    "499": "The client left before.",
    "500": "Something went wrong here.",
    "502": "The other computer that answers for this one could not be reached.",
    "503": "The model is busy or not to be had; `Retry-After` says when to come back.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def described(app: FastAPI) -> None:
    """Have `app.openapi()` tell all of it. Call after the routes are there."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {})["Error"] = _ERROR
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
            for path in document["paths"].values():
                for operation in path.values():
                    _complete(operation)
            for unused in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(unused, None)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status, meaning in _REFUSALS.items():
        content = {} if status == "499" else {"content": {"application/json": {"schema": _reference()}}}
        responses.setdefault(status, {"description": meaning, **content})


def _reference() -> dict[str, str]:
    return {"$ref": "#/components/schemas/Error"}
