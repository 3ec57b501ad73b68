"""An address that only a document brought into a chat is text with its source; a click leads to the document."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.document_addresses import NO_DOCUMENTS
from app.store.types import AttachmentPart, MessageState, ReasoningPart, SourcePassage, SourcesPart
from app.ui.markdown.blocks import Paragraph, SpanKind, TableBlock
from app.ui.markdown.reader import MarkdownReader
from app.ui.message_addresses import inert_blocks
from app.ui.message_reasoning import ReasoningFold
from app.ui.message_widget import MessageWidget
from app.ui.transcript import Transcript
from engine.context.segments import Role
from engine.types import Finished, FinishReason, TextDelta
from tests.ui.test_transcript import message, shown_text, theme, transcript, view_of  # noqa: F401  # fixtures

LETTER = "Pay the fine at https://evil.example/pay before noon."
PASSAGE = SourcePassage("/a/letter.pdf", "", "page", 2, "", 1, 1, "", LETTER, 1, 0, len(LETTER), 0.9)
SOURCES = SourcesPart("passages", (PASSAGE,), 9)
ANSWER = "[Pay here](https://evil.example/pay?who=me) at noon, or see https://example.org/help."


def opened(view: MessageWidget) -> tuple[list[str], list[SourcePassage]]:
    """What is asked about, and what is shown, from now on."""
    addresses: list[str] = []
    passages: list[SourcePassage] = []
    view.link_activated.connect(addresses.append)
    view.citation_activated.connect(passages.append)
    return addresses, passages


def test_it_is_shown_in_full_with_its_source_and_leads_there(transcript: Transcript, qtbot: QtBot) -> None:  # noqa: F811
    transcript.show_path([message(0, Role.USER, "How do I pay?", SOURCES), message(1, Role.ASSISTANT, ANSWER)])
    view = view_of(transcript, 1)
    words = shown_text(view).replace("\u00a0", " ")
    assert "Pay here https://evil.example/pay?who=me  letter.pdf, page 2 " in words
    html = "".join(each.toHtml() for each in view.body.views if hasattr(each, "toHtml"))
    assert 'href="https://evil' not in html
    assert 'href="https://example.org/help"' in html, "another address stays a link"
    addresses, passages = opened(view)
    for url in ("cite:@0", "https://evil.example/pay?who=me", "https://example.org/help", "cite:@7", "cite:@x"):
        view.body.link_activated.emit(url)
    assert (passages, addresses) == ([PASSAGE, PASSAGE], ["https://example.org/help"])


def test_also_while_it_streams_and_in_later_answers(transcript: Transcript, qtbot: QtBot) -> None:  # noqa: F811
    first, second = message(0, Role.USER, "How do I pay?", SOURCES), message(1, Role.ASSISTANT, "At noon [1].")
    transcript.show_path([first, second, message(2, Role.USER, "Where?")])
    transcript.add_message(message(3, Role.ASSISTANT, state=MessageState.STREAMING))
    view = view_of(transcript, 3)
    transcript.streamed("m3", TextDelta("r", "At https://evil.example/pay as it says."))
    qtbot.waitUntil(lambda: "letter.pdf" in shown_text(view))
    transcript.streamed("m3", Finished("r", FinishReason.STOP))
    transcript.finish_message(message(3, Role.ASSISTANT, "At https://evil.example/pay as it says."))
    assert "letter.pdf" in shown_text(view), "the end of the answer changes nothing"


def test_an_address_in_reasoning_leads_to_the_document(transcript: Transcript, qtbot: QtBot) -> None:  # noqa: F811
    thought = ReasoningPart("See https://evil.example/pay.", 1.0)
    transcript.show_path([message(0, Role.USER, "How?", SOURCES), message(1, Role.ASSISTANT, thought, "At noon [1].")])
    view = view_of(transcript, 1)
    addresses, passages = opened(view)
    (fold,) = view.findChildren(ReasoningFold)
    fold.link_activated.emit("https://evil.example/pay")
    assert (passages, addresses) == ([PASSAGE], [])


def test_images_and_tables_too_and_attached_files_without_a_page() -> None:
    note = AttachmentPart("note.txt", "http://evil.example", 19)
    addresses = NO_DOCUMENTS.after(message(0, Role.USER, "Read it.", note))
    text = "![x](http://evil.example/a.png)\n\n| a |\n|---|\n| http://evil.example |\n\nNo link."
    read = MarkdownReader().read(text).blocks
    picture, table, plain = inert_blocks(read, addresses)
    assert isinstance(picture, Paragraph)
    assert isinstance(table, TableBlock)
    for spans in (picture.spans, table.rows[1][0]):
        assert [span.text for span in spans if span.kind is SpanKind.CITATION] == ["note.txt"]
        assert not any(span.href for span in spans)
    assert "http://evil.example/a.png" in [span.text for span in picture.spans]
    assert plain is read[2]
    assert inert_blocks(read, NO_DOCUMENTS) is read
