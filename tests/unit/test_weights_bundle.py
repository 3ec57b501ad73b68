"""Bundles of weights: what counts as missing, and that the catalogue of files is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.weights_bundle import EMBEDDER, KOKORO, VOICE, WeightsBundle
from engine.errors import VoiceError
from engine.model.weights_file import WeightsFile
from voice.audio_weights import verified

FILE = WeightsFile("a.bin", 3, hashlib.sha256(b"abc").hexdigest(), "MIT", ())


def test_a_file_that_is_not_whole_is_missing(tmp_path: Path) -> None:
    bundle = WeightsBundle("x", "X", (FILE,))
    assert bundle.missing(tmp_path / "nowhere") == [FILE]
    (tmp_path / "a.bin").write_bytes(b"ab")
    assert bundle.missing(tmp_path) == [FILE]
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert bundle.missing(tmp_path) == [] and bundle.size_bytes == 3


def test_a_file_that_is_not_what_was_published_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="missing"):
        verified(FILE, tmp_path)
    (tmp_path / "a.bin").write_bytes(b"abd")
    with pytest.raises(VoiceError, match="damaged"):
        verified(FILE, tmp_path)
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert verified(FILE, tmp_path) == tmp_path / "a.bin"


@pytest.mark.parametrize("bundle", [EMBEDDER, KOKORO, VOICE])
def test_every_file_can_be_had_and_known(bundle: WeightsBundle) -> None:
    assert len({file.file_name for file in bundle.files}) == len(bundle.files)
    for file in bundle.files:
        assert file.sources and len(file.sha256) == 64 and file.licence
