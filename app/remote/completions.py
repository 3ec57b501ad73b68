"""The chat completions form of OpenAI's API, as llama-server, vLLM, Ollama and LM Studio speak it. Pure.

A remote model's chat template is the server's: messages go there as a role and their text. What `engine.context`
promises of control tokens (a text never becomes one) holds on this computer only; that untrusted text keeps to the
user's role holds there too. What only some servers understand is sent only to those that do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.remote.messages import FoundModel, ServerKind
from engine.context.segments import PromptMessage, Role
from engine.errors import GrammarError, HearthError, RemoteError, sentence
from engine.types import FinishReason, GenerationRequest

_ROLES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant", Role.TOOL: "user"}
_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, "content_filter": FinishReason.STOP}
_OWNERS = {"llamacpp": ServerKind.LLAMA, "vllm": ServerKind.VLLM, "library": ServerKind.OLLAMA}
_GOES_ON = (ServerKind.LLAMA, ServerKind.VLLM, ServerKind.OLLAMA)


def request_body(request: GenerationRequest, messages: Sequence[PromptMessage], model: str, kind: ServerKind) -> str:
    """The request as JSON text. Raises `GrammarError`, `RemoteError` for what this server cannot do."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": wire_messages(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
    }
    if sampling.max_tokens is not None:
        body["max_tokens"] = sampling.max_tokens
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.json_schema is not None:
        body["response_format"] = _format(sampling.json_schema)
    if sampling.grammar is not None:
        if kind is not ServerKind.LLAMA:
            raise GrammarError(sentence("The server on the other computer takes no grammar."))
        body["grammar"] = sampling.grammar
    if kind in (ServerKind.LLAMA, ServerKind.VLLM):
        penalty = "repeat_penalty" if kind is ServerKind.LLAMA else "repetition_penalty"
        body |= {"top_k": sampling.top_k or -1, "min_p": sampling.min_p, penalty: sampling.repeat_penalty}
        if request.thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.continue_last:
        if kind not in _GOES_ON:
            raise RemoteError(sentence("The server on the other computer cannot go on with an answer. Ask again."))
        if kind is ServerKind.VLLM:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
    return json.dumps(body)


def wire_messages(messages: Sequence[PromptMessage]) -> list[dict[str, str]]:
    """Role and text; what a tool said is said by the user, as the server knows nothing of the call."""
    return [{"role": _ROLES[message.role], "content": message.text} for message in messages]


def _format(schema: str) -> dict[str, Any]:
    try:
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": json.loads(schema)}}
    except ValueError:
        raise GrammarError(sentence("The JSON schema is not valid JSON.")) from None


def without_oldest(messages: Sequence[PromptMessage]) -> tuple[list[PromptMessage], list[PromptMessage]]:
    """Leave the oldest turn out: (what stays, what goes). A turn is a question and all up to the next one.

    Nothing goes that is pinned, the system's, or of the last turn.
    """
    asked = [index for index, message in enumerate(messages) if message.role is Role.USER]
    last = asked[-1] if asked else 0
    gone: list[int] = []
    for index, message in enumerate(messages[:last]):
        if message.role is Role.SYSTEM or message.pinned:
            continue
        if gone and message.role is Role.USER:
            break
        gone.append(index)
    kept = [message for index, message in enumerate(messages) if index not in gone]
    return kept, [messages[index] for index in gone]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a stream brings; None where it says nothing of that."""

    text: str = ""
    reasoning: str = ""
    reason: FinishReason | None = None
    usage: StreamUsage | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class StreamUsage:
    """Tokens as the server counts them; times in seconds, None where it does not tell them (llama-server does)."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prefill_s: float | None = None
    decode_s: float | None = None


class NoAnswerError(ValueError):
    """What came is not an event of this form."""


def pieces(lines: Iterable[str]) -> Iterator[Piece]:
    """Read server-sent events (WHATWG HTML, 9.2.6) up to "[DONE]". Raises `NoAnswerError`, `ServerFault`."""
    for line in lines:
        if not line.startswith("data:"):
            continue  # comments that keep the line open, event names, empty lines
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            yield Piece(last=True)
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            raise NoAnswerError(data[:80]) from None
        if not isinstance(event, dict):
            raise NoAnswerError(data[:80])
        if "error" in event:
            raise ServerFault(event)
        yield _piece(event)


class ServerFault(Exception):  # noqa: N818  (the server's fault, not an error of ours)
    """The server says in the stream that it failed; `event` is what it said."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__()
        self.event = event


def _piece(event: dict[str, Any]) -> Piece:
    choices = event.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta = choice.get("delta")
    delta = delta if isinstance(delta, dict) else {}
    reason = choice.get("finish_reason")
    return Piece(
        _text(delta.get("content")),
        _text(delta.get("reasoning_content")) or _text(delta.get("reasoning")),
        _REASONS.get(reason, FinishReason.STOP) if isinstance(reason, str) else None,
        _usage(event),
    )


def _usage(event: dict[str, Any]) -> StreamUsage | None:
    usage, timings = event.get("usage"), event.get("timings")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    times = timings if isinstance(timings, dict) else {}
    if cached is None:
        cached = times.get("cache_n")
    prompt = _number(usage.get("prompt_tokens"))
    return StreamUsage(
        prompt,
        min(_number(cached), prompt),
        _number(usage.get("completion_tokens")),
        _seconds(times.get("prompt_ms")),
        _seconds(times.get("predicted_ms")),
    )


def found_models(value: Any) -> tuple[ServerKind, tuple[FoundModel, ...]]:
    """Read the list of models (GET /v1/models). Raises `NoAnswerError`."""
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise NoAnswerError("no list of models")
    kind, models = ServerKind.OTHER, []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
            continue
        meta = row.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        kind = _OWNERS.get(str(row.get("owned_by")), kind)
        models.append(
            FoundModel(
                row["id"],
                n_ctx=_number(row.get("max_model_len")) or _number(meta.get("n_ctx")),
                n_ctx_train=_number(meta.get("n_ctx_train")),
                n_params=_number(meta.get("n_params")),
                n_vocab=_number(meta.get("n_vocab")),
                size_bytes=_number(meta.get("size")),
            )
        )
    return kind, tuple(models)


def window_of(properties: Any) -> int:
    """The context window in llama-server's GET /props; 0 if it is not told."""
    settings = properties.get("default_generation_settings") if isinstance(properties, dict) else None
    return _number(settings.get("n_ctx")) if isinstance(settings, dict) else 0


def vectors_of(value: Any, count: int) -> tuple[tuple[float, ...], ...]:
    """The vectors of POST /v1/embeddings, in the order asked, each brought to length 1. Raises `NoAnswerError`."""
    rows = value.get("data") if isinstance(value, dict) else None
    if not isinstance(rows, list) or len(rows) != count:
        raise NoAnswerError("not as many vectors as texts")
    try:
        ordered = sorted(rows, key=lambda row: row["index"])
        vectors = [[float(number) for number in row["embedding"]] for row in ordered]
        norms = [math.hypot(*vector) for vector in vectors]
    except (TypeError, KeyError, ValueError):
        raise NoAnswerError("no vectors") from None
    return tuple(
        tuple(number / (norm or 1.0) for number in vector) for vector, norm in zip(vectors, norms, strict=True)
    )


def strange_answer(host: str) -> HearthError:
    """What a `NoAnswerError` is to the person."""
    return RemoteError(sentence("{host} sent something that is no answer."), host=host)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def _seconds(value: object) -> float | None:
    return float(value) / 1000 if isinstance(value, int | float) and not isinstance(value, bool) else None
