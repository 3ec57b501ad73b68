"""The line that says what an answer cost, and the one above its thoughts. Words only; knows no widget."""

from __future__ import annotations

from app.i18n import ntr, tr
from app.store.types import MessageUsage
from app.ui.amounts import count_text, rate_text


def usage_text(usage: MessageUsage) -> str:
    """ "212 tokens · 41 tokens/s · 1,020 reused"."""
    parts = [ntr("{count} token", "{count} tokens", usage.completion_tokens)]
    if usage.decode_s > 0 and usage.completion_tokens > 1:
        parts.append(rate_text(usage.completion_tokens / usage.decode_s))
    if usage.cached_tokens:
        parts.append(tr("{number} reused", number=count_text(usage.cached_tokens)))
    return " · ".join(parts)


def dropped_text(count: int) -> str:
    """What the model did not see, "" if it saw all."""
    if count <= 0:
        return ""
    return ntr("{count} earlier message did not fit", "{count} earlier messages did not fit", count)


def thought_text(seconds: float, *, thinking: bool) -> str:
    """The line above folded reasoning."""
    whole = round(seconds)
    if thinking:
        return ntr("Thinking, {count} s", "Thinking, {count} s", whole) if whole >= 1 else tr("Thinking")
    if whole < 1:
        return tr("Thoughts")
    if whole < 60:
        return ntr("Thought for {count} second", "Thought for {count} seconds", whole)
    return ntr("Thought for {count} minute", "Thought for {count} minutes", round(whole / 60))
