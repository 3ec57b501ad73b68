"""Spaces, capitals and full stops where dictated words meet what is written already."""

from __future__ import annotations

import pytest

from app.dictated_words import seamed


@pytest.mark.parametrize(
    ("before", "said", "after", "expected"),
    [
        ("", "Hello there.", "", "Hello there."),
        ("", "hello there.", "", "Hello there."),
        ("Dear Anna,", "Thank you.", "", " thank you."),
        ("One thing.", "Another thing.", "", " Another thing."),
        ("One thing. ", "Another thing.", "", "Another thing."),
        ("Is it?", "yes", "", " Yes"),
        ("Shopping:\n- ", "milk and eggs", "", "Milk and eggs"),
        ("Please buy", "Milk and eggs.", "", " milk and eggs."),
        ("And then", "I went home.", "", " I went home."),
        ("And then", "I'm home.", "", " I'm home."),
        ("It was", "NASA's idea.", "", " NASA's idea."),
        ("It is", "Monday.", "", " Monday."),
        ("We need", "Milk.", " and eggs", " milk"),
        ("We need", "Milk.", "and eggs", " milk "),
        ("We need", "Milk.", ".", " milk"),
        ("Yes.", "We do.", " Then we go.", " We do."),
        ("She said “", "go on", "", "go on"),
        ("a (", "Very nice.", ")", "very nice"),
        ("Nothing", ", really", "", ", really"),
        ("", "   ", "", ""),
        ("Ich habe das", "Haus und den Garten gesehen.", "", " Haus und den Garten gesehen."),
        ("Ich habe das Haus", "Und den Garten gesehen.", "", " und den Garten gesehen."),
        ("今日は", "いい天気です。", "", "いい天気です。"),
    ],
)
def test_the_seam(before: str, said: str, after: str, expected: str) -> None:
    assert seamed(before, said, after) == expected


def test_the_spoken_language_decides_where_it_is_known() -> None:
    assert seamed("Bitte", "Milch kaufen", language="de") == " Milch kaufen"
    assert seamed("Bitte", "Milch kaufen", language="en") == " milch kaufen"
