"""The places in documents that an answer rests on, as clients read them: Hearth's own field. Pure."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from app.answer_citations import citations_of, cited_passage
from app.source_names import place_name
from app.store.types import SourcesPart
from rag.citations import Verdict


def citations(answer: str, sources: SourcesPart) -> list[dict[str, Any]]:
    """Each citation that holds, in its order: where it stands in the answer, and where in which document.

    `start` and `end` are characters of the answer (equal where the program put the citation itself).
    """
    found = []
    for citation in citations_of(answer, sources):
        if citation.verdict is not Verdict.HOLDS:
            continue
        passage = cited_passage(answer, citation, sources)
        found.append(
            {
                "number": citation.number,
                "start": citation.start,
                "end": citation.end,
                "document": PurePath(passage.path).name,
                "place": place_name(passage),
                "section": passage.section,
                "text": passage.text,
            }
        )
    return found
