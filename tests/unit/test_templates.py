"""The proof of the reviewed templates: byte for byte what the model's own Jinja renders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.context.chat_template import Family, ReviewedTemplate, Turn
from engine.context.pieces import Content, Literal, joined
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.context.templates import choose_template
from engine.context.templates.choose import FAMILIES
from tests.unit.reference_jinja import TODAY, Refused, render
from tests.unit.template_conversations import ALTERNATING, FREE

REFERENCES = Path(__file__).parent.parent / "data" / "templates"
GOLDEN = Path(__file__).parent.parent / "golden" / "templates"
BOS, EOS = "<s>", "</s>"
SAME_FAMILY = {"llama3.3": "llama3.1"}
"""Two models' Jinja texts, one family."""
SMOLLM2_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
DEFAULT_SYSTEM = {"smollm2": SMOLLM2_SYSTEM, "qwen2": "You are a helpful assistant."}
WITH_DEFAULT = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nDEFAULT<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def references() -> Iterator[tuple[str, str]]:
    """Names and texts of the models' own templates."""
    for path in sorted(REFERENCES.glob("*.jinja")):
        yield path.stem, path.read_text("utf-8")
    for name, default in DEFAULT_SYSTEM.items():
        yield name, WITH_DEFAULT.replace("DEFAULT", default)
    yield (
        "mistral-v7-tekken",
        (REFERENCES / "mistral-v7.jinja").read_text("utf-8").replace("] '", "]'").replace("' ' + ", ""),
    )


REFERENCE = dict(references())


def family_of(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == SAME_FAMILY.get(name, name))


def reviewed(name: str) -> ReviewedTemplate:
    return ReviewedTemplate(family_of(name), BOS, EOS, lambda: TODAY)


def messages_of(conversation: list[tuple[str, str]], pieces: int = 1) -> list[PromptMessage]:
    """With `pieces` above 1, each text comes in so many segments: a template must not notice."""
    messages = []
    for role, text in conversation:
        size = max(1, -(-len(text) // pieces))
        cuts = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        messages.append(PromptMessage(Role(role), tuple(Segment(cut, Origin.USER) for cut in cuts)))
    return messages


def well_formed(family: Family, conversation: list[tuple[str, str]]) -> bool:
    """Whether the family renders the conversation as it is: nothing to rearrange, nothing its Jinja loses."""
    turns = [Turn(Role(role), Content((Segment(text, Origin.USER),))) for role, text in conversation]
    if family.loses_system and conversation[0][0] == "system":
        return False
    return family.arrange(turns) == turns


def switches() -> Iterator[tuple[str, bool | None]]:
    for name in sorted(REFERENCE):
        for thinking in (None, False, True) if family_of(name).can_think else (None,):
            yield name, thinking


@pytest.mark.parametrize(("name", "thinking"), list(switches()))
def test_rendering_equals_the_models_own(name: str, thinking: bool | None) -> None:
    template = reviewed(name)
    switch: dict[str, object] = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
    if thinking is False:
        switch["reasoning_effort"] = "low"
    compared = 0
    for conversation in ALTERNATING + FREE:
        if not well_formed(template.kind, conversation):
            continue
        asked = [{"role": role, "content": text} for role, text in conversation]
        try:
            theirs = render(REFERENCE[name], asked, bos_token=BOS, eos_token=EOS, **switch)
        except Refused as refusal:
            # Only harmony refuses by content: an answer that quotes its marks. Gemma 2 takes no system message.
            assert "tags in the content" in str(refusal) or "System role" in str(refusal), conversation
            continue
        for pieces in (1, 3):
            ours = template.render(messages_of(conversation, pieces), thinking=thinking, continue_last=False)
            assert joined(ours) == theirs, conversation
        compared += 1
    assert compared >= 30


@pytest.mark.parametrize(("golden", "name"), [("llama2", "llama2"), ("gemma3", "gemma"), ("phi4-mini", "phi4-mini")])
def test_rendering_equals_what_the_models_own_rendered(golden: str, name: str) -> None:
    """For models whose template's licence keeps it out of this repository: its renderings, kept."""
    cases = json.loads((GOLDEN / f"{golden}.json").read_text("utf-8"))
    assert len(cases) >= 30
    for case in cases:
        ours = reviewed(name).render(messages_of(case["messages"]), thinking=None, continue_last=False)
        assert joined(ours) == case["prompt"]


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_content_is_never_a_literal(name: str) -> None:
    for conversation in ALTERNATING + FREE:
        for piece in reviewed(name).render(messages_of(conversation), thinking=None, continue_last=False):
            assert not (isinstance(piece, Literal) and "Evil" in piece.text)
            assert not (isinstance(piece, Literal) and "Obey" in piece.text)


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_nothing_said_is_lost(name: str) -> None:
    """Also a conversation that the Jinja refuses keeps every text of the person, the system and the tools."""
    for conversation in ALTERNATING + FREE:
        text = joined(reviewed(name).render(messages_of(conversation), thinking=None, continue_last=False))
        text = text.replace("/no_think", "").replace("/think", "")
        for role, said in conversation:
            words = said.replace("/no_think", "").replace("/think", "").strip()
            if role != "assistant":
                assert words in text or words.replace('"', '\\"') in text


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_an_answer_is_continued_where_it_ended(name: str) -> None:
    template = reviewed(name)
    asked = messages_of([("system", "Rules"), ("user", "Count.")])
    begun = [*asked, *messages_of([("assistant", "One, two, ")])]
    for thinking in (None, False, True):
        pieces = template.render(begun, thinking=thinking, continue_last=True)
        assert pieces[-1] == Segment("One, two, ", Origin.USER)
        if template.reasoning is not None:
            before = joined(pieces)
            assert before.count(template.reasoning.start) == before.count(template.reasoning.end) or name == "gpt-oss"


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_reasoning_is_open_exactly_when_said_so(name: str) -> None:
    template = reviewed(name)
    for thinking in (None, False, True):
        text = joined(template.render(messages_of([("user", "Q")]), thinking=thinking, continue_last=False))
        opened = template.reasoning is not None and text.rstrip().endswith(template.reasoning.start)
        assert template.starts_in_reasoning(thinking) == opened


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_a_model_gets_the_family_that_speaks_as_it_does(name: str) -> None:
    chosen = choose_template(REFERENCE[name], "unheard-of", bos=BOS, eos=EOS, clock=lambda: TODAY)
    assert chosen.family == SAME_FAMILY.get(name, name)


def test_a_template_that_differs_in_one_byte_is_not_taken_for_the_family() -> None:
    altered = REFERENCE["chatml"].replace("<|im_start|>' + message", "<|im_start|> ' + message")
    assert choose_template(altered, "qwen2").family == "jinja"


@pytest.mark.parametrize(
    ("architecture", "family"), [("qwen2", "qwen2.5"), ("gemma3", "gemma"), ("gpt-oss", "gpt-oss"), ("x", "chatml")]
)
def test_without_a_template_the_architecture_decides(architecture: str, family: str) -> None:
    assert choose_template(None, architecture).family == family
    assert choose_template("{% broken", architecture).family == family


def test_begin_of_text_is_left_out_where_the_models_own_leaves_it_out() -> None:
    without = REFERENCE["gemma"].replace("{{ bos_token }}", "")
    chosen = choose_template(without, "gemma2", bos=BOS, eos=EOS)
    assert chosen.family == "gemma"
    pieces = chosen.render(messages_of([("user", "Hi")]), thinking=None, continue_last=False)
    assert joined(pieces).startswith("<start_of_turn>")
