"""Which small models may guess ahead for a large one, and the sentence for each that may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.model_draft import check_draft, draft_candidates
from app.model_entry import Availability, ModelEntry
from engine.errors import ModelFileError
from engine.model.description import describe
from tests.unit.gguf_writing import projector, tiny_model


def put(folder: Path, name: str, *, kilobytes: int = 0, **changes: Any) -> Path:
    path = folder / f"{name}.gguf"
    path.write_bytes(tiny_model(name, general__description="x" * (kilobytes * 1000), **changes))
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return put(tmp_path, "large", kilobytes=1000)


def test_a_smaller_one_with_the_same_words_fits(tmp_path: Path, large: Path) -> None:
    check_draft(put(tmp_path, "small"), large)
    check_draft(put(tmp_path, "kin", architecture="qwen2"), large)
    check_draft(put(tmp_path, "padded", tokenizer__ggml__tokens=[f"t{number}" for number in range(64 + 128)]), large)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kilobytes": 800}, "would save no time"),
        ({"tokenizer__ggml__tokens": [f"t{number}" for number in range(64 + 129)]}, "other words"),
        ({"tokenizer__ggml__tokens": [f"t{number}" for number in range(63)] + ["one other"]}, "other words"),
        ({"tokenizer__ggml__model": "llama"}, "other words"),
        ({"tokenizer__ggml__bos_token_id": 7}, "other words"),
        ({"architecture": "mamba"}, "not a language model that can guess ahead"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(
    tmp_path: Path, large: Path, changes: dict[str, Any], why: str
) -> None:
    small = put(tmp_path, "small", **changes)
    with pytest.raises(ModelFileError, match=f"small.gguf .*{why}"):
        check_draft(small, large)


def test_files_that_are_no_language_models_are_refused(tmp_path: Path, large: Path) -> None:
    eyes = tmp_path / "eyes.gguf"
    eyes.write_bytes(projector())
    with pytest.raises(ModelFileError, match="not a language model"):
        check_draft(eyes, large)
    with pytest.raises(ModelFileError, match=r"gone\.gguf"):
        check_draft(tmp_path / "gone.gguf", large)


@pytest.mark.weights
def test_real_families(qwen_small: Path, starter: Path, smollm2: Path) -> None:
    check_draft(qwen_small, starter)
    with pytest.raises(ModelFileError, match="other words"):
        check_draft(smollm2, starter)


def entry(path: Path, availability: Availability = Availability.HERE) -> ModelEntry:
    description = describe(path)
    return ModelEntry(
        path.stem, path.stem, availability, path, size_bytes=description.size_bytes, description=description
    )


def test_candidates_are_smaller_and_here(tmp_path: Path, large: Path) -> None:
    wanted = entry(large)
    rows = [
        wanted,
        entry(put(tmp_path, "middle", kilobytes=300)),
        entry(put(tmp_path, "small")),
        entry(put(tmp_path, "as large", kilobytes=900)),
        entry(put(tmp_path, "stranger", tokenizer__ggml__tokens=["a"] * 500)),
        ModelEntry("offer", "offer", Availability.TO_FETCH),
    ]
    assert [each.name for each in draft_candidates(wanted, rows)] == ["small", "middle"]
    assert draft_candidates(rows[-1], rows) == ()
