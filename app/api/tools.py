"""Tools that a client offers: told to the model in words, and its calls read from its answer. Pure.

The words and marks are those of Hermes and Qwen2.5 (the latter's own chat template says the same); other models follow
them as instructions. Where a call is required, the answer is held to a JSON schema instead, so it is always one.
Nothing is run here: the client does that, and what it brings back is untrusted text.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.api.faults import InvalidRequestError
from app.api.schemas import NamedTool, Tool
from engine.context.segments import Origin, Segment

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_HELD = 200_000
"""Characters of a call; a longer one is text."""
_FENCES = ("```json", "```")


@dataclass(frozen=True, slots=True)
class Call:
    """A function's name and its arguments, as JSON text."""

    name: str
    arguments: str

    def as_json(self, index: int | None = None) -> dict[str, Any]:
        """As clients read it; with `index` as a piece of a stream."""
        value: dict[str, Any] = {
            "id": f"call_{secrets.token_hex(12)}",
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }
        return value if index is None else {"index": index, **value}


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a request offers. With `required` the whole answer is one call, by `schema`."""

    names: frozenset[str]
    told: tuple[Segment, ...]
    required: bool = False
    schema: str | None = None


def toolbox(tools: Sequence[Tool] | None, choice: str | NamedTool | None) -> Toolbox | None:
    """None where no tool may be called. Raises `InvalidRequestError` for a choice that is not offered."""
    if not tools or choice == "none":
        if isinstance(choice, NamedTool) or choice == "required":
            raise InvalidRequestError("There are no tools to choose from.", param="tool_choice")
        return None
    if isinstance(choice, NamedTool):
        tools = [tool for tool in tools if tool.function.name == choice.function.name]
        if not tools:
            raise InvalidRequestError("No tool of that name is offered.", param="tool_choice")
    required = choice == "required" or isinstance(choice, NamedTool)
    lines = "\n".join(json.dumps(_described(tool), ensure_ascii=False) for tool in tools)
    told = (
        Segment(
            "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
            "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n",
            Origin.APP,
        ),
        Segment(lines, Origin.PERSONA, label="tools"),
        Segment(
            "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
            '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}'
            "\n</tool_call>",
            Origin.APP,
        ),
    )
    names = frozenset(tool.function.name for tool in tools)
    return Toolbox(names, told, required, json.dumps(_schema(tools)) if required else None)


class CallReader:
    """Tells calls from text as an answer comes. What may become a call is held back until that is clear."""

    def __init__(self, box: Toolbox) -> None:
        self._box = box
        self._held = ""
        self._bare: bool | None = None
        """Whether the answer begins as JSON: then it may be a call without marks."""
        self.calls: list[Call] = []

    def feed(self, text: str) -> str:
        """The next characters of the answer; what of them is text for certain."""
        self._held += text
        if self._bare is None and self._held.strip():
            self._bare = self._box.required or self._held.lstrip()[:1] in "{`"
        if self._bare is not False and len(self._held) <= _HELD:
            return ""
        self._bare = False
        return "".join(self._texts())

    def end(self) -> str:
        """The answer is whole: what of it is still text."""
        if self._bare and (call := _call(_unfenced(self._held), self._box.names)) is not None:
            self.calls.append(call)
            self._held = ""
            return ""
        text = "".join(self._texts())
        rest, self._held = self._held, ""
        if rest.startswith(OPEN) and (call := _call(rest[len(OPEN) :], self._box.names)) is not None:
            self.calls.append(call)  # the model ended its turn without the closing mark
            return text
        return text if self.calls and rest.strip() == OPEN else text + rest

    def _texts(self) -> Iterator[str]:
        while True:
            at = self._held.find(OPEN)
            if at < 0:
                keep = _begun(self._held)
                yield self._held[: len(self._held) - keep]
                self._held = self._held[len(self._held) - keep :]
                return
            end = self._held.find(CLOSE, at)
            yield self._held[:at].rstrip("\n") if self.calls or at else ""
            again = self._held.find(OPEN, at + len(OPEN), end if end >= 0 else None)
            if again >= 0 and (call := _call(self._held[at + len(OPEN) : again], self._box.names)) is not None:
                self.calls.append(call)  # small models close with the opening mark
                self._held = self._held[again:]
                continue
            if end < 0:
                self._held = self._held[at:]
                if len(self._held) > _HELD:
                    yield self._held
                    self._held = ""
                return
            inside = self._held[at + len(OPEN) : end]
            after = self._held[end + len(CLOSE) :]
            call = _call(inside, self._box.names)
            if call is None:
                yield f"{OPEN}{inside}{CLOSE}"
            else:
                self.calls.append(call)
                after = after.lstrip("\n")
            self._held = after


def _begun(text: str) -> int:
    """How many last characters may begin the opening mark."""
    return next((n for n in range(min(len(OPEN) - 1, len(text)), 0, -1) if OPEN.startswith(text[-n:])), 0)


def _unfenced(text: str) -> str:
    text = text.strip()
    for fence in _FENCES:
        if text.startswith(fence) and text.endswith("```"):
            return text[len(fence) : -3]
    return text.removeprefix(OPEN).removesuffix(CLOSE)


def _call(text: str, names: frozenset[str]) -> Call | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("name") not in names:
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    return Call(value["name"], arguments if isinstance(arguments, str) else json.dumps(arguments))


def _described(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.function.name, "description": tool.function.description or ""}
    return {"type": "function", "function": {**function, "parameters": tool.function.parameters or {}}}


def _schema(tools: Sequence[Tool]) -> dict[str, Any]:
    """One call of one of them."""
    shapes = [
        {
            "type": "object",
            "properties": {
                "name": {"const": tool.function.name},
                "arguments": tool.function.parameters or {"type": "object"},
            },
            "required": ["name", "arguments"],
        }
        for tool in tools
    ]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
