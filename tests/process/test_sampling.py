"""Sampling from a shortlist chooses what llama.cpp's samplers choose from the whole vocabulary."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.beside

CASES = 200


def test_the_shortlist_chooses_as_the_whole_vocabulary_does(smollm2: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-m", "tests.process.sampling_child", smollm2, str(CASES)],
        check=True, capture_output=True, text=True, timeout=300,
    ).stdout  # fmt: skip
    report = json.loads(output)
    assert report["differing"] == 0
    assert report["differing_when_blind"] > 0, "the control is blind itself: these cases prove nothing"
    assert report["quick_share"] > 0.3, "the shortlist is hardly ever used in these cases"
    assert report["leads"] == pytest.approx([0, 0.5, 9, 7])
