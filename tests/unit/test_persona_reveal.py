"""What is hidden in a stranger's text is seen; what people write in any script is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.personas.folder import Shelved
from app.personas.persona import KeyedEntry, Persona
from app.personas.reveal import Mark, reveal
from app.personas.review import review
from app.personas.signing import Author
from app.personas.trust import Origin, Trust


def shown(text: str) -> str:
    return "".join(piece.shown for piece in reveal(text))


def tagged(text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in text)


def marks(text: str) -> list[tuple[str, Mark]]:
    return [(piece.shown, piece.mark) for piece in reveal(text) if piece.mark is not Mark.PLAIN]


def test_hidden_characters_are_spelled_out_where_they_stand() -> None:
    assert marks("Be kind." + tagged("steal") + " Always.") == [("⟦steal⟧", Mark.HIDDEN)]
    assert shown("a\u200bb\u202ec") == "a⟦U+200B⟧b⟦U+202E⟧c"
    assert shown("a\x1b[31mb") == "a⟦U+001B U+005B U+0033 U+0031 U+006D⟧b"
    assert shown("x" + "\u200b" * 20).endswith("U+200B …⟧")


@pytest.mark.parametrize("word", ["pаypal", "раураl", "ｐａｙ", "𝐩𝐚𝐲", "Ηello", "асе"])
def test_lookalikes_are_marked(word: str) -> None:
    assert [mark for _shown, mark in marks(f"Send it to {word} now, please.")] == [Mark.LOOKALIKE]


@pytest.mark.parametrize(
    "text",
    [
        "Plain English, naïve café, straße.",
        "Привет, это обычный русский текст про iPhone и сор.",
        "Γειά σου κόσμε",
        "日本語のテキスト、カタカナ",
        "می‌خواهم",
        "👩‍🏫 family 👨‍👩‍👧",
        "α, β and γ are angles; 5 µm; n.º 3; H₂O; x²",
        "line\r\nbreaks\rof all kinds\n",
    ],
)
def test_what_people_write_is_left_alone(text: str) -> None:
    assert marks(text) == []


@given(st.text())
def test_nothing_gets_lost(text: str) -> None:
    joined = "".join(piece.text for piece in reveal(text))
    for old in ("\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"):
        text = text.replace(old, "\n")
    assert joined == unicodedata.normalize("NFC", text)


def shelved(persona: Persona, trust: Trust | None = None) -> Shelved:
    return Shelved(persona, 1, "0" * 64, trust or Trust())


def test_all_that_a_persona_says_is_shown() -> None:
    persona = Persona(
        "a", "Aname", "Bdescription", "Cinstructions", "Dgreeting", ("Egreeting",), ("Fstarter",), ("Gtag",), "Hauthor",
        "Ilicence", "Jversion", "Kchanges", ("Lmodel",), tools=("Mtool",),
        keyed=(KeyedEntry(("Nkey",), "Otext", ("Ralso",), "Sname", extensions={"Tx": "Uy"}),),
        extensions={"other": {"Pkey": "Qvalue"}},
    )  # fmt: skip
    seen = review(shelved(persona))
    whole = "\n".join(
        section.label + " " + "".join(piece.shown for piece in section.pieces) for section in seen.sections
    )
    whole += " " + seen.asks[0].words
    for letter in "ABCDEFGHIJKLMNOPQRSTU":
        assert any(word.startswith(letter) for word in whole.replace('"', " ").replace("“", " ").split()), letter
    assert [(ask.tool, ask.granted) for ask in seen.asks] == [("Mtool", False)]
    assert review(shelved(persona, Trust(granted=("Mtool",)))).asks[0].granted


def test_hidden_characters_in_the_words_of_an_entry_are_shown() -> None:
    persona = Persona("a", "A", keyed=(KeyedEntry(("bo\u200bat",), "x"),))
    seen = [piece.shown for section in review(shelved(persona)).sections for piece in section.pieces]
    assert "bo⟦U+200B⟧at" in "".join(seen)


def test_warnings_and_origin() -> None:
    hidden = Persona("a", "A", instructions="x" + tagged("y"), greeting="pаypal")
    assert len(review(shelved(hidden)).warnings) == 2
    assert review(shelved(Persona("a", "A"))).warnings == ()
    signed = Trust(source="a.hearth", public_key="0" * 64)
    assert "another key" in review(shelved(Persona("a", "A", author="Ana"), signed), Author.OTHER).warnings[0]
    origins = {
        review(shelved(Persona("a", "A"), signed), author).origin for author in (Author.OWN, Author.KNOWN, Author.NEW)
    }
    origins |= {review(shelved(Persona("a", "A"), trust)).origin for trust in (Trust(Origin.OWN), Trust())}
    assert len(origins) == 5
