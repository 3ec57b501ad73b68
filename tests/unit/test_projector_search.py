"""A projector beside a model file."""

from __future__ import annotations

from pathlib import Path

from engine.model.projector_search import projector_beside
from tests.unit.gguf_writing import projector, tiny_model


def test_the_smallest_of_the_models_width_is_taken(tmp_path: Path) -> None:
    model = tmp_path / "tiny.gguf"
    model.write_bytes(tiny_model())
    assert projector_beside(model) is None
    (tmp_path / "mmproj-f32.gguf").write_bytes(projector(256) + bytes(64))
    (tmp_path / "Tiny-MMPROJ-F16.gguf").write_bytes(projector(256))
    (tmp_path / "mmproj-other.gguf").write_bytes(projector(512))
    (tmp_path / "mmproj-broken.gguf").write_bytes(b"GGUF")
    (tmp_path / "mmproj-talks.gguf").write_bytes(tiny_model())
    assert projector_beside(model) == tmp_path / "Tiny-MMPROJ-F16.gguf"


def test_a_broken_or_missing_model_has_none(tmp_path: Path) -> None:
    (tmp_path / "mmproj.gguf").write_bytes(projector(256))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    assert projector_beside(tmp_path / "broken.gguf") is None
    assert projector_beside(tmp_path / "gone.gguf") is None
    assert projector_beside(tmp_path / "nowhere" / "gone.gguf") is None
    assert projector_beside(tmp_path / "mmproj.gguf") is None
