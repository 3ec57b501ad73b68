"""Which keyed knowledge is called, and which patterns of strangers are run for it."""

from __future__ import annotations

from typing import Any

import pytest

from app.personas import patterns
from app.personas.keyed import LOOKED_FOR, SCANNED_CHARACTERS, called, without_decorators
from app.personas.patterns import ALL_CHOICES, CHOICES, Spending, pattern_of
from app.personas.persona import KeyedEntry


def entry(*keys: str, text: str = "text", **others: Any) -> KeyedEntry:
    return KeyedEntry(keys, text, **others)


def names(entries: list[KeyedEntry], *messages: str, budget: int = 1000, **others: Any) -> list[str]:
    """The texts of what is called, with a token a word."""
    found = called(entries, messages, budget_tokens=budget, count_tokens=lambda text: len(text.split()), **others)
    return [each.text for each in found]


@pytest.mark.parametrize(
    ("key", "said", "found"),
    [
        ("dragon", "A Dragon!", True),
        ("dragon", "two dragons", True),
        ("elf", "himself", False),
        ("elf", "The elf.", True),
        ("king", "asking the king", True),
        ("New York", "in new york today", True),
        ("-5", "minus -5", True),
        ("京都", "昨日京都へ行った", True),
        ("กรุง", "ไปกรุงเทพ", True),
        ("용", "그 용은", True),
        ("용", "사용", False),
        ("STRASSE", "die Straße", True),
        ("cafe\u0301", "im Café", True),
        ("", "anything", False),
        ("  ", "any thing", False),
        (" dragon ", "a dragon", True),
        ("ä", "a", False),
        ("elf", "himself, an elf", True),
        ("a.c", "abc", False),
        ("_x", "a_x", True),
    ],
)
def test_keys(key: str, said: str, found: bool) -> None:
    assert (names([entry(key)], said) == ["text"]) is found


def test_case() -> None:
    assert names([entry("Polish", case_sensitive=True)], "polish it") == []
    assert names([entry("Polish", case_sensitive=True)], "in Polish") == ["text"]


def test_also() -> None:
    both = entry("oil", also=("ship", "boat"))
    assert names([both], "oil") == [] and names([both], "ship") == []
    assert names([both], "oil", "by boat") == ["text"]


def test_constant_and_disabled() -> None:
    assert names([entry(constant=True)], "") == ["text"]
    assert names([entry("a", also=("b",), constant=True)]) == ["text"]
    assert names([entry("a", enabled=False), entry(constant=True, enabled=False)], "a") == []


def test_order() -> None:
    entries = [entry("a", text="late", order=9), entry("a", text="first", order=-1), entry("a", text="same", order=9)]
    assert names(entries, "a") == ["first", "late", "same"]


def test_empty_texts_are_not_added() -> None:
    assert names([entry("a", text=" \n"), entry("a", text="@@depth 3")], "a") == []


def test_only_the_last_messages_count() -> None:
    said = ["dragon", *["x"] * 7]
    assert names([entry("dragon")], *said) == ["text"]
    assert names([entry("dragon")], *said, scan_depth=7) == []
    assert names([entry("dragon")], "dragon", scan_depth=0) == []
    assert names([entry("dragon")], "dragon " + "x" * SCANNED_CHARACTERS) == []


def test_only_so_many_keys_are_looked_for() -> None:
    many = [entry(*["a"] * 100) for _ in range(LOOKED_FOR // 100)]
    assert len(names(many, "a")) == len(many)
    assert len(names([*many, entry("a")], "a")) == len(many)


def test_the_budget() -> None:
    entries = [
        entry("a", text="four words stand here", order=1),
        entry("a", text="two words", order=2),
        entry(constant=True, text="always", order=3),
        entry("a", text="one", order=4, extensions={"priority": -7}),
    ]
    assert names(entries, "a", budget=8) == ["four words stand here", "two words", "always", "one"]
    assert names(entries, "a", budget=7) == ["four words stand here", "two words", "always"]
    assert names(entries, "a", budget=6) == ["two words", "always", "one"]
    assert names(entries, "a", budget=1) == ["always"]
    assert names(entries, "a", budget=0) == []


def test_decorators() -> None:
    assert without_decorators("@@depth 4\n@@role system\n\nThe sea.\n@@ not here") == "The sea.\n@@ not here"
    assert without_decorators("plain\n") == "plain\n" and without_decorators("@@x") == ""
    said = "the sea at night"
    assert names([entry(text="@@activate\nx")], "") == ["@@activate\nx"]
    for text, found in [
        ("@@dont_activate\nx", False),
        ("@@activate\n@@dont_activate\nx", True),
        ("@@additional_keys night,day\nx", True),
        ("@@additional_keys day\nx", False),
        ("@@additional_keys night\n@@additional_keys day\nx", False),
        ("@@exclude_keys night\nx", False),
        ("@@exclude_keys day\nx", True),
        ("@@scan_depth 0\nx", False),
        ("@@scan_depth many\nx", True),
        ("@@unknown 5\n@@@dont_activate\nx", True),
    ]:
        assert bool(names([entry("sea", text=text)], said)) is found, text


def test_regular_expressions() -> None:
    def found(key: str, said: str, **others: Any) -> bool:
        return bool(names([entry(key, extensions={"use_regex": True}, **others)], said))

    assert found(r"/\b(?:dragon|wyrm)s?\b/i", "two WYRMS") and not found(r"/\b(?:dragon|wyrm)s?\b/i", "wyrmish")
    assert found("dra.on", "dragon") and found(r"king\s+of", "King  of") and not found(r"king\s+of", "kingof")
    assert not found("Dragon", "dragon", case_sensitive=True)
    assert not found("dragon", "x", constant=True), "V3: constant is then without effect"
    assert found("dragon", "dragon", also=("ship",)), "V3: so are the secondary keys"
    assert not found("(", "(") and not found("", "")


@pytest.mark.parametrize(
    "pattern",
    [
        "dragon", "dragons?", r"\bdragon\b", "(red|blue) dragon", "(?:a|b)?c", "[dD]ragon", "[^a-z]x", r"\d{4}",
        r"a\.b", "^start", "end$", "colou?r|grey|gray", r"wind.{0,10}mill", r"\w+ing",
        "竜|龍", "/x/gi", r"[\w-]+", "a+?b",
        r"\/",
    ],
)  # fmt: skip
def test_simple_patterns_are_run(pattern: str) -> None:
    assert pattern_of(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$", "(a|a)*", "((a)b)", "(a|b)+c", r"(x)\1", "(?=a)", "(?<!a)b", "(?i)a", "(?P<n>a)", "a**", "*a",
        "a{1000}{9}", ".*.*.*x", "(.*)*", "[", "a)", "(a", "\\", r"\u0041", "[z-a]", "a{2,1}", "x" * 301, "", "a?" * 12,
        "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)",
    ],
)  # fmt: skip
def test_others_are_not(pattern: str) -> None:
    assert pattern_of(pattern) is None


def test_a_repetition_has_its_reach() -> None:
    assert Spending().found("a.*b", "a" + "x" * patterns.REACH + "b", False)
    assert not Spending().found("a.*b", "a" + "x" * (patterns.REACH + 1) + "b", False)


def test_the_patterns_of_a_turn_share_what_they_may_take() -> None:
    spending = Spending()
    worst = pattern_of(".*x*y")
    assert worst is not None and 1_000 < worst.choices <= CHOICES
    for _ in range(ALL_CHOICES // worst.choices):
        assert spending.found(".*x*y", "y", False)
    assert not spending.found(".*x*y", "y", False)
