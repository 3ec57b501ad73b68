"""An answer's citations against the sources that its question was given. Pure; knows no window and no store.

Nothing of this is kept: what an answer cites follows from its words and its question's sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from app.cited_moment import at_the_moment, times_of
from app.i18n import tr
from app.source_names import place_name
from app.store.types import SourcePassage, SourcesPart
from rag.citations import Citation, Verdict, cited, marked
from rag.claims import SourceText, flattened, says_more_than, stems
from rag.passages import Way

OUR_OWN = (Way.INVENTORY, Way.EXHAUSTIVE, Way.SIDE_BY_SIDE)
"""The program has written these answers; there is nothing to be checked, or it was when they were written."""


@lru_cache(maxsize=64)
def citations_of(answer: str, sources: SourcesPart) -> tuple[Citation, ...]:
    """The citations of an answer in their order; none where it was given nothing."""
    if not sources.passages or sources.way == Way.NOTHING:
        return ()
    if sources.way in OUR_OWN:
        return tuple(marked(answer, len(sources.passages)))
    given = [_place(each) for each in sources.passages]
    return tuple(cited(answer, [each.text for each in sources.passages], given=given, asked=sources.question))


def _place(passage: SourcePassage) -> str:
    """All that an answer may call a passage's place."""
    return "\n".join((place_name(passage), passage.title, passage.section, *times_of(passage)))


def cited_passage(answer: str, citation: Citation, sources: SourcesPart) -> SourcePassage:
    """The passage that a citation names (its source exists); of a transcript, the line that its sentence speaks of."""
    passage = sources.passages[citation.number - 1]
    return at_the_moment(passage, answer[citation.claim_start : citation.claim_end])


def cited_places(answer: str, sources: SourcesPart) -> list[tuple[int, SourcePassage]]:
    """What an answer leans on, each place once, by number and then by its place in the document."""
    found = {
        (each.number, cited_passage(answer, each, sources))
        for each in citations_of(answer, sources)
        if each.verdict is Verdict.HOLDS
    }
    return sorted(found, key=lambda place: (place[0], place[1].start))


def doubt(answer: str, sources: SourcesPart) -> str:
    """A sentence to stand before an answer of which nothing was found in the passages it was given; "" otherwise.

    Nothing is said of an answer in another language than the passages: its words cannot be looked for in them.
    """
    if sources.way != Way.PASSAGES or not answer.strip():
        return ""
    if any(each.verdict is Verdict.HOLDS and _claims(answer, each, sources) for each in citations_of(answer, sources)):
        return ""
    if not SourceText("\n".join(each.text for each in sources.passages)).is_in_the_language_of(answer):
        return ""
    return tr("Nothing of this answer was found in your documents.")


def _claims(answer: str, citation: Citation, sources: SourcesPart) -> bool:
    """Whether what is cited for says anything: a list of the sources at an answer's end does not."""
    words = list(stems(flattened(answer[citation.claim_start : citation.claim_end])))
    return says_more_than(words, _place(sources.passages[citation.number - 1]))


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
    places = cited_places(answer, sources)
    if not places:
        return text
    lines = [f"- [{number}] {place_name(passage)}" for number, passage in places]
    return "\n".join([text, "", tr("Sources:"), "", *lines])
