"""Reviewed chat templates for the common families, and the choice among them."""

from __future__ import annotations

from engine.context.templates.choose import choose_template
from engine.context.templates.template import ChatTemplate, ReasoningMarks

__all__ = ["ChatTemplate", "ReasoningMarks", "choose_template"]
