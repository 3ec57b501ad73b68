"""The path of an image: file, mtmd, projector, text model, logits.

The projector has random weights, for lack of a real one: that images arrive, whole and each as itself, is what is
tested here. How well a real vision model answers is not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.model.description import ModelKind, describe
from engine.model.discovery import discover
from engine.model.image_tokens import pseudo_tokens
from tests.process.small_projector import N_PATCHES, small_projector
from tests.unit.gguf_writing import tiny_model
from tests.unit.images import bmp, png, png_claiming

pytestmark = pytest.mark.weights
SMOLLM2_WIDTH = 576
DIFFERENT = 0.5
"""Logits: some orders above what rounding does."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vision")
    files = {
        "mmproj.gguf": small_projector(SMOLLM2_WIDTH),
        "narrow.gguf": small_projector(256),
        "no-eyes.gguf": tiny_model(),
        "red.png": png(),
        "blue.png": png(tint=(0, 0, 255)),
        "red.bmp": bmp(32, 32),
        "broken.png": png()[:60],
        "video.mp4": b"\0\0\0\x20ftypisom" + bytes(100),
        "huge.png": png_claiming(60_000, 60_000),
        "empty.png": b"",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    # What mtmd would call for anything that stb_image cannot decode: it must not be reached.
    trap = folder / "programs"
    trap.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        program = trap / name
        program.write_text(f"#!/bin/sh\ntouch '{folder}/called'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path, smollm2: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.vision_child", str(smollm2), str(folder / "mmproj.gguf"), str(folder)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PATH": f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_projector_is_known_and_fits_the_model(folder: Path, found: Any) -> None:
    description = describe(folder / "mmproj.gguf")
    assert (description.kind, description.n_embd) == (ModelKind.PROJECTOR, SMOLLM2_WIDTH)
    assert found["can_see"]


def test_a_projector_beside_a_model_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(tiny_model())
    (tmp_path / "mmproj-tiny.gguf").write_bytes(small_projector(256))
    (tmp_path / "mmproj-other.gguf").write_bytes(small_projector(512))
    (model,) = [m.description for m in discover(tmp_path, [], places=()).models if m.description.kind is ModelKind.TEXT]
    assert model.projector == tmp_path / "mmproj-tiny.gguf"


def test_an_image_is_a_run_of_tokens_that_no_vocabulary_has(folder: Path, found: Any) -> None:
    run = [token for token in found["prompt"] if token < 0]
    assert len(run) == N_PATCHES
    assert found["held"] == len(found["prompt"])
    assert [token for token in found["blue"] if token < 0] != run
    assert pseudo_tokens("x", 4) != tuple(run[:4])


def test_the_same_image_gives_the_same_logits(found: Any) -> None:
    assert found["again"] == 0
    assert found["other sequence"] < 0.05


def test_another_image_gives_others(found: Any) -> None:
    assert found["other image"] > DIFFERENT
    assert found["other format"] > DIFFERENT  # one colour, no fading: another picture


def test_a_copied_prefix_serves_as_the_computed_one(found: Any) -> None:
    assert found["copied prefix"] < 0.05


def test_a_cancelled_image_leaves_the_cache_as_it_was(found: Any) -> None:
    assert found["cancelled"]
    assert found["after a cancel"] < 0.05


def test_there_is_a_sign_of_life_inside_an_image(found: Any) -> None:
    assert found["beats"] >= 3


def test_a_full_cache_is_said(found: Any) -> None:
    assert found["full"] >= 1


def test_what_is_no_image_is_refused_and_given_to_no_other_program(folder: Path, found: Any) -> None:
    assert "AttachmentError: broken.png" in found["broken.png"]
    assert "AttachmentError: video.mp4" in found["video.mp4"]
    assert "AttachmentError: empty.png" in found["empty.png"]
    assert "LimitError: The image huge.png has too many pixels" in found["huge.png"]
    assert not (folder / "called").exists()


def test_a_changed_file_is_not_taken_for_the_one_that_was_added(found: Any) -> None:
    assert "has changed" in found["changed"]
    assert "no longer there" in found["gone"]


def test_what_cannot_be_this_models_projector_is_refused(found: Any) -> None:
    assert "belong to another model" in found["narrow.gguf"]
    assert "not the vision part" in found["no-eyes.gguf"]
