"""A persona's two files: written deterministically, read strictly, and described by the schemas that travel along."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.personas.declared import strict_json
from app.personas.document import (
    PERSONA,
    fingerprint,
    instructions_bytes,
    read_persona,
    toml_bytes,
)
from app.personas.names import is_file_name, is_short_name, kept_name, short_name_of
from app.personas.persona import Adapter, KeyedEntry, KnowledgeFile, Persona, Sampling, SpeechStyle, Thinking
from app.personas.schema import FOLDER, schemas
from app.personas.words import WORDS, words_of
from engine.errors import LimitError, PersonaError

FULL = Persona(
    "spanish-tutor",
    "Spanish tutor 👩‍🏫",
    description='Teaches "Spanish":\nslowly.',
    instructions="---\nYou teach.\r\n\tStep by step\n\n",
    greeting="¡Hola!\r\nWie geht's?",
    greetings=("Buenos días", "a\nb"),
    starters=("How do I say “boat”?",),
    tags=("language", "school"),
    author="Ana",
    licence="CC-BY-4.0",
    version="2.1",
    changelog="* first\n",
    models=("qwen3-4b",),
    sampling=Sampling(0.3, 0.9, 40, 0.05, 1.1, 400),
    thinking=Thinking.OFF,
    tools=("calculator",),
    speech=SpeechStyle("ana", "es", 0.9),
    adapter=Adapter("a" * 64, 0.5),
    keyed=(KeyedEntry(("boat", "bote"), "el bote\nla barca", ("sea",), "Boats", False, True, True, -5, {"p": None}),),
    knowledge=(KnowledgeFile("grammar.pdf", 9, "b" * 64),),
    documents_only=False,
    icon_sha256="c" * 64,
    extensions={"card_v3": {"a": [1, 1.5, None, "é\ud83d", {"b": {}}], "c": True}, "jan": "x"},
)
LEAST = Persona("a", "A")


def again(persona: Persona) -> Persona:
    return read_persona(toml_bytes(persona), instructions_bytes(persona))


def test_every_field_is_written_and_read() -> None:
    assert again(FULL) == FULL
    assert again(LEAST) == LEAST
    defaults = {each.name for each in fields(Persona) if getattr(FULL, each.name) == getattr(LEAST, each.name)}
    assert defaults == set(), "the full one leaves a field at its default, so it is not tried"


def test_declared_are_all_fields_but_the_instructions() -> None:
    assert set(PERSONA.rules) == {each.name for each in fields(Persona)} - {"instructions"}


def test_equal_personas_are_equal_bytes() -> None:
    turned = replace(FULL, extensions=dict(reversed(FULL.extensions.items())), sampling=replace(FULL.sampling))
    assert toml_bytes(turned) == toml_bytes(FULL)
    one, whole = replace(LEAST, sampling=Sampling(temperature=1)), replace(LEAST, sampling=Sampling(temperature=1.0))
    assert one == whole and toml_bytes(one) == toml_bytes(whole)
    assert toml_bytes(LEAST) == b'schema = 1\nshort_name = "a"\nname = "A"\n'


def test_what_people_read_is_readable() -> None:
    text = toml_bytes(replace(FULL, greeting="Hello\nthere")).decode()
    assert 'greeting = """\nHello\nthere"""' in text
    front = instructions_bytes(FULL).decode().split("---\n")[1]
    assert front == 'name: spanish-tutor\ndescription: "Teaches \\"Spanish\\": slowly."\n'


@given(st.text(), st.text(), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_comes_back_or_is_refused(instructions: str, greeting: str, starters: list[str]) -> None:
    persona = replace(LEAST, instructions=instructions, greeting=greeting, starters=tuple(starters))
    try:
        assert again(persona) == persona
    except PersonaError:
        assert any(
            0xD800 <= ord(character) < 0xE000 for text in (instructions, greeting, *starters) for character in text
        )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_foreign_values_come_back_as_they_were(value: object) -> None:
    persona = replace(LEAST, extensions={"other": value})
    assert again(persona) == persona
    assert json.dumps(again(persona).extensions, sort_keys=True) == json.dumps(persona.extensions, sort_keys=True)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"name": ""}, PersonaError, "“name”"),
        ({"name": "a\u202eb"}, PersonaError, "nobody can see"),
        ({"short_name": "A b"}, PersonaError, "“short_name”"),
        ({"sampling": Sampling(temperature=float("nan"))}, PersonaError, "“sampling.temperature”"),
        ({"sampling": Sampling(top_k=10**400)}, PersonaError, "“sampling.top_k”"),
        ({"greeting": "a" * 200_001}, LimitError, "200000 characters"),
        ({"starters": ("a",) * 101}, LimitError, "100 are the most"),
        ({"extensions": {"x": float("inf")}}, PersonaError, "“extensions.x”"),
        ({"keyed": (KeyedEntry(("a",), "b", order=10**12),)}, PersonaError, "“keyed[1].order”"),
        ({"knowledge": (KnowledgeFile("a.exe", 1, "0" * 64),)}, PersonaError, "“knowledge[1].name”"),
        ({"knowledge": (KnowledgeFile("a.md", 60 << 20, "0" * 64), KnowledgeFile("b.md", 60 << 20, "0" * 64))},
         LimitError, "100 MB"),
    ],
)  # fmt: skip
def test_what_could_not_be_read_is_not_written(changes: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        toml_bytes(replace(LEAST, **changes))  # type: ignore[arg-type]
    assert words in str(raised.value)


def test_front_matter_of_other_programs_is_read_and_believed_in_nothing() -> None:
    toml = toml_bytes(LEAST)
    for front in ("---\nname: a\ndescription: |\n---\n\n", "---\r\nname: 'a'\r\n---\r\n\r\n", "---\n---\n", ""):
        assert read_persona(toml, front.encode() + b"Be brief.").instructions == "Be brief."
    assert read_persona(toml, b"---\nno front matter").instructions == "---\nno front matter"


def test_the_fingerprint_is_of_everything_but_the_short_name() -> None:
    assert fingerprint(replace(FULL, short_name="other")) == fingerprint(FULL)
    for each in fields(Persona):
        if each.name != "short_name":
            at_default = LEAST.name if each.name == "name" else getattr(LEAST, each.name)
            assert fingerprint(replace(FULL, **{each.name: at_default})) != fingerprint(FULL), each.name


def test_dotted_keys_are_refused_and_dotted_sentences_are_not() -> None:
    prose = "No. " * 100 + "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w\n\n" + "1.2.3.4." * 50
    assert again(replace(LEAST, greeting=prose, instructions=prose)).greeting == prose
    with pytest.raises(PersonaError):
        read_persona(toml_bytes(LEAST) + b"\n" + b"a." * 40 + b"a = 1\n", b"")


def test_the_schemas_are_those_of_the_declarations() -> None:
    """Otherwise: python -m app.personas.schema"""
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == schemas()


def test_the_schema_knows_what_is_written() -> None:
    schema = json.loads(schemas()["persona.schema.json"])
    written = tomllib.loads(toml_bytes(FULL).decode())
    assert set(written) == set(schema["properties"])
    assert set(schema["required"]) == {"schema", "short_name", "name"}
    assert set(written["sampling"]) == set(schema["properties"]["sampling"]["properties"])
    assert set(written["keyed"][0]) == set(schema["properties"]["keyed"]["items"]["properties"])
    assert schema["additionalProperties"] is schema["properties"]["speech"]["additionalProperties"] is False


def test_short_names() -> None:
    assert short_name_of("Español für Anfänger!") == "espanol-fur-anfanger"
    assert short_name_of("日本語") == short_name_of("CON") == "persona"
    assert short_name_of("A b", {"a-b", "a-b-2"}) == "a-b-3"
    assert len(short_name_of("x" * 500, {"x" * 56})) <= 64
    for wrong in ("", "-a", "a-", "a--b", "A", "a.b", "nul", "a" * 65, "ä", "a/b", "a\n"):
        assert not is_short_name(wrong), wrong


def test_file_names() -> None:
    for right in ("a.md", "Bücher 2.pdf", "日本.txt", "a.b.c.md", "👩‍🏫.md"):
        assert is_file_name(right), right
    for wrong in (
        "",
        ".",
        "..",
        ".a",
        "a/b",
        "a\\b",
        "con",
        "CON.txt",
        "aux .md",
        "a.",
        "a ",
        "a\u202eb",
        "a\tb",
        "x" * 121,
    ):
        assert not is_file_name(wrong), wrong
    assert kept_name("0" * 64, "A.PDF") == "0" * 64 + ".pdf"
    assert kept_name("0" * 64, "a.exe") == "0" * 64


def test_strict_json() -> None:
    assert strict_json('{"a": [1.5, null]}') == {"a": [1.5, None]}
    for wrong in ("NaN", "1e999", '{"a":1,"a":1}', "[" * 51 + "]" * 51, "[" * 10**6, "9" * 5_000):
        with pytest.raises(ValueError):
            strict_json(wrong)
    assert strict_json("[" * 50 + "]" * 50)


def test_keys_become_twelve_of_256_words() -> None:
    assert len(set(WORDS)) == 256 and all(word.isascii() and word.islower() and 3 <= len(word) <= 8 for word in WORDS)
    assert len(words_of(b"a")) == 12
    assert words_of(b"a") != words_of(b"b")
