"""What a model looks at images with: found beside it, chosen, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.head_start import spec_by_settings
from app.model_projectors import (
    AUTOMATIC,
    NONE,
    ProjectorChoice,
    check_projector,
    choice_of,
    keep_found,
    projector_of,
    set_choice,
)
from app.settings import Settings
from engine.errors import ModelFileError
from tests.unit.gguf_writing import projector, tiny_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "tiny.gguf"
    path.parent.mkdir()
    path.write_bytes(tiny_model())
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(tmp_path / "settings.toml")


def eyes(model: Path, name: str = "mmproj-tiny.gguf", width: int = 256) -> Path:
    path = model.with_name(name)
    path.write_bytes(projector(width))
    return path


def test_the_one_beside_the_model_is_taken(model: Path, settings: Settings) -> None:
    assert spec_by_settings(model, settings, None).projector is None
    found = eyes(model)
    assert spec_by_settings(model, settings, None).projector == found


def test_a_choice_is_kept_for_its_model(model: Path, settings: Settings, tmp_path: Path) -> None:
    small, other = eyes(model), model.parent / "b.gguf"
    large = eyes(model, "mmproj-large.gguf")
    set_choice(model, ProjectorChoice(False, large), settings)
    set_choice(other, NONE, settings)
    again = Settings.load(tmp_path / "settings.toml")
    assert spec_by_settings(model, again, None).projector == large
    assert choice_of(other, again) == NONE
    set_choice(model, NONE, again)
    assert projector_of(model, again) is None
    set_choice(model, AUTOMATIC, again)
    assert projector_of(model, again) in (small, large)
    assert choice_of(other, again) == NONE


def test_a_chosen_one_that_is_gone_is_none(model: Path, settings: Settings) -> None:
    eyes(model)
    set_choice(model, ProjectorChoice(False, model.with_name("gone.gguf")), settings)
    assert projector_of(model, settings) is None


def test_what_a_store_names_is_remembered_for_the_next_start(model: Path, settings: Settings, tmp_path: Path) -> None:
    blob = tmp_path / "sha256-abc"
    blob.write_bytes(projector(256))
    keep_found(model, None, settings)
    assert choice_of(model, settings) == AUTOMATIC
    keep_found(model, blob, settings)
    assert projector_of(model, settings) == blob
    set_choice(model, NONE, settings)
    keep_found(model, blob, settings)
    assert projector_of(model, settings) is None, "who wants none gets none"


def test_one_that_lies_beside_the_model_is_not_written_down(model: Path, settings: Settings) -> None:
    keep_found(model, eyes(model), settings)
    assert choice_of(model, settings) == AUTOMATIC


def test_only_this_models_vision_part_is_taken(model: Path) -> None:
    check_projector(eyes(model), model)
    with pytest.raises(ModelFileError, match="belongs to another model"):
        check_projector(eyes(model, "wide.gguf", 512), model)
    with pytest.raises(ModelFileError, match="not the vision part"):
        check_projector(model, model)
