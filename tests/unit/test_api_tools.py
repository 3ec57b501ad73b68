"""Calls of tools in what a model writes, however it comes in pieces."""

from __future__ import annotations

import json

import pytest

from app.api.faults import InvalidRequestError
from app.api.schemas import FunctionTool, NamedFunction, NamedTool, Tool
from app.api.tools import CallReader, Toolbox, toolbox

WEATHER = Tool(
    type="function",
    function=FunctionTool(name="weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}}),
)
TIME = Tool(type="function", function=FunctionTool(name="time"))
BOX = toolbox([WEATHER, TIME], None)


def read(text: str, size: int, box: Toolbox | None = BOX) -> tuple[str, list[tuple[str, object]]]:
    """What is text, and the calls, with the answer coming in pieces of so many characters."""
    assert box is not None
    reader = CallReader(box)
    out = "".join(reader.feed(text[at : at + size]) for at in range(0, len(text), size))
    out += reader.end()
    return out, [(call.name, json.loads(call.arguments)) for call in reader.calls]


ANSWERS = {
    "Hello there.": ("Hello there.", []),
    'Let me see.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>': (
        "Let me see.",
        [("weather", {"city": "Rome"})],
    ),
    '<tool_call>{"name": "weather", "arguments": {"city": "A"}}</tool_call>\n<tool_call>{"name": "time"}</tool_call>': (
        "",
        [("weather", {"city": "A"}), ("time", {})],
    ),
    '{"name": "time", "arguments": {}}': ("", [("time", {})]),
    '```json\n{"name": "time", "arguments": {}}\n```': ("", [("time", {})]),
    '<tool_call>\n{"name": "time", "arguments": {}}': ("", [("time", {})]),
    '<tool_call>\n{"name": "time", "arguments": {}}\n<tool_call>': ("", [("time", {})]),
    'I see.\n<tool_call>\n{"name": "time"}\n<tool_call>\n': ("I see.", [("time", {})]),
    '<tool_call>{"name": "time"}<tool_call>{"name": "weather"}</tool_call>': ("", [("time", {}), ("weather", {})]),
    "1 < 2 and <tool": ("1 < 2 and <tool", []),
    "<tool_call>no JSON</tool_call>": ("<tool_call>no JSON</tool_call>", []),
    '<tool_call>{"name": "unknown", "arguments": {}}</tool_call> so': (
        '<tool_call>{"name": "unknown", "arguments": {}}</tool_call> so',
        [],
    ),
    '{"some": "JSON"}': ('{"some": "JSON"}', []),
    "`code` and more": ("`code` and more", []),
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("answer", ANSWERS)
def test_calls_are_told_from_text(answer: str, size: int) -> None:
    text, calls = ANSWERS[answer]
    found = read(answer, size)
    assert found[1] == calls
    assert found[0].strip() == text


def test_text_comes_at_once_where_no_call_can_begin() -> None:
    assert BOX is not None
    reader = CallReader(BOX)
    assert reader.feed("Hello ") == "Hello "
    assert reader.feed("you <to") == "you "
    assert reader.feed("day>") == "<today>"


def test_a_required_call_is_a_schema() -> None:
    box = toolbox([WEATHER, TIME], NamedTool(type="function", function=NamedFunction(name="weather")))
    assert box is not None
    assert box.schema is not None
    schema = json.loads(box.schema)
    assert schema["properties"]["name"] == {"const": "weather"}
    assert schema["required"] == ["name", "arguments"]
    assert read('{"name": "weather", "arguments": {"city": "Rome"}}', 5, box) == ("", [("weather", {"city": "Rome"})])


def test_choices_that_are_not_offered_are_refused() -> None:
    assert toolbox(None, None) is None
    assert toolbox([TIME], "none") is None
    for tools, choice in (
        (None, "required"),
        ([TIME], NamedTool(type="function", function=NamedFunction(name="other"))),
    ):
        with pytest.raises(InvalidRequestError):
            toolbox(tools, choice)
