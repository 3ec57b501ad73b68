"""POST /v1/responses, the basics: one answer of a model or persona, as items, whole or as a stream.

The request becomes one for a chat (`app.api.chat`) and its answer comes back in this API's words. Nothing is stored,
so `previous_response_id` is refused: who goes on with a conversation sends it whole.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import while_connected
from app.api.asking import desk_of
from app.api.chat import begin
from app.api.chat_answers import ChatAnswers
from app.api.event_stream import STREAMED, EventStream, comment, data
from app.api.faults import json_response
from app.api.schemas import (
    CalledFunction,
    ChatRequest,
    FunctionCall,
    FunctionCallOutput,
    FunctionTool,
    ImageAddress,
    ImagePart,
    InputMessage,
    JsonSchema,
    Message,
    NamedFunction,
    NamedTool,
    Part,
    ResponseFormat,
    ResponseRequest,
    ResponseToolChoice,
    TextPart,
    Tool,
    ToolCall,
)

router = APIRouter()


@router.post("/v1/responses", summary="Have a model respond", response_model=None, responses=STREAMED)
async def responses(body: ResponseRequest, request: Request) -> Response:
    """As OpenAI's, for one response without a memory here."""
    asked = as_chat(body)
    answers, shape = await while_connected(request.receive, begin(desk_of(request), asked))
    made = _Response(body, ChatAnswers(answers, shape))
    if body.stream:
        return EventStream(made.pieces(), answers.close)
    try:
        return json_response(await while_connected(request.receive, made.whole()))
    finally:
        answers.close()


class _Response:
    """One response; `whole` or `pieces`, once."""

    def __init__(self, body: ResponseRequest, told: ChatAnswers) -> None:
        self._told = told
        self._id = f"resp_{secrets.token_hex(16)}"
        self._message_id = f"msg_{secrets.token_hex(16)}"
        self._number = 0
        self._fields: dict[str, Any] = {
            "id": self._id, "object": "response", "created_at": int(time.time()), "model": body.model, "error": None,
            "incomplete_details": None, "instructions": body.instructions, "metadata": {},
            "parallel_tool_calls": True, "temperature": body.temperature, "top_p": body.top_p,
            "max_output_tokens": body.max_output_tokens, "previous_response_id": None, "store": False,
            "tools": [tool.model_dump() for tool in body.tools or ()],
            "tool_choice": body.tool_choice.model_dump() if isinstance(body.tool_choice, ResponseToolChoice)
            else body.tool_choice or "auto",
        }  # fmt: skip

    async def whole(self) -> dict[str, Any]:
        """The response. Raises `ApiError`."""
        return self._finished(await self._told.whole())

    async def pieces(self) -> AsyncIterator[bytes]:
        """The response as server-sent events."""
        begun = {**self._fields, "status": "in_progress", "output": [], "usage": None}
        yield self._event("response.created", response=begun)
        yield self._event("response.in_progress", response=begun)
        place = {"item_id": self._message_id, "output_index": 0, "content_index": 0}
        writing = False
        async for _index, delta in self._told.deltas():
            if isinstance(delta, str):
                yield comment(delta)
            elif text := delta.get("content"):
                if not writing:
                    writing = True
                    item = self._message([], "in_progress")
                    yield self._event("response.output_item.added", output_index=0, item=item)
                    yield self._event("response.content_part.added", **place, part=_part(""))
                yield self._event("response.output_text.delta", **place, delta=text, logprobs=[])
        response = self._finished(self._told.completion())
        for index, item in enumerate(response["output"]):
            for event in self._ending(index, item, place):
                yield event
        kind = "response.completed" if response["status"] == "completed" else "response.incomplete"
        yield self._event(kind, response=response)

    def _ending(self, index: int, item: dict[str, Any], place: dict[str, Any]) -> Iterator[bytes]:
        if item["type"] == "message":
            [part] = item["content"]
            yield self._event("response.output_text.done", **place, text=part["text"], logprobs=[])
            yield self._event("response.content_part.done", **place, part=part)
        else:
            empty = {**item, "arguments": "", "status": "in_progress"}
            yield self._event("response.output_item.added", output_index=index, item=empty)
            where = {"item_id": item["id"], "output_index": index}
            yield self._event("response.function_call_arguments.delta", **where, delta=item["arguments"])
            yield self._event("response.function_call_arguments.done", **where, arguments=item["arguments"])
        yield self._event("response.output_item.done", output_index=index, item=item)

    def _finished(self, completion: dict[str, Any]) -> dict[str, Any]:
        [choice] = completion["choices"]
        message, usage = choice["message"], completion["usage"]
        output: list[dict[str, Any]] = []
        if message["content"]:
            output.append(self._message([_part(message["content"])], "completed"))
        output += [
            {
                "type": "function_call",
                "id": f"fc_{secrets.token_hex(16)}",
                "call_id": call["id"],
                "status": "completed",
                **call["function"],
            }
            for call in message.get("tool_calls", ())
        ]
        cut = choice["finish_reason"] == "length"
        made = {
            **self._fields,
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "output": output,
            "usage": {
                "input_tokens": usage["prompt_tokens"],
                # Nothing is charged for what is written to the cache, so nothing is counted.
                "input_tokens_details": {**usage["prompt_tokens_details"], "cache_write_tokens": 0},
                "output_tokens": usage["completion_tokens"],
                "output_tokens_details": usage["completion_tokens_details"],
                "total_tokens": usage["total_tokens"],
            },
        }
        return {**made, "hearth": completion["hearth"]} if "hearth" in completion else made

    def _message(self, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
        return {
            "type": "message", "id": self._message_id, "role": "assistant", "status": status, "content": content,
        }  # fmt: skip

    def _event(self, kind: str, **fields: Any) -> bytes:
        made = data({"type": kind, "sequence_number": self._number, **fields}, kind)
        self._number += 1
        return made


def as_chat(body: ResponseRequest) -> ChatRequest:
    """The same question as /v1/chat/completions has it."""
    messages = [Message(role="system", content=body.instructions)] if body.instructions else []
    if isinstance(body.input, str):
        messages.append(Message(role="user", content=body.input))
    else:
        messages += [_as_message(item) for item in body.input]
    text = body.text.format if body.text is not None else None
    wanted = None
    if text is not None:
        schema = JsonSchema(name=text.name, schema=text.json_schema) if text.json_schema is not None else None
        wanted = ResponseFormat(type=text.type, json_schema=schema)
    choice = body.tool_choice
    return ChatRequest(
        model=body.model,
        messages=messages,
        max_completion_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        response_format=wanted,
        tools=[Tool(type="function", function=FunctionTool(**tool.model_dump(exclude={"type"}))) for tool in body.tools]
        if body.tools
        else None,
        tool_choice=NamedTool(type="function", function=NamedFunction(name=choice.name))
        if isinstance(choice, ResponseToolChoice)
        else choice,
    )


def _as_message(item: FunctionCall | FunctionCallOutput | InputMessage) -> Message:
    if isinstance(item, FunctionCall):
        function = CalledFunction(name=item.name, arguments=item.arguments)
        return Message(role="assistant", tool_calls=[ToolCall(id=item.call_id, function=function)])
    if isinstance(item, FunctionCallOutput):
        output = item.output if isinstance(item.output, str) else list[Part](item.output)
        return Message(role="tool", content=output, tool_call_id=item.call_id)
    if isinstance(item.content, str):
        return Message(role=item.role, content=item.content)
    parts = [
        part if isinstance(part, TextPart) else ImagePart(type="image_url", image_url=ImageAddress(url=part.image_url))
        for part in item.content
    ]
    return Message(role=item.role, content=list(parts))


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
