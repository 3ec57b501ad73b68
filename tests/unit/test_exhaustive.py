"""What is found on every page, by its form or by its words."""

from __future__ import annotations

import pytest

from rag.exhaustive import found_in, pattern_of
from rag.passages import Finding

CASES = {
    Finding.DATES: (
        "Am 3. Mai 2021, 03.05.2021 und 2021-05-03; May 4th, 2020; 5th of June 1999; 1er janvier 2000; 12 de octubre"
        " de 1492; March 2019. 在2020年3月5日。 It may be 5; version 1.2.34.5; Section 3.4; 3/4 of it.",
        ["3. Mai 2021", "03.05.2021", "2021-05-03", "May 4th, 2020", "5th of June 1999", "1er janvier 2000",
         "12 de octubre de 1492", "March 2019", "2020年3月5日"],
    ),
    Finding.YEARS: (
        "In 1999, from 1914-1918, on 3.5.2021 and 在1989年. Not 1,999 or $2000, 19991 or a1999.",
        ["1999", "1914", "1918", "2021", "1989"],
    ),
    Finding.AMOUNTS: (
        "$5.00, 1.234,50 €, EUR 20, 3 million dollars, CHF 1'200, £2bn. But 20 pounds of sugar, 5 apples and\n7\n$9.",
        ["$5.00", "1.234,50 €", "EUR 20", "3 million dollars", "CHF 1'200", "£2bn", "$9"],
    ),
    Finding.MAIL_ADDRESSES: (
        "Write to a.b+c@example.co.uk, or <x@y.de>. Not @home, not a@b.",
        ["a.b+c@example.co.uk", "x@y.de"],
    ),
    Finding.PHONE_NUMBERS: (
        "+49 (0)30 1234-567, 030/123456, (555) 123-4567. Not 03.05.2021, ISBN 978-3-16-148410-0, 12 345 678 or 123.",
        ["+49 (0)30 1234-567", "030/123456", "(555) 123-4567"],
    ),
    Finding.WEB_ADDRESSES: (
        "See https://example.org/a_(b)?c=1, and www.example.com. (http://example.net/x) Not example.com.",
        ["https://example.org/a_(b)?c=1", "www.example.com", "http://example.net/x"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("finding", CASES)
def test_found_by_form(finding: Finding) -> None:
    text, expected = CASES[finding]
    assert [text[start:end] for start, end in found_in(text, finding, pattern_of(finding))] == expected


@pytest.mark.parametrize(
    ("words", "exact", "expected"),
    [
        ("einstein", False, ["Einstein", "Ein-\nstein", "einsteins", "Einstein"]),
        ("einstein", True, ["Einstein", "Ein-\nstein", "Einstein"]),
        ("albert einstein", False, ["Albert\nEinstein"]),
        ("c++", True, ["C++"]),
        ("東京", False, ["東京"]),
    ],
)
def test_found_by_words(words: str, exact: bool, expected: list[str]) -> None:
    text = "Einstein's, Ein-\nstein and einsteins; Zweistein. Albert\nEinstein wrote no C++ (私は東京に住む)."
    pattern = pattern_of(Finding.WORDS, words, exact=exact)
    assert [text[start:end] for start, end in found_in(text, Finding.WORDS, pattern)] == expected


def test_no_words_are_refused() -> None:
    with pytest.raises(ValueError, match="no words"):
        pattern_of(Finding.WORDS, "  ")
