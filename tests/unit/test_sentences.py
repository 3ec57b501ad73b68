"""Cutting a streaming answer: early, at the right places, and without losing or repeating a character."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.tts.sentences import FIRST_WAIT_S, Chunk, SentenceSplitter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def split(answer: str, *, size: int = 3) -> list[Chunk]:
    splitter = SentenceSplitter(clock=Clock())
    chunks = [chunk for at in range(0, len(answer), size) for chunk in splitter.feed(answer[at : at + size])]
    return chunks + splitter.end()


def said(answer: str, *, size: int = 3) -> list[str]:
    return [chunk.text for chunk in split(answer, size=size) if chunk.text]


def test_the_first_chunk_is_short_and_the_others_are_sentences() -> None:
    answer = "Sure, that is easy. First, open the door, then walk in. Ready?"
    assert said(answer) == ["Sure,", "that is easy.", "First, open the door, then walk in.", "Ready?"]


def test_the_first_chunk_comes_as_soon_as_its_mark_does() -> None:
    splitter = SentenceSplitter(clock=Clock())
    assert splitter.feed("Sure") == []
    assert splitter.feed(",") == []
    assert splitter.feed(" that") == [Chunk(0, 5, "Sure,")]
    assert splitter.feed(" is it.") == []
    assert [chunk.text for chunk in splitter.feed(" Now")] == ["that is it."]


def test_after_a_while_a_few_words_are_enough() -> None:
    clock = Clock()
    splitter = SentenceSplitter(clock=clock)
    assert splitter.feed("one two three four five six se") == []
    clock.now += FIRST_WAIT_S + 0.01
    assert [chunk.text for chunk in splitter.poll()] == ["one two three four five six"]
    clock.now += 10
    assert splitter.feed("ven eight nine ten eleven twelve thirteen fourteen") == []
    assert [chunk.text for chunk in splitter.end()] == ["seven eight nine ten eleven twelve thirteen fourteen"]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("The library opens at nine in the ", "The library opens at nine"),
        ("It was built in the year of the ", "It was built in the year"),
        ("He is not in the ", None),
        ("You can take the bus to the ", "You can take the bus"),
        ("Das Museum hat montags leider nicht ", "Das Museum hat montags leider"),
    ],
)
def test_a_voice_breathes_where_nothing_binds(words: str, first: str | None) -> None:
    clock = Clock()
    splitter = SentenceSplitter(clock=clock)
    assert splitter.feed(words) == []
    clock.now += FIRST_WAIT_S + 0.01
    assert [chunk.text for chunk in splitter.poll()] == ([first] if first else [])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It costs 1,250.50 dollars. Yes.", ["It costs 1,250.50 dollars.", "Yes."]),
        ("Well then, ask Dr. Smith or Mrs. Jones. Yes.", ["Well then,", "ask Dr. Smith or Mrs. Jones.", "Yes."]),
        ("A fruit, e.g. an apple, will do. Yes.", ["A fruit,", "for example, an apple, will do.", "Yes."]),
        ("J. R. R. Tolkien wrote it. Yes.", ["J. R. R. Tolkien wrote it.", "Yes."]),
        ("At 5 p.m. We eat. Then at 6 p.m. we sleep.", ["At 5 p.m.", "We eat.", "Then at 6 p.m. we sleep."]),
        ("Use `a. B, c` here. Yes.", ["Use a B, c here.", "Yes."]),
        ("See [this. Here](https://a.example/b.C) now. Yes.", ["See this. Here now.", "Yes."]),
        ("It is so [1]. And so [2, 3]. Yes.", ["It is so.", "And so.", "Yes."]),
        ("“Really?” he asked. Yes.", ["“Really?” he asked.", "Yes."]),
        ("Wait... what? Yes!", ["Wait... what?", "Yes!"]),
        ("Version 3.11 is out. Yes.", ["Version 3.11 is out.", "Yes."]),
        ("これは本です。はい。", ["これは本です。", "はい。"]),
        ("# Title\nText here. More", ["Title", "Text here.", "More"]),
        ("Do this:\n\n1. Open it.\n2. Close it.\n", ["Do this:", "1. Open it.", "2. Close it."]),
        ("These:\n- apples\n- **pears**\n\nDone.", ["These:", "apples", "pears", "Done."]),
        ("One line\nand the next. Yes.", ["One line and the next.", "Yes."]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sentences_end_where_they_end(answer: str, expected: list[str], size: int) -> None:
    assert said(answer, size=size) == expected


def test_code_tables_and_formulas_are_announced_once_and_not_read() -> None:
    answer = (
        "Like this:\n\n```python\nx = 1. + 2\n\nprint(x). Then\n```\nIt prints 3.\n\n| a | b |\n|---|---|\n| 1. | 2 |\n"
        "\nAnd $$x = \\frac{1. A}{2}$$ holds. Yes."
    )
    assert said(answer) == [
        "Like this:",
        "The code is on screen.",
        "It prints 3.",
        "The table is on screen.",
        "And the formula on screen holds.",
        "Yes.",
    ]
    splitter = SentenceSplitter(clock=Clock())
    texts = [chunk.text for chunk in splitter.feed("So:\n\n```python\nx = 1\n")]
    assert "The code is on screen." in texts, "announced as soon as it begins"


def test_a_very_long_sentence_is_cut_at_a_comma_or_a_space() -> None:
    assert len(said("Well, " + "a word, " * 200)) > 4
    assert max(len(text) for text in said("word " * 600)) < 1_000


def _covers(answer: str, chunks: list[Chunk]) -> None:
    at = 0
    for chunk in chunks:
        assert chunk.start == at
        assert chunk.end > chunk.start
        at = chunk.end
    assert at == len(answer)


_PIECES = st.sampled_from(
    ["word", " ", "\n", "\n\n", ". ", ", ", "! ", "3.5", "1. ", "- ", "# ", "`", "```", "```\n", "~~~\n", "**", "[",
     "]", "(", ")", "](", "$$", "|", "| a |\n", "\r\n", "Dr. ", "e.g. ", "…", "。", "\"", "Next", "\\[", "😀", "\t",
     "> "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join), st.integers(0, 2**31))
def test_chunks_cover_the_answer_once_and_in_order_however_it_is_fed(answer: str, seed: int) -> None:
    generator = random.Random(seed)
    clock = Clock()
    splitter = SentenceSplitter(clock=clock)
    chunks: list[Chunk] = []
    at = 0
    while at < len(answer):
        size = generator.randint(1, 9)
        chunks += splitter.feed(answer[at : at + size])
        at += size
        clock.now += generator.random()
        chunks += splitter.poll()
    _covers(answer, chunks + splitter.end())


_WORDS = st.lists(
    st.sampled_from(["alpha", "Beta", "gamma,", "delta.", "Epsilon!", "zeta?", "3.5", "Dr."]), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(_WORDS, st.integers(1, 12))
def test_no_word_is_dropped_and_none_repeated(words: list[str], size: int) -> None:
    answer = " ".join(words)
    spoken = " ".join(said(answer, size=size))
    assert re.findall(r"[\w.]*\w", spoken) == re.findall(r"[\w.]*\w", answer)
