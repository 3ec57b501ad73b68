"""What Hearth stands on is named, with its terms and their words."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from app import licences as module
from app.licences import PROGRAM, distributions_of, licences

ROOT = Path(__file__).resolve().parents[2]


def test_every_dependency_is_named_with_its_terms() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {_name(each) for each in project["dependencies"] if "darwin" not in each}
    found = {_name(each.name): each for each in licences()}
    assert wanted <= set(found)
    assert not [name for name in wanted if not found[name].terms and not found[name].text()]
    assert "mit" in found["charset-normalizer"].terms.lower()
    assert "Permission is hereby granted" in found["llama.cpp"].text()
    assert "LESSER GENERAL PUBLIC LICENSE" in found["qt"].text()
    assert {"inter", "lucide", "jetbrains-mono"} <= set(found)
    assert all(found[name].text() for name in ("inter", "lucide", "jetbrains-mono", "numpy"))


def test_what_only_development_needs_is_left_out() -> None:
    names = {_name(each.metadata["Name"]) for each in distributions_of(PROGRAM)}
    assert "numpy" in names and "markupsafe" in names, "also what is needed by what is needed"
    assert names.isdisjoint({"pytest", "torch", "babel", "pip"})


def test_nothing_forbids_what_hearth_is_shared_on() -> None:
    """Hearth is Apache-2.0; a dependency on these terms alone could not go along."""
    for each in licences():
        alternatives = re.split(r"\s+OR\s+", each.terms)
        assert not all(re.match(r"A?GPL", terms.strip("() ")) for terms in alternatives), f"{each.name}: {each.terms}"


def test_what_was_taken_from_a_system_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libportaudio2.txt").write_text("Do what you like.")
    monkeypatch.setattr(module, "COLLECTED", tmp_path)
    assert [each.text() for each in licences() if each.name == "libportaudio2"] == ["Do what you like."]


def test_texts_are_found_by_the_list_of_what_was_installed(tmp_path: Path) -> None:
    folder = tmp_path / "harbour-1.0.dist-info"
    (folder / "licenses").mkdir(parents=True)
    (folder / "METADATA").write_text("Name: harbour\nVersion: 1.0\nLicense: MIT\n")
    names = ("harbour-1.0.dist-info/licenses/LICENSE, old", "harbour-1.0.dist-info/NOTICE", "licence.py")
    for name in names:
        (tmp_path / name).write_text("Do what you like.")
    gone = "harbour-1.0.dist-info/COPYING"
    (folder / "RECORD").write_text("".join(f'"{name}",,\n' for name in (*names, gone)))
    found = module.licence_of(Distribution.at(folder))
    assert (found.name, found.version, found.terms) == ("harbour", "1.0", "MIT")
    assert found.files == tuple(sorted(tmp_path / name for name in names[:2]))


def test_a_program_that_was_never_installed_has_none() -> None:
    assert distributions_of("no-such-distribution") == ()


def _name(requirement: str) -> str:
    return re.sub(r"[-_ ]+", "-", re.split(r"[<>=!;\[]", requirement)[0].strip()).lower()
