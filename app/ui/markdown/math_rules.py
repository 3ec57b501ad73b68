"""Rules for markdown-it that find LaTeX: `$..$`, `$$..$$`, `\\(..\\)` and `\\[..\\]`.

A dollar sign is also a price and a shell variable: `$..$` is a formula only if it hugs its content on both sides
and touches no letter or digit outside. Typesets nothing.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

BLOCK = "math_block"
INLINE = "math_inline"
OPEN_ENDED = "open_ended"
"""In a parse's env: the text may go on, so that a formula without an end is one whose end has not come yet."""

_BLOCK_PAIRS = {"$$": "$$", "\\[": "\\]"}
_LONGEST = 2000


def math_plugin(md: MarkdownIt) -> None:
    """Teach `md` to produce tokens of type `BLOCK` and `INLINE` whose content is LaTeX."""
    md.inline.ruler.before("escape", INLINE, _inline)
    md.block.ruler.before("fence", BLOCK, _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def _unescaped(source: str, position: int) -> bool:
    backslashes = 0
    while position - backslashes > 0 and source[position - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 0


def _find_close(source: str, close: str, start: int, end: int) -> int:
    position = source.find(close, start, end)
    while position != -1 and not _unescaped(source, position):
        position = source.find(close, position + 1, end)
    return position


def _inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] not in "$\\":
        return False
    end = min(state.posMax, start + _LONGEST)
    for mark, close in (("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if source.startswith(mark, start):
            found = _find_close(source, close, start + 2, end)
            return _push(state, silent, start + 2, found, len(close))
    if source[start] != "$":
        return False
    if start > 0 and (source[start - 1].isalnum() or not _unescaped(source, start)):
        return False
    if start + 1 >= end or source[start + 1].isspace():
        return False
    found = _find_close(source, "$", start + 1, end)
    if found == -1 or source[found - 1].isspace():
        return False
    if found + 1 < state.posMax and source[found + 1].isalnum():
        return False
    return _push(state, silent, start + 1, found, 1)


def _push(state: StateInline, silent: bool, start: int, found: int, width: int) -> bool:
    if found == -1 or not state.src[start:found].strip():
        return False
    if not silent:
        token = state.push(INLINE, "math", 0)
        token.content = state.src[start:found].strip()
    state.pos = found + width
    return True


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    start = state.bMarks[first] + state.tShift[first]
    mark = state.src[start : start + 2]
    close = _BLOCK_PAIRS.get(mark)
    if close is None:
        return False
    line, position, closed = first, start + 2, False
    inside = state.sCount[first] >= state.blkIndent  # or asked whether it ends a list item before it
    while line < last:
        if line > first:
            position = state.bMarks[line] + state.tShift[line]
            if inside and position < state.eMarks[line] and state.sCount[line] < state.blkIndent:
                break
        found = _find_close(state.src, close, position, state.eMarks[line])
        if found != -1:
            if state.src[found + 2 : state.eMarks[line]].strip(" \t.,;"):
                return False
            closed = True
            break
        line += 1
    if not closed and not (state.env.get(OPEN_ENDED) and 0 < len(state.src[start + 2 :].strip()) < _LONGEST):
        return False
    if silent:
        return True
    after = min(line + 1, last) if closed else last
    token = state.push(BLOCK, "math", 0)
    token.block = True
    text = state.getLines(first, after, state.sCount[first], False).strip()
    token.content = (text[2 : text.rfind(close)] if closed else text[2:]).strip()
    token.meta = {"closed": closed}
    token.map = [first, after]
    token.markup = mark
    state.line = after
    return True
