"""Mistral's instruct formats, which differ by spaces and by the place of the system message."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from engine.context.arrange import alternating, split_system, tools_as_users, without_system
from engine.context.chat_template import Family, Render, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_STOP = ("</s>",)


@cache
def _small_system() -> str:
    """What Mistral Small is told where nobody tells it anything."""
    return files("engine.context.templates.texts").joinpath("mistral_small.txt").read_text("utf-8")


def _inside(*, begin: str, end: str, answer: str, system_in_last: bool = False, trim: bool = False) -> Render:
    """v1 and v3: the system message stands inside the first or the last user message."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        system, rest = split_system(turns)
        place = len(rest) - 1 if system_in_last else 0
        out.mark(setting.bos)
        for index, turn in enumerate(rest):
            if turn.role is Role.ASSISTANT:
                out.wrap(answer, turn.content.strip() if trim else turn.content, setting.eos)
                continue
            out.mark(begin)
            if system is not None and index == place:
                out.wrap("", system, "\n\n")
            out.wrap("", turn.content, end)
        if setting.continued:
            out.mark(answer)

    return render


def _apart(*, space: str, default: bool = False) -> Render:
    """v7: the system message has a place of its own."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        out.mark(setting.bos)
        if default and (not turns or turns[0].role is not Role.SYSTEM):
            text = _small_system().replace("{today}", setting.today.strftime("%Y-%m-%d"))
            out.mark(f"[SYSTEM_PROMPT]{text}[/SYSTEM_PROMPT]")
        for turn in turns:
            if turn.role is Role.SYSTEM:
                out.wrap("[SYSTEM_PROMPT]" + space, turn.content, "[/SYSTEM_PROMPT]")
            elif turn.role is Role.USER:
                out.wrap("[INST]" + space, turn.content, "[/INST]")
            else:
                out.wrap(space, turn.content, setting.eos)
        if setting.continued:
            out.mark(space)

    return render


FAMILIES = (
    Family(
        name="mistral-small", render=_apart(space="", default=True), arrange=alternating, stop=_STOP,
        signs=("[SYSTEM_PROMPT]", "You are Mistral Small 3"),
    ),
    Family(
        name="mistral-v7-tekken", render=_apart(space=""), arrange=tools_as_users, stop=_STOP,
        signs=("[SYSTEM_PROMPT]",),
    ),
    Family(
        name="mistral-v7", render=_apart(space=" "), arrange=tools_as_users, stop=_STOP, signs=("[SYSTEM_PROMPT]",),
    ),
    Family(
        name="mistral-v3-tekken", render=_inside(begin="[INST]", end="[/INST]", answer="", system_in_last=True),
        arrange=alternating, stop=_STOP, signs=("[INST]",),
    ),
    Family(
        name="mistral-v3",
        render=_inside(begin="[INST] ", end="[/INST]", answer=" ", system_in_last=True, trim=True),
        arrange=alternating, stop=_STOP, signs=("[INST]",),
    ),
    Family(
        name="mistral-v1", render=_inside(begin=" [INST] ", end=" [/INST]", answer=" "), arrange=alternating,
        stop=_STOP, signs=("[INST]", "system_message"),
    ),
    Family(
        name="mistral-v0", render=_inside(begin="[INST] ", end=" [/INST]", answer=""), arrange=without_system,
        stop=_STOP, signs=("[INST]",),
    ),
)  # fmt: skip
