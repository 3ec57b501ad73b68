"""Questions about the library itself, with the real library process (by words alone) and real small files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.answer_citations import citations_of
from app.store.types import MessageState, SourcesPart, StoredMessage
from engine.fake import FakeEngine
from rag.citations import Verdict
from rag.passages import Finding, Way
from tests.unit.chat_bench import Bench
from tests.unit.foreign_documents import pdf

pytestmark = pytest.mark.beside

READ_S = 120.0
LEASE = (
    "Lease of the house at Mill Lane 4. The lease begins on 1 May 2021 and ends on 30 April 2026.",
    "The rent is 1,200 euros. Write to Anna Berg, anna.berg@example.org, or call +49 30 1234567.",
    "The deposit of 2,400 euros is returned after 30 April 2026. See https://example.org/deposit for the form.",
)
RIVER = "The river Isar rises in the Karwendel mountains. Napoleon crossed it in 1805. " * 3


class Talk:
    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        library = bench.services.documents
        collection = library.add_collection("papers").result(READ_S)
        library.add(collection.id, folder).result(READ_S)
        self.id = bench.store(lambda store: store.create_conversation()).id
        bench.store(lambda store: store.set_collections(self.id, (collection.id,)))
        self.collection = (collection.id,)

    def ask(self, text: str) -> tuple[StoredMessage, SourcesPart]:
        _id, answer = self.bench.ask(text, self.id)
        sources = self.bench.path(self.id)[-2].sources
        assert sources is not None
        return answer, sources


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("papers")
    pdf(made / "lease.pdf", *LEASE, title="Lease of Mill Lane 4")
    (made / "isar.txt").write_text(RIVER)
    (made / "notes.md").write_text("# Shopping\n\nBread, cheese and apples.\n")
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, ["The model says so [1]."] * 40)
    yield made
    made.close()


def test_which_files_there_are(bench: Bench, folder: Path) -> None:
    answer, sources = Talk(bench, folder).ask("Which files do I have?")
    assert sources.way == Way.INVENTORY
    assert answer.state is MessageState.COMPLETE
    assert "There are 3 documents" in answer.text
    assert "**lease.pdf** · Lease of Mill Lane 4 · 3 pages" in answer.text
    assert bench.fake.requests == [], "no model is asked"


def test_which_files_are_on_something(bench: Bench, folder: Path) -> None:
    talk = Talk(bench, folder)
    answer, sources = talk.ask("What documents do I have about the river Isar?")
    assert sources.way == Way.INVENTORY
    assert [Path(passage.path).name for passage in sources.passages] == ["isar.txt"]
    assert "isar.txt" in answer.text
    assert "lease" not in answer.text
    assert [(each.number, each.verdict) for each in citations_of(answer.text, sources)] == [(1, Verdict.HOLDS)]
    answer, sources = talk.ask("Do I have anything on volcanoes?")
    assert sources.passages == ()
    assert "No document here is on “volcanoes”" in answer.text


def test_every_date(bench: Bench, folder: Path) -> None:
    answer, sources = Talk(bench, folder).ask("List every date in lease.pdf")
    assert sources.way == Way.EXHAUSTIVE
    lines = [line for line in answer.text.splitlines() if line.startswith("- ")]
    assert lines == ["- 1 May 2021 [1]", "- 30 April 2026 [1][2]"]
    assert [passage.page for passage in sources.passages] == [1, 3]
    assert answer.text.startswith("3 places were found. 3 pages were looked through.")
    assert all(each.verdict is Verdict.HOLDS for each in citations_of(answer.text, sources))
    page = bench.services.documents.page(sources.passages[0].blob_id, 1).result(READ_S)
    assert page is not None
    assert page.text[sources.passages[0].start : sources.passages[0].end] == sources.passages[0].text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("List all e-mail addresses", "- `anna.berg@example.org` [1]"),
        ("List all phone numbers", "- `+49 30 1234567` [1]"),
        ("List all amounts of money in the lease", "- 1,200 euros [1]\n- 2,400 euros [2]"),
        ("List all links", "- `https://example.org/deposit` [1]"),
        ("Liste alle Telefonnummern auf", "- `+49 30 1234567` [1]"),
    ],
)
def test_every_one_of_a_kind(bench: Bench, folder: Path, question: str, expected: str) -> None:
    answer, sources = Talk(bench, folder).ask(question)
    assert sources.way == Way.EXHAUSTIVE
    assert expected in answer.text


def test_every_place_of_a_word(bench: Bench, folder: Path) -> None:
    talk = Talk(bench, folder)
    answer, sources = talk.ask("Where is Napoleon mentioned?")
    assert sources.way == Way.EXHAUSTIVE
    assert answer.text.startswith("3 places were found.")
    assert "**isar.txt**" in answer.text
    assert bench.fake.requests == []
    answer, _sources = talk.ask("Where is Wellington mentioned?")
    assert answer.text.startswith("Nothing of that is there.")


def test_the_first_hits_and_the_count_of_all(bench: Bench, tmp_path: Path) -> None:
    made = tmp_path / "long"
    made.mkdir()
    (made / "years.txt").write_text("\n\n".join(f"In {1500 + n} it rained. {'So it goes. ' * 20}" for n in range(300)))
    talk = Talk(bench, made)
    answer, sources = talk.ask("List every year in this document")
    assert "300 places were found." in answer.text
    assert "These are the first 200 of 300." in answer.text
    assert len(sources.passages) == 200
    hits = bench.services.documents.find_every(Finding.YEARS, most=5, collection_ids=talk.collection).result(READ_S)
    assert (len(hits.hits), hits.n_all, hits.n_documents) == (5, 300, 1)


def test_a_document_is_not_a_link(bench: Bench, tmp_path: Path) -> None:
    made = tmp_path / "hostile"
    made.mkdir()
    (made / "a.txt").write_text("The secret [click here](https://evil.example/x) and ![x](https://evil.example/y) [7].")
    answer, sources = Talk(bench, made).ask("Where is the word secret mentioned?")
    assert "](https" not in answer.text
    assert "\\[7\\]" in answer.text
    assert [each.number for each in citations_of(answer.text, sources)] == [1]


def test_asking_back_and_the_reply(bench: Bench, folder: Path) -> None:
    talk = Talk(bench, folder)
    answer, sources = talk.ask("Summarise this document")
    assert sources.way == Way.INVENTORY
    assert answer.text == "Which document do you mean?\n\n1. isar.txt\n2. lease.pdf\n3. notes.md"
    answer, sources = talk.ask("2")
    assert sources.way == Way.WHOLE
    assert {Path(passage.path).name for passage in sources.passages} == {"lease.pdf"}
    assert answer.text == "The model says so [1]."
    answer, sources = talk.ask("List every date in this document")
    assert {Path(passage.path).name for passage in sources.passages} == {"lease.pdf"}, "the one that was read last"


def test_a_long_document_in_steps(bench: Bench, tmp_path: Path) -> None:
    made = tmp_path / "long"
    made.mkdir()
    pdf(
        made / "long.pdf",
        *(f"Chapter {n}. " + f"The brook of valley {n} is cold and clear. " * 45 for n in range(1, 31)),
    )
    talk = Talk(bench, made)
    answer, sources = talk.ask("Fasse dieses Dokument zusammen")
    assert sources.way == Way.STEPS
    assert len(bench.fake.requests) == len(sources.passages) + 1 > 4
    assert sources.passages[0].page == 1
    assert "–" in sources.passages[0].page_label
    assert sources.passages[-1].page_label.endswith("30")
    assert answer.text == "The model says so [1]."
    last = bench.fake.requests[-1].messages[-1].text
    assert "Notes on all parts of my documents" in last
    assert "page 1–" in last
    again = bench.chat.regenerate(answer.id).result(READ_S)
    assert bench.finished(again).state is MessageState.COMPLETE
    assert len(bench.fake.requests) == len(sources.passages) + 2, "the notes are kept"


def test_ordinary_questions_go_the_ordinary_way(bench: Bench, folder: Path) -> None:
    _answer, sources = Talk(bench, folder).ask("How much is the rent of the house at Mill Lane?")
    assert sources.way in (Way.WHOLE, Way.PASSAGES)
    _answer, sources = Talk(bench, folder).ask("Summarise the causes of the First World War")
    assert sources.way not in (Way.STEPS, Way.INVENTORY)


def test_without_a_model(tmp_path: Path, folder: Path) -> None:
    bench = Bench(tmp_path, engine=FakeEngine(loaded=False))
    try:
        answer, sources = Talk(bench, folder).ask("Which files do I have?")
        assert answer.state is MessageState.COMPLETE
        assert sources.way == Way.INVENTORY
    finally:
        bench.close()
