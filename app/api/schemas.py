"""What clients may send, as pydantic models: the part of OpenAI's API that Hearth answers. Fields it has no use for are
let pass, as clients send many; those it has are held to their types and limits. Knows no engine.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from app.limits import API_CHOICES, API_MESSAGES, API_STOPS, API_TEXT_CHARACTERS, API_TEXTS, API_TOOLS

_MOST_TOKENS = 1_000_000
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(max_length=API_TEXT_CHARACTERS)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
ModelName = Annotated[Name, Field(examples=["default"])]
Stops = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=API_STOPS)]
Bias = Annotated[
    dict[Annotated[str, Field(pattern=r"^[0-9]{1,7}$")], Annotated[float, Field(strict=True, ge=-100, le=100)]],
    Field(max_length=1024),
]


class Model(BaseModel):
    """The base. Numbers and flags are strict in the fields: no text is taken for one."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, protected_namespaces=())


class TextPart(Model):
    type: Literal["text", "input_text", "output_text"]
    text: Text


class ImageAddress(Model):
    url: Annotated[str, Field(pattern=r"^data:image/")]
    """A data URL: Hearth fetches nothing."""


class ImagePart(Model):
    type: Literal["image_url"]
    image_url: ImageAddress


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class CalledFunction(Model):
    name: Name
    arguments: Text


class ToolCall(Model):
    id: Annotated[str, Field(max_length=256)]
    type: Literal["function"] = "function"
    function: CalledFunction


class Message(Model):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | Annotated[list[Part], Field(max_length=API_MESSAGES)] | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=API_TOOLS)] | None = None
    tool_call_id: Annotated[str, Field(max_length=256)] | None = None


class FunctionTool(Model):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    description: Annotated[str, Field(max_length=16_384)] | None = None
    parameters: dict[str, Any] | None = None


class Tool(Model):
    type: Literal["function"]
    function: FunctionTool


class NamedFunction(Model):
    name: Name


class NamedTool(Model):
    type: Literal["function"]
    function: NamedFunction


class JsonSchema(Model):
    name: Name | None = None
    json_schema: dict[str, Any] | None = Field(None, alias="schema")


class ResponseFormat(Model):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(Model):
    include_usage: Flag | None = None


class Drawing(Model):
    """How tokens are drawn: OpenAI's names, and llama.cpp's for what OpenAI does not have."""

    temperature: Annotated[float, Field(strict=True, ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(strict=True, ge=0, le=_MOST_TOKENS)] | None = None
    min_p: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Field(strict=True, ge=0.1, le=10)] | None = None
    presence_penalty: Annotated[float, Field(strict=True, ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(strict=True, ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)] | None = None
    stop: Annotated[str, Field(max_length=256)] | Stops | None = None
    logit_bias: Bias | None = None
    n: Annotated[int, Field(strict=True, ge=1, le=API_CHOICES)] | None = None
    stream: Flag | None = None
    stream_options: StreamOptions | None = None


class ChatRequest(Drawing):
    """POST /v1/chat/completions"""

    model: ModelName
    messages: Annotated[list[Message], Field(min_length=1, max_length=API_MESSAGES)]
    max_tokens: Annotated[int, Field(strict=True, ge=1, le=_MOST_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(strict=True, ge=1, le=_MOST_TOKENS)] | None = None
    logprobs: Flag | None = None
    top_logprobs: Annotated[int, Field(strict=True, ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], Field(max_length=API_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None


Tokens = Annotated[
    list[Annotated[int, Field(strict=True, ge=0, lt=2**31)]], Field(min_length=1, max_length=_MOST_TOKENS)
]


class CompletionRequest(Drawing):
    """POST /v1/completions"""

    model: ModelName
    prompt: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=API_TEXTS)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=API_TEXTS)]
    )
    max_tokens: Annotated[int, Field(strict=True, ge=0, le=_MOST_TOKENS)] | None = None
    logprobs: Annotated[int, Field(strict=True, ge=0, le=20)] | None = None
    echo: Flag | None = None
    suffix: Annotated[str, Field(max_length=0)] | None = None


class EmbeddingRequest(Model):
    """POST /v1/embeddings"""

    model: ModelName
    input: (
        Annotated[Text, Field(min_length=1)]
        | Annotated[list[Annotated[Text, Field(min_length=1)]], Field(min_length=1, max_length=API_TEXTS)]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(strict=True, ge=1, le=16_384)] | None = None


class InputImage(Model):
    type: Literal["input_image"]
    image_url: Annotated[str, Field(pattern=r"^data:image/")]


InputPart = Annotated[TextPart | InputImage, Field(discriminator="type")]


class InputMessage(Model):
    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[InputPart], Field(max_length=API_MESSAGES)]


class FunctionCall(Model):
    type: Literal["function_call"]
    call_id: Annotated[str, Field(max_length=256)]
    name: Name
    arguments: Text


class FunctionCallOutput(Model):
    type: Literal["function_call_output"]
    call_id: Annotated[str, Field(max_length=256)]
    output: Text | Annotated[list[TextPart], Field(max_length=API_MESSAGES)]


def _kind(item: object) -> str:
    """A message need not say that it is one."""
    return str(item.get("type", "message") if isinstance(item, dict) else getattr(item, "type", ""))


InputItem = Annotated[
    Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")]
    | Annotated[InputMessage, Tag("message")],
    Discriminator(_kind),
]


class ResponseTool(FunctionTool):
    type: Literal["function"]


class TextFormat(Model):
    type: Literal["text", "json_object", "json_schema"]
    name: Name | None = None
    json_schema: dict[str, Any] | None = Field(None, alias="schema")


class TextOptions(Model):
    format: TextFormat | None = None


class ResponseToolChoice(Model):
    type: Literal["function"]
    name: Name


class ResponseRequest(Model):
    """POST /v1/responses"""

    model: ModelName
    input: (
        Text
        | Annotated[
            list[InputItem],
            # One less than a chat has messages: the instructions become one.
            Field(min_length=1, max_length=API_MESSAGES - 1),
        ]
    )
    instructions: Text | None = None
    max_output_tokens: Annotated[int, Field(strict=True, ge=1, le=_MOST_TOKENS)] | None = None
    temperature: Annotated[float, Field(strict=True, ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    stream: Flag | None = None
    text: TextOptions | None = None
    tools: Annotated[list[ResponseTool], Field(max_length=API_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ResponseToolChoice | None = None
    previous_response_id: None = None
