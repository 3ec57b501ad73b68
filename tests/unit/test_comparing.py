"""Documents side by side: each line is from the document that it names, which bears it out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.answer_citations import citations_of
from app.comparing import Line, after_question, noted, side_by_side
from app.whole_documents import WholeDocuments
from engine.fake import FakeEngine
from rag.citations import Verdict
from rag.passages import Way
from tests.unit.test_whole_documents import WAIT_S, Seen, Shelf, book, pool, ready  # noqa: F401  # a fixture

OAK = "The monthly rent is 850 euros. The deposit is 1,700 euros. Smoking is not allowed in the flat."
MILL = "The rent is 1,020 euros a month. The deposit is 2,550 euros. The tenant may use the garden."


def test_a_note_keeps_what_its_part_bears_out() -> None:
    note = (
        "Here are the subjects:\n1. **Rent**: 850 euros a month\n- Deposit: 2,550 euros\n* Smoking : not allowed\n"
        "Garden: not mentioned\nParking: two bicycles in the cellar\nRent: 850 euros"
    )
    assert noted(note, OAK, place=0, number=1) == [
        Line("Rent", "850 euros a month", 0, 1),
        Line("Smoking", "not allowed", 0, 1),
    ]


def test_a_subject_that_is_not_in_the_document_is_not_put_into_its_mouth() -> None:
    lines = [
        *noted("Smoking: not allowed", OAK, place=0, number=1),
        *noted("Smoking: the tenant may use the garden", MILL, place=1, number=2),
    ]
    assert lines[1] == Line("", "The tenant may use the garden.", 1, 2)
    assert side_by_side(lines, ["oak.md", "mill.md"]).endswith("**mill.md**\n\n- The tenant may use the garden [2].")


def test_a_line_that_mixes_rules_is_shown_as_the_sentence_on_its_subject() -> None:
    rules = "Parents have 16 weeks of paid leave.\nUnpaid leave is granted by the head of department."
    assert noted("Parents: 16 weeks, granted by the head of department", rules, place=0, number=1) == [
        Line("Parents", "Parents have 16 weeks of paid leave.", 0, 1)
    ]


def test_none_is_kept_where_the_document_says_so_itself() -> None:
    rules = "There is no connection fee. Calls cost 9 cents."
    assert noted("Connection fee: none\nDeposit: none", rules, place=0, number=1) == [
        Line("Connection fee", "There is no connection fee.", 0, 1)
    ]


def test_rules_that_are_noted_without_subjects_stand_under_their_document() -> None:
    lines = [
        *noted("- Smoking is not allowed in the flat\n- Pets are free and welcome", OAK, place=0, number=1),
        *noted("- The tenant may use the garden", MILL, place=1, number=2),
    ]
    assert side_by_side(lines, ["oak.md", "mill.md"]) == (
        "**oak.md**\n\n- Smoking is not allowed in the flat [1].\n\n**mill.md**\n\n- The tenant may use the garden [2]."
    )


def test_subjects_stand_side_by_side_and_each_line_names_its_own_document() -> None:
    lines = [
        *noted("Monthly rent: 850 euros.\nSmoking: not allowed", OAK, place=0, number=1),
        *noted("Rent: 1,020 euros\nGarden: the tenant may use the garden", MILL, place=1, number=2),
    ]
    assert side_by_side(lines, ["oak_1.md", "mill.md"]) == (
        "**Monthly rent**\n\n- oak\\_1.md: 850 euros [1].\n- mill.md: 1,020 euros [2].\n\n"
        "**Noted of oak\\_1.md alone**\n\n- Smoking: not allowed [1].\n\n"
        "**Noted of mill.md alone**\n\n- Garden: the tenant may use the garden [2]."
    )
    assert side_by_side(lines[:2], ["oak.md", "mill.md"]) == "", "of one document there is nothing"
    assert "Monthly rent; Smoking" in after_question(lines[:2])


def test_the_program_compares_and_every_line_is_cited(pool: ThreadPoolExecutor) -> None:  # noqa: F811
    shelf = Shelf(book(1, 1, OAK + "{n} "), book(1, 2, MILL + "{n} "))
    engine = ready(
        FakeEngine(["Rent: 850 euros\nDeposit: 2,550 euros", "Rent: 1,020 euros\nDeposit: 2,550 euros"]), 16_384
    )
    seen = Seen("compare book1.pdf and book2.pdf")
    WholeDocuments(engine, shelf, pool).compare([file for file, _pages in shelf.books.values()], seen.reader)
    assert seen.over.wait(WAIT_S)
    ((words, part),) = seen.said
    assert words == (
        "**Rent**\n\n- book1.pdf: 850 euros [1].\n- book2.pdf: 1,020 euros [2].\n\n"
        "**Noted of book2.pdf alone**\n\n- Deposit: 2,550 euros [2]."
    )
    assert (part.way, [passage.path for passage in part.passages]) == (
        Way.SIDE_BY_SIDE, ["/books/book1.pdf", "/books/book2.pdf"],
    )  # fmt: skip
    assert [(each.number, each.verdict) for each in citations_of(words, part)] == [
        (1, Verdict.HOLDS), (2, Verdict.HOLDS), (2, Verdict.HOLDS),
    ]  # fmt: skip
    first, second = engine.requests
    assert "1,020" not in "".join(each.text for each in first.messages[0].segments), "one document at a time"
    assert "850" not in "".join(each.text for each in second.messages[0].segments)
    engine.close()


def test_where_a_document_gives_no_line_the_model_reads_both(pool: ThreadPoolExecutor) -> None:  # noqa: F811
    shelf = Shelf(book(1, 1, OAK + "{n} "), book(1, 2, MILL + "{n} "))
    engine = ready(FakeEngine(["Rent: 850 euros", "They are alike."]), 16_384)
    seen = Seen("compare book1.pdf and book2.pdf")
    WholeDocuments(engine, shelf, pool).compare([file for file, _pages in shelf.books.values()], seen.reader)
    assert seen.over.wait(WAIT_S)
    assert (seen.said, len(seen.parts)) == ([], 1)
    engine.close()
