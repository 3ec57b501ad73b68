"""ChatML and the families that speak it: Qwen, SmolLM, and countless others. Each as its Jinja has it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from engine.context.arrange import as_it_is, later_systems_as_users, split_system
from engine.context.chat_template import THINK, Family, Render, Setting, Turn
from engine.context.pieces import Content, Writer
from engine.context.segments import Role

_SMOLLM2 = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
_QWEN2 = "You are a helpful assistant."
_QWEN25 = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
_STOP = ("<|im_end|>",)


def _message(out: Writer, role: str, content: Content) -> None:
    out.wrap(f"<|im_start|>{role}\n", content, "<|im_end|>\n")


def _default_system(out: Writer, turns: list[Turn], text: str) -> None:
    if text and (not turns or turns[0].role is not Role.SYSTEM):
        out.mark(f"<|im_start|>system\n{text}<|im_end|>\n")


def _plain(default_system: str) -> Render:
    """Every message under its role's name."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        _default_system(out, turns, default_system)
        for turn in turns:
            _message(out, turn.role, turn.content)
        out.mark("<|im_start|>assistant\n")

    return render


def _tool_result(out: Writer, turns: list[Turn], index: int) -> None:
    """Qwen's way: neighbouring results share one user message."""
    if index == 0 or turns[index - 1].role is not Role.TOOL:
        out.mark("<|im_start|>user")
    out.wrap("\n<tool_response>\n", turns[index].content, "\n</tool_response>")
    if index == len(turns) - 1 or turns[index + 1].role is not Role.TOOL:
        out.mark("<|im_end|>\n")


def _qwen(default_system: str) -> Render:
    """Qwen2.5: as ChatML, but for the results of tools."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        _default_system(out, turns, default_system)
        for index, turn in enumerate(turns):
            if turn.role is Role.TOOL:
                _tool_result(out, turns, index)
            else:
                _message(out, turn.role, turn.content)
        out.mark("<|im_start|>assistant\n")

    return render


def _is_tool_result(content: Content) -> bool:
    text = content.text
    return text.startswith("<tool_response>") and text.endswith("</tool_response>")


def _last_query(turns: list[Turn]) -> int:
    """Qwen3: the last message of the user that is not a tool's result in disguise."""
    for index in range(len(turns) - 1, -1, -1):
        if turns[index].role is Role.USER and not _is_tool_result(turns[index].content):
            return index
    return len(turns) - 1


def _qwen3_answer(out: Writer, turns: list[Turn], index: int, query: int) -> None:
    """Reasoning stays only in answers that come after the last question."""
    content, reasoning = turns[index].content, Content(())
    if "</think>" in content.text:
        reasoning = content.before_first("</think>").rstrip("\n").after_last("<think>").lstrip("\n")
        content = content.after_last("</think>").lstrip("\n")
    out.mark("<|im_start|>assistant\n")
    if index > query and (index == len(turns) - 1 or reasoning):
        out.wrap("<think>\n", reasoning.strip("\n"), "\n</think>\n\n")
        content = content.lstrip("\n")
    out.put(content)
    out.mark("<|im_end|>\n")


def _qwen3(out: Writer, turns: list[Turn], setting: Setting) -> None:
    query = _last_query(turns)
    for index, turn in enumerate(turns):
        if turn.role is Role.TOOL:
            _tool_result(out, turns, index)
        elif turn.role is Role.ASSISTANT:
            _qwen3_answer(out, turns, index, query)
        else:
            _message(out, turn.role, turn.content)
    out.mark("<|im_start|>assistant\n")
    if setting.continued or setting.thinking is False:
        out.mark("<think>\n\n</think>\n\n")


@cache
def _smollm3_manner() -> str:
    return files("engine.context.templates.texts").joinpath("smollm3.txt").read_text("utf-8")


def _smollm3(out: Writer, turns: list[Turn], setting: Setting) -> None:
    """The system message may switch reasoning by the words /think and /no_think, which are taken out of it."""
    system, rest = split_system(turns)
    thinks = setting.thinking is not False
    if system is not None and "/no_think" in system.text:
        thinks = False
    elif system is not None and "/think" in system.text:
        thinks = True
    custom = None if system is None else system.without("/no_think").without("/think").rstrip()
    out.mark("<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\n")
    out.mark(f"Reasoning Mode: {'/think' if thinks else '/no_think'}\n\n## Custom Instructions\n\n")
    if custom:
        out.put(custom)
    else:
        out.mark(_smollm3_manner() if thinks else _SMOLLM2 + ".")
    out.mark("\n\n<|im_end|>\n")
    answer = "<|im_start|>assistant\n" + ("" if thinks else "<think>\n\n</think>\n")
    for turn in rest:
        if turn.role is Role.ASSISTANT:
            out.wrap(answer, turn.content.lstrip("\n"), "<|im_end|>\n")
        else:
            _message(out, turn.role, turn.content)
    out.mark(answer + ("<think>\n\n</think>\n" if setting.continued and thinks else ""))


CHATML = Family(
    name="chatml", render=_plain(""), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>",),
)  # fmt: skip
SMOLLM2 = Family(
    name="smollm2", render=_plain(_SMOLLM2), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", _SMOLLM2),
)  # fmt: skip
QWEN2 = Family(
    name="qwen2", render=_plain(_QWEN2), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", _QWEN2),
)  # fmt: skip
QWEN25 = Family(
    name="qwen2.5", render=_qwen(_QWEN25), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", _QWEN25),
    architectures=("qwen2", "qwen2moe"),
)  # fmt: skip
QWEN3 = Family(
    name="qwen3", render=_qwen3, arrange=as_it_is, stop=_STOP,
    signs=("<|im_start|>", "enable_thinking"), reasoning=THINK, can_think=True, architectures=("qwen3", "qwen3moe"),
)  # fmt: skip
SMOLLM3 = Family(
    name="smollm3", render=_smollm3, arrange=later_systems_as_users, stop=_STOP,
    signs=("<|im_start|>", "## Custom Instructions"), reasoning=THINK, can_think=True, architectures=("smollm3",),
)  # fmt: skip

FAMILIES = (SMOLLM2, QWEN25, QWEN2, QWEN3, SMOLLM3, CHATML)
