"""An installed program and a run from source: where files lie, whose pip is asked, what it tests of itself."""

from __future__ import annotations

import io
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from app import engines
from app import self_test as module
from app.bootstrap import Start
from app.command_line import Arguments, parse
from app.console import Console
from app.downloader import registry
from app.engine_probe import lacking
from app.installation import program_folder
from app.paths import portable_folder, resolve_paths
from app.self_test import NEEDED, NEEDED_ALONE, Check, FailedCheckError, NothingToTryError, self_test
from engine.errors import NoSourceError
from tests.unit.mark_engine import MarkEngine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As PyInstaller's start leaves it: the folder of the program."""
    folder = tmp_path / "hearth"
    folder.mkdir()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(folder / "hearth"))
    for name in ("HEARTH_PORTABLE", "HEARTH_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_a_folder_beside_an_installed_program_holds_everything(installed: Path) -> None:
    assert portable_folder() is None
    assert not resolve_paths().data.is_relative_to(installed)
    (installed / "portable").mkdir()
    paths = resolve_paths()
    folders = (paths.data, paths.config, paths.cache, paths.logs, paths.models, paths.embedder, paths.voice)
    assert all(folder.is_relative_to(installed / "portable") for folder in folders)


def test_a_folder_of_that_name_says_nothing_to_a_run_from_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "hearth")])
    monkeypatch.delenv("HEARTH_PORTABLE", raising=False)
    (tmp_path / "portable").mkdir()
    assert portable_folder() is None
    assert portable_folder(wanted=True) == tmp_path / "portable"


def test_the_variable_names_a_folder_or_wants_the_one_beside(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = installed.parent / "stick"
    monkeypatch.setenv("HEARTH_PORTABLE", str(elsewhere))
    assert resolve_paths().settings_file == elsewhere / "settings.toml"
    monkeypatch.setenv("HEARTH_PORTABLE", "1")
    assert portable_folder() == installed / "portable"
    monkeypatch.setenv("HEARTH_PORTABLE", "0")
    assert portable_folder() is None
    monkeypatch.setenv("HEARTH_PORTABLE", str(elsewhere))
    assert resolve_paths(installed / "own").data == installed / "own", "a folder that is named comes first"


def test_models_stay_where_the_person_has_put_them(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_MODELS_DIR", "/models")
    assert resolve_paths(portable=True).models == Path("/models")


def test_on_a_mac_beside_the_program_is_beside_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "Hearth.app" / "Contents" / "MacOS" / "hearth"))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert program_folder() == tmp_path


def test_an_installed_program_never_takes_itself_for_pip(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(installed))
    with pytest.raises(NoSourceError):
        registry.locate("anything", "1.0")
    pip = installed / "pip3"
    pip.write_text('#!/bin/sh\necho \'{"install": [{"download_info": {"url": "u", "archive_info": ')
    with pip.open("a") as script:
        script.write('{"hashes": {"sha256": "s"}}}}]}\'\n')
    pip.chmod(0o755)
    assert registry.locate("anything", "1.0") == registry.Archive("u", "s")


def test_what_a_processor_lacks() -> None:
    assert lacking(("SSE3", "SSSE3"), "x86_64") == ("AVX", "AVX2", "F16C", "FMA")
    assert lacking(("AVX", "AVX2", "F16C", "FMA", "AVX512"), "AMD64") == ()
    assert lacking(("NEON", "DOTPROD"), "arm64") == () and lacking(("NEON",), "riscv64") == ()


def test_the_self_test_tries_all_that_the_program_depends_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tried = {name.split(".")[0] for name in (*NEEDED, *NEEDED_ALONE)}
    named = {_plain(name) for module, names in packages_distributions().items() if module in tried for name in names}
    wanted = {_plain(re.split(r"[<>=!;\[]", each)[0]) for each in project["dependencies"] if "darwin" not in each}
    assert wanted - named == {"llama-cpp-python", "pyside6-essentials"}, "these have lines of their own"


def test_a_failure_does_not_hide_the_other_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> str:
        raise FailedCheckError("it broke")

    def unheard_of() -> str:
        raise RuntimeError("unheard of")

    code, lines = _run(
        tmp_path, monkeypatch, Check("one", breaks), Check("two", unheard_of), Check("three", lambda: "fine")
    )
    assert code == 1
    assert [(line["check"], line["state"], line["detail"]) for line in lines] == [
        ("one", "failed", "it broke"),
        ("two", "failed", "RuntimeError: unheard of"),
        ("three", "ok", "fine"),
    ]


def test_nothing_to_try_it_with_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> str:
        raise NothingToTryError("no model")

    code, lines = _run(tmp_path, monkeypatch, Check("model", nothing))
    assert (code, lines[0]["state"], lines[0]["detail"]) == (0, "skipped", "no model")


def test_a_model_that_begins_with_a_mark_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "make_engine", lambda _settings, _paths: MarkEngine(loaded=False))
    arguments, start = parse(["--data-dir", str(tmp_path), "--self-test", "--model", "thinker.gguf"])
    (check,) = (each for each in module.checks(arguments, start) if each.name == "model")
    assert check.run() == "thinker.gguf said ''"


def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *checks: Check) -> tuple[int, list[dict[str, str]]]:
    def given(_arguments: Arguments, _start: Start) -> tuple[Check, ...]:
        return checks

    monkeypatch.setattr(module, "checks", given)
    arguments, start = parse(["--data-dir", str(tmp_path), "--self-test"])
    assert arguments.self_test
    out = io.StringIO()
    code = self_test(arguments, start, Console(json=True, out=out))
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
