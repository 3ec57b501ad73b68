"""Reasoning and answer come apart the same way, however the stream is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context.chat_template import HARMONY, THINK, ReasoningMarks
from engine.context.reasoning import ReasoningSplitter
from engine.context.templates.cohere import FAMILIES as COHERE

COMMAND_R7B = COHERE[0].reasoning
assert COMMAND_R7B is not None


def split(marks: ReasoningMarks, deltas: list[str], *, inside: bool = False) -> tuple[str, str]:
    """Reasoning and answer."""
    splitter = ReasoningSplitter(marks, starts_inside=inside)
    runs = [run for delta in deltas for run in splitter.feed(delta)] + splitter.finish()
    assert all(run.text for run in runs)
    return (
        "".join(run.text for run in runs if run.is_reasoning),
        "".join(run.text for run in runs if not run.is_reasoning),
    )


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>\nstep one\n\nstep two\n</think>\n\nForty-two.\n", "step one\n\nstep two", "Forty-two.\n"),
        ("<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("\n <think>a</think>b", "a", "b"),
        ("No reasoning at all.\n", "", "No reasoning at all.\n"),
        ("  indented answer", "", "  indented answer"),
        ("The tag <think> opens reasoning.</think>", "", "The tag <think> opens reasoning.</think>"),
        ("<think>never closed\n", "never closed", ""),
        ("<think>a < b <thin </thin</think>c", "a < b <thin </thin", "c"),
        ("<thi", "", "<thi"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        ("\n\n", "", "\n\n"),
        ("", "", ""),
    ],
)
def test_think_marks(text: str, reasoning: str, answer: str) -> None:
    assert split(THINK, [text]) == (reasoning, answer)
    assert split(THINK, list(text)) == (reasoning, answer)


def test_reasoning_that_the_prompt_has_opened() -> None:
    text = "\nfirst\n</think>\n\nthen"
    assert split(THINK, list(text), inside=True) == ("first", "then")
    assert split(THINK, [text]) == ("", text)  # Positive control.


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>analysis<|message|>hm\n<|end|><|start|>assistant<|channel|>final<|message|>Answer",
        "<|channel|>analysis<|message|>h<|end|><|start|>assistant<|channel|>analysis<|message|>m\n<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Answer",
    ],
)
def test_harmony_channels(text: str) -> None:
    assert split(HARMONY, list(text)) == ("hm", "Answer")
    assert split(HARMONY, [text]) == ("hm", "Answer")


def test_command_r7b_response_marks_are_silent() -> None:
    text = "<|START_THINKING|>plan<|END_THINKING|><|START_RESPONSE|>Answer<|END_RESPONSE|>"
    assert COMMAND_R7B is not None
    assert split(COMMAND_R7B, list(text)) == ("plan", "Answer")


@pytest.mark.parametrize(
    "marks",
    [
        ReasoningMarks("<thinking>", "</thinking>"),
        ReasoningMarks("[THINK]", "[/THINK]"),
        ReasoningMarks("<seed:think>", "</seed:think>"),
        ReasoningMarks("◁think▷", "◁/think▷"),
        ReasoningMarks("<reasoning>", "</reasoning>"),
    ],
)
def test_other_marks(marks: ReasoningMarks) -> None:
    text = f"{marks.start}\nwhy\n{marks.end}\nbecause"
    assert split(marks, list(text)) == ("why", "because")


def test_nothing_is_held_back_without_need() -> None:
    splitter = ReasoningSplitter(THINK)
    assert splitter.feed("Hello") != []
    assert [run.text for run in splitter.feed(" <think")] == [" <think"]
    inside = ReasoningSplitter(THINK, starts_inside=True)
    assert [run.text for run in inside.feed("abc </th")] == ["abc "]
    assert [run.text for run in inside.feed("is")] == ["</this"]


TEXTS = ["<think>", "</think>", "<th", "ink>", "<", "/", "\n", "\r\n", " ", "a", "Answer", "<|", "|>", "<|end"]
PARTS = st.sampled_from([*TEXTS, *HARMONY.texts])


@settings(max_examples=500, deadline=None)
@given(
    st.lists(PARTS, max_size=12).map("".join),
    st.lists(st.integers(0, 200), max_size=12),
    st.sampled_from([THINK, HARMONY, COMMAND_R7B]),
    st.booleans(),
)
def test_cuts_make_no_difference(text: str, cuts: list[int], marks: ReasoningMarks, inside: bool) -> None:
    points = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    deltas = [text[low:high] for low, high in pairwise(points)]
    whole = split(marks, [text], inside=inside)
    assert split(marks, deltas, inside=inside) == whole
    assert split(marks, list(text), inside=inside) == whole
