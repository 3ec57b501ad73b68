"""`hearth bench` as a person runs it: the real program, a real model, the real library; a table, JSON and a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.embedding.weights import FILES
from tests.minilm_weights import minilm_folder
from tests.process.test_cli_real import data, models, run

__all__ = ["data", "models"]
pytestmark = pytest.mark.beside

PATIENCE_S = 150.0
"""It takes longer the more others compute."""


@pytest.mark.weights
def test_a_table_and_a_picture(models: Path, data: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "speed.png"
    done = run([*data, "bench", "--only", "decode", "--out", str(picture)], models, patience_s=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "SmolLM2 135M" in text
    assert "Writing one answer" in text and "% of what the memory allows" in text
    assert "Learning documents" not in text
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.weights
def test_documents_as_json_and_what_is_missing(models: Path, data: list[str], tmp_path: Path) -> None:
    (tmp_path / "embedder").mkdir()
    for file in FILES:
        (tmp_path / "embedder" / file.file_name).symlink_to(minilm_folder() / file.file_name)
    done = run([*data, "--json", "bench", "--only", "query,speech"], models, patience_s=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (query,) = report["measured"]
    assert (query["what"], query["unit"]) == ("query", "ms")
    assert query["lowest"] <= query["median"] <= query["highest"]
    assert [each["what"] for each in report["skipped"]] == ["speech"]
    assert not (tmp_path / "data" / "library").exists(), "the person's own library is not touched"
