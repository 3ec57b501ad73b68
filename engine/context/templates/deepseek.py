"""DeepSeek V2, V3 and R1 with its distilled models."""

from __future__ import annotations

from engine.context.arrange import split_system, systems_first, tools_as_users
from engine.context.chat_template import THINK, Family, Render, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_END = "<｜end▁of▁sentence｜>"
_ASSISTANT = "<｜Assistant｜>"
_ALWAYS: frozenset[bool | None] = frozenset({None, True, False})


def _v2(out: Writer, turns: list[Turn], setting: Setting) -> None:
    out.mark(setting.bos)
    for turn in turns:
        if turn.role is Role.SYSTEM:
            out.wrap("", turn.content, "\n\n")
        elif turn.role is Role.USER:
            out.wrap("User: ", turn.content, "\n\n")
        else:
            out.wrap("Assistant: ", turn.content, setting.eos)
    out.mark("Assistant: " if setting.continued else "Assistant:")


def _v3(*, thinks: bool) -> Render:
    """V3 without reasoning; R1 opens it and drops it from earlier answers."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        system, rest = split_system(turns)
        out.mark(setting.bos)
        if system is not None:
            out.put(system)
        for turn in rest:
            if turn.role is Role.ASSISTANT:
                content = turn.content.after_last("</think>") if thinks else turn.content
                out.wrap(_ASSISTANT, content, _END)
            else:
                out.wrap("<｜User｜>", turn.content, "")
        out.mark(_ASSISTANT)
        if thinks:
            out.mark("<think>\n\n</think>\n\n" if setting.continued else "<think>\n")

    return render


FAMILIES = (
    Family(
        name="deepseek-r1", render=_v3(thinks=True), arrange=systems_first, stop=(_END,),
        signs=("<｜User｜>", _ASSISTANT, "<think>"), reasoning=THINK, opens=_ALWAYS,
    ),
    Family(
        name="deepseek-v3", render=_v3(thinks=False), arrange=systems_first, stop=(_END,),
        signs=("<｜User｜>", _ASSISTANT),
    ),
    Family(
        name="deepseek-v2", render=_v2, arrange=tools_as_users, stop=(_END,), signs=("'User: '", "'Assistant: '"),
        architectures=("deepseek2",),
    ),
)  # fmt: skip
