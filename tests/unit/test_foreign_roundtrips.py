"""Other programs' files in, out and in again: what comes out says what came in, whatever was odd in it."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.personas.document import instructions_bytes, read_persona, toml_bytes
from app.personas.foreign import png_text
from app.personas.foreign.archive import packed
from app.personas.foreign.card_icon import png_of_uri
from app.personas.foreign.chatgpt import configuration_of, rebuilt
from app.personas.foreign.formats import WRITTEN, left_out, read, read_all, write
from app.personas.foreign.imported import Format, Imported, knowledge_files
from app.personas.persona import KeyedEntry, Persona, Sampling
from engine.errors import PersonaError
from tests.unit.foreign_card_files import ICON, V1, V2, V3
from tests.unit.foreign_program_files import GPTS, JAN, LM_STUDIO, OPEN_WEBUI, SKILLS


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def card_in(png: bytes, keyword: str) -> Any:
    return json.loads(base64.b64decode(png_text.texts_of(png, "x", (keyword,))[keyword]))


def there_and_back(tmp_path: Path, source: Path, kind: Format, suffix: str) -> tuple[Imported, Imported, Path]:
    """What a file says, what its export says, and where that is."""
    first = read(source)
    out = tmp_path / f"out{suffix}"
    write(first.persona, kind, out, first.icon, first.knowledge)
    return first, read(out), out


def same(first: Imported, again: Imported) -> None:
    assert again.persona == first.persona
    assert again.icon == first.icon
    assert again.knowledge == first.knowledge


def kept(persona: Persona) -> None:
    """The persona's own file gives the same persona back."""
    assert read_persona(toml_bytes(persona), instructions_bytes(persona)) == persona


def params(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("name", table)


def test_every_format_has_enough_files() -> None:
    for table in (V2, V3, OPEN_WEBUI, LM_STUDIO, JAN, SKILLS, GPTS):
        assert len(table) >= 10


@params(V2)
def test_v2_cards(tmp_path: Path, name: str) -> None:
    source = tmp_path / "card.json"
    source.write_text(json.dumps(V2[name]), encoding="utf-8")
    first, again, out = there_and_back(tmp_path, source, Format.CARD_V2, ".json")
    assert first.format == Format.CARD_V2
    assert read_json(out) == V2[name]
    same(first, again)
    kept(first.persona)


@params(V3)
def test_v3_cards(tmp_path: Path, name: str) -> None:
    source = tmp_path / "card.json"
    source.write_text(json.dumps(V3[name], ensure_ascii=False), encoding="utf-8")
    first, again, out = there_and_back(tmp_path, source, Format.CARD_V3, ".json")
    assert first.format == Format.CARD_V3
    assert read_json(out) == V3[name]
    same(first, again)
    kept(first.persona)


@pytest.mark.parametrize(
    ("keyword", "kind", "name"),
    [("chara", Format.CARD_V2_PNG, name) for name in V2] + [("ccv3", Format.CARD_V3_PNG, name) for name in V3],
)
def test_cards_in_images(tmp_path: Path, keyword: str, kind: Format, name: str) -> None:
    card = (V2 if keyword == "chara" else V3)[name]
    source = tmp_path / "card.dat"
    text = base64.b64encode(json.dumps(card).encode())
    source.write_bytes(png_text.with_texts(png_text.plain_image(), {keyword: text}, "x"))
    first, again, out = there_and_back(tmp_path, source, kind, ".png")
    assert first.format == kind
    assert first.icon == png_text.plain_image()
    assert card_in(out.read_bytes(), keyword) == card
    same(first, again)


@params(V3)
def test_charx(tmp_path: Path, name: str) -> None:
    source = tmp_path / "card.charx"
    source.write_bytes(packed([("card.json", json.dumps(V3[name]).encode())]))
    first, again, out = there_and_back(tmp_path, source, Format.CHARX, ".charx")
    same(first, again)
    with zipfile.ZipFile(out) as archive:
        written = json.loads(archive.read("card.json"))
    assert written == V3[name]


def test_charx_gives_its_icon_and_says_what_stays_behind(tmp_path: Path) -> None:
    uri = "embeded://assets/icon/images/face.png"
    card = {
        **V3["empty"],
        "data": {**V3["empty"]["data"], "assets": [{"type": "icon", "uri": uri, "name": "main", "ext": "png"}]},
    }
    image = png_text.plain_image()
    members = [
        ("card.json", json.dumps(card).encode()),
        ("assets/icon/images/face.png", image),
        ("assets/other/a.mp3", b"x"),
    ]
    source = tmp_path / "card.zip"
    source.write_bytes(packed(members))
    first, again, out = there_and_back(tmp_path, source, Format.CHARX, ".charx")
    assert first.icon == image
    assert len(first.notes) == 1 and again.notes == ()
    same(first, again)
    assert zipfile.ZipFile(out).namelist() == ["card.json", "assets/icon/images/face.png"]


def test_a_card_of_v1_becomes_v2(tmp_path: Path) -> None:
    source = tmp_path / "card.json"
    source.write_text(json.dumps(V1))
    first, again, out = there_and_back(tmp_path, source, Format.CARD_V2, ".json")
    assert first.format == Format.CARD_V1
    written = read_json(out)
    assert {**written["data"], **V1} == written["data"] and written["spec"] == "chara_card_v2"
    assert again.persona.instructions == first.persona.instructions


@params(V2)
def test_v2_cards_become_v3(tmp_path: Path, name: str) -> None:
    source = tmp_path / "card.json"
    source.write_text(json.dumps(V2[name]))
    first, again, out = there_and_back(tmp_path, source, Format.CARD_V3, ".json")
    written = read_json(out)
    assert (written["spec"], written["spec_version"]) == ("chara_card_v3", "3.0")
    assert isinstance(written["data"]["group_only_greetings"], list)
    assert replace(again.persona, extensions={}, keyed=()) == replace(first.persona, extensions={}, keyed=())
    assert [entry.text for entry in again.persona.keyed] == [entry.text for entry in first.persona.keyed]


@params(OPEN_WEBUI)
def test_open_webui(tmp_path: Path, name: str) -> None:
    source = tmp_path / "models-export.json"
    source.write_text(json.dumps([OPEN_WEBUI[name]]))
    first, again, out = there_and_back(tmp_path, source, Format.OPEN_WEBUI, ".json")
    assert first.format == Format.OPEN_WEBUI
    assert read_json(out) == [OPEN_WEBUI[name]]
    same(first, again)
    kept(first.persona)


def test_open_webui_exports_several(tmp_path: Path) -> None:
    source = tmp_path / "models-export.json"
    source.write_text(json.dumps(list(OPEN_WEBUI.values())))
    assert len(read_all(source)) == len(OPEN_WEBUI)
    assert read(source).persona.name == "Tutor" and len(read(source).notes) == 1


@params(LM_STUDIO)
def test_lm_studio(tmp_path: Path, name: str) -> None:
    source = tmp_path / "tutor.preset.json"
    source.write_text(json.dumps(LM_STUDIO[name]))
    first, again, out = there_and_back(tmp_path, source, Format.LM_STUDIO, ".json")
    assert first.format == Format.LM_STUDIO
    assert read_json(out) == LM_STUDIO[name]
    same(first, again)
    kept(first.persona)


@params(JAN)
def test_jan(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "assistants" / "jan"
    folder.mkdir(parents=True)
    (folder / "assistant.json").write_text(json.dumps(JAN[name]))
    first, again, out = there_and_back(tmp_path, folder, Format.JAN, ".json")
    assert first.format == Format.JAN
    assert read_json(out) == JAN[name]
    same(first, again)
    kept(first.persona)


def split_skill(text: str) -> tuple[Any, str]:
    """Front matter and body by other means: YAML without any types, so that 1.0 and "1.0" are the same."""
    text = text.replace("\r\n", "\n")
    if not text.startswith("---\n"):
        return None, text.strip()
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    return yaml.load(front + "\n", yaml.BaseLoader), body.strip()


@params(SKILLS)
@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_skills(tmp_path: Path, name: str, suffix: str) -> None:
    skill, files = SKILLS[name]
    source = tmp_path / "source"
    for path, data in {"SKILL.md": skill.encode(), **files}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    first, again, out = there_and_back(tmp_path, source, Format.SKILL, suffix)
    assert first.format == Format.SKILL
    same(first, again)
    kept(first.persona)
    assert {file.name: file.size_bytes for file in first.persona.knowledge} == {n: len(d) for n, d in first.knowledge}
    if suffix:
        return
    assert {
        path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*") if path.name != "SKILL.md"
    } == files
    front, body = split_skill((out / "SKILL.md").read_text(encoding="utf-8"))
    expected, expected_body = split_skill(skill)
    assert (front or None, body) == (expected or None, expected_body)


@params(GPTS)
def test_gpts(tmp_path: Path, name: str) -> None:
    pasted, expected = GPTS[name]
    files = (("notes.md", b"# N"), ("dir/notes.md", b"# M"), ("program.exe", b"MZ"))
    found = rebuilt(configuration_of(pasted), files)
    for attribute, value in expected.items():
        assert getattr(found.persona, attribute) == value
    assert [file for file, _ in found.knowledge] == ["notes.md", "dir-notes.md"] and len(found.notes) == 1
    for kind in (Format.OPEN_WEBUI, Format.CARD_V3):
        out = tmp_path / kind
        write(found.persona, kind, out)
        again = read(out).persona
        assert (again.name, again.description, again.instructions, again.starters) == (
            found.persona.name,
            found.persona.description,
            found.persona.instructions,
            found.persona.starters,
        )


def test_nothing_pasted_is_refused() -> None:
    with pytest.raises(PersonaError):
        rebuilt(configuration_of("  \n"))


OWN = Persona(
    short_name="contract-reader",
    name="Contract Reader",
    description="Reads contracts.",
    instructions="You read contracts.\n\n## Rules\n\nQuote the clause.",
    greeting="Show me a contract.",
    greetings=("Which contract?",),
    starters=("What does clause 4 say?",),
    tags=("law",),
    author="Ana",
    licence="CC-BY-4.0",
    version="3",
    models=("qwen.gguf",),
    sampling=Sampling(temperature=0.3, top_k=20, max_tokens=400),
    keyed=(KeyedEntry(("clause",), "A clause is a paragraph.", also=("four",), name="Clause", order=3),),
)


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        *((kind, {"models", "sampling"}) for kind in WRITTEN[:5]),
        (Format.OPEN_WEBUI, {"greeting", "greetings", "author", "licence", "version", "keyed"}),
        (
            Format.LM_STUDIO,
            {
                "description",
                "greeting",
                "greetings",
                "starters",
                "tags",
                "author",
                "licence",
                "version",
                "models",
                "keyed",
            },
        ),
        (Format.JAN, {"greeting", "greetings", "starters", "tags", "author", "licence", "version", "keyed"}),
        (Format.SKILL, {"greeting", "greetings", "starters", "tags", "models", "sampling", "keyed"}),
    ],
)
def test_a_persona_of_ours_is_understood_elsewhere(tmp_path: Path, kind: Format, lost: set[str]) -> None:
    out = tmp_path / "out"
    write(OWN, kind, out)
    again = read(out).persona
    for attribute in Persona.__slots__:
        if attribute in ("extensions", "knowledge", "icon_sha256", "short_name", *lost):
            continue
        found, expected = getattr(again, attribute), getattr(OWN, attribute)
        if attribute == "keyed":
            found = tuple(replace(entry, extensions={}) for entry in found)
        assert found == expected, attribute
    assert again.short_name == OWN.short_name


KINDS: dict[Format, dict[str, Any]] = {
    Format.CARD_V3: V3,
    Format.CARD_V2: V2,
    Format.OPEN_WEBUI: OPEN_WEBUI,
    Format.LM_STUDIO: LM_STUDIO,
    Format.JAN: JAN,
}
EDITS: dict[str, tuple[Callable[[Persona], Persona], Any]] = {
    "name": (lambda persona: replace(persona, name="Renamed"), "Renamed"),
    "description": (lambda persona: replace(persona, description="New."), "New."),
    "instructions": (lambda persona: replace(persona, instructions="Do other things."), "Do other things."),
}


@pytest.mark.parametrize(
    ("kind", "name", "attribute"),
    [
        (kind, name, attribute)
        for kind, documents in KINDS.items()
        for name in documents
        for attribute in EDITS
        if (kind, attribute) != (Format.LM_STUDIO, "description")  # of which it has none
    ],
)
def test_an_edit_wins_and_the_rest_stays(tmp_path: Path, kind: Format, name: str, attribute: str) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(KINDS[kind][name]))
    first = read(source)
    edit, value = EDITS[attribute]
    write(edit(first.persona), kind, tmp_path / "out.json", first.icon)
    again = read(tmp_path / "out.json").persona
    assert getattr(again, attribute) == value
    for other in Persona.__slots__:
        if other not in (attribute, "extensions", "short_name"):
            assert getattr(again, other) == getattr(first.persona, other), other


def test_an_edited_card_of_sillytavern_has_no_old_copies(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(V2["as SillyTavern writes"]))
    persona = replace(read(source).persona, name="Renamed", greeting="New.", description="Noted.", tags=())
    write(persona, Format.CARD_V2, tmp_path / "out.json")
    card = read_json(tmp_path / "out.json")
    assert (card["name"], card["first_mes"], card["creatorcomment"], card["tags"]) == ("Renamed", "New.", "Noted.", [])
    assert card["avatar"] == "none"


def test_a_v3_image_holds_a_v2_copy_with_the_warning(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(V3["regex and decorators"]))
    write(read(source).persona, Format.CARD_V3_PNG, tmp_path / "out.png")
    copy = card_in((tmp_path / "out.png").read_bytes(), "chara")
    assert copy["spec"] == "chara_card_v2" and "Character Card V3" in copy["data"]["creator_notes"]
    contents = [entry["content"] for entry in copy["data"]["character_book"]["entries"]]
    assert "The sea is high." in contents and not any("@@" in content for content in contents)


@pytest.mark.parametrize("kind", WRITTEN[5:])
def test_a_card_elsewhere_has_its_names_put_in(tmp_path: Path, kind: Format) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(V3["whole"]))
    write(read(source).persona, kind, tmp_path / "out")
    instructions = read(tmp_path / "out").persona.instructions
    assert "You are Ada, and you are talking with the user." in instructions and "{{" not in instructions


def test_a_program_with_such_names_of_its_own_keeps_them(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(JAN["unicode"]))
    write(read(source).persona, Format.OPEN_WEBUI, tmp_path / "out.json")
    assert read(tmp_path / "out.json").persona.instructions == JAN["unicode"]["instructions"]


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_stays_behind_is_said(tmp_path: Path, kind: Format) -> None:
    """As many sentences as the persona really loses of what they name."""
    persona = replace(OWN, knowledge=knowledge_files((("a.md", b"a"),)))
    write(persona, kind, tmp_path / "out", None, (("a.md", b"a"),))
    again = read(tmp_path / "out").persona
    lost = [name for name in ("keyed", "knowledge", "greeting", "starters") if not getattr(again, name)]
    if again.sampling == Sampling():
        lost.append("sampling")
    assert len(left_out(persona, kind)) == len(lost)
    assert left_out(Persona("x", "X"), kind) == ()


def test_an_icon_that_is_changed_or_taken_away(tmp_path: Path) -> None:
    source = tmp_path / "in.json"
    source.write_text(json.dumps(V3["icon inside"]))
    first = read(source)
    assert first.icon == png_of_uri(ICON) and ICON not in str(first.persona.extensions)
    write(first.persona, Format.CARD_V3, tmp_path / "out.json", png_text.plain_image())
    assert read(tmp_path / "out.json").icon == png_text.plain_image()
    write(first.persona, Format.CARD_V3, tmp_path / "out.json", None)
    assert read_json(tmp_path / "out.json")["data"]["assets"][0]["uri"] == "ccdefault:"


def test_a_skill_never_replaces_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(PersonaError, match="not empty"):
        write(OWN, Format.SKILL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
