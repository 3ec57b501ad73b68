"""What the API refuses, as HTTP statuses and as the objects that OpenAI's clients read. Knows no route.

Sentences are English here: programs read them, and people who write programs. A fault of the engine keeps its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import Response

from engine.errors import HearthError

_STATUS = {
    "prompt_too_long": 400, "grammar": 400, "template": 400, "limit": 400, "embedder": 400, "persona": 400,
    "library": 503, "worker": 503, "worker_crashed": 503, "worker_hung": 503, "worker_quarantined": 503,
    "model_file": 503, "model_fit": 503, "model_load": 503, "remote": 502, "voice": 503,
}  # fmt: skip
"""By `HearthError.code`; anything else is 500."""
_CODES = {"prompt_too_long": "context_length_exceeded"}
"""Where OpenAI has a word of its own that clients look for."""


class ApiError(HearthError):
    """A request that is not answered. `param` names the field that is wrong; `retry_after_s` says when to come back."""

    code = "bad_request"
    status: ClassVar[int] = 400

    def __init__(self, template: str, *, param: str = "", retry_after_s: int = 0, **fields: object) -> None:
        self.param = param
        self.retry_after_s = retry_after_s
        super().__init__(template, **fields)


class InvalidRequestError(ApiError):
    """Its fields are not what they must be."""

    code = "invalid_request"


class UnknownTokenError(ApiError):
    code = "invalid_api_key"
    status = 401


class ForbiddenError(ApiError):
    """It comes from a web page, or by another name than this computer's own."""

    code = "forbidden"
    status = 403


class UnknownModelError(ApiError):
    code = "model_not_found"
    status = 404


class SlowRequestError(ApiError):
    code = "request_timeout"
    status = 408


class TooLargeError(ApiError):
    code = "too_large"
    status = 413


class MediaTypeError(ApiError):
    code = "unsupported_media_type"
    status = 415


class TooManyError(ApiError):
    """Too many stand in line already."""

    code = "rate_limit_exceeded"
    status = 429


class BusyError(ApiError):
    """It stood in line for too long, or the model is not to be had now."""

    code = "busy"
    status = 503


class EngineError(ApiError):
    """The engine could not answer; `code_of` says why in its words."""

    def __init__(self, message: str, code_of: str) -> None:
        self.code_of = code_of
        super().__init__("{message}", message=message)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """In ASCII, so that text which is no valid Unicode travels too."""
    data = json.dumps(value, separators=(",", ":")).encode("ascii")
    return Response(data, status, dict(headers or {}), media_type="application/json")


def fault_body(error: HearthError) -> dict[str, Any]:
    """The object that clients read."""
    code = error.code_of if isinstance(error, EngineError) else error.code
    status = status_of(error)
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )
    param = error.param if isinstance(error, ApiError) else ""
    return {"error": {"message": str(error), "type": kind, "param": param or None, "code": _CODES.get(code, code)}}


def status_of(error: HearthError) -> int:
    """The HTTP status of any error of ours."""
    if isinstance(error, EngineError):
        return _STATUS.get(error.code_of, 500)
    return error.status if isinstance(error, ApiError) else _STATUS.get(error.code, 500)


def fault_response(error: HearthError) -> Response:
    """The answer to a request that is refused."""
    headers = {}
    status = status_of(error)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status in (429, 503):
        headers["retry-after"] = str(max(1, error.retry_after_s if isinstance(error, ApiError) else 1))
    return json_response(fault_body(error), status, headers)
