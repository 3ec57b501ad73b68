"""Meta's Llama 2 and Llama 3 (3.0, 3.1, 3.2 and 3.3), as their Jinja has them."""

from __future__ import annotations

from engine.context.arrange import alternating, as_it_is, split_system
from engine.context.chat_template import Family, Render, Setting, Turn
from engine.context.pieces import Writer
from engine.context.segments import Role

_ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"


def _llama2(out: Writer, turns: list[Turn], setting: Setting) -> None:
    system, rest = split_system(turns)
    for turn in rest:
        content = turn.content
        if turn.role is Role.ASSISTANT:
            out.wrap(" ", content.strip(), " " + setting.eos)
        elif system is None:
            out.wrap(setting.bos + "[INST] ", content.strip(), " [/INST]")
        else:
            # Jinja trims the first message together with the system's, whose frame so loses its end.
            content = content.rstrip()
            out.wrap(setting.bos + "[INST] <<SYS>>\n", system, "\n<</SYS>>" + ("\n\n" if content else ""))
            out.wrap("", content, " [/INST]")
            system = None
    if setting.continued:
        out.mark(" ")


def _message(out: Writer, turn: Turn) -> None:
    out.wrap(f"<|start_header_id|>{turn.role}<|end_header_id|>\n\n", turn.content.strip(), "<|eot_id|>")


def _llama3(out: Writer, turns: list[Turn], setting: Setting) -> None:
    if turns:
        out.mark(setting.bos)
    for turn in turns:
        _message(out, turn)
    out.mark(_ASSISTANT)


def _llama31(date_form: str) -> Render:
    """`date_form` is a text or a form of `strftime`: 3.1 stopped its calendar, 3.2 reads it."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        system, rest = split_system(turns)
        out.mark(setting.bos + "<|start_header_id|>system<|end_header_id|>\n\n")
        out.mark("Cutting Knowledge Date: December 2023\n")
        out.mark(f"Today Date: {setting.today.strftime(date_form)}\n\n")
        if system is not None:
            out.put(system.strip())
        out.mark("<|eot_id|>")
        for turn in rest:
            if turn.role is Role.TOOL:
                out.wrap('<|start_header_id|>ipython<|end_header_id|>\n\n"', turn.content.as_json(), '"<|eot_id|>')
            else:
                _message(out, turn)
        out.mark(_ASSISTANT)

    return render


_STOP3 = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")

FAMILIES = (
    Family(
        name="llama3.2", render=_llama31("%d %b %Y"), arrange=as_it_is, stop=_STOP3, trims=True,
        signs=("<|start_header_id|>", "Cutting Knowledge Date", "strftime_now"),
    ),
    Family(
        name="llama3.1", render=_llama31("26 Jul 2024"), arrange=as_it_is, stop=_STOP3, trims=True,
        signs=("<|start_header_id|>", "Cutting Knowledge Date", "26 Jul 2024"),
    ),
    Family(
        name="llama3", render=_llama3, arrange=as_it_is, stop=_STOP3, trims=True, signs=("<|start_header_id|>",),
    ),
    Family(
        name="llama2", render=_llama2, arrange=alternating, stop=("</s>",), trims=True, signs=("<<SYS>>", "[INST]"),
    ),
)  # fmt: skip
