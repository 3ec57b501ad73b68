"""Documents read whole: as they are, or in steps on a fake engine, from parts of real pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from app.document_choice import Choice, choose, last_meant, picked, readable
from app.library_questions import LibraryQuestion, Reference, Wish, library_question
from app.store.types import MessageState, SourcePassage, SourcesPart, StoredMessage, TextPart
from app.whole_documents import MOST_PARTS, Reader, WholeDocuments, faithful
from engine.cancel import CancelToken
from engine.context.segments import Origin, Role
from engine.errors import HearthError, LibraryError, PromptTooLongError, sentence
from engine.fake import FakeAnswer, FakeEngine
from engine.types import Failed, Finished, FinishReason, ModelSpec, ReasoningDelta, StreamEvent
from rag.parts import parts_of, sampled
from rag.passages import DocumentParts, Found, Passage, Way
from rag.store.types import FileState, StoredFile
from rag.types import Page, Unit

WAIT_S = 20.0


def book(
    n_pages: int, number: int = 1, words: str = "The river is {n} metres wide here. "
) -> tuple[StoredFile, list[Page]]:
    pages = [Page(n, words.format(n=n) * 40) for n in range(1, n_pages + 1)]
    length = sum(len(page.text) for page in pages)
    file = StoredFile(
        number, 1, 1, Path(f"/books/book{number}.pdf"), length, 0, FileState.READ, None, number, f"Book {number}",
        Unit.PAGE, n_pages, n_pages, 0, 0, "en", length,
    )  # fmt: skip
    return file, pages


class Shelf:
    """Scripted documents: what the library process would tell, from pages in memory."""

    def __init__(self, *books: tuple[StoredFile, list[Page]]) -> None:
        self.books = {file.blob_id: (file, pages) for file, pages in books}
        self.error: HearthError | None = None

    def search(
        self,
        question: str,
        *,
        most_characters: int,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
        wait_s: float = 0.0,
    ) -> Future[Found]:
        future: Future[Found] = Future()
        chosen = [self.books[blob] for blob in blob_ids or ()]
        passages = tuple(
            Passage(
                n, file.id, file.blob_id or 0, file.path, file.title, file.unit, page.number, "", 0, len(page.text),
                1, 1, "", "en", page.text,
            )
            for file, pages in chosen
            for n, page in enumerate(pages)
        )  # fmt: skip
        fits = sum(len(passage.text) for passage in passages) <= most_characters
        future.set_result(Found(Way.WHOLE if fits else Way.PASSAGES, passages, len(passages)))
        return future

    def read_parts(self, blob_id: int, *, part_characters: int, most: int) -> Future[DocumentParts]:
        future: Future[DocumentParts] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.set_result(sampled(parts_of(self.books[blob_id][1], part_characters), most))
        return future


class Seen:
    """What a reading told."""

    def __init__(self, question: str = "Summarise this document") -> None:
        self.events: list[StreamEvent] = []
        self.notices: list[str] = []
        self.parts: list[SourcesPart] = []
        self.said: list[tuple[str, SourcesPart]] = []
        self.errors: list[HearthError] = []
        self.ends: list[Finished | Failed] = []
        self.cancel = CancelToken()
        self.over = threading.Event()
        self.reader = Reader(
            "answer", question, self.cancel, self.events.append, self.notices.append,
            lambda part: self._end(self.parts.append, part),
            lambda words, part: self._end(self.said.append, (words, part)),
            lambda error: self._end(self.errors.append, error), lambda event: self._end(self.ends.append, event),
        )  # fmt: skip

    def _end(self, keep, value) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        keep(value)
        self.over.set()

    @property
    def thoughts(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def ready(engine: FakeEngine, n_ctx: int = 2048) -> FakeEngine:
    engine.load(ModelSpec(Path("fake.gguf"), n_ctx=n_ctx)).result(WAIT_S)
    return engine


def read(engine: FakeEngine, pool: ThreadPoolExecutor, shelf: Shelf, seen: Seen) -> Seen:
    files = tuple(file for file, _pages in shelf.books.values())
    WholeDocuments(engine, shelf, pool).read(files, seen.reader)
    assert seen.over.wait(WAIT_S)
    return seen


def test_short_documents_go_in_as_they_are(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine())
    seen = read(engine, pool, Shelf(book(2)), Seen())
    assert [part.way for part in seen.parts] == [Way.WHOLE]
    assert [passage.page for passage in seen.parts[0].passages] == [1, 2]
    assert engine.requests == []
    engine.close()


def test_a_long_document_is_read_in_steps(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine([f"The river grows wider in part {n}." for n in ("one", "two", "three", "four")] * 6))
    seen = read(engine, pool, Shelf(book(8)), Seen("Summarise this, please"))
    (part,) = seen.parts
    assert part.way == Way.STEPS
    assert part.n_searched == len(part.passages) == len(engine.requests) > 2
    assert part.passages[0].text == "The river grows wider in part one."
    assert part.passages[0].page == 1
    assert part.passages[0].page_label == "1–2", "a note's place is all pages of its part"
    assert part.passages[-1].page_label.endswith("8")
    assert "book1.pdf, page 1–2 (part 1 of" in seen.thoughts
    assert "in part two" in seen.thoughts
    request = engine.requests[0]
    assert not request.background
    assert request.cache_key == ""
    document = [each for each in request.messages[0].segments if each.origin is Origin.DOCUMENT]
    assert sum("river is 1 metres" in each.text for each in document) == 1
    assert [each.text for each in request.messages[0].segments if each.origin is Origin.USER] == [
        "Summarise this, please"
    ]
    assert request.messages[0].segments[-1].origin is Origin.APP, "a small model repeats a request that it reads last"
    assert not seen.notices
    engine.close()


def test_too_long_a_document_is_sampled_evenly_and_that_is_said(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine(["It goes on and on in the same way."] * 50))
    seen = read(engine, pool, Shelf(book(200)), Seen())
    (part,) = seen.parts
    assert 4 < len(part.passages) <= MOST_PARTS
    assert part.n_searched > len(part.passages)
    assert part.passages[0].page == 1
    assert part.passages[-1].page >= 199
    steps = [b.page - a.page for a, b in pairwise(part.passages)]
    assert max(steps) - min(steps) <= 4
    assert len(seen.notices) == 1
    assert f"{len(part.passages)} of its {part.n_searched} parts" in seen.notices[0]
    engine.close()


def test_a_slow_machine_reads_fewer_parts(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine(["A note that says what is there."] * 50))
    times = iter(range(0, 100_000, 150))  # a part takes 150 s
    seen, shelf = Seen(), Shelf(book(30))
    WholeDocuments(engine, shelf, pool, clock=lambda: float(next(times))).read((shelf.books[1][0],), seen.reader)
    assert seen.over.wait(WAIT_S)
    (part,) = seen.parts
    assert len(part.passages) == 4
    assert part.n_searched > 4
    assert part.passages[-1].page_label.endswith("30"), "the last part is read"
    assert len(seen.notices) == 1
    assert f"4 of its {part.n_searched} parts" in seen.notices[0]
    engine.close()


def test_two_documents_share_the_parts(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine(["A note on some of it that is long enough."] * 50))
    seen = read(engine, pool, Shelf(book(30, 1), book(3, 2)), Seen("Compare these two"))
    (part,) = seen.parts
    blobs = [passage.blob_id for passage in part.passages]
    assert blobs == sorted(blobs)
    assert blobs.count(1) > blobs.count(2) >= 1
    engine.close()


def test_stopping_stops_the_step(pool: ThreadPoolExecutor) -> None:
    gate = threading.Event()
    engine = ready(FakeEngine([FakeAnswer("A note of the first part.", gate=gate)] + ["Another note."] * 9))
    seen = Seen()
    WholeDocuments(engine, Shelf(book(8)), pool).read((book(8)[0],), seen.reader)
    while not engine.requests:
        threading.Event().wait(0.01)
    seen.cancel.cancel()
    assert seen.over.wait(WAIT_S)
    assert [type(end) for end in seen.ends] == [Finished]
    assert seen.ends[0] == Finished("answer", FinishReason.CANCELLED)
    assert len(engine.requests) == 1
    assert not seen.parts
    engine.close()


def test_a_failed_step_fails_the_answer(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine([FakeAnswer("", error=LibraryError(sentence("Something is broken.")))]))
    seen = read(engine, pool, Shelf(book(8)), Seen())
    (end,) = seen.ends
    assert isinstance(end, Failed)
    assert (end.request_id, end.message) == ("answer", "Something is broken.")
    engine.close()


def test_a_library_that_fails_is_told(pool: ThreadPoolExecutor) -> None:
    engine = ready(FakeEngine())
    shelf = Shelf(book(8))
    shelf.error = LibraryError(sentence("The document library is closed."))
    seen = read(engine, pool, shelf, Seen())
    assert seen.errors == [shelf.error]
    engine.close()


def test_a_part_with_too_many_tokens_is_read_in_halves(pool: ThreadPoolExecutor) -> None:
    too_long = FakeAnswer("", error=PromptTooLongError(sentence("Too long.")))
    engine = ready(FakeEngine([too_long] + ["A note that says what is there."] * 20))
    seen = read(engine, pool, Shelf(book(8)), Seen())
    (part,) = seen.parts
    assert len(engine.requests) == len(part.passages) + 1
    assert part.n_searched == len(part.passages)
    assert [passage.page for passage in part.passages[:2]] == [1, 1]
    engine.close()


def test_a_note_says_no_number_that_its_part_does_not_have() -> None:
    part = "The lease began on 3 May 2021 and costs 1,200 euros."
    note = "The lease began in 2021. It costs 1.200 euros. It ends in 2035. Nobody may keep cats."
    assert faithful(note, part, whole=True) == "The lease began in 2021.\nIt costs 1.200 euros.\nNobody may keep cats."
    assert faithful("It has 77 pages and 88 clauses.", part, whole=True) == part


def test_parts_hold_every_character_once() -> None:
    pages = [Page(1, "a" * 50), Page(2, ""), Page(3, "line one\nline two\n" * 20, first_line=4), Page(4, "b" * 10)]
    parts = list(parts_of(pages, 100))
    assert all(len(part.text) <= 100 for part in parts)
    assert "".join("".join(part.text.split()) for part in parts) == "".join(
        "".join(page.text.split()) for page in pages
    )
    assert (parts[0].first_page, parts[-1].last_page) == (1, 4)
    assert all(later.first_line >= earlier.first_line for earlier, later in pairwise(parts[1:-1]))


@pytest.mark.parametrize("most", [1, 2, 5, 9, 10, 11])
def test_samples_are_spread_evenly(most: int) -> None:
    parts = list(parts_of([Page(n, "x" * 90) for n in range(10)], 100))
    chosen = sampled(parts, most)
    assert chosen.n_all == 10
    pages = [part.first_page for part in chosen.parts]
    assert len(pages) == min(most, 10)
    assert pages[0] == 0
    assert most == 1 or pages[-1] == 9
    assert pages == sorted(set(pages))


# Which document is meant


def said(role: Role, text: str, sources: SourcesPart | None = None) -> StoredMessage:
    parts = (*((sources,) if sources else ()), TextPart(text))
    return StoredMessage(f"{role}{text[:5]}", "c", None, role, parts, MessageState.COMPLETE, 0.0)


def asked(text: str) -> LibraryQuestion:
    question = library_question(text)
    assert question is not None
    return question


def chosen(text: str, files: Sequence[StoredFile], before: Sequence[StoredMessage] = ()) -> Choice | None:
    return choose(asked(text), files, (*before, said(Role.USER, text)))


FILES = tuple(book(4, number)[0] for number in (1, 2, 3))


def passage_of(file: StoredFile) -> SourcePassage:
    return SourcePassage(
        str(file.path), file.title, "page", 1, "", 1, 1, "", "The river is wide.", file.blob_id or 0, 0, 9, 1
    )


def test_this_document_is_the_only_one() -> None:
    assert chosen("Summarise this document", FILES[:1]) == Choice(FILES[:1])


def test_this_document_is_the_one_cited_last() -> None:
    sources = SourcesPart(Way.PASSAGES, (passage_of(FILES[0]), passage_of(FILES[1])))
    before = (said(Role.USER, "How wide?", sources), said(Role.ASSISTANT, "The river is wide [2]."))
    assert chosen("Summarise this document", FILES, before) == Choice((FILES[1],))
    assert last_meant(FILES, (*before, said(Role.USER, "And in book3.pdf?"))) == FILES[2]


def test_where_it_is_open_the_person_is_asked() -> None:
    assert chosen("Summarise this document", FILES) == Choice(FILES, sure=False)
    assert chosen("Compare the two documents", FILES) == Choice(FILES, sure=False)
    assert chosen("Compare these documents", FILES) == Choice(FILES)
    assert chosen("List every date in it", FILES) == Choice(FILES), "looking through all of them misses nothing"


def test_documents_by_name() -> None:
    assert chosen("Compare book1.pdf and book3.pdf", FILES) == Choice((FILES[0], FILES[2]))
    assert chosen("Summarise Book 2", FILES) == Choice((FILES[1],))
    assert chosen("Summarise the French Revolution", FILES) is None
    assert picked("2", FILES) == ("book2.pdf",)
    assert picked("the book3.pdf please", FILES) == ("book3.pdf",)
    assert picked("7", FILES) == picked("Who is it?", FILES) == ()


def test_equal_files_are_one_document_and_unread_ones_none() -> None:
    copy = replace(FILES[0], id=9, path=Path("/books/copy.pdf"))
    waiting = replace(FILES[1], state=FileState.WAITING, blob_id=None, n_chunks=0)
    assert readable((FILES[0], copy, waiting)) == (FILES[0],)
    assert choose(LibraryQuestion(Wish.WHOLE, Reference.ONE, ("this document",)), (waiting,), ()) is None
