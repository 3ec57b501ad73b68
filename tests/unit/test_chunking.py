"""Passages: their borders, their size, their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunking import SIZE, Chunker, estimated_pieces
from rag.types import Chunk, Heading, Page

SENTENCE = "This sentence has exactly eight words in it. "
PROSE = (SENTENCE * 12).strip()


def one_each(words: Sequence[str]) -> list[int]:
    """Every word and every mark is one piece."""
    return [1] * len(words)


def chunks(page: Page, *, size: int = SIZE) -> list[Chunk]:
    return Chunker(one_each, size=size).chunks_of(page)


def texts(page: Page, found: Sequence[Chunk]) -> list[str]:
    return [page.text[chunk.start : chunk.end] for chunk in found]


def test_a_short_page_is_one_passage() -> None:
    page = Page(3, "\n  Two lines.\nNo more.  \n")
    (chunk,) = chunks(page)
    assert page.text[chunk.start : chunk.end] == "Two lines.\nNo more."
    assert (chunk.page, chunk.first_line, chunk.last_line) == (3, 2, 3)


def test_an_empty_page_has_none() -> None:
    assert chunks(Page(1, "")) == chunks(Page(1, " \n\t ")) == []


def test_lines_go_on_from_the_pages_first() -> None:
    page = Page(2, "\n".join(f"Line {number} of the part." for number in range(100, 160)), first_line=100)
    found = chunks(page, size=60)
    assert len(found) > 3
    for chunk in found:
        assert page.text[chunk.start : chunk.end].startswith(f"Line {chunk.first_line} ")
        assert page.text[: chunk.end].endswith(f"Line {chunk.last_line} of the part.")


def test_paragraphs_stay_whole_where_they_fit() -> None:
    page = Page(1, "\n\n".join([PROSE] * 3))  # of 108 pieces each
    assert texts(page, chunks(page)) == [PROSE] * 3


def test_a_long_paragraph_is_cut_between_sentences_into_like_parts() -> None:
    page = Page(1, (SENTENCE * 25).strip())  # 225 pieces: not 200 and a rest of 25
    first, second = texts(page, chunks(page))
    assert first.endswith("in it.")
    assert abs(len(first) - len(second)) <= len(SENTENCE)


def test_sentences_end_without_spaces_too() -> None:
    page = Page(1, "這是一個有十二個字的句子。" * 40)
    found = texts(page, chunks(page))
    assert len(found) > 1
    assert all(text.endswith("。") for text in found)


def test_no_border_after_an_abbreviation_followed_by_a_small_letter() -> None:
    page = Page(1, "Some words, e.g. these ones, are long. " * 40)
    assert all(text.startswith("Some") for text in texts(page, chunks(page)))


@pytest.mark.parametrize(
    "line", ["| name. Second | 12.5 | yes. Or no |", "\tcall(x). Then(y); return 3", "a. B   1. Two   3. C"]
)
def test_lines_of_tables_and_code_stay_whole(line: str) -> None:
    page = Page(1, "\n".join([line] * 40))
    found = texts(page, chunks(page, size=50))
    assert len(found) > 5
    assert {piece.strip() for text in found for piece in text.split("\n")} == {line.strip()}


def test_sections_begin_passages_and_name_their_path() -> None:
    text = f"{PROSE}\nInstalling\n{PROSE}\nNetworks\n{PROSE}"
    page = Page(
        1,
        text,
        headings=(
            Heading(text.index("Installing"), 1, "Installing"),
            Heading(text.index("Networks"), 2, " Net\nworks "),
        ),
    )
    chunker = Chunker(one_each)
    found = chunker.chunks_of(page)
    assert [chunk.section for chunk in found] == ["", "Installing", "Installing > Net works"]
    assert [text[:10] for text in texts(page, found)] == ["This sente", "Installing", "Networks\nT"]
    onward = Page(2, f"{PROSE}\nRemoving\n{PROSE}", headings=(Heading(len(PROSE) + 1, 2, "Removing"),))
    assert [chunk.section for chunk in chunker.chunks_of(onward)] == ["Installing > Net works", "Installing > Removing"]
    chunker.begin()
    assert chunker.chunks_of(Page(1, PROSE))[0].section == ""


def test_a_heading_alone_goes_with_what_follows() -> None:
    text = f"Part One\nChapter 1\n{PROSE}"
    page = Page(1, text, headings=(Heading(0, 1, "Part One"), Heading(9, 2, "Chapter 1")))
    (chunk,) = chunks(page)
    assert (chunk.start, chunk.section) == (0, "Part One > Chapter 1")


def test_many_small_sections_share_passages() -> None:
    lines = [f"Question {number}\nYes, that can be done." for number in range(30)]
    text = "\n".join(lines)
    headings = tuple(Heading(match.start(), 1, match.group()) for match in re.finditer(r"Question \d+", text))
    found = chunks(Page(1, text, headings=headings))
    assert 1 < len(found) < 10


def test_a_word_without_end_is_cut() -> None:
    page = Page(1, "x" * 100_000)
    found = chunks(page)
    assert "".join(texts(page, found)) == page.text
    assert max(chunk.end - chunk.start for chunk in found) <= SIZE * 64


def test_the_counter_is_asked_once_for_a_word() -> None:
    asked: list[str] = []

    def count(words: Sequence[str]) -> list[int]:
        asked.extend(words)
        return [len(word) for word in words]

    chunker = Chunker(count)
    for number in (1, 2):
        chunker.chunks_of(Page(number, PROSE))
    assert sorted(asked) == sorted({"This", "sentence", "has", "exactly", "eight", "words", "in", "it", "."})


@given(st.text(st.sampled_from("ab .\n\n\t|日本。é\u0301한"), max_size=400))
@settings(max_examples=200, deadline=None)
def test_passages_hold_everything_in_order_and_none_is_too_large(text: str) -> None:
    page = Page(1, text)
    found = Chunker(estimated_pieces, size=20).chunks_of(page)
    kept = "".join(texts(page, found))
    assert re.sub(r"\s", "", kept) == re.sub(r"\s", "", text)
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    for chunk in found:
        passage = text[chunk.start : chunk.end]
        assert passage == passage.strip()
        assert len(re.findall(r"[日本。한.|]", passage)) <= 20
        assert chunk.first_line == 1 + text.count("\n", 0, chunk.start)
        assert chunk.last_line == 1 + text.count("\n", 0, chunk.end)
