"""Google's Gemma 1, 2 and 3. The system message begins the first user message."""

from __future__ import annotations

from engine.context.arrange import alternating, split_system
from engine.context.chat_template import Family, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role


def _render(out: Writer, turns: list[Turn], setting: Setting) -> None:
    """As Gemma 3 has it; Gemma 2 is the same but refuses a system message."""
    system, rest = split_system(turns)
    out.mark(setting.bos)
    for turn in rest:
        out.mark(f"<start_of_turn>{'model' if turn.role is Role.ASSISTANT else 'user'}\n")
        if system is not None:
            out.wrap("", system, "\n\n")
            system = None
        out.wrap("", turn.content.strip(), "<end_of_turn>\n")
    out.mark("<start_of_turn>model\n")


FAMILIES = (
    Family(
        name="gemma", render=_render, arrange=alternating, stop=("<end_of_turn>",), signs=("<start_of_turn>",),
        trims=True, architectures=("gemma", "gemma2", "gemma3"),
    ),
)  # fmt: skip
