"""What of llama.cpp's source is mended, and that a source which has changed is not mended blindly."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def llama_source() -> ModuleType:
    """`packaging/` is no package, so its script is loaded by its path."""
    spec = spec_from_file_location("llama_source_script", ROOT / "packaging" / "llama_source.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpacked(folder: Path, module: ModuleType, times: int = 1) -> Path:
    """A source in which each mend has so many places."""
    for mend in module.MENDS:
        path = folder / mend.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write("// before\n" + times * f"{mend.before}// behind\n")
    return folder


def test_each_mend_is_carried_out(llama_source: ModuleType, tmp_path: Path) -> None:
    source = unpacked(tmp_path, llama_source)
    llama_source.mended(source)
    for mend in llama_source.MENDS:
        text = (source / mend.file).read_text()
        assert mend.after in text
        assert mend.before not in text
        assert text.startswith("// before\n")
        assert text.endswith("// behind\n")


@pytest.mark.parametrize("times", [0, 2])
def test_a_source_that_has_changed_ends_the_build(llama_source: ModuleType, tmp_path: Path, times: int) -> None:
    with pytest.raises(ValueError, match="is not as it was"):
        llama_source.mended(unpacked(tmp_path, llama_source, times))
