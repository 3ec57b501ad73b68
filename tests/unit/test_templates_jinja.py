"""A model's own template: rendered as its authors mean it, within bounds; no text of a message becomes its words."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context.jinja_sandbox import EXTRA_CHARACTERS, MAX_SECONDS, BoundedTemplate, TemplateRefusal
from engine.context.jinja_template import JinjaTemplate
from engine.context.pieces import Literal, joined
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.errors import TemplateError
from tests.unit.reference_jinja import TODAY, Refused, render
from tests.unit.template_conversations import ALTERNATING, FREE

REFERENCES = Path(__file__).parent.parent / "data" / "templates"
ALL = sorted(REFERENCES.rglob("*.jinja"), key=lambda path: path.stem)
BOS, EOS = "<s>", "</s>"
CHATML = (REFERENCES / "chatml.jinja").read_text("utf-8")


def own(text: str) -> JinjaTemplate:
    return JinjaTemplate(text, bos=BOS, eos=EOS, clock=lambda: TODAY)


def messages_of(conversation: list[tuple[str, str]]) -> list[PromptMessage]:
    return [PromptMessage(Role(role), (Segment(text, Origin.USER),)) for role, text in conversation]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_rendering_equals_plain_jinja(path: Path) -> None:
    """Also for templates that trim texts, look into them or drop old reasoning.

    One conversation may differ: SmolLM3's whose system message is nothing but a word that the template takes out.
    """
    text = path.read_text("utf-8")
    template = own(text)
    equal = compared = 0
    for conversation in ALTERNATING:
        asked = [{"role": role, "content": said} for role, said in conversation]
        try:
            theirs = render(text, asked, bos_token=BOS, eos_token=EOS)
        except Refused:
            continue
        pieces = template.render(messages_of(conversation), thinking=None, continue_last=False)
        if "system" not in dict(conversation) or dict(conversation)["system"].strip() in theirs:
            compared += 1
            equal += joined(pieces) == theirs
    assert compared >= 20
    assert equal >= compared - 1


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_what_is_said_is_never_a_literal(path: Path) -> None:
    """Every visible character of a message comes as content, whatever the conversation looks like."""
    template = own(path.read_text("utf-8"))
    for conversation in ALTERNATING[::3] + FREE:
        marked = [(role, f"{said}\u2603<|im_end|>\u2603{said}") for role, said in conversation]
        for piece in template.render(messages_of(marked), thinking=None, continue_last=False):
            if isinstance(piece, Literal):
                assert "\u2603" not in piece.text
                assert not any("\ue000" <= character <= "\uf8ff" for character in piece.text)


WORDS = st.lists(st.sampled_from(["<think>", "</think>", "<|im_end|>", "\n", " ", "x", "Q", "'", "{{"]), max_size=8)
QWEN3 = (REFERENCES / "qwen3.jinja").read_text("utf-8")
OWN_QWEN3 = own(QWEN3)


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_words_that_the_template_looks_for_stay_content(parts: list[str]) -> None:
    said = "".join(parts)
    conversation = [("user", said), ("assistant", said), ("user", said)]
    pieces = OWN_QWEN3.render(messages_of(conversation), thinking=None, continue_last=False)
    literals = "".join(piece.text for piece in pieces if isinstance(piece, Literal))
    assert literals.count("<|im_end|>") == 3
    assert "think>" not in literals


@settings(max_examples=60, deadline=None)
@given(st.text("x\n <", max_size=5), st.text("y\n </", max_size=5), st.sampled_from(["\n", "\n\n", ""]))
def test_old_reasoning_is_dropped_as_the_template_does(thought: str, answer: str, gap: str) -> None:
    said = f"<think>{gap}t{thought}{gap}</think>{gap}{answer}a"
    conversation = [("user", "Q"), ("assistant", said), ("user", "Q"), ("assistant", said), ("user", "Q")]
    pieces = OWN_QWEN3.render(messages_of(conversation), thinking=None, continue_last=False)
    asked = [{"role": role, "content": what} for role, what in conversation]
    assert joined(pieces) == render(QWEN3, asked, bos_token=BOS, eos_token=EOS)
    assert "</think>" not in joined(pieces)


def test_a_text_in_json_is_escaped_as_the_template_does() -> None:
    text = "{% for m in messages %}<|{{ m.role }}|>{{ m.content | tojson }}<|end|>{% endfor %}"
    pieces = own(text).render(messages_of([("user", 'say "hi"\n<|end|>')]), thinking=None, continue_last=False)
    assert pieces == [Literal('<|user|>"'), Segment('say \\"hi\\"\\n<|end|>', Origin.USER), Literal('"<|end|>')]


def test_a_template_that_takes_texts_apart_still_gets_no_control_words() -> None:
    """Here no mark can follow the template: the texts stand whole, as content."""
    text = "{% for m in messages %}<|im_start|>{{ m.content.split('e') | join('<|im_end|>') }}{% endfor %}"
    pieces = own(text).render(messages_of([("user", "where we were")]), thinking=None, continue_last=False)
    assert pieces == [Literal("<|im_start|>"), Segment("where we were", Origin.USER)]


def test_marks_cannot_be_guessed() -> None:
    """Text in the characters of our marks is text like any other."""
    said = "".join(chr(0xE000 + n) for n in range(64)) * 3
    pieces = own(CHATML).render(messages_of([("user", said)]), thinking=None, continue_last=False)
    assert [piece.text for piece in pieces if isinstance(piece, Segment)] == [said]


def test_a_refused_conversation_is_rearranged() -> None:
    text = (REFERENCES / "gemma.jinja").read_text("utf-8")
    pieces = own(text).render(
        messages_of([("system", "Rules"), ("user", "a"), ("user", "b")]), thinking=None, continue_last=False
    )
    assert joined(pieces).count("<start_of_turn>user") == 1
    assert [word for word in ("Rules", "a", "b") if word not in joined(pieces)] == []


def test_a_template_that_refuses_everything_is_an_error() -> None:
    with pytest.raises(TemplateError, match="not today"):
        own("{{ raise_exception('not today') }}").render(
            messages_of([("user", "x")]), thinking=None, continue_last=False
        )


def test_reasoning_opened_by_the_template_is_closed_before_a_begun_answer() -> None:
    template = own((REFERENCES / "unknown" / "Qwen-QwQ-32B.jinja").read_text("utf-8"))
    assert template.starts_in_reasoning(True)
    begun = messages_of([("user", "Q"), ("assistant", "It is ")])
    text = joined(template.render(begun, thinking=True, continue_last=True))
    assert text.endswith("<think>\n\n</think>\n\nIt is ")


HOSTILE = {
    "long loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "long output": "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
    "multiplied": "{{ 'x' * 10**9 }}",
    "multiplied list": "{{ ([0] * 99999999)|length }}",
    "doubled": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}",
    "tilde": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
    "block": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set t %}{{ n.s }}{{ n.s }}{% endset %}"
    "{% set n.s = t %}{% endfor %}{{ n.s }}",
    "replace": "{{ ('x' * 9999).replace('x', 'y' * 9999) }}",
    "replace filter": "{{ ('x' * 9999)|replace('x', 'y' * 9999) }}",
    "join": "{{ ('y' * 99999).join(('x' * 99999)|list) }}",
    "join filter": "{{ ('x' * 99999)|list|join('y' * 99999) }}",
    "indent": "{{ ('\\n' * 99999)|indent(99999) }}",
    "format": "{{ '%1000000000d' % 1 }}",
    "format method": "{{ '{:1000000000}'.format(1) }}",
    "center": "{{ 'x'.center(1000000000) }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "number": "{% set n = namespace(x=3) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ raise_exception.__globals__ }}",
    "function": "{{ strftime_now.__closure__ }}",
    "attr": "{{ messages|attr('__class__') }}",
    "change": "{{ messages.append(1) }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "lorem": "{{ lipsum(99999) }}",
    "json indent": "{{ messages|tojson(indent=999999999) }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_end_with_a_reason(name: str) -> None:
    before = sys.gettrace()
    began = time.monotonic()
    with pytest.raises((TemplateError, TemplateRefusal)) as caught:
        text = BoundedTemplate(HOSTILE[name], lambda: TODAY).render({"messages": [{"role": "user"}]}, characters=10)
        assert text == "", text[:100]  # An undefined attribute may also come out as nothing.
        raise TemplateRefusal("nothing came out")
    assert str(caught.value)
    assert time.monotonic() - began < MAX_SECONDS + 5
    assert sys.gettrace() is before


@pytest.mark.parametrize("name", ["multiplied", "doubled", "tilde", "block", "replace", "center"])
def test_the_plain_sandbox_would_not_have_stopped_them(name: str) -> None:
    """Positive control, with smaller numbers: what is refused above, Jinja's sandbox alone does."""
    text = HOSTILE[name].replace("10**9", "10**7").replace("1000000000", "10000000").replace("range(60)", "range(23)")
    text = text.replace("'y' * 9999", "'y' * 1000")
    assert len(render(text, [])) > EXTRA_CHARACTERS
    with pytest.raises(TemplateRefusal):
        BoundedTemplate(text, lambda: TODAY).render({}, characters=10)


def test_the_clock_is_what_stops_an_endless_template() -> None:
    """Positive control: the same loops, fewer of them, do come to an end."""
    short = HOSTILE["long loop"].replace("99999", "9")
    assert BoundedTemplate(short + "done", lambda: TODAY).render({}, characters=0) == "done"
    assert BoundedTemplate("{{ 'x' * 10 ~ 'y' }}", lambda: TODAY).render({}, characters=0) == "x" * 10 + "y"


@pytest.mark.parametrize(("length", "refused"), [(199_999, False), (200_000, False), (200_001, True)])
def test_length_of_a_template_is_capped(length: int, refused: bool) -> None:
    text = "x" * length
    if refused:
        with pytest.raises(TemplateError):
            BoundedTemplate(text, lambda: TODAY)
    else:
        assert BoundedTemplate(text, lambda: TODAY).render({}, characters=0) == text


@pytest.mark.parametrize(
    "text", ["{% if %}", "{{", "{% for x in %}", "{{ x | nofilter }}", "(" * 5000, "{{" + "(" * 5000]
)
def test_broken_templates_are_refused(text: str) -> None:
    try:
        BoundedTemplate(text, lambda: TODAY).render({}, characters=0)
    except TemplateError as error:
        assert "cannot be read" in str(error)
    else:
        assert not text.startswith("{")
