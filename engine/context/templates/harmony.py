"""OpenAI's gpt-oss: the harmony format, with channels for reasoning (analysis) and answer (final)."""

from __future__ import annotations

from engine.context.arrange import later_systems_as_users, split_system
from engine.context.chat_template import HARMONY, Family, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_FINAL = "<|start|>assistant<|channel|>final<|message|>"


def _render(out: Writer, turns: list[Turn], setting: Setting) -> None:
    """Asked not to think, it is told to think little: it cannot do without."""
    system, rest = split_system(turns)
    effort = "low" if setting.thinking is False else "medium"
    out.mark("<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n")
    out.mark(f"Knowledge cutoff: 2024-06\nCurrent date: {setting.today.strftime('%Y-%m-%d')}\n\n")
    out.mark(f"Reasoning: {effort}\n\n# Valid channels: analysis, commentary, final. ")
    out.mark("Channel must be included for every message.<|end|>")
    if system:
        out.wrap("<|start|>developer<|message|># Instructions\n\n", system, "\n\n<|end|>")
    for turn in rest:
        out.wrap(_FINAL if turn.role is Role.ASSISTANT else "<|start|>user<|message|>", turn.content, "<|end|>")
    out.mark(_FINAL if setting.continued else "<|start|>assistant")


FAMILIES = (
    Family(
        name="gpt-oss", render=_render, arrange=later_systems_as_users, stop=("<|return|>", "<|call|>"),
        signs=("<|start|>", "<|channel|>", "Valid channels"), reasoning=HARMONY, can_think=True,
        architectures=("gpt-oss",),
    ),
)  # fmt: skip
