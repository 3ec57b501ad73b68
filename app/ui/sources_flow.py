"""Keeps a window's sources panel true: what was found for the last question, and what its answer leans on.

Knows the page that is on show and the list; finds nothing itself.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.answer_citations import citations_of, complaint
from app.documents_view import way_sentence
from app.i18n import tr
from app.passage_place import PassagePlace
from app.source_names import file_name, page_name
from app.store.types import SourcePassage, SourcesPart, StoredMessage
from app.ui.amounts import count_text
from app.ui.conversation_page import ConversationPage
from app.ui.documents_passages import PassageLine
from app.ui.documents_sources import SourcesList, source_line
from app.ui.workspace import Workspace
from engine.context.segments import Role
from rag.citations import Verdict
from rag.passages import Way
from rag.types import Unit


class SourcesFlow(QObject):
    """Between one `ConversationPage` and the `SourcesList` beside it."""

    def __init__(self, workspace: Workspace, page: ConversationPage, panel: SourcesList) -> None:
        super().__init__(panel)
        self._workspace, self._page, self._panel = workspace, page, panel
        self._sources: SourcesPart | None = None
        page.path_shown.connect(self._on_path_shown)
        panel.passage_chosen.connect(self._on_passage_chosen)
        self._on_path_shown(page.path)

    def _on_path_shown(self, path: list[StoredMessage]) -> None:
        question = next((each for each in reversed(path) if each.role is Role.USER), None)
        answer = path[-1] if path and path[-1].role is Role.ASSISTANT else None
        self._sources = question.sources if question is not None else None
        if self._sources is None:
            self._panel.set_sources((), tr("No documents were looked at for this answer."))
            return
        sources = self._sources
        head = way_sentence(
            Way(sources.way),
            len(sources.passages),
            sources.n_searched,
            by_meaning=sources.by_meaning,
            number=count_text,
        )
        self._panel.set_sources(source_lines(sources, answer), head, question=sources.question)

    def _on_passage_chosen(self, number: int) -> None:
        if self._sources is not None and 0 < number <= len(self._sources.passages):
            show_source(self._page, self._workspace, self._sources.passages[number - 1])


def show_source(parent: QWidget, workspace: Workspace, source: SourcePassage) -> None:
    """Show a passage on its page of the document, above the window of `parent`."""
    from app.ui.documents_preview import show_passage  # noqa: PLC0415  # only when asked for

    show_passage(parent, workspace, place_of_source(source))


def place_of_source(source: SourcePassage) -> PassagePlace:
    return PassagePlace(
        Path(source.path), source.blob_id, source.title, Unit(source.unit), source.page, source.page_label,
        source.start, source.end, source.first_line, source.last_line,
    )  # fmt: skip


def source_lines(sources: SourcesPart, answer: StoredMessage | None) -> list[PassageLine]:
    """The rows of the list: what the answer cites is marked, and what it cites wrongly has a sentence."""
    citations = citations_of(answer.text, sources) if answer is not None else ()
    used = {each.number for each in citations if each.verdict is Verdict.HOLDS}
    verdicts = {each.number: complaint(each, sources) for each in citations if each.verdict is not Verdict.HOLDS}
    return [
        source_line(
            number,
            file_name(each.path),
            page_name(each.unit, each.page, each.page_label, each.first_line),
            each.section,
            each.text,
            score=each.score if sources.way in (Way.PASSAGES, Way.NOTHING) else None,
            used=number in used,
            verdict=verdicts.get(number, ""),
        )
        for number, each in enumerate(sources.passages, 1)
    ]
