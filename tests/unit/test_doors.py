"""The doors between the rooms are held by import-linter; here each contract is proved by a planted violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("app", "engine", "rag", "voice")

PLANTED = {
    "rooms": ("engine/planted.py", "import app.paths\n"),
    "product": ("app/store/planted.py", "import app.services\n"),
    "window": ("app/planted.py", "from PySide6 import QtCore\n"),
    "network": ("app/planted.py", "import urllib.request\n"),
    "network, beside the door": ("app/remote/planted.py", "import socket\n"),
    "network, in the local API": ("app/api/planted.py", "import urllib.request\n"),
    "network, a server beside it": ("app/planted.py", "import uvicorn\n"),
    "llama": ("engine/planted.py", "import llama_cpp\n"),
    "worker": ("app/planted.py", "from engine.model.runner import Runner\n"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of our packages beside their contracts."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "*.ttf", "*.svg"))
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [program, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_contracts_are_kept(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", PLANTED)
def test_planted_violation_is_found(copy: Path, contract: str) -> None:
    name, source = PLANTED[contract]
    planted = copy / name
    planted.write_text(f'"""A violation."""\n\n{source}')
    try:
        result = lint(copy)
    finally:
        planted.unlink()
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_packaging_is_not_a_package() -> None:
    """An `__init__.py` there would shadow the library `packaging` for every other library."""
    assert not (ROOT / "packaging" / "__init__.py").exists()
    import packaging.version

    assert packaging.version.Version("1.0") < packaging.version.Version("2.0")


def test_only_essentials_of_qt() -> None:
    """No web engine, and Qt's network module only for the local socket of the single instance."""
    users = [path.relative_to(ROOT) for path in (ROOT / "app").rglob("*.py") if "QtNetwork" in path.read_text()]
    assert users in ([], [Path("app/ui/single_instance.py")])
    assert not [path for path in (ROOT / "app").rglob("*.py") if "QtWebEngine" in path.read_text()]
