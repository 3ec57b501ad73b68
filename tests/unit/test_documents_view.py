"""What is said of documents: states, what cannot be seen, how passages were chosen, where one stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.documents_view import (
    Readiness,
    hidden_sentence,
    pages_text,
    readiness,
    state_sentence,
    way_sentence,
    work_sentence,
)
from app.passage_place import PassagePlace, marks, section_at, snippet, where_text
from engine.worker.envelope import Fault
from rag.events import EmbeddingProgress, ReadingProgress
from rag.passages import Way
from rag.store.types import FileState, StoredFile
from rag.types import Heading, Unit

FILE = StoredFile(1, 1, 1, Path("/a/manual.pdf"), 10, 10, FileState.READ, None, 5, "Manual", Unit.PAGE, 120, 300)
DAMAGED = Fault("document", "“{name}” is damaged.", (("name", "manual.pdf"),))


@pytest.mark.parametrize(
    ("file", "reading", "state", "words"),
    [
        (replace(FILE, state=FileState.WAITING, n_chunks=0), None, Readiness.WAITING, "Waiting"),
        (replace(FILE, state=FileState.WAITING), None, Readiness.WAITING, "Changed, waiting to be read again"),
        (
            replace(FILE, state=FileState.WAITING),
            ReadingProgress(1, 34, 120),
            Readiness.READING,
            "Reading, 34 of 120 pages",
        ),
        (
            replace(FILE, state=FileState.WAITING),
            ReadingProgress(1, 34, None),
            Readiness.READING,
            "Reading, 34 pages so far",
        ),
        (
            replace(FILE, state=FileState.WAITING),
            ReadingProgress(1, 12, 58, Unit.TIME),
            Readiness.READING,
            "Listening, 12 of 58 minutes",
        ),
        (
            replace(FILE, state=FileState.WAITING),
            ReadingProgress(1, 12, None, Unit.TIME),
            Readiness.READING,
            "Listening, 12 minutes so far",
        ),
        (
            replace(FILE, state=FileState.WAITING),
            ReadingProgress(1, 0, None, Unit.TIME),
            Readiness.READING,
            "Listening",
        ),
        (FILE, None, Readiness.READY, "Ready"),
        (
            replace(FILE, n_unembedded=120),
            None,
            Readiness.BY_WORDS,
            "Ready by words; 120 passages still to be learned by meaning",
        ),
        (
            replace(FILE, reachable=False, state=FileState.WAITING),
            None,
            Readiness.UNREACHABLE,
            "Not reachable just now; what was read of it can be asked",
        ),
        (replace(FILE, reachable=False, n_chunks=0), None, Readiness.UNREACHABLE, "Not reachable just now"),
        (replace(FILE, n_chunks=0), None, Readiness.EMPTY, "Read, but there is no text in it"),
        (
            replace(FILE, state=FileState.FAILED, fault=DAMAGED),
            None,
            Readiness.FAILED,
            "Could not be read: “manual.pdf” is damaged.",
        ),
    ],
)
def test_a_state_is_a_sentence(file: StoredFile, reading: ReadingProgress | None, state: Readiness, words: str) -> None:
    assert readiness(file, reading) is state
    assert state_sentence(file, reading) == words


def test_counts_are_written_as_their_unit_wants() -> None:
    assert pages_text(Unit.PAGE, 1) == "1 page"
    assert pages_text(Unit.SHEET, 4) == "4 sheets"
    assert pages_text(Unit.TEXT, 4) == ""
    assert hidden_sentence(38) == "38 words in this file cannot be seen"
    assert hidden_sentence(1) == "1 word in this file cannot be seen"


def test_the_way_is_said() -> None:
    grouped = lambda count: f"{count:,}"  # noqa: E731
    assert way_sentence(Way.PASSAGES, 12, 4210, number=grouped) == "12 of 4,210 passages were read"
    assert way_sentence(Way.PASSAGES, 1, 2, by_meaning=False) == "1 of 2 passages were read, found by words alone"
    assert way_sentence(Way.WHOLE, 3, 3) == "The documents are short and went in whole"
    assert way_sentence(Way.NOTHING, 0, 50) == "Your documents do not say"
    assert len({way_sentence(way, 2, 5) for way in Way}) == len(Way)


def test_what_is_under_way_is_one_line() -> None:
    reading = ReadingProgress(1, 34, 120)
    assert work_sentence("", None, 0, None) == ""
    assert work_sentence("", None, 0, EmbeddingProgress(0, 9)) == ""
    anew = EmbeddingProgress(631, 971, anew=True)
    assert work_sentence("", None, 0, anew) == "Learning your documents anew: 340 of 971"
    assert (
        work_sentence("a.pdf", reading, 12, EmbeddingProgress(3, 9))
        == "a.pdf: Reading, 34 of 120 pages · 12 files to be read · 3 of 9 passages still to be learned by meaning"
    )
    assert work_sentence("a.pdf", reading, 1, None) == "a.pdf: Reading, 34 of 120 pages"


def test_a_place_is_named_as_a_citation_names_it() -> None:
    place = PassagePlace(Path("/a"), 1, "A", Unit.TEXT, 1, "", 0, 9, 3, 9)
    assert where_text(place) == "lines 3 to 9"
    assert where_text(replace(place, last_line=3)) == "line 3"
    assert where_text(replace(place, unit=Unit.PAGE, page=12)) == "page 12"
    assert where_text(replace(place, unit=Unit.PAGE, page=4, page_label="iv")) == "page iv"


def test_the_section_is_the_path_of_headings_above() -> None:
    headings = (Heading(0, 1, "Install"), Heading(10, 2, "Networks"), Heading(30, 1, "Use"))
    assert section_at(headings, 20) == "Install › Networks"
    assert section_at(headings, 35) == "Use"
    assert section_at((), 35) == ""


def words(text: str, question: str) -> list[str]:
    return [text[start:end] for start, end in marks(text, question)]


def test_words_of_the_question_are_marked_without_their_endings() -> None:
    text = "Resetting the burner: press the reset button; the buttons of 2024 differ."
    assert words(text, "How do I reset the button in 2024?") == ["Resetting", "reset", "button", "buttons", "2024"]
    assert words("the cat sat", "the") == ["the"], "a question of short words alone marks them"
    assert words("nothing like it", "boiler") == []
    assert words("ordinary", "order") == [], "another word"


def test_scripts_without_spaces_are_marked_by_fragments() -> None:
    assert words("本日の天気予報は晴れです", "天気予報") == ["天気予報"]


def test_marks_count_characters_beyond_the_basic_plane() -> None:
    assert words("🙂🙂 boiler", "boiler") == ["boiler"]


def test_a_snippet_shows_the_words_and_stays_short() -> None:
    text = "filler words here " * 60 + "the reset button is red " + "more filler " * 60
    shown, where = snippet(text, "reset button")
    assert len(shown) <= 322
    assert "reset button" in [shown[start:end] for start, end in where] or {
        shown[start:end] for start, end in where
    } == {"reset", "button"}
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert snippet("one\n two\tthree") == ("one two three", ())
