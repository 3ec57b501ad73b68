"""Fixtures for every test: real weights by name, and the rule that a window is never a real one here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from app.paths import default_models_folder

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background deaf to Ctrl+C, and every program that a test starts inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

BESIDE_OTHERS = tuple(Path(__file__).with_name(name) for name in ("unit", "ui"))
SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"
QWEN_SMALL = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
STARTER = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what may run beside other tests, by its folder; single files mark themselves."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in BESIDE_OTHERS):
            item.add_marker(pytest.mark.beside)


def weights_path(name: str) -> Path:
    """Where `make weights` puts a model; fails by name if it is not there."""
    path = default_models_folder() / name
    if not path.is_file():
        pytest.fail(f"the weights {name} are missing: `make weights` fetches them")
    return path


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2 135M: quick plumbing, poor answers."""
    return weights_path(SMOLLM2)


@pytest.fixture(scope="session")
def qwen_small() -> Path:
    """Qwen2.5-Coder 0.5B: behaves."""
    return weights_path(QWEN_SMALL)


@pytest.fixture(scope="session")
def starter() -> Path:
    """Qwen2.5-Coder 1.5B, the starter model."""
    return weights_path(STARTER)
