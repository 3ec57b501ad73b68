"""Which template a model gets: a reviewed one that does what the model's own does, or else its own.

Knows the model by its metadata only. A family is a candidate by words in the model's Jinja text; what decides
is that both render a handful of probes alike, byte for byte. The Jinja runs in its sandbox, in the worker.
"""

from __future__ import annotations

from datetime import date

from engine.context.chat_template import ChatTemplate, Clock, Family, ReviewedTemplate, Turn
from engine.context.jinja_sandbox import TemplateRefusal
from engine.context.jinja_template import JinjaTemplate
from engine.context.pieces import joined, plain
from engine.context.segments import PromptMessage, Role
from engine.context.templates import chatml, cohere, deepseek, gemma, granite, harmony, llama, mistral, phi
from engine.errors import TemplateError

FAMILIES: tuple[Family, ...] = (
    *llama.FAMILIES,
    *mistral.FAMILIES,
    *gemma.FAMILIES,
    *phi.FAMILIES,
    *deepseek.FAMILIES,
    *harmony.FAMILIES,
    *granite.FAMILIES,
    *cohere.FAMILIES,
    *chatml.FAMILIES,
)

_SYSTEM, _USER, _ASSISTANT = Role.SYSTEM, Role.USER, Role.ASSISTANT
_PROBES: tuple[tuple[tuple[Role, str], ...], ...] = (
    ((_USER, "Ask"),),
    ((_USER, "  Ask \n"), (_ASSISTANT, "\n Say "), (_USER, "\n\nAsk more  ")),
    ((_SYSTEM, " Rules \n"), (_USER, "Ask")),
    (
        (_SYSTEM, "Rules"), (_USER, "A"), (_ASSISTANT, "<think>\nB\n</think>\n\nC"), (_USER, "D"),
        (_ASSISTANT, "E"), (_USER, "F"),
    ),
)  # fmt: skip


def choose_template(
    chat_template: str | None, architecture: str, *, bos: str = "", eos: str = "", clock: Clock = date.today
) -> ChatTemplate:
    """The template for a model with this Jinja text ("" or None: none) and `general.architecture`.

    A Jinja text that cannot be used at all counts as none: then the architecture decides, at last plain ChatML.
    """
    text = chat_template or ""
    candidates = [family for family in FAMILIES if text and all(sign in text for sign in family.signs)]
    own = _own_template(text, bos, eos, clock) if text else None
    if own is not None:
        for family in candidates:
            for begin in dict.fromkeys((bos, "")):  # Some leave the beginning of text to the tokeniser.
                reviewed = ReviewedTemplate(family, begin, eos, clock)
                if _alike(reviewed, own):
                    return reviewed
        return own
    for family in (*candidates, *(family for family in FAMILIES if architecture in family.architectures)):
        return ReviewedTemplate(family, bos, eos, clock)
    return ReviewedTemplate(chatml.CHATML, bos, eos, clock)


def _own_template(text: str, bos: str, eos: str, clock: Clock) -> JinjaTemplate | None:
    """None if it cannot be compiled or takes not even a plain question."""
    try:
        own = JinjaTemplate(text, bos=bos, eos=eos, clock=clock)
        own.text([Turn(_USER, plain("Ask"))], None)
    except (TemplateError, TemplateRefusal):
        return None
    return own


def _alike(reviewed: ReviewedTemplate, own: JinjaTemplate) -> bool:
    """Whether both read the same on every probe that the model's own takes."""
    switches = (None, False, True) if reviewed.can_think or own.can_think else (None,)
    for probe in _PROBES:
        if reviewed.kind.loses_system and probe[0][0] is _SYSTEM:
            continue
        for thinking in switches:
            try:
                theirs = own.text([Turn(role, plain(text)) for role, text in probe], thinking)
            except TemplateRefusal:
                continue
            messages = [PromptMessage(role, plain(text).segments) for role, text in probe]
            if joined(reviewed.render(messages, thinking=thinking, continue_last=False)) != theirs:
                return False
    return True
