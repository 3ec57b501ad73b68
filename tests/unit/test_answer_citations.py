"""An answer with the sources of its question: marks in their places, what is said of wrong ones, what is given away."""

from __future__ import annotations

from app.answer_citations import citations_of, complaint, doubt, replaced, with_places
from app.store.types import SourcePassage, SourcesPart
from rag.citations import Verdict
from rag.passages import Way


def passage(text: str, *, page: int = 1, path: str = "/docs/whales.pdf", section: str = "") -> SourcePassage:
    return SourcePassage(path, "On whales", "page", page, "", 1, 1, section, text, 1, 0, len(text), 0.5)


def part(*passages: SourcePassage, way: str = Way.PASSAGES, question: str = "") -> SourcesPart:
    return SourcesPart(way, passages, len(passages), question)


SOURCES = part(
    passage("The blue whale is the largest animal. It weighs 199 tonnes.", page=12),
    passage("Calves drink 400 litres of milk a day.", page=13),
)


def test_each_mark_stands_where_the_answer_cites() -> None:
    answer = "It is the largest animal [1]. Calves drink 400 litres of milk [2]. Nobody knows why [9]."
    found = citations_of(answer, SOURCES)
    assert [each.number for each in found] == [1, 2, 9]
    assert replaced(answer, found, ["(a)", "(b)", "(c)"]) == (
        "It is the largest animal(a). Calves drink 400 litres of milk(b). Nobody knows why(c)."
    )


def test_several_numbers_in_one_place_stand_one_behind_the_other() -> None:
    answer = "The largest animal weighs 199 tonnes and calves drink 400 litres of milk [1, 2]."
    found = citations_of(answer, SOURCES)
    assert [each.number for each in found] == [1, 2]
    assert replaced(answer, found, ["(a)", "(b)"]) == (
        "The largest animal weighs 199 tonnes and calves drink 400 litres of milk(a)(b)."
    )


def test_the_programs_own_stand_behind_the_sentence() -> None:
    answer = "Calves drink 400 litres of milk a day. I like that."
    found = citations_of(answer, SOURCES)
    assert replaced(answer, found, ["(b)"]) == "Calves drink 400 litres of milk a day.(b) I like that."


def test_nothing_is_cited_where_nothing_was_given() -> None:
    assert citations_of("Your documents do not say [1].", part()) == ()
    assert citations_of("It is the largest animal [1].", part(*SOURCES.passages, way=Way.NOTHING)) == ()


def test_what_is_wrong_is_said() -> None:
    def said(answer: str) -> str:
        (citation,) = citations_of(answer, SOURCES)
        return complaint(citation, SOURCES)

    assert said("Nobody knows why [9].") == "The answer names source 9, which does not exist."
    assert said("It weighs 777 tonnes [1].") == "“777” cannot be found in whales.pdf, page 12."
    assert said('They say "it is very small indeed" [1].') == (
        "“it is very small indeed” cannot be found in whales.pdf, page 12."
    )
    assert said("Penguins breed on the ice in the dark winter [1].") == "whales.pdf, page 12 speaks of something else."
    assert said("It is the largest animal [1].") == ""


def test_what_names_the_place_is_no_claim() -> None:
    sources = part(passage("The blue whale is the largest animal.", page=12, section="Chapter 77"))
    (citation,) = citations_of("As page 12 says in chapter 77, the blue whale is the largest animal [1].", sources)
    assert citation.verdict is Verdict.HOLDS


def test_what_was_asked_is_no_claim() -> None:
    sources = part(*SOURCES.passages, question="Does it weigh 250 tonnes?")
    (citation,) = citations_of("No, not 250 tonnes: it weighs 199 tonnes [1].", sources)
    assert citation.verdict is Verdict.HOLDS


def test_a_list_of_the_sources_takes_no_doubt_away() -> None:
    answer = "It is the penguin that breeds a day.\n\n[1] whales.pdf, page 12\n[2] whales.pdf, page 13"
    assert [each.number for each in citations_of(answer, SOURCES)] == [1, 2]
    assert doubt(answer, SOURCES)
    assert not doubt(answer.replace("It is", "[2] Calves drink 400 litres of milk. It is"), SOURCES)


def test_an_answer_that_is_given_away_lists_its_places() -> None:
    answer = "It is the largest animal [1]. It weighs 777 tonnes [1]. `x[2]` is code."
    assert with_places(answer, SOURCES) == (
        "It is the largest animal [1]. It weighs 777 tonnes ~~[1]~~. `x[2]` is code.\n\nSources:\n\n"
        "- [1] whales.pdf, page 12"
    )
    assert with_places("Calves drink 400 litres of milk a day.", SOURCES) == (
        "Calves drink 400 litres of milk a day. [2]\n\nSources:\n\n- [2] whales.pdf, page 13"
    )


def test_without_sources_an_answer_stays_as_it_is() -> None:
    assert with_places("Hello [1].", None) == "Hello [1]."
    assert with_places("Hello [1].", part(way=Way.NOTHING)) == "Hello [1]."
    assert with_places("Nobody knows why [9].", SOURCES).endswith("Nobody knows why ~~[9]~~.")


def test_an_answer_that_is_in_no_passage_is_doubted() -> None:
    warning = "Nothing of this answer was found in your documents."
    own = "Perl is a language for the web and it was written by Larry Wall in a winter."
    assert doubt(own, SOURCES) == warning
    assert doubt("The blue whale is the largest animal of the sea.", SOURCES) == ""
    assert doubt("It is the largest animal of all [1].", SOURCES) == ""
    assert with_places(own, SOURCES) == f"*{warning}*\n\n{own}"


def test_no_doubt_where_words_prove_nothing() -> None:
    german = "Perl ist eine Sprache, die von Larry Wall in einem Winter geschrieben worden ist und nicht von dir."
    assert doubt(german, SOURCES) == ""
    assert doubt("It was written by Larry Wall in a winter.", part(*SOURCES.passages, way=Way.WHOLE)) == ""
    assert doubt("It was written by Larry Wall in a winter.", part(*SOURCES.passages, way=Way.NOTHING)) == ""
