"""ChatML and the families that speak it: Qwen, SmolLM, and countless others. Each as its Jinja has it."""

from __future__ import annotations

from engine.context.pieces import Content, Writer
from engine.context.segments import Role
from engine.context.templates.arrange import as_it_is, tools_as_users
from engine.context.templates.template import THINK, Family, Render, Setting, Turn

_SMOLLM2 = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
_QWEN2 = "You are a helpful assistant."
_QWEN25 = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
_EMPTY_THOUGHT = "<think>\n\n</think>\n\n"
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
    """Qwen2 and Qwen2.5; with "" Qwen3's instruct models, which do not think."""

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


def _qwen3(head: str, closed: str) -> Render:
    """`head` opens the assistant's turn; `closed` follows where the model is not to think."""

    def render(out: Writer, turns: list[Turn], setting: Setting) -> None:
        query = _last_query(turns)
        for index, turn in enumerate(turns):
            if turn.role is Role.TOOL:
                _tool_result(out, turns, index)
            elif turn.role is Role.ASSISTANT:
                _qwen3_answer(out, turns, index, query)
            else:
                _message(out, turn.role, turn.content)
        if setting.continued or (setting.thinking is False and closed):
            out.mark("<|im_start|>assistant\n" + _EMPTY_THOUGHT)
        else:
            out.mark(head)

    return render


CHATML = Family(
    name="chatml", render=_plain(""), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>",),
)  # fmt: skip
SMOLLM2 = Family(
    name="smollm2", render=_plain(_SMOLLM2), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", _SMOLLM2),
)  # fmt: skip
QWEN2 = Family(
    name="qwen2", render=_plain(_QWEN2), arrange=tools_as_users, stop=_STOP, signs=("<|im_start|>", _QWEN2),
)  # fmt: skip
QWEN25 = Family(
    name="qwen2.5", render=_qwen(_QWEN25), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", _QWEN25),
    architectures=("qwen2", "qwen2moe"),
)  # fmt: skip
QWEN3 = Family(
    name="qwen3", render=_qwen3("<|im_start|>assistant\n", _EMPTY_THOUGHT), arrange=as_it_is, stop=_STOP,
    signs=("<|im_start|>", "enable_thinking"), reasoning=THINK, can_think=True, architectures=("qwen3", "qwen3moe"),
)  # fmt: skip
QWEN3_INSTRUCT = Family(
    name="qwen3-instruct", render=_qwen(""), arrange=as_it_is, stop=_STOP, signs=("<|im_start|>", "<tool_response>"),
)  # fmt: skip
QWEN3_THINKING = Family(
    name="qwen3-thinking", render=_qwen3("<|im_start|>assistant\n<think>\n", ""), arrange=as_it_is, stop=_STOP,
    signs=("<|im_start|>", "assistant\\n<think>\\n"), reasoning=THINK, opens=frozenset({None, True, False}),
)  # fmt: skip

FAMILIES = (SMOLLM2, QWEN25, QWEN2, QWEN3, QWEN3_THINKING, QWEN3_INSTRUCT, CHATML)
