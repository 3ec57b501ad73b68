"""IBM's Granite 3.0 and 3.3."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from engine.context.arrange import as_it_is, tools_as_users
from engine.context.chat_template import Family, ReasoningMarks, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_ROLE, _ROLE_END, _END = "<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>\n"


@cache
def _thinking() -> str:
    return files("engine.context.templates.texts").joinpath("granite_thinking.txt").read_text("utf-8")


def _messages(out: Writer, turns: list[Turn], setting: Setting) -> None:
    for turn in turns:
        out.wrap(f"{_ROLE}{turn.role}{_ROLE_END}", turn.content, _END)
    out.mark(f"{_ROLE}assistant{_ROLE_END}")


def _granite33(out: Writer, turns: list[Turn], setting: Setting) -> None:
    """It is asked to think in its own default instructions only."""
    if not turns or turns[0].role is not Role.SYSTEM:
        today = setting.today.strftime("%B %d, %Y")
        text = f"Knowledge Cutoff Date: April 2024. Today's Date: {today}. You are Granite, developed by IBM."
        manner = _thinking() if setting.thinking else " You are a helpful AI assistant."
        out.mark(f"{_ROLE}system{_ROLE_END}{text}{manner}{_END}")
    _messages(out, turns, setting)


FAMILIES = (
    Family(
        name="granite3.3", render=_granite33, arrange=as_it_is, stop=("<|end_of_text|>",),
        signs=(_ROLE, "Knowledge Cutoff Date: April 2024"), can_think=True,
        reasoning=ReasoningMarks("<think>", "</think>", silent=("<response>", "</response>"), anywhere=True),
    ),
    Family(
        name="granite3", render=_messages, arrange=tools_as_users, stop=("<|end_of_text|>",), signs=(_ROLE,),
        architectures=("granite", "granitemoe"),
    ),
)  # fmt: skip
