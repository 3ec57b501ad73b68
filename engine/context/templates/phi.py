"""Microsoft's Phi-3, Phi-3.5, Phi-4 and Phi-4-mini."""

from __future__ import annotations

from engine.context.arrange import alternating, tools_as_users, without_system
from engine.context.chat_template import Family, Render, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_STOP = ("<|end|>", "<|endoftext|>")


def _phi3(*, bos: bool, empty_system: bool = False) -> Render:
    """`bos`: the template writes the beginning of text itself. `empty_system`: also an empty message is one."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        if bos:
            out.mark(setting.bos)
        for turn in turns:
            if empty_system or turn.content or turn.role is not Role.SYSTEM:
                out.wrap(f"<|{turn.role}|>\n", turn.content, "<|end|>\n")
        out.mark("<|assistant|>\n")

    return render


def _phi4(out: Writer, turns: list[Turn], setting: Setting) -> None:
    for turn in turns:
        out.wrap(f"<|im_start|>{turn.role}<|im_sep|>", turn.content, "<|im_end|>")
    out.mark("<|im_start|>assistant<|im_sep|>")


def _phi4_mini(out: Writer, turns: list[Turn], setting: Setting) -> None:
    for turn in turns:
        out.wrap(f"<|{turn.role}|>", turn.content, "<|end|>")
    out.mark("<|assistant|>")


FAMILIES = (
    Family(
        name="phi4", render=_phi4, arrange=alternating, stop=("<|im_end|>",), signs=("<|im_sep|>",),
    ),
    Family(
        name="phi3.5", render=_phi3(bos=False), arrange=tools_as_users, stop=_STOP, signs=("<|user|>", "<|system|>"),
        architectures=("phi3",),
    ),
    Family(
        name="phi3-small", render=_phi3(bos=True, empty_system=True), arrange=tools_as_users, stop=_STOP,
        signs=("<|end|>",),
    ),
    Family(
        name="phi3", render=_phi3(bos=True), arrange=without_system, stop=_STOP, signs=("<|user|>", "bos_token"),
        loses_system=True,
    ),
    Family(
        name="phi3-medium", render=_phi3(bos=False), arrange=without_system, stop=_STOP, signs=("<|user|>",),
        loses_system=True,
    ),
    Family(
        name="phi4-mini", render=_phi4_mini, arrange=tools_as_users, stop=_STOP, signs=("<|end|>", "<|tool|>"),
    ),
)  # fmt: skip
