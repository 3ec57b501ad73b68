"""Which citations of an answer hold: sentences against sources, in several languages, spellings and forms."""

from __future__ import annotations

import pytest

from rag.citations import Verdict, cited
from rag.claims import plain_number

WHALE = (
    "The blue whale is the largest animal that has ever lived. It can reach 29.9 metres and weigh 199 tonnes.\n"
    "Whaling was banned in 1966, after its numbers had fallen to about 2,300. Calves drink up to 400 litres a day."
)
WARRANTY = (
    "The warranty for this product lasts two years from the date of purchase. It ends when the seal is bro-\n"
    "ken, or when spare parts that are not well-\nknown to the manufacturer are used. Repairs cost 1.250,50 Euro."
)
HANDBUCH = "Die Garantie gilt für zwei Jahre ab dem Kauf. Sie endet, wenn das Siegel gebrochen ist. Kosten: 1 250 Euro."
CHINESE = "蓝鲸是地球上最大的动物。它的体重可以达到一百九十九吨，身长约三十米。捕鲸在1966年被禁止。"
SOURCES = (WHALE, WARRANTY, HANDBUCH, CHINESE)


def verdicts(answer: str, *sources: str) -> list[tuple[int, Verdict]]:
    return [(each.number, each.verdict) for each in cited(answer, sources or SOURCES)]


def missing(answer: str) -> list[str]:
    return [word for each in cited(answer, SOURCES) for word in each.missing]


HOLDS, NO_SOURCE, QUOTATION, NUMBERS, OTHER = Verdict


@pytest.mark.parametrize(
    "answer",
    [
        "The blue whale is the largest animal that ever lived [1].",
        "The blue whale is the largest animal that ever lived. [1]",
        "The blue whale is the largest animal that ever lived.[1]",
        "Whaling was banned in 1966 [1], when few whales were left.",
        "The whale weighs up to 199 tonnes 【1】.",
        "The whale weighs up to 199 tonnes 【1†source】.",
        "The whale weighs up to 199 tonnes [source 1].",
        "The whale weighs up to 199 tonnes [Source: 1].",
        "The whale weighs up to 199 tonnes (source 1).",
        "The whale weighs up to 199 tonnes [^1].",
        "The whale weighs up to 199 tonnes [1, p. 7].",
        "According to source 1, the whale weighs up to 199 tonnes [1].",
        "1. The whale weighs up to 199 tonnes [1].",
        "- **Weight**: up to 199 tonnes for a whale [1]",
        "| whale | 199 tonnes | [1] |",
        "The whale, which (as is known) weighs **199** tonnes, is large [1].",
    ],
)
def test_markers_of_all_kinds(answer: str) -> None:
    assert verdicts(answer) == [(1, HOLDS)]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("The whale weighs up to 199 tonnes.\n[1]", ["The whale weighs up to 199 tonnes.\n[1]"]),
        ("The whale weighs up to 199 tonnes.\n\n[1]", ["The whale weighs up to 199 tonnes.\n\n[1]"]),
        ("The whale weighs up to 199 tonnes.\n\n  [1].", ["The whale weighs up to 199 tonnes.\n\n  [1]"]),
        ("Yes.\n[1] The whale weighs up to 199 tonnes.", ["[1] The whale weighs up to 199 tonnes."]),
        ("Yes.\n\n[1] The whale weighs up to 199 tonnes.", ["[1] The whale weighs up to 199 tonnes."]),
        ("Yes.\n- [1] Up to 199 tonnes\n- [1] 29.9 metres", ["- [1] Up to 199 tonnes", "- [1] 29.9 metres"]),
        ("[1]", ["[1]"]),
    ],
)
def test_a_marker_at_the_beginning_of_a_line(answer: str, claims: list[str]) -> None:
    found = cited(answer, SOURCES)
    assert [(each.number, each.verdict) for each in found] == [(1, HOLDS)] * len(claims)
    assert [answer[each.claim_start : each.claim_end] for each in found] == claims
    assert all(answer[each.start : each.end].strip() == "[1]" for each in found)
    assert all("\n" not in answer[each.start : each.end] for each in found), "the line stays a line"


def test_a_list_of_the_sources_claims_nothing() -> None:
    answer = "The whale weighs up to 199 tonnes [1].\n\n[1] Great animals of the northern oceans, page 2"
    places = ["Great animals of the northern oceans, page 2", "", "", ""]
    assert [(each.number, each.verdict) for each in cited(answer, SOURCES, given=places)] == [(1, HOLDS), (1, HOLDS)]
    assert [each.verdict for each in cited(answer, SOURCES)] == [HOLDS, NUMBERS]


def test_a_marker_goes_with_its_own_sentence_only() -> None:
    answer = "I have 77 questions. The whale weighs up to 199 tonnes. [1] Nobody knows 88 of them."
    (citation,) = cited(answer, SOURCES)
    assert citation.verdict is HOLDS
    assert answer[citation.claim_start : citation.claim_end] == "The whale weighs up to 199 tonnes. [1]"
    assert answer[citation.start : citation.end] == " [1]"


@pytest.mark.parametrize(
    "said",
    [
        "This passage is from [1].",
        "The passage comes from [1].",
        "The number of the passage is [1].",
        "The number of the passage it comes from is [1].",
    ],
)
@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
def test_a_sentence_that_only_cites_goes_with_the_one_before_it(said: str, between: str) -> None:
    stated = "The blue whale is the largest animal that ever lived."
    (citation,) = cited(f"{stated}{between}{said}", SOURCES)
    assert (citation.number, citation.verdict) == (1, HOLDS)
    assert (citation.start, citation.end) == (len(f"{stated}{between}".rstrip(" ")), len(stated + between + said))
    assert citation.claim_start == 0


def test_who_names_all_sources_has_those_struck_that_add_nothing() -> None:
    answer = "The blue whale is the largest animal, and whaling was banned in 1966. [1, 2, 4]"
    assert verdicts(answer) == [(1, HOLDS), (2, OTHER), (4, HOLDS)], "what is in Chinese is not judged by its words"
    contents = "Contents: whales, and how to see them; seals; what is on the map; how to come to the harbour"
    written = "Whales send their songs wherever the method of the choir asks for it. [1], [2]"
    assert verdicts(written, written, contents) == [(1, HOLDS), (2, OTHER)]
    both = "The blue whale is the largest animal, and the warranty for the product ends when the seal is broken [1][2]."
    assert verdicts(both) == [(1, HOLDS), (2, HOLDS)]


def test_a_source_that_only_repeats_the_question_is_not_named() -> None:
    asked = "Why do whales sing in the deep sea at night?"
    contents = "Contents: Why do whales sing in the deep sea at night? Where do whales sleep?"
    answer = "Whales sing in the deep sea at night because females prefer partners with powerful voices."
    assert cited(answer, [contents], asked=asked) == []
    (citation,) = cited(answer, [f"{contents} Females prefer partners with powerful voices."], asked=asked)
    assert (citation.number, citation.verdict, citation.by_program) == (1, HOLDS, True)


def test_a_passage_that_is_spoken_of_is_no_marker() -> None:
    for answer in ("I think the passage comes from [1].", "The passage comes from [1] and names 1966."):
        (citation,) = cited(answer, SOURCES)
        assert answer[citation.start : citation.end] == " [1]"


def test_a_sentence_that_only_cites_is_struck_with_a_wrong_source() -> None:
    stated = "The capital of the Netherlands is Amsterdam, and its harbour was famous."
    assert verdicts(f"{stated} The passage comes from [1].") == [(1, OTHER)]


def test_invented_numbers_of_sources() -> None:
    assert verdicts("Nothing of the kind is known to anybody [9].") == [(9, NO_SOURCE)]
    assert verdicts("Nothing of the kind is known to anybody [0].") == [(0, NO_SOURCE)]
    assert verdicts("The whale weighs up to 199 tonnes [9].") == [(1, HOLDS)], "the right number takes its place"


def test_a_source_that_says_less_is_replaced() -> None:
    (citation,) = cited("The warranty for this product lasts two years from the date of purchase [1].", SOURCES)
    assert (citation.number, citation.verdict, citation.by_program) == (2, HOLDS, True)


def test_the_program_names_no_source_without_the_code_that_is_named() -> None:
    source = "The POSIX module has functions for rounding up and down. A hash shrinks when `delete` is called in Perl."
    assert verdicts("In Perl a hash shrinks when `delete` is called.", source) == [(1, HOLDS)]
    assert verdicts("In Perl a hash shrinks when `undef` is called.", source) == []
    assert verdicts("In Perl a hash shrinks when `undef` is called [1].", source) == [(1, HOLDS)], "the model's word"


def test_a_short_sentence_goes_to_the_source_that_has_its_numbers() -> None:
    size = "The output plot size is given in pixels, and defaults to 640x480. Fonts are described on page 32."
    other = "Use png to keep the file small. The option resolution controls how many pixels are written."
    (citation,) = cited("It defaults to 640 x 480 pixels. [2]", (size, other))
    assert (citation.number, citation.verdict, citation.by_program) == (1, HOLDS, True)
    assert verdicts("It defaults to 640 x 490 pixels. [2]", size, other) == [(2, NUMBERS)]
    assert verdicts("It was 640 x 480. [2]", size, other) == [(2, NUMBERS)], "numbers alone tell no source"


def test_a_source_that_speaks_of_something_else() -> None:
    assert verdicts("Penguins breed on the ice in the dark of winter [1].") == [(1, OTHER)]


def test_a_sentence_in_another_language_than_its_source_is_not_judged_by_its_words() -> None:
    assert verdicts("Der Blauwal ist das größte Tier, das es auf der Erde je gab [1].") == [(1, HOLDS)]
    assert verdicts(
        "The ban on whaling came in 1966 and it was a success [4].", CHINESE, CHINESE, CHINESE, CHINESE
    ) == [(4, HOLDS)]
    assert verdicts("Der Blauwal wiegt 250 Tonnen, das ist viel für ein Tier [1].") == [(1, NUMBERS)]


# Quotations


@pytest.mark.parametrize(
    "quoted",
    [
        '"the largest animal that has ever lived"',
        "“The largest animal that has ever lived”",
        "„the largest animal that has ever lived“",
        "«the largest animal that has ever lived»",
        "»the largest animal that has ever lived«",
        '"the largest animal that has ever lived."',
        '"the largest animal … ever lived"',
        '"the largest animal [...] ever lived"',
        '"the **largest** animal that"',
        '"largest"',
    ],
)
def test_quotations_that_are_there(quoted: str) -> None:
    assert verdicts(f"They call the blue whale {quoted} [1].") == [(1, HOLDS)]


@pytest.mark.parametrize(
    "quoted", ['"the heaviest animal ever seen"', "“the heaviest animal ever seen”", "»the heaviest animal ever seen«"]
)
def test_quotations_that_are_not(quoted: str) -> None:
    assert verdicts(f"They call the blue whale {quoted} [1].") == [(1, QUOTATION)]
    assert missing(f"They call the blue whale {quoted} [1].") == ["the heaviest animal ever seen"]


def test_what_stands_between_two_quotations_is_no_quotation() -> None:
    assert verdicts('The "whale" which some people on ships call "blue" is the largest animal [1].') == [(1, HOLDS)]
    assert verdicts("»Whale« sagt man, und dann auch noch »blue« dazu [1].") == [(1, HOLDS)]


def test_hyphens_and_line_breaks_in_a_quotation() -> None:
    assert verdicts('It ends "when the seal is broken, or when spare parts" are used [2].') == [(2, HOLDS)]
    assert verdicts('Spare parts must be "well-known to the manufacturer" [2].') == [(2, HOLDS)]


def test_a_quotation_of_two_sentences_is_looked_up_whole() -> None:
    assert verdicts('It says: "Whaling was banned in 1966, after its numbers had fallen." [1]') == [(1, HOLDS)]
    right = 'It says: "The blue whale is the largest animal that has ever lived. It can reach 29.9 metres." [1]'
    assert verdicts(right) == [(1, HOLDS)]
    assert verdicts(right.replace("It can reach", "It never reaches")) == [(1, QUOTATION)]


# Numbers


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("1,234", "1234"), ("1.234", "1234"), ("1 234", "1234"), ("1'234", "1234"), ("1\u202f234\u202f567", "1234567"),
        ("1,234.5", "1234.5"), ("1.234,5", "1234.5"), ("1 234,5", "1234.5"), ("3,5", "3.5"), ("007", "7"),
        ("0,125", "0.125"), ("1,00,000", "100000"), ("1,234,567", "1234567"), ("08:30", "8:30"),
    ],
)  # fmt: skip
def test_one_number_in_several_spellings(ours: str, theirs: str) -> None:
    assert plain_number(ours) == plain_number(theirs)


@pytest.mark.parametrize(("ours", "theirs"), [("0.125", "125"), ("3.10", "3.1"), ("1.5", "15"), ("1,23", "123")])
def test_different_numbers(ours: str, theirs: str) -> None:
    assert plain_number(ours) != plain_number(theirs)


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        ("It needs 512MB of memory.", "It needs 512 MB of memory"),
        ("It needs 512 MB of memory.", "It needs 512MB of memory"),
        ("It needs 3.5M of memory.", "It needs 3.5M of memory"),
        ("In the 1990s it needed memory.", "In the 1990s it needed memory"),
        ("It needs 1 234 567 bytes of memory.", "It needs 1,234,567 bytes of memory"),
        ("It needs 1,234,567 bytes of memory.", "It needs 1\u202f234\u202f567 bytes of memory"),
        ("In 1998 200 machines had memory.", "In 1998 some machines had memory, 200 of them"),
        ("The memory came on 2021-03-04.", "The memory came on March 4, 2021"),
        ("The memory came on 04.03.2021.", "The memory came in 2021"),
        ("The memory is tested at 10:30 daily.", "The memory is tested after 10 daily"),
        ("It has two banks of memory.", "It has 2 banks of memory"),
        ("Er hat zwei Bänke mit Speicher.", "Er hat 2 Bänke mit Speicher"),
        ("It is the third bank of memory.", "It is bank 3 of memory"),
        ("It costs $1,250.50 of memory.", "It costs $1250.50 of memory"),
        ("Memory of an x86 machine with USB 3.2.", "Memory of an x86 machine with sha256 and utf8"),
        ("The memory rose by 5%.", "The memory rose by 5 %"),
        ("Install version 3.11.2 into memory.", "Install version 3.11.2 into memory"),
        ("Memory from −40 to 85 °C.", "Memory from -40 to 85 °C"),
    ],
)
def test_numbers_that_are_there(source: str, claim: str) -> None:
    assert verdicts(f"{claim} [1].", source) == [(1, HOLDS)]


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        ("It needs 512 MB of memory.", "It needs 51 MB of memory"),
        ("It needs 512 MB of memory.", "It needs 1512MB of memory"),
        ("It needs 2 and 5 MB of memory.", "It needs 2.5 MB of memory"),
        ("Python 3.1 needs memory.", "Python 3.10 needs memory"),
        ("It needs 1,234 bytes of memory.", "It needs 1.5 bytes of memory"),
        ("It needs 1,234 bytes of memory.", "It needs 234 bytes of memory"),
        ("It has two banks of memory.", "It has 3 banks of memory"),
        ("In 1998 200 machines had memory.", "In 1998 300 machines had memory"),
    ],
)
def test_numbers_that_are_not(source: str, claim: str) -> None:
    assert verdicts(f"{claim} [1].", source) == [(1, NUMBERS)]


def test_the_missing_number_is_named_as_it_is_written() -> None:
    assert missing("Whaling was banned in 1967, when 2.300 whales were left [1].") == ["1967"]


def test_what_the_question_or_the_place_says_is_no_claim() -> None:
    answer = "No, whaling was not banned in 1970 but in 1966 [1]."
    assert [each.verdict for each in cited(answer, [WHALE])] == [NUMBERS]
    assert [each.verdict for each in cited(answer, [WHALE], asked="Was whaling banned in 1970?")] == [HOLDS]
    place = "On page 12, the blue whale is the largest animal [1]."
    assert [each.verdict for each in cited(place, [WHALE], given=["whales.pdf, page 12"])] == [HOLDS]


# Several sources


def test_a_sentence_on_several_sources() -> None:
    answer = "The whale weighs 199 tonnes and the warranty lasts 2 years"
    assert verdicts(f"{answer} [1][2].") == [(1, HOLDS), (2, HOLDS)]
    assert verdicts(f"{answer} [1, 2].") == [(1, HOLDS), (2, HOLDS)]
    assert verdicts(f"{answer} [1 and 2].") == [(1, HOLDS), (2, HOLDS)]
    assert verdicts(f"{answer} [1-2].") == [(1, HOLDS), (2, HOLDS)]
    assert verdicts("The whale weighs about 199 tonnes, so they say [1, 7].") == [(1, HOLDS), (7, NO_SOURCE)]
    assert verdicts("The whale weighs 777 tonnes and the warranty lasts two years [1][2].") == [
        (1, NUMBERS), (2, NUMBERS),
    ]  # fmt: skip


def test_a_fault_in_one_way_does_not_hide_one_in_another() -> None:
    """The first source lacks the quotation, the second the number; both lack one of them."""
    answer = 'The whale is "the largest animal that has ever lived" and has 777 teeth [1][2].'
    assert verdicts(answer) == [(1, NUMBERS), (2, NUMBERS)]


def test_a_long_range_is_no_citation() -> None:
    assert verdicts("The interval [1-100] is closed, and so on and on.") == []


# What is left alone


def test_code_links_and_addresses() -> None:
    for answer in (
        "```\nwhale = animals[1]\n```",
        "~~~\nwhale = animals[1]\n~~~",
        "Write `animals[1]` or ``animals`[2]``.",
        "See [1](https://example.org/a).",
        "See [the page [1]](https://example.org/a) about it.",
        "See https://example.org/[1]/2021 about it.",
        "- [ ] to do",
    ):
        assert verdicts(answer) == [], answer
    assert verdicts("The blue whale is the largest animal: [more](https://example.org/777?x=88) [1].") == [(1, HOLDS)]
    assert verdicts("The blue whale is the largest animal, see https://example.org/777 [1].") == [(1, HOLDS)]
    assert verdicts("```\nx[1]\n``` The blue whale is the largest animal [1].") == [(1, HOLDS)]


# The program's own


def test_an_answer_without_numbers_gets_the_programs() -> None:
    answer = (
        "The blue whale is the largest animal that has ever lived. I do not know more. The seal must not be broken."
    )
    found = cited(answer, SOURCES)
    assert [(each.number, each.by_program, each.verdict) for each in found] == [(1, True, HOLDS)]
    assert found[0].start == found[0].end == answer.index(" I do")


def test_the_program_puts_none_where_something_is_wrong() -> None:
    assert verdicts("The blue whale is the largest animal and weighs 777 tonnes.") == []
    assert verdicts('The blue whale is the largest animal, "so they say of it".') == []
    assert verdicts("Sure, here it is.") == []
    assert verdicts("# The largest animal that has ever lived") == []
    assert verdicts("| blue whale | largest animal | ever lived |") == []


def test_abbreviations_end_no_sentence() -> None:
    (citation,) = cited("The blue whale, e.g. the largest animal that ever lived, weighs approx. 199 tonnes.", SOURCES)
    assert citation.start == len("The blue whale, e.g. the largest animal that ever lived, weighs approx. 199 tonnes.")


def test_german() -> None:
    assert verdicts("Die Garantie endet, wenn das Siegel gebrochen ist [3].") == [(3, HOLDS)]
    assert verdicts("Die Garantie gilt 2 Jahre ab dem Kauf [Quelle 3].") == [(3, HOLDS)]
    assert verdicts("Die Reparatur kostet 1.250 Euro ab dem Kauf, z. B. nach dem Ende der Garantie [3].") == [
        (3, HOLDS)
    ]


def test_chinese() -> None:
    assert verdicts("蓝鲸是最大的动物，捕鲸在1966年被禁止[4]。") == [(4, HOLDS)]
    assert verdicts("捕鲸在1967年被禁止[4]。") == [(4, NUMBERS)]
    assert verdicts("书上说「蓝鲸是地球上最大的动物」[4]。") == [(4, HOLDS)]
    assert verdicts("书上说「大熊猫是地球上最小的动物」[4]。") == [(4, QUOTATION)]
    assert verdicts("大熊猫每天都在森林里吃很多竹子[4]。") == [(4, OTHER)]
    assert verdicts("它的体重可以达到一百九十九吨。") == [(4, HOLDS)], "the program's own"


def test_positions_count_in_the_answer() -> None:
    answer = "  Well.\n\n* The whale weighs 199 tonnes [1]. * The warranty lasts two years [2]!\n"
    for citation in cited(answer, SOURCES):
        assert answer[citation.start : citation.end].strip() == f"[{citation.number}]"
        assert (
            answer[citation.claim_start : citation.claim_end].strip()
            == answer[citation.claim_start : citation.claim_end]
        )


def test_nothing_to_cite() -> None:
    assert cited("", SOURCES) == []
    assert cited("Nothing [1].", []) != []
    assert [each.verdict for each in cited("Nothing [1].", [])] == [NO_SOURCE]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "hostile",
    ['"' * 20_000, "[1" * 20_000, "[" * 20_000, "1 " * 20_000, "1,111" * 5_000, "`" * 20_000, "“a" * 10_000,
     "a." * 10_000, "[1] " * 5_000, "1-" * 10_000, "[1, " + "2, " * 10_000, "http://" * 5_000, "e.g." * 5_000,
     "(source " * 5_000],
)  # fmt: skip
def test_no_answer_takes_long(hostile: str) -> None:
    """Each takes less than a second."""
    cited(hostile, [WHALE, hostile])
