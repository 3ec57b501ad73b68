"""The prompt of a character card as instructions and back, and the macros in its texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.personas.foreign.card import character_name
from app.personas.foreign.card_prompt import HEADINGS, LEAD, PARTS, instructions_of, parts_of
from app.personas.foreign.formats import read, write
from app.personas.foreign.imported import Format
from app.personas.foreign.macros import with_names
from tests.unit.foreign_card_files import V3, v3

ALL = {part: f"The {part}." for part in PARTS}


def test_all_parts_have_their_places() -> None:
    text = instructions_of(ALL)
    assert text.startswith("The system_prompt.\n\n## Who {{char}} is\n\nThe description.\n\n## Personality\n\n")
    assert parts_of(text) == ALL


def test_a_card_without_a_system_prompt_says_who_speaks() -> None:
    text = instructions_of({"description": "A ranger."})
    assert text == f"{LEAD}\n\n## Who {{{{char}}}} is\n\nA ranger."
    assert parts_of(text) == dict.fromkeys(PARTS, "") | {"description": "A ranger."}


def test_the_original_prompt_is_ours() -> None:
    assert instructions_of({"system_prompt": "{{ORIGINAL}} Be brief."}) == f"{LEAD} Be brief."
    assert "original" not in instructions_of({"post_history_instructions": "{{original}} Stay."})


def test_nothing_is_nothing() -> None:
    assert instructions_of({}) == "" and parts_of("") == dict.fromkeys(PARTS, "")


def test_a_text_of_its_own_is_the_system_prompt() -> None:
    for text in ("You read contracts.", "# Role\n\n## Rules\n\nQuote.", "Say ## Personality in a line."):
        assert parts_of(text) == dict.fromkeys(PARTS, "") | {"system_prompt": text}
        assert instructions_of(parts_of(text)) == text


def test_headings_in_another_order_are_text() -> None:
    text = f"{HEADINGS['scenario']}\n\nHere.\n\n{HEADINGS['description']}\n\nShe."
    assert parts_of(text)["system_prompt"] == text


@given(
    st.lists(
        st.one_of(st.sampled_from([*HEADINGS.values(), LEAD, "", "{{original}}", "---"]), st.text(max_size=8)),
        max_size=12,
    ).map("\n".join)
)
def test_any_text_comes_back(text: str) -> None:
    # {{original}} alone means something else in a card.
    text = text.replace("{{original}}", "{{ original")
    assert instructions_of(parts_of(text)) == text.strip()


def test_an_edit_in_one_section_changes_its_field_only(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(V3["whole"]))
    persona = read(source).persona
    edited = replace(persona, instructions=persona.instructions.replace("warm, impatient", "warm, patient"))
    write(edited, Format.CARD_V3, tmp_path / "out.json")
    before, after = V3["whole"]["data"], json.loads((tmp_path / "out.json").read_text())["data"]
    assert after["personality"] == "precise, warm, patient with vagueness"
    for part in ("description", "scenario", "mes_example"):
        assert after[part] == before[part]


def test_a_nickname_is_what_char_means(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(v3(name="Augusta Ada King", nickname=" Ada ")))
    persona = read(source).persona
    assert (persona.name, character_name(persona)) == ("Augusta Ada King", "Ada")
    assert character_name(replace(persona, extensions={})) == "Augusta Ada King"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{char}} and {{user}}", "Ada and Ben"),
        ("{{CHAR}} {{ User }} <BOT> <user> <Char>", "Ada Ben Ada Ben Ada"),
        ("{{original}}x", "x"),
        ("a{{// a note}}b{{comment: c}}d{{hidden_key:e}}", "abd"),
        ("{{reverse:Hello}}", "olleH"),
        ("{{roll:1}} {{roll:d1}}", "1 1"),
        ("{{roll:x}}{{roll:0}}{{roll:99999999999}}", ""),
        ("{{random:A}}", "A"),
        ("{{pick::A\\,B}}", "A,B"),
        ("<START>\n{{user}}: hi\n  <start>  \nx <START> y", "Example:\nBen: hi\nExample:\nx <START> y"),
        ("{{unknown}} {{unknown:x}} {char} {{char", "{{unknown}} {{unknown:x}} {char} {{char"),
        ("{{ch{{user}}ar}}", "{{chBenar}}"),
    ],
)
def test_macros(text: str, shown: str) -> None:
    assert with_names(text, "Ada", "Ben") == shown


def test_names_are_not_looked_into() -> None:
    assert with_names("{{user}} and {{char}}", r"\1 {{user}}", "{{char}}") == r"{{char}} and \1 {{user}}"


def test_what_is_random_stays_as_it_was() -> None:
    text = "{{random:a,b,c,d,e,f,g}}{{roll:1000}}"
    assert with_names(text, "A", "B") == with_names(text, "C", "D")
    assert {with_names(f"{{{{random:{n},x{n},y{n}}}}}", "A", "B")[0] for n in range(20)} & {"x", "y"}
