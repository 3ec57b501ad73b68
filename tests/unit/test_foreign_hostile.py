"""Files of strangers that lie, swell, or are not what they say: each is refused with a sentence."""

from __future__ import annotations

import base64
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from app import limits
from app.personas.foreign import png_text
from app.personas.foreign.archive import MEMBERS
from app.personas.foreign.formats import WRITTEN, read, write
from app.personas.foreign.imported import Format
from app.personas.persona import Persona
from engine.errors import HearthError, LimitError, PersonaError
from tests.unit.foreign_card_files import V3, book, entry, v3
from tests.unit.foreign_program_files import OPEN_WEBUI

CARD = json.dumps(v3(name="Ada", description="x")).encode()


def png(*chunks: tuple[bytes, bytes], end: bool = True) -> bytes:
    """A PNG file of one pixel with these chunks before its end."""
    head = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    every = [head, *chunks, (b"IDAT", zlib.compress(b"\0\0"))] + ([(b"IEND", b"")] if end else [])
    return png_text.SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in every
    )


def text_chunk(keyword: bytes, card: bytes) -> tuple[bytes, bytes]:
    return b"tEXt", keyword + b"\0" + base64.b64encode(card)


def broken(data: bytes, at: int, byte: int) -> bytes:
    return data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def lying_size(data: bytes) -> bytes:
    """A zip file whose directory says that its first member unpacks to 12 bytes."""
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", 12) + data[at + 4 :]


def doubled(data: bytes) -> bytes:
    """A zip file whose second member is the bytes of its first."""
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    return data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]


GOOD = png(text_chunk(b"ccv3", CARD))
MANY = [(f"{number}.md", b"x") for number in range(MEMBERS)]
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "not a format": b"hello",
    "binary": bytes(range(256)),
    "a program": b"\x7fELF" + bytes(100),
    "null": b"null",
    "a number": b"7",
    "an empty list": b"[]",
    "an unknown object": b'{"a": 1}',
    "a list of lists": b"[[[]]]",
    "cut off": CARD[:-1],
    "not UTF-8": CARD.replace(b"Ada", b"\xff\xfe"),
    "deep list": b'{"name":"a","first_mes":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep object": b'{"name":"a","first_mes":"","x":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "a little too deep": b'{"name":"a","first_mes":"","x":' + b"[" * 60 + b"]" * 60 + b"}",
    "NaN": b'{"name":"a","first_mes":"","x":NaN}',
    "Infinity": b'{"name":"a","first_mes":"","x":-Infinity}',
    "1e999": b'{"name":"a","first_mes":"","x":1e999}',
    "an integer of 10,000 digits": b'{"name":"a","first_mes":"","x":' + b"9" * 10_000 + b"}",
    "the same key twice": b'{"name":"a","name":"b","first_mes":""}',
    "spec of a wrong type": b'{"spec":["chara_card_v3"],"data":[]}',
    "too much text": json.dumps(v3(description="x" * limits.PERSONA_FOREIGN_TEXT_BYTES)).encode(),
    "too long instructions": json.dumps(v3(description="x" * (limits.PERSONA_TEXT_CHARACTERS + 1))).encode(),
    "too much kept": json.dumps(v3(extensions={"x": ["y" * 1000] * 1500})).encode(),
    "too large": b"{" + b" " * limits.PERSONA_BUNDLE_BYTES + b"}",
    "image without a character": png(),
    "image with other texts": png((b"tEXt", b"Comment\0x"), (b"tEXt", b"no separator")),
    "image signature alone": png_text.SIGNATURE,
    "image cut off": GOOD[:-5],
    "image without an end": png(text_chunk(b"ccv3", CARD), end=False),
    "image with a wrong checksum": broken(GOOD, 60, 1),
    "image with a wrong checksum at its end": broken(GOOD, len(GOOD) - 1, 1),
    "image with a lying length": GOOD[:33] + struct.pack(">I", 2**31) + GOOD[37:],
    "image with a short length": GOOD[:33] + struct.pack(">I", 4) + GOOD[37:],
    "image without a header": png_text.SIGNATURE + GOOD[33:],
    "image with two headers": GOOD[:33] + GOOD[8:],
    "wrong base64": png((b"tEXt", b"chara\0****")),
    "base64 of nothing": png((b"tEXt", b"chara\0")),
    "base64 of no JSON": png(text_chunk(b"chara", b"\x89PNG")),
    "base64 of another JSON": png(text_chunk(b"chara", b'{"id": "x", "name": "y", "meta": {}, "params": {}}')),
    "text bomb": png((b"zTXt", b"chara\0\0" + zlib.compress(bytes(64 << 20)))),
    "international text bomb": png((b"iTXt", b"ccv3\0\1\0\0\0" + zlib.compress(bytes(64 << 20)))),
    "damaged packed text": png((b"zTXt", b"chara\0\0notzlib")),
    "very long text": png((b"tEXt", b"chara\0" + b"A" * (6 << 20))),
    "zip without a card": zipped(("a.txt", b"x")),
    "zip cut off": zipped(("card.json", CARD))[:-30],
    "zip bomb": zipped(("card.json", CARD), ("a.bin", bytes(30 << 20))),
    "zip of too much": zipped(
        ("card.json", CARD), *((f"{n}.bin", (os.urandom(1024) + bytes(48 << 10)) * 370) for n in range(6))
    ),
    "zip with a lying size": lying_size(zipped(("card.json", CARD))),
    "zip with shared bytes": doubled(zipped(("card.json", CARD), ("b.json", CARD))),
    "zip with a card of garbage": zipped(("card.json", b"\0" * 100)),
    "zip with a damaged card": broken(zipped(("card.json", CARD), method=zipfile.ZIP_STORED), 60, 1),
    "zip with too many members": zipped(("card.json", CARD), *MANY),
    "skill with too many files": zipped(("SKILL.md", b"x"), *MANY[:300]),
    "skill deep in a zip": zipped(("a/b/c/SKILL.md", b"x")),
    "encrypted": zipped(("card.json", CARD)).replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    ),
    "front matter: alias bomb": b"---\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n---\nx",
    "front matter: a tag": b"---\na: !!python/object/apply:os.system [echo]\n---\nx",
    "front matter: binary": b"---\na: !!binary aGk=\n---\nx",
    "front matter: deep": b"---\na: " + b"[" * 3000 + b"]" * 3000 + b"\n---\nx",
    "front matter: two documents": b"---\na: 1\n...\n%YAML 1.1\n---\nx",
    "front matter: a list": b"---\n- a\n---\nx",
    "front matter: no key": b"---\n[a]: b\n---\nx",
    "front matter: the same key twice": b"---\na: b\na: c\n---\nx",
    "front matter: a tab": b"---\na:\n\t- b\n---\nx",
    "front matter: too long": b"---\na: " + b"x" * 70_000 + b"\n---\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(HOSTILE[name])
    with pytest.raises((PersonaError, LimitError)) as caught:
        read(path)
    assert str(caught.value) and "Traceback" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["file.png"]


def test_there_are_enough() -> None:
    assert len(HOSTILE) >= 60


CONTROLS: dict[str, bytes] = {
    "image": GOOD,
    "packed text": png((b"zTXt", b"chara\0\0" + zlib.compress(base64.b64encode(CARD)))),
    "international text": png((b"iTXt", b"ccv3\0\1\0en\0k\0" + zlib.compress(base64.b64encode(CARD)))),
    "plain international text": png((b"iTXt", b"ccv3\0\0\0\0\0" + base64.b64encode(CARD))),
    "base64 in lines without its end": png((b"tEXt", b"chara\0" + base64.encodebytes(CARD).rstrip(b"=\n"))),
    "a huge asset of another program": png(text_chunk(b"ccv3", CARD), (b"tEXt", b"other\0" + b"A" * (6 << 20))),
    "zip": zipped(("card.json", CARD), ("b.json", CARD)),
    "zip, stored": zipped(("card.json", CARD), method=zipfile.ZIP_STORED),
    "as deep as may be": b'{"name":"a","first_mes":"","x":' + b"[" * 48 + b"]" * 48 + b"}",
    "byte order mark": b"\xef\xbb\xbf" + CARD,
    "front matter": b"---\na: [x, [y]]\n---\nx",
}


@pytest.mark.parametrize("name", CONTROLS)
def test_the_harmless_twin_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTROLS[name])
    assert read(path).persona.name


def test_v3_is_believed_before_v2(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png(text_chunk(b"chara", json.dumps(v3(name="Old")).encode()), text_chunk(b"ccv3", CARD)))
    assert read(path).persona.name == "Ada"


def test_halves_of_characters_do_not_come_in(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"name": "a\\ud800b", "first_mes": "\\udfff", "\\ud83d": "\\ud83d\\ude00"}')
    persona = read(path).persona
    assert (persona.name, persona.greeting) == ("a\ufffdb", "\ufffd")
    assert "😀" in str(persona.extensions)


def test_names_have_no_hidden_characters(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(
        json.dumps(v3(name="A\u202ed\x07a\n\U000e0041" + "x" * 500, tags=["a\u200bb", "\x1b[31m"], creator="c\0d"))
    )
    persona = read(path).persona
    assert persona.name.startswith("Ada x") and len(persona.name) == limits.PERSONA_LINE_CHARACTERS
    assert persona.tags == ("ab",) and persona.author == "cd"
    write(persona, Format.CARD_V3, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads(path.read_text())


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/abs.md", "C:\\x.md", "a/../../b.md", "..\\..\\b.md", "con.md", "a\u202egnp.md", "x\n.md"],
)
def test_a_skill_in_a_zip_names_no_place(tmp_path: Path, path: str) -> None:
    source = tmp_path / "in.zip"
    source.write_bytes(
        zipped(("SKILL.md", b"---\nname: a\ndescription: b\n---\nx"), (path, b"evil"), ("good.md", b"good"))
    )
    found = read(source)
    assert all("/" not in name and "\\" not in name and ".." not in name.split("-")[0] for name, _ in found.knowledge)
    assert ("good.md", b"good") in found.knowledge
    target = tmp_path / "below" / "out"
    target.parent.mkdir()
    write(found.persona, Format.SKILL, target, None, found.knowledge)
    assert {each.name for each in tmp_path.iterdir()} == {"in.zip", "below"}
    assert [each.name for each in target.parent.iterdir()] == ["out"]
    assert not any(each.is_symlink() for each in target.rglob("*"))


def test_paths_that_an_extension_claims_are_not_believed(tmp_path: Path) -> None:
    claims = {
        "a.md": "../a.md",
        "b.md": "/b.md",
        "c.md": "x/../../c.md",
        "d.md": "sub/SKILL.md",
        "e.md": "x\\..\\e.md",
        "f.md": 5,
    }
    persona = Persona("x", "X", extensions={"skill": {"files": dict(claims), "front_matter": {}}})
    write(persona, Format.SKILL, tmp_path / "out", None, tuple((name, b"1") for name in claims))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")) == [
        "out/SKILL.md",
        *(f"out/{name}" for name in claims),
    ]


def test_an_icon_that_an_extension_claims_is_not_believed(tmp_path: Path) -> None:
    asset = {"type": "icon", "uri": "embeded://../../evil.png", "name": "main", "ext": "png"}
    source = tmp_path / "x.json"
    source.write_text(json.dumps(v3(name="x", assets=[asset])))
    write(read(source).persona, Format.CHARX, tmp_path / "out.charx", png_text.plain_image())
    with zipfile.ZipFile(tmp_path / "out.charx") as archive:
        assert archive.namelist() == ["card.json", "assets/icon/images/main.png"]


def test_links_and_odd_files_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    folder = tmp_path / "skill"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: a\ndescription: b\n---\nx")
    (folder / "link.md").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    (folder / ".hidden.md").write_text("hidden")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.md")
    (folder / "own.md").write_text("own")
    assert read(folder).knowledge == (("own.md", b"own"),)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "SKILL.md").symlink_to(secret)
    with pytest.raises(PersonaError):
        read(tmp_path / "other")


@pytest.mark.parametrize("number", [limits.PERSONA_BUNDLE_MEMBERS, limits.PERSONA_BUNDLE_MEMBERS + 1])
def test_a_folder_of_many_files(tmp_path: Path, number: int) -> None:
    (tmp_path / "SKILL.md").write_text("---\nname: a\ndescription: b\n---\nx")
    for each in range(number):
        (tmp_path / f"{each}.md").write_text("x")
    if number > limits.PERSONA_BUNDLE_MEMBERS:
        with pytest.raises(LimitError):
            read(tmp_path)
    else:
        found = read(tmp_path)
        assert len(found.knowledge) == limits.PERSONA_KNOWLEDGE_FILES and found.notes


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_the_cap_on_the_file(tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.personas.foreign.formats.PERSONA_BUNDLE_BYTES", 10_000)
    path = tmp_path / "x.json"
    path.write_bytes(CARD.ljust(10_000 + length))
    if length > 0:
        with pytest.raises(LimitError):
            read(path)
    else:
        assert read(path).persona.name == "Ada"


@pytest.mark.parametrize("length", [-1, 0, 1])
def test_the_cap_on_the_text(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(CARD.ljust(limits.PERSONA_FOREIGN_TEXT_BYTES + length))
    if length > 0:
        with pytest.raises(LimitError):
            read(path)
    else:
        assert read(path).persona.name == "Ada"


def test_what_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(PersonaError):
            read(path)
    for kind in WRITTEN:
        with pytest.raises(PersonaError):
            write(Persona("x", "X"), kind, tmp_path / "no" / "folder")
    assert not list(tmp_path.iterdir())


def random_json(chance: random.Random, depth: int) -> Any:
    """Any JSON value, of the words that formats use."""
    kind = chance.randrange(9 if depth else 6)
    words = [
        "",
        "name",
        "\0",
        "竜",
        "data:image/png;base64,AAAA",
        "embeded://x",
        "/(a+)+/",
        "1e5",
        "ccdefault:",
        "\u202e",
    ]
    match kind:
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2:
            return chance.choice([0, -1, 1.5, 2**63, 10**30, 1e308])
        case 3 | 4 | 5:
            return chance.choice(words)
        case 6:
            return [random_json(chance, depth - 1) for _ in range(chance.randrange(4))]
        case _:
            return {
                chance.choice([*words, "keys", "content", "uri", "type"]): random_json(chance, depth - 1)
                for _ in range(3)
            }


def mutants(document: Any, chance: random.Random) -> Any:
    """The document with one value anywhere replaced by another."""
    if isinstance(document, dict) and document and chance.random() < 0.8:
        key = chance.choice(list(document))
        return {**document, key: mutants(document[key], chance)}
    if isinstance(document, list) and document and chance.random() < 0.8:
        at = chance.randrange(len(document))
        return [*document[:at], mutants(document[at], chance), *document[at + 1 :]]
    return random_json(chance, 3)


SEEDS: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "card": (
        v3(
            **{
                key: value
                for key, value in V3["whole"]["data"].items()
                if key in ("assets", "tags", "nickname", "extensions")
            },
            character_book=book(entry(["a"], "b", selective=True, secondary_keys=["c"])),
        ),
        lambda written: written["spec"].startswith("chara_card"),
    ),
    "model": (OPEN_WEBUI["all parameters"], lambda written: isinstance(written, list)),
}


@pytest.mark.parametrize("name", SEEDS)
def test_mutants_are_refused_or_come_out_as_they_came_in(tmp_path: Path, name: str) -> None:
    seed, _ = SEEDS[name]
    chance = random.Random(6)
    path, out = tmp_path / "in.json", tmp_path / "out.json"
    n_read = 0
    for _ in range(250):
        document = mutants(seed, chance)
        path.write_text(json.dumps(document))
        try:
            found = read(path)
        except HearthError:
            continue
        n_read += 1
        kind = found.format
        if kind == Format.CARD_V1:
            continue
        write(found.persona, kind, out, found.icon)
        written = json.loads(out.read_text())
        assert (written[0] if kind == Format.OPEN_WEBUI else written) == document
        assert read(out).persona == found.persona
    assert n_read > 100
