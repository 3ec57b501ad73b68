"""P4: what a text spells never becomes a control token, on each tokeniser at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.beside

N_STRINGS = 100_000


@pytest.fixture(scope="module", params=["smollm2", "qwen_small"])
def result(request: pytest.FixtureRequest) -> Any:
    path: Path = request.getfixturevalue(request.param)
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.vocabulary_child", str(path), str(N_STRINGS)],
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return {"model": request.param, **json.loads(done.stdout.splitlines()[-1])}


def test_no_string_becomes_a_control_token(result: dict[str, Any]) -> None:
    assert result["strings"] >= 100_000
    assert result["marks"] >= 10
    assert result["control"] == 0
    assert result["named"] == 0


def test_the_same_strings_would_be_control_tokens_as_literals(result: dict[str, Any]) -> None:
    """Positive control: tokenised as the template's own words, most of them are."""
    assert result["literal"] > 0.8 * result["literal_of"]


def test_no_character_is_lost_or_added(result: dict[str, Any]) -> None:
    assert result["text_differs"] == 0


def test_prompts_read_as_their_template_has_them(result: dict[str, Any]) -> None:
    """By pieces or whole, the tokens spell the same; and nearly always they are the same tokens."""
    whole = result["whole"]
    assert whole["compared"] >= 25
    assert whole["same_text"] == whole["compared"]
    assert whole["equal"] >= 0.7 * whole["compared"]


def test_the_reviewed_template_is_chosen(result: dict[str, Any]) -> None:
    assert result["family"] == {"smollm2": "smollm2", "qwen_small": "qwen2.5"}[result["model"]]
