"""Markdown as values: a source text becomes a flat list of blocks. Knows no Qt, no theme and no message."""
