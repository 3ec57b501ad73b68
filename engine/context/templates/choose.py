"""Which reviewed template a model gets. Knows the model by its metadata only."""

from __future__ import annotations

from datetime import date

from engine.context.templates import chatml
from engine.context.templates.template import ChatTemplate, Clock, Family, ReviewedTemplate

FAMILIES: tuple[Family, ...] = chatml.FAMILIES


def choose_template(
    chat_template: str | None, architecture: str, *, bos: str = "", eos: str = "", clock: Clock = date.today
) -> ChatTemplate:
    """The template for a model with this Jinja text ("" or None: none) and `general.architecture`."""
    text = chat_template or ""
    for family in FAMILIES:
        if text and all(sign in text for sign in family.signs):
            return ReviewedTemplate(family, bos, eos, clock)
    for family in FAMILIES:
        if architecture in family.architectures:
            return ReviewedTemplate(family, bos, eos, clock)
    return ReviewedTemplate(chatml.CHATML, bos, eos, clock)
