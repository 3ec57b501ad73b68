"""Where a sentence ends, and where it surely does not: abbreviations, numbers, initials. Knows no Markdown.

The abbreviations are English and German ones; others end a sentence too early, which is heard as a pause.
"""

from __future__ import annotations

import re

SENTENCE_MARKS = ".!?…"
WIDE_MARKS = "。！？"
"""These end a sentence without a space after them."""
CLAUSE_MARKS = ",;:—–"
CLOSERS = "\"'”’»)]*_~"
"""May stand between the mark and the space."""
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "mr mrs ms dr prof st sr jr rev hon gen col sgt capt lt maj fig figs eq eqs ch vol no nos art sec pp p ed eds "
        "est vs approx ca e.g i.e cf al a.m p.m u.s u.k u.n inc ltd co corp dept univ ave blvd jan feb mar apr jun jul "
        "aug sep sept oct nov dec min max "
        "z.b d.h u.a o.ä bzw usw ggf evtl vgl nr str hr fr bsp abb kap abs",
    )
)
_ENDS_TOO = frozenset({"a.m", "p.m", "u.s", "u.k", "u.n", "inc", "ltd", "co", "corp", "usw", "min", "max", "no", "al"})
"""Also words that sentences end with: a capital after them begins a new one."""
_WORD = re.compile(r"[^\s(\[\"'“‘*_]+$")


def ends_sentence(before: str, after: str) -> bool:
    """Whether the mark that `before` ends with (closers behind it included) ends a sentence.

    `after` begins with the white space behind the mark, and holds the next word's first character where it is known.
    """
    text = before.rstrip(CLOSERS)
    following = after.lstrip()[:1]
    if text.endswith(tuple(WIDE_MARKS)):
        return True
    if not text.endswith(tuple(SENTENCE_MARKS)) or following.islower():
        return False
    if not text.endswith(".") or text.endswith(".."):
        return True
    match = _WORD.search(text)
    word = match[0][:-1].lower() if match else ""
    if word in _ABBREVIATIONS:
        return word in _ENDS_TOO and following.isupper() and word != "no"
    if len(word) == 1 and word.isalpha() and word != "i":
        return not following.isupper()  # an initial ("J. Smith")
    return bool(word) and not (word.isdigit() and following.isdigit())


def ends_clause(before: str, after: str) -> bool:
    """Whether the mark at the end of `before` is a place to take breath at. Not inside a number."""
    text = before.rstrip(CLOSERS)
    if not text.endswith(tuple(CLAUSE_MARKS)):
        return ends_sentence(before, after)
    return not (text[:-1].rstrip()[-1:].isdigit() and after.lstrip()[:1].isdigit())
