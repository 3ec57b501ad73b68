"""Which addresses of an answer come from documents only."""

from __future__ import annotations

import pytest

from app.document_addresses import NO_DOCUMENTS, DocumentAddresses
from app.store.types import (
    AttachmentPart,
    MessageState,
    Part,
    RecallPart,
    SourcePassage,
    SourcesPart,
    StoredMessage,
    TextPart,
)
from engine.context.segments import Role

LETTER = "Pay at https://pay.evil.example/now or write to help@aid.example. Made with report.pdf, version 3.14."


def passage(text: str) -> SourcePassage:
    return SourcePassage("/a/letter.pdf", "", "page", 2, "", 1, 1, "", text, 1, 0, len(text), 0.9)


def message(*parts: Part, role: Role = Role.USER) -> StoredMessage:
    return StoredMessage("m", "c", None, role, parts, MessageState.COMPLETE, 0.0)


def after(*parts: Part) -> DocumentAddresses:
    return NO_DOCUMENTS.after(message(*parts))


@pytest.mark.parametrize(
    "address",
    [
        "https://pay.evil.example/now",
        "http://PAY.EVIL.example:8080/other?q=secret",
        "https://secret-words.pay.evil.example/",
        "https://evil.example/",
        "https://www.evil.example/",
        "mailto:somebody@aid.example",
        "https://aid.example./x",
        "https://bank.test@evil.example/",
        "https://bank.test:1@evil.example:8443/",
        "https://evil%2Eexample/",
        "https://evil\u3002example/",
        "https:\\\\evil.example\\x",
    ],
)
def test_a_host_that_a_document_names_is_the_documents_with_all_below_and_above_it(address: str) -> None:
    addresses = after(SourcesPart("passages", (passage("Nothing."), passage(LETTER))), TextPart("How do I pay?"))
    assert addresses.origin_of(address) == 1
    assert addresses.documents[1].name == "letter.pdf, page 2"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/",
        "https://notevil.example/",
        "https://evil.example.org/",
        "https://other.example/",
        "cite:0",
    ],
)
def test_other_hosts_are_not(address: str) -> None:
    assert after(SourcesPart("passages", (passage(LETTER),))).origin_of(address) is None


def test_what_the_person_wrote_is_the_persons_own() -> None:
    addresses = after(SourcesPart("passages", (passage(LETTER),)), TextPart("What about pay.evil.example?"))
    assert addresses.origin_of("https://pay.evil.example/now") is None
    assert addresses.origin_of("mailto:help@aid.example") == 0


def test_attached_files_and_what_was_brought_back_of_them_are_documents_too() -> None:
    addresses = after(AttachmentPart("notes.txt", "See http://one.example", 22), RecallPart("m", "two.example", "user"))
    addresses = addresses.after(message(RecallPart("m", "see three.example", "document", "old.txt")))
    assert addresses.origin_of("http://one.example/") == 0
    assert addresses.origin_of("http://two.example/") is None
    assert addresses.origin_of("http://three.example/") == 1
    assert addresses.documents[1].passage is None


def test_they_stay_for_later_answers_and_answers_add_none() -> None:
    addresses = after(SourcesPart("passages", (passage(LETTER),)))
    later = addresses.after(message(TextPart("And evil.example?"), role=Role.ASSISTANT)).after(
        message(TextPart("Why?"))
    )
    assert later.origin_of("https://evil.example/") == 0
    assert NO_DOCUMENTS.origin_of("https://evil.example/") is None


def test_hosts_without_a_dot() -> None:
    addresses = after(SourcesPart("passages", (passage("Open http://intranet/start, not mylocalhost."),)))
    assert addresses.origin_of("http://intranet/") == 0
    assert addresses.origin_of("http://localhost/") is None


def test_a_name_in_other_letters_is_the_same_host() -> None:
    addresses = after(SourcesPart("passages", (passage("See https://bücher.example."),)))
    assert addresses.origin_of("https://xn--bcher-kva.example/") == 0


def test_written_out_no_program_makes_a_link_of_it() -> None:
    addresses = after(SourcesPart("passages", (passage(LETTER),)))
    text = "Pay at https://evil.example/pay?a.b, www.evil.example or help@aid.example; see https://example.org/x."
    assert addresses.spelled_out(text) == (
        "Pay at https[:]//evil[.]example/pay?a.b (letter.pdf, page 2), www[.]evil[.]example (letter.pdf, page 2)"
        " or help[@]aid[.]example (letter.pdf, page 2); see https://example.org/x."
    )
    assert NO_DOCUMENTS.spelled_out(text) == text


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("[**Pay**](https://evil.example/p 'now')!", "**Pay** https[:]//evil[.]example/p (letter.pdf, page 2)!"),
        ("<https://evil.example>", "https[:]//evil[.]example (letter.pdf, page 2)"),
        ("![x](http://evil.example/a.png)", "x http[:]//evil[.]example/a.png (letter.pdf, page 2)"),
        ("[a]: https://evil.example/ref", "[a]: https[:]//evil[.]example/ref (letter.pdf, page 2)"),
        ("Run `curl https://evil.example`.", "Run `curl https://evil.example`."),
        ("```\nhttps://evil.example\n```", "```\nhttps://evil.example\n```"),
        ("[Other](https://example.org/)", "[Other](https://example.org/)"),
    ],
)
def test_in_markdown_its_links_become_words(markdown: str, plain: str) -> None:
    assert after(SourcesPart("passages", (passage(LETTER),))).unlinked(markdown) == plain
