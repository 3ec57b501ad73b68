"""While an answer streams its numbers are chips already, quiet ones; at its end they are checked."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.store.types import MessageState, SourcePassage, SourcesPart
from app.ui.markdown.blocks import Block, Paragraph, Span, SpanKind, Style, TableBlock
from app.ui.markdown.growing import GrowingMarkdown
from app.ui.markdown.reader import MarkdownReader
from app.ui.message_live_citations import LiveCitations
from app.ui.message_prose import ProseView
from app.ui.message_widget import MessageWidget
from app.ui.transcript import Transcript
from engine.context.segments import Role
from engine.types import Finished, FinishReason, TextDelta
from rag.citations import begun_marker, markers
from tests.ui.test_transcript import message, theme, transcript, view_of  # noqa: F401  # fixtures

WHALE = "The blue whale weighs 150 tonnes and lives in all oceans."
FERRY = "The ferry leaves the harbour at noon."


def sources(*texts: str, way: str = "passages") -> SourcesPart:
    made = tuple(
        SourcePassage(f"/a/{name}.pdf", name, "page", page, "", 1, 2, "", text, page, 0, len(text), 0.9)
        for page, (name, text) in enumerate(zip(("whales", "ferries"), texts, strict=False), 3)
    )
    return SourcesPart(way, made, 9)


SOURCES = sources(WHALE, FERRY)


def spans(block: Block) -> list[Span]:
    assert isinstance(block, Paragraph)
    return list(block.spans)


def live(text: str, given: SourcesPart = SOURCES) -> list[Block]:
    growing = GrowingMarkdown(MarkdownReader())
    growing.append(text)
    return list(LiveCitations(given).blocks(growing.blocks))


def shown(blocks: list[Block]) -> str:
    return "".join(span.text for block in blocks for span in spans(block))


def test_numbers_are_chips_that_say_they_are_not_checked() -> None:
    (block,) = live("It weighs 150 tonnes [1], and the ferry leaves at noon [2, 1].")
    chips = [span for span in spans(block) if span.kind is SpanKind.CITATION]
    assert [(chip.text, chip.href) for chip in chips] == [
        ("whales.pdf, page 3", "cite:#1"), ("ferries.pdf, page 4", "cite:#2"), ("whales.pdf, page 3", "cite:#1"),
    ]  # fmt: skip
    assert all(Style.QUIET in chip.style for chip in chips)
    assert chips[0].tip.startswith("Not checked yet.")
    assert WHALE in chips[0].tip
    assert "[1]" not in shown([block])


def test_at_no_moment_of_an_answer_a_raw_number_is_seen() -> None:
    answer = "It weighs 150 tonnes [1]. It leaves at noon 【2】.\n\nBoth are so [1, 2]. Nobody knows [source 2] more."
    growing, citations = GrowingMarkdown(MarkdownReader()), LiveCitations(SOURCES)
    for character in answer:
        growing.append(character)
        words = "".join(span.text for block in citations.blocks(growing.blocks) for span in spans(block))
        assert "[" not in words
        assert "【" not in words
    assert words.count("page 4") == 3
    assert list(citations.blocks(growing.blocks)) == list(LiveCitations(SOURCES).blocks(growing.blocks))


def test_what_did_not_change_is_the_same_object() -> None:
    growing, citations = GrowingMarkdown(MarkdownReader()), LiveCitations(SOURCES)
    growing.append("One is so [1].\n\nTwo is so [2].\n\nAnd three")
    first = list(citations.blocks(growing.blocks))
    growing.append(" is so [1].")
    second = list(citations.blocks(growing.blocks))
    assert second[0] is first[0]
    assert second[1] == first[1]
    assert second[2] is not first[2]


def test_code_links_and_other_brackets_stay_as_they_are() -> None:
    text = "Use `list[1]` and [a page](https://example.org/1), see [note] and x[i]."
    (block,) = live(text)
    assert not [span for span in spans(block) if span.kind is SpanKind.CITATION]
    assert shown([block]) == "Use list[1] and a page, see [note] and x[i]."


def test_an_unknown_number_has_no_place_to_go_to() -> None:
    (block,) = live("Nobody knows [7].")
    (chip,) = [span for span in spans(block) if span.kind is SpanKind.CITATION]
    assert (chip.text, chip.href) == ("[7]", "")


def test_tables_too_and_nothing_without_sources() -> None:
    table = live("| a | b |\n|---|---|\n| one [1] | two [2] |\n")[0]
    assert isinstance(table, TableBlock)
    assert [span.text for row in table.rows for cell in row for span in cell if span.kind is SpanKind.CITATION] == [
        "whales.pdf, page 3", "ferries.pdf, page 4",
    ]  # fmt: skip
    assert shown(live("As it is [1].", sources())) == "As it is [1]."
    assert shown(live("As it is [1].", sources(WHALE, way="nothing"))) == "As it is [1]."


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("It is so [", 8),
        ("It is so [1", 8),
        ("It is so [1, ", 8),
        ("It is so [sour", 8),
        ("It is so [1].", 13),
        ("", 0),
    ],
)
def test_a_number_that_is_still_being_written(text: str, begins: int) -> None:
    assert begun_marker(text) == begins


def test_markers_are_found_with_their_numbers() -> None:
    assert markers("A [1], b [2-4].") == [(1, 5, (1,)), (8, 14, (2, 3, 4))]


def prose(view: MessageWidget) -> ProseView:
    (found,) = (each for each in view.body.views if isinstance(each, ProseView))
    return found


def test_quiet_chips_become_checked_ones_at_the_end(transcript: Transcript, qtbot: QtBot) -> None:  # noqa: F811
    question = message(0, Role.USER, "How heavy is it?", SOURCES)
    transcript.show_path([question])
    transcript.add_message(message(1, Role.ASSISTANT, state=MessageState.STREAMING))
    view = view_of(transcript, 1)
    for piece in ("The blue whale weighs ", "150 tonnes [", "1", "]. The captain weighs 900 kilograms [", "2]."):
        transcript.streamed("m1", TextDelta("r", piece))
    qtbot.waitUntil(lambda: bool(view.body.views) and "ferries.pdf" in prose(view).toPlainText())
    words = prose(view).toPlainText().replace("\u00a0", " ")
    assert "150 tonnes  whales.pdf, page 3 ." in words
    assert "[" not in words
    asked: list[SourcePassage] = []
    view.citation_activated.connect(asked.append)
    view.body.link_activated.emit("cite:#2")
    assert asked == [SOURCES.passages[1]]
    text = "The blue whale weighs 150 tonnes [1]. The captain weighs 900 kilograms [2]."
    transcript.streamed("m1", Finished("r", FinishReason.STOP))
    transcript.finish_message(message(1, Role.ASSISTANT, text))
    html = prose(view).toHtml()
    assert "cite:0" in html
    assert "cite:#" not in html
    assert "line-through" in html, "the second one fails"
