"""What is said of Markdown: words, and nothing that only looks good on a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.tts.speakable import Phrases, speakable


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**Sure**, here's `pip install foo` for *you* [1].", "Sure, here's pip install foo for you."),
        ("1. Open the [settings](https://a.example/b?d).", "1. Open the settings."),
        ("# Title\nText", "Title. Text"),
        ("> quoted\n> words", "quoted words"),
        ("- [x] one\n- two", "one. two"),
        ("See https://www.github.com/x/y?z=1.", "See a link to github.com."),
        ("![a cat](cat.png) sleeps", "a cat sleeps"),
        ("<b>Hi</b> there &amp; hello", "Hi there and hello"),
        ("half **bold", "half bold"),
        ("words** more", "words more"),
        ("```py\nx = 1\n```", "The code is on screen."),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "The table is on screen."),
        ("So $$\\frac{1}{2}$$ it is", "So the formula on screen it is"),
        ("costs $5 or $6", "costs $5 or $6"),
        ("Call `foo_bar()` now", "Call foo bar now"),
        ("done ✅ 😀 👩‍👩‍👧", "done"),
        ("---", ""),
        ("🎉", ""),
        ("[1][2]", ""),
        ("It is so [1, 2] and [^3].", "It is so and."),
    ],
)
def test_markdown_becomes_words(markdown: str, said: str) -> None:
    assert speakable(markdown) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5 km/h, i.e. slow", "5 kilometers per hour, that is, slow"),
        ("1 km at 20 °C", "1 kilometer at 20 degrees Celsius"),
        ("3 m² and 4 cm³", "3 square meters and 4 cubic centimeters"),
        ("9.8 m/s²", "9.8 meters per square second"),
        ("1 GB of 16 GB at 3.2 GHz", "1 gigabyte of 16 gigabytes at 3.2 gigahertz"),
        ("5 in the morning, 3 A students", "5 in the morning, 3 A students"),
        ("2 × 3 = 6", "2 times 3 equals 6"),
        ("1920x1080 px", "1920 by 1080 pixels"),
        ("~5 or ≈ 6", "about 5 or about 6"),
        ("x < 5 and y ≥ 3", "x less than 5 and y at least 3"),
        ("File → Open", "File, Open"),
        ("at -5 degrees", "at minus 5 degrees"),
        ("e.g. apples, pears, etc.", "for example, apples, pears, et cetera."),
        ("angle α", "angle alpha"),
        ("Tom & Jerry", "Tom and Jerry"),
        ("half a ½ cup", "half a one half cup"),
        ("well-known 10-20 people", "well-known 10-20 people"),
    ],
)
def test_signs_and_units_become_words(text: str, said: str) -> None:
    assert speakable(text) == said


def test_another_language_keeps_its_own_words() -> None:
    phrases = Phrases(code="Der Code steht auf dem Bildschirm.")
    assert speakable("Es sind 5 km & mehr 😀", language="de") == "Es sind 5 km & mehr"
    assert speakable("```\nx\n```", language="de", phrases=phrases) == phrases.code


@given(st.text(max_size=200))
def test_any_text_becomes_one_line(text: str) -> None:
    said = speakable(text)
    assert "\n" not in said
    assert said == said.strip()
    assert not said or any(character.isalnum() for character in said)
