"""Tooltips of words that somebody else chose. Knows no widget."""

from __future__ import annotations


def plain_tip(words: str) -> str:
    """The same words as a tooltip: Qt takes one that looks like HTML for HTML."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>") if "<" in words else words
