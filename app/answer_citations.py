"""An answer's citations against the sources that its question was given. Pure; knows no window and no store.

Nothing of this is kept: what an answer cites follows from its words and its question's sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from app.i18n import tr
from app.source_names import place_name
from app.store.types import SourcesPart
from rag.citations import Citation, Verdict, cited, marked
from rag.claims import SourceText
from rag.passages import Way

_OUR_OWN = (Way.INVENTORY, Way.EXHAUSTIVE)
"""The program has written these answers; there is nothing to be checked."""


@lru_cache(maxsize=64)
def citations_of(answer: str, sources: SourcesPart) -> tuple[Citation, ...]:
    """The citations of an answer in their order; none where it was given nothing."""
    if not sources.passages or sources.way == Way.NOTHING:
        return ()
    if sources.way in _OUR_OWN:
        return tuple(marked(answer, len(sources.passages)))
    given = [f"{place_name(each)}\n{each.title}\n{each.section}" for each in sources.passages]
    return tuple(cited(answer, [each.text for each in sources.passages], given=given, asked=sources.question))


def doubt(answer: str, sources: SourcesPart) -> str:
    """A sentence to stand before an answer of which nothing was found in the passages it was given; "" otherwise.

    Nothing is said of an answer in another language than the passages: its words cannot be looked for in them.
    """
    if sources.way != Way.PASSAGES or not answer.strip():
        return ""
    if any(each.verdict is Verdict.HOLDS for each in citations_of(answer, sources)):
        return ""
    if not SourceText("\n".join(each.text for each in sources.passages)).is_in_the_language_of(answer):
        return ""
    return tr("Nothing of this answer was found in your documents.")


def complaint(citation: Citation, sources: SourcesPart) -> str:
    """What is wrong with a citation, as a sentence; "" if it holds."""
    if citation.verdict is Verdict.HOLDS:
        return ""
    if citation.verdict is Verdict.NO_SOURCE:
        return tr("The answer names source {number}, which does not exist.", number=citation.number)
    place = place_name(sources.passages[citation.number - 1])
    if citation.verdict is Verdict.OTHER:
        return tr("{place} speaks of something else.", place=place)
    missing = ", ".join(tr("“{text}”", text=each) for each in citation.missing)
    return tr("{words} cannot be found in {place}.", words=missing, place=place)


def replaced(answer: str, citations: Sequence[Citation], marks: Sequence[str]) -> str:
    """The answer with each citation's place taken by its mark; several at one place stand one behind the other."""
    pieces: list[str] = []
    at = 0
    for citation, mark in zip(citations, marks, strict=True):
        if citation.start >= at:
            pieces.append(answer[at : citation.start])
            at = citation.end
        pieces.append(mark)
    pieces.append(answer[at:])
    return "".join(pieces)


def with_places(answer: str, sources: SourcesPart | None) -> str:
    """The answer in Markdown as it is given away: numbers where it cites, struck where that fails, and a list of the
    cited places below.
    """
    if sources is None:
        return answer
    citations = citations_of(answer, sources)
    marks = [f" [{each.number}]" if each.verdict is Verdict.HOLDS else f" ~~[{each.number}]~~" for each in citations]
    text = replaced(answer, citations, marks)
    if warning := doubt(answer, sources):
        text = f"*{warning}*\n\n{text}"
    numbers = sorted({each.number for each in citations if each.verdict is Verdict.HOLDS})
    if not numbers:
        return text
    lines = [f"- [{number}] {place_name(sources.passages[number - 1])}" for number in numbers]
    return "\n".join([text, "", tr("Sources:"), "", *lines])
