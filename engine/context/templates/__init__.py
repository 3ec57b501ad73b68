"""Reviewed chat templates for the common families, and the choice among them."""

from __future__ import annotations

from engine.context.chat_template import ChatTemplate, ReasoningMarks
from engine.context.templates.choose import choose_template

__all__ = ["ChatTemplate", "ReasoningMarks", "choose_template"]
