"""Texts with a time in front of each line: pages, passages, places, and the moment that a sentence speaks of."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from app.answer_citations import citations_of, cited_passage, cited_places, with_places
from app.cited_moment import at_the_moment
from app.cli_docs import place_text
from app.passage_place import PassagePlace, where_text
from app.source_names import place_name
from app.store.types import SourcePassage, SourcesPart
from rag.chunking import Chunker
from rag.citations import Verdict
from rag.exhaustive import find_every
from rag.loaders.limits import PART_CHARACTERS
from rag.loaders.speech import speech_pages
from rag.parts import parts_of
from rag.passages import Finding, Way
from rag.recording_kinds import is_recording
from rag.scope import Scope
from rag.store import documents, shelf
from rag.store.database import LibraryDatabase
from rag.store.documents import ReadPage
from rag.store.types import FoundFile
from rag.transcript import line_at, second_at, stamped, timed_lines
from rag.types import DocumentInfo, Page, Unit
from tests.unit.library_shelf import stored

TALK = "00:00:00 Good evening.\n00:00:07 The budget is four million. We voted. It passed.\n01:02:45 Good night."


def hour() -> list[tuple[float, str]]:
    """Sentences of different lengths, six seconds apart."""
    return [(6.0 * n, f"Point {n} of the plan. " + "It was agreed at once. " * (n % 7)) for n in range(600)]


def test_a_line_has_its_time_in_front() -> None:
    assert stamped(3_765.9, "Good night.") == "01:02:45 Good night."
    assert stamped(-1, "x") == "00:00:00 x"
    assert stamped(360_000, "x") == "100:00:00 x"


@pytest.mark.parametrize(
    ("words", "second"), [("Good evening", 0), ("\n00:00:07", 0), ("00:00:07", 7), ("passed", 7), ("night", 3_765)]
)
def test_every_character_has_a_time(words: str, second: int) -> None:
    assert second_at(TALK, TALK.index(words), 99) == second


def test_what_has_no_time_of_its_own_has_that_of_its_text() -> None:
    assert second_at("goes on here.\n00:00:09 Next.", 3, 4) == 4
    assert second_at("goes on\nand on", 10, 4) == 4
    assert second_at("", 0, 4) == 4
    assert line_at(Unit.TEXT, TALK, len(TALK), 1) == 3, "elsewhere lines are lines"


def test_only_whole_lines_have_a_time() -> None:
    assert [TALK[start:end] for start, end in timed_lines(TALK)] == TALK.split("\n")
    assert timed_lines("At 00:00:07 we met.") == []


def test_speech_becomes_pages_that_know_when_they_begin() -> None:
    pages = list(speech_pages([*hour(), (3_600.0, " two\nlines "), (3_601.0, " ")] * 2))
    assert len(pages) > 1
    assert all(len(page.text) <= PART_CHARACTERS for page in pages)
    assert pages[0].first_line == 0
    for page in pages[1:]:
        assert page.first_line == second_at(page.text, 0, -1) > 0
    text = "\n".join(page.text for page in pages)
    assert text.count("01:00:00 two lines") == 2
    assert len(text.split("\n")) == 2 * 601, "what says nothing is no line"
    assert list(speech_pages([])) == []


def test_passages_are_whole_lines_and_know_their_times() -> None:
    chunker = Chunker()
    chunker.begin(None, Unit.TIME)
    (page,) = speech_pages(hour()[:200])
    chunks = chunker.chunks_of(page)
    assert len(chunks) > 5
    lines = page.text.split("\n")
    covered: list[str] = []
    for chunk in chunks:
        own = page.text[chunk.start : chunk.end].split("\n")
        covered += own
        assert chunk.first_line == second_at(own[0], 0, -1)
        assert chunk.last_line == second_at(own[-1], 0, -1)
    assert covered == lines
    assert all(a.last_line < b.first_line for a, b in pairwise(chunks))


def test_a_line_is_never_cut_however_long_it_is() -> None:
    long = "And so on. " * 400
    chunker = Chunker()
    chunker.begin(None, Unit.TIME)
    (page,) = speech_pages([(0.0, "Short."), (5.0, long), (60.0, long), (120.0, "The end.")])
    chunks = chunker.chunks_of(page)
    assert [(chunk.first_line, chunk.last_line) for chunk in chunks] == [(0, 0), (5, 5), (60, 60), (120, 120)]
    # The next document is cut as before.
    chunker.begin()
    assert len(chunker.chunks_of(Page(1, long))) > 5


def test_parts_of_a_transcript_know_their_times() -> None:
    (page,) = speech_pages(hour()[:100])
    parts = list(parts_of([page], 2_000, Unit.TIME))
    assert len(parts) > 3
    assert all(part.first_line == second_at(part.text, 0, -1) for part in parts)


def test_every_place_in_a_transcript_is_a_time(tmp_path: Path) -> None:
    database = LibraryDatabase(tmp_path / "library.db")
    _source, (file,) = stored(database, Path("/books/talk.mp3"))
    (page,) = speech_pages(
        [(10.0 * n, f"We speak of item {n}, and of nothing else at all, at length.") for n in range(9)]
    )
    info = DocumentInfo("talk", Unit.TIME, "audio/mpeg", 1)
    with database.transaction():
        blob_id = documents.put(database, b"d", info, [ReadPage(page, ())], language="en")
        documents.give(database, file.id, blob_id, found=FoundFile(file.path, 1, 1))
    (read,) = shelf.files(database)
    assert read.unit is Unit.TIME
    hits = find_every(database, Finding.WORDS, "item 5", Scope(), most=9)
    (passage,) = hits.passages
    assert passage.first_line <= 50 <= passage.last_line
    assert passage.last_line - passage.first_line <= 20
    database.close()


def passage(text: str, *, unit: str = "time", start: int = 100) -> SourcePassage:
    return SourcePassage("/d/talk.mp3", "talk", unit, 1, "", 0, 3_765, "", text, 1, start, start + len(text), 0.5)


def test_a_sentence_speaks_of_one_moment() -> None:
    whole = passage(TALK)
    moment = at_the_moment(whole, "They decided on a budget of four million.")
    assert (moment.first_line, moment.last_line) == (7, 7)
    assert moment.text == "00:00:07 The budget is four million. We voted. It passed."
    assert TALK[moment.start - 100 : moment.end - 100] == moment.text
    assert at_the_moment(whole, "Whales are mammals.") is whole
    assert at_the_moment(passage(TALK, unit="text"), "The budget") == passage(TALK, unit="text")
    one = passage("00:00:07 The budget.")
    assert at_the_moment(one, "The budget.") is one


def test_rare_words_weigh_more_than_those_of_every_line() -> None:
    text = "00:00:01 Anna said welcome, Anna said so.\n00:00:09 Anna praised marmalade.\n00:00:12 Anna said goodbye."
    assert at_the_moment(passage(text), "Anna said that marmalade is good.").first_line == 9


def test_an_answer_cites_the_times() -> None:
    sources = SourcesPart(Way.WHOLE, (passage(TALK),), 1, "")
    answer = "The budget is four million [1]. They said good night at the end, good night [1]."
    found = citations_of(answer, sources)
    assert [place_name(cited_passage(answer, each, sources)) for each in found] == [
        "talk.mp3, 0:07",
        "talk.mp3, 1:02:45",
    ]
    assert [(number, each.first_line) for number, each in cited_places(answer, sources)] == [(1, 7), (1, 3_765)]
    given = with_places(answer, sources)
    assert given.endswith("- [1] talk.mp3, 0:07\n- [1] talk.mp3, 1:02:45")


def test_a_time_is_named_as_a_clock_does() -> None:
    place = PassagePlace(Path("/a.mp3"), 1, "A", Unit.TIME, 1, "", 0, 9, 754, 790)
    assert where_text(place) == "12:34 to 13:10"
    assert where_text(replace(place, last_line=754)) == "12:34"
    assert place_text(Path("/a.mp3"), "time", 1, "", 754) == "/a.mp3: 12:34"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", True),
        (b"RIFF\0\0\0\0AVI LIST", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", False),
        (b"FORM\0\0\0\0AIFFCOMM", True),
        (b"fLaC\0\0\0\x22", True),
        (b"OggS\0\x02", True),
        (b"ID3\x04\0", True),
        (b"\xff\xf3\x84\xc4", True),
        (b"\xff\xf1\x50\x80", True),
        (b"\xff\xfe<\0h\0", False),
        (b"\xff\xd8\xff\xe0", False),
        (b"\x1aE\xdf\xa3\x9f", True),
        (b"\0\0\0\x18ftypisom", True),
        (b"\0\0\0\x18ftypM4A ", True),
        (b"\0\0\0\x18ftypheic", False),
        (b"\0\0\0\x08wide\0\0", True),
        (b"The wide river", False),
        (b"", False),
    ],
)
def test_recordings_are_known_by_how_they_begin(head: bytes, *, expected: bool) -> None:
    assert is_recording(head) is expected


def test_a_time_that_an_answer_names_is_there() -> None:
    sources = SourcesPart(Way.WHOLE, (passage("00:12:34 The budget is four million.\n00:12:41 We voted."),), 1, "")
    verdicts = {
        time: citations_of(f"At {time} they said that the budget is four million [1].", sources)[0].verdict
        for time in ("12:34", "00:12:34", "12:41", "12:35")
    }
    assert verdicts == {
        "12:34": Verdict.HOLDS, "00:12:34": Verdict.HOLDS, "12:41": Verdict.HOLDS, "12:35": Verdict.NUMBERS,
    }  # fmt: skip
