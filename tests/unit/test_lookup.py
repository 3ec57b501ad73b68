"""Guesses from where the same words stood before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.lookup import LONGEST_MATCH, SIZES, NgramLookup

tokens = st.lists(st.integers(0, 3), max_size=60)


def reference(held: list[int]) -> tuple[int, int] | None:
    """Where the longest known n-gram at the end stood last, and how far back the match reaches."""
    for size in SIZES:
        gram = held[-size:]
        places = [place for place in range(size, len(held)) if held[place - size : place] == gram]
        if len(gram) == size and places:
            place = places[-1]
            length = size
            while length < min(place, LONGEST_MATCH) and held[place - length - 1] == held[-length - 1]:
                length += 1
            return place, length
    return None


@given(tokens, tokens)
def test_a_prompt_and_an_answer_are_looked_up_as_by_hand(prompt: list[int], answer: list[int]) -> None:
    lookup = NgramLookup()
    lookup.begin(prompt)
    held = list(prompt)
    followed: tuple[int, int] | None = None
    for token in [*answer, 0]:
        if followed is None:
            followed = reference(held)
        assert lookup.evidence == (min(followed[1], LONGEST_MATCH) if followed else 0)
        assert lookup.expected == (held[followed[0]] if followed else None)
        lookup.accept(token)
        # One occurrence is followed as long as it holds.
        held_on = followed is not None and held[followed[0]] == token
        followed = (followed[0] + 1, followed[1] + 1) if followed is not None and held_on else None
        held.append(token)


@given(tokens, tokens, st.integers(-1, 40))
def test_a_draft_goes_on_as_the_text_did(prompt: list[int], answer: list[int], most: int) -> None:
    lookup = NgramLookup()
    lookup.begin(prompt)
    for token in answer:
        lookup.accept(token)
    draft = lookup.draft(most)
    assert len(draft) == (max(most, 0) if lookup.evidence else 0)
    if draft:
        place = lookup._next
        grown = [*prompt, *answer, *draft]
        # As a copy that may run into itself (LZ77).
        assert draft == [grown[place + index] for index in range(len(draft))]


@given(tokens, tokens)
def test_a_prompt_all_at_once_is_the_same_as_token_by_token(prompt: list[int], more: list[int]) -> None:
    at_once, grown = NgramLookup(), NgramLookup()
    at_once.begin(prompt)
    grown.begin([])
    for token in prompt:
        grown.accept(token)
    assert at_once._tables == grown._tables


def test_a_quotation_is_found_and_followed() -> None:
    document = list(range(100, 200))
    lookup = NgramLookup()
    lookup.begin([*document, 1, 2, 3])
    assert lookup.draft(5) == []
    for token in document[20:23]:
        lookup.accept(token)
    assert lookup.evidence == 3
    assert lookup.draft(5) == document[23:28]
    for token in document[23:33]:
        lookup.accept(token)
    assert lookup.evidence == 13
    assert lookup.draft(4) == document[33:37]
    lookup.accept(7)
    assert lookup.evidence == 0


def test_a_repetition_is_taken_to_go_on() -> None:
    lookup = NgramLookup()
    lookup.begin([9, 1, 2, 3, 1, 2, 3])
    assert lookup.draft(7) == [1, 2, 3, 1, 2, 3, 1]


def test_the_latest_occurrence_counts() -> None:
    lookup = NgramLookup()
    lookup.begin([1, 2, 3, 7, 1, 2, 3, 8, 1, 2, 3])
    assert lookup.expected == 8


@pytest.mark.parametrize("prompt", [[], [1], [1, 1]])
def test_short_prompts_have_no_guess_or_a_right_one(prompt: list[int]) -> None:
    lookup = NgramLookup()
    lookup.begin(prompt)
    assert lookup.draft(3) == []
    lookup.accept(1)
    assert lookup.draft(2) in ([], [1, 1])


def test_a_new_prompt_forgets_the_old_one() -> None:
    lookup = NgramLookup()
    lookup.begin([1, 2, 3, 4, 1, 2, 3])
    assert lookup.draft(1) == [4]
    lookup.begin([1, 2, 3])
    assert lookup.draft(1) == []
