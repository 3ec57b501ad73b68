"""POST /v1/chat/completions: one request becomes a prompt, and its answers a completion or a stream."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import Answers, while_connected
from app.api.asking import Asked, Desk, asked, desk_of, new_id
from app.api.chat_answers import ChatAnswers, Shape
from app.api.citing import citations
from app.api.drawing import drawn, schema_of
from app.api.event_stream import STREAMED, EventStream
from app.api.faults import InvalidRequestError, json_response
from app.api.messages import prompt_messages, with_instructions
from app.api.schemas import ChatRequest
from app.api.tools import Toolbox, toolbox
from engine.types import SamplingParams

router = APIRouter()


@router.post("/v1/chat/completions", summary="Have a conversation answered", response_model=None, responses=STREAMED)
async def chat_completions(body: ChatRequest, request: Request) -> Response:
    """As OpenAI's, with `persona:NAME` as a model, and the places an answer rests on in `hearth.citations`."""
    desk = desk_of(request)
    answers, shape = await while_connected(request.receive, begin(desk, body))
    told = ChatAnswers(answers, shape)
    if body.stream:
        return EventStream(told.pieces(), answers.close)
    try:
        return json_response(await while_connected(request.receive, told.whole()))
    finally:
        answers.close()


async def begin(desk: Desk, body: ChatRequest) -> tuple[Answers, Shape]:
    """The answers, once the prompt is accepted, and how they are to be given. Raises `ApiError`, `HearthError`."""
    request_id = new_id("chatcmpl")
    desk.images.hold(request_id)
    try:
        return await _begin(desk, body, request_id)
    except BaseException:
        desk.images.release(request_id)
        raise


async def _begin(desk: Desk, body: ChatRequest, request_id: str) -> tuple[Answers, Shape]:
    box = toolbox(body.tools, body.tool_choice)
    asked_for = await _asked(desk, body, box, request_id)
    shape = Shape(
        id=request_id,
        created=int(time.time()),
        model=body.model,
        alternatives=(body.top_logprobs or 0) if body.logprobs else None,
        tools=box,
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
        cite=None if asked_for.sources is None else partial(citations, sources=asked_for.sources),
    )
    release = partial(desk.images.release, request_id)
    return await desk.kernel.answer(asked_for.model, asked_for.maker(request_id), body.n or 1, release), shape


async def _asked(desk: Desk, body: ChatRequest, box: Toolbox | None, request_id: str) -> Asked:
    schema = schema_of(body.response_format)
    if box is not None and box.required:
        if schema is not None:
            raise InvalidRequestError("A required call leaves no room for a format.", param="response_format")
        schema = box.schema
    if body.top_logprobs and not body.logprobs:
        raise InvalidRequestError("top_logprobs needs logprobs.", param="top_logprobs")
    keep_image = partial(desk.images.segment, request_id=request_id)
    messages = await asyncio.to_thread(prompt_messages, body.messages, keep_image)
    if box is not None:
        messages = with_instructions(messages, box.told)

    def draw(own: SamplingParams) -> SamplingParams:
        return drawn(
            body,
            own,
            max_tokens=body.max_completion_tokens or body.max_tokens,
            # The engine reports probabilities where it is to name an alternative.
            logprobs=max(1, body.top_logprobs or 0) if body.logprobs else 0,
            json_schema=schema,
        )

    return await asked(desk.parts, body.model, messages, draw)
