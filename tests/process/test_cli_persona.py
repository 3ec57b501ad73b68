"""`hearth persona` as a person runs it: made, shown, shared, checked and asked; the real program and model."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.personas.builtin import ORDER
from app.personas.foreign import formats
from app.personas.importing import take
from app.personas.shelf import Shelf
from tests.minilm_weights import minilm_folder

pytestmark = pytest.mark.beside

PATIENCE_S = 60.0
GREEDY = ["--temperature", "0", "--max-tokens", "4"]


class Hearth:
    """The program on a data folder of its own. One thread: two that wait for each other crawl on a busy machine."""

    def __init__(self, data: Path, models: Path) -> None:
        self.data = data
        self._models = models
        data.mkdir()
        (data / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")

    def persona(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "LANG")}
        return subprocess.run(
            [sys.executable, "-m", "app", "--data-dir", str(self.data), "persona", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            env={**kept, "HEARTH_MODELS_DIR": str(self._models), "HOME": str(self._models.parent), "LANG": "C.UTF-8"},
            check=False,
        )

    def done(self, *arguments: str | Path) -> str:
        ended = self.persona(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def refused(self, *arguments: str | Path) -> str:
        ended = self.persona(*arguments)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "Traceback" not in ended.stderr
        return ended.stderr


@pytest.fixture
def models(tmp_path: Path, smollm2: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / smollm2.name).symlink_to(smollm2)
    return folder


@pytest.fixture
def ana(tmp_path: Path, models: Path) -> Hearth:
    return Hearth(tmp_path / "ana", models)


@pytest.fixture
def bob(tmp_path: Path, models: Path) -> Hearth:
    return Hearth(tmp_path / "bob", models)


def make(hearth: Hearth, folder: Path) -> Path:
    (folder / "how.txt").write_text("You keep the boats.\nAnswer briefly.\n", "utf-8")
    handbook = folder / "handbook.md"
    handbook.write_text("# Fees\n\nThe rowing club of Norrholm asks 240 crowns a year.\n", "utf-8")
    made = hearth.done(
        "new", "Boat keeper", "--description", "Knows the boats.", "--instructions", folder / "how.txt", "-f", handbook
    )
    assert made == "boat-keeper\n"
    return handbook


def test_a_persona_is_made_listed_shown_and_shared(ana: Hearth, bob: Hearth, tmp_path: Path) -> None:
    assert [line.split("  ")[0] for line in ana.done("list").splitlines()] == sorted(ORDER)
    make(ana, tmp_path)
    assert "boat-keeper  Boat keeper  Knows the boats." in ana.done("list").splitlines()
    shown = ana.done("show", "Boat keeper")
    assert "You keep the boats.\nAnswer briefly." in shown
    assert "handbook.md (" in shown
    bundle = tmp_path / "boats.hearth"
    ana.done("export", "boat-keeper", "-o", bundle, "--sign")
    first = bundle.read_bytes()
    ana.done("export", "boat-keeper", "-o", bundle, "--sign")
    assert bundle.read_bytes() == first

    verified = json.loads(bob.done("verify", bundle, "--json"))
    assert (verified["signed"], verified["author"], len(verified["words"].split())) == (True, "new", 12)
    taken = bob.done("import", bundle)
    assert "You keep the boats." in taken
    assert verified["words"] in taken
    assert taken.splitlines()[-1] == "boat-keeper"
    assert "hearth persona show boat-keeper --accept" in bob.refused("run", "boat-keeper", "Hello?")
    bob.done("show", "boat-keeper", "--accept")
    records = {record["short_name"]: record for record in map(json.loads, bob.done("list", "--json").splitlines())}
    assert records.keys() == {"boat-keeper", *ORDER}
    assert (records["boat-keeper"]["usable"], records["boat-keeper"]["imported"]) == (True, True)
    assert all(records[name]["usable"] and not records[name]["imported"] for name in ORDER)
    assert json.loads(bob.done("verify", bundle, "--json"))["author"] == "known"


def test_a_persona_answers_with_its_instructions_and_documents(ana: Hearth, tmp_path: Path) -> None:
    handbook = make(ana, tmp_path)
    handbook.unlink()  # the shelf has its own
    records = [
        json.loads(line)
        for line in ana.done("run", "--json", *GREEDY, "boat-keeper", "What does the rowing club ask?").splitlines()
    ]
    (message,) = [record for record in records if record["type"] == "message"]
    assert message["state"] == "complete"
    sources = records[-1]
    assert (sources["type"], [each["file"] for each in sources["passages"]]) == ("sources", ["handbook.md"])
    with sqlite3.connect(ana.data / "conversations.db") as database:
        ((persona, version),) = database.execute("SELECT persona, persona_version FROM conversations").fetchall()
    assert (persona, version) == ("boat-keeper", 1)


def test_what_cannot_be_is_refused_with_a_sentence(ana: Hearth, tmp_path: Path) -> None:
    (tmp_path / "a.hearth").write_bytes(b"PK nothing")
    (tmp_path / "a.exe").write_bytes(b"MZ")
    assert "is damaged, or not a bundle" in ana.refused("import", tmp_path / "a.hearth")
    assert "is damaged, or not a bundle" in ana.refused("verify", tmp_path / "a.hearth")
    assert "could not be read" in ana.refused("import", tmp_path / "none.hearth")
    assert "a.exe" in ana.refused("new", "X", "-f", tmp_path / "a.exe")
    assert "no persona “nobody”" in ana.refused("show", "nobody")
    assert "no persona" in ana.refused("run", "../nobody", "Hello?")
    kept = {path.name for path in (ana.data / "personas").iterdir() if not path.name.startswith(".gallery.")}
    assert kept == set(ORDER)


def test_a_persona_is_written_for_other_programs(ana: Hearth, tmp_path: Path) -> None:
    for kind, name in {
        "ccv3": "a.png", "ccv3-json": "a.json", "open-webui": "b.json", "lm-studio": "c.preset.json", "skill": "skill",
    }.items():  # fmt: skip
        ended = ana.persona("export", "hearth-guide", "--as", kind, "-o", tmp_path / name)
        assert ended.returncode == 0, ended.stderr
        assert ("documents stay behind" in ended.stderr) == (kind != "skill")
        back = formats.read(tmp_path / name).persona
        assert "You explain Hearth" in back.instructions, kind
    assert len(list((tmp_path / "skill").rglob("*.md"))) == 9


def test_what_lies_in_a_folder_of_bundles_is_offered(ana: Hearth, bob: Hearth, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    ana.done("export", "spanish-tutor", "-o", share, "--sign")
    ana.done("export", "story-master", "-o", share)
    settings = bob.data / "settings.toml"
    settings.write_text(settings.read_text() + f"[persona]\nshelves = [{str(share)!r}]\n")
    offers = [json.loads(line) for line in bob.done("list", "--shelf", "--json").splitlines()]
    assert [(each["short_name"], bool(each["words"])) for each in offers] == [
        ("spanish-tutor", True), ("story-master", False),
    ]  # fmt: skip
    (line,) = bob.done("list", "--shelf", "grammar", "LEARNING").splitlines()
    assert line.startswith(str(share / "spanish-tutor.hearth"))


def test_the_vectors_of_documents_travel_along(ana: Hearth, tmp_path: Path) -> None:
    (tmp_path / "embedder").symlink_to(minilm_folder(), target_is_directory=True)
    bundle, again = tmp_path / "guide.hearth", tmp_path / "again.hearth"
    made = ana.persona("export", "hearth-guide", "--embeddings", "-o", bundle)
    assert made.returncode == 0, made.stderr
    assert "travel along" in made.stderr
    taken = take(Shelf(tmp_path / "other"), bundle).shelved
    folder = Shelf(tmp_path / "other").place(taken.persona.short_name)
    vectors = folder.vectors(taken.persona)
    assert vectors is not None
    assert vectors.about.dimensions == 384
    Shelf(tmp_path / "other").write_bundle("hearth-guide", again)
    assert again.read_bytes() == bundle.read_bytes()
