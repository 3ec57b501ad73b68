"""The memory estimate against what a process really takes, with real models in real processes: within 10 %."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.model.description import describe
from engine.model.fit import estimate
from engine.types import KvType

pytestmark = pytest.mark.beside

HERE = Path(__file__).parent
TOLERANCE = 0.10
Q4_0, Q8_0 = 2, 7


def measured(
    model: Path,
    n_cells: int,
    kv_type: KvType,
    filled: int,
    *,
    use_mmap: bool = True,
    flash_attention: bool = True,
    n_outputs: int = 1,
) -> dict[str, Any]:
    """What `measured_load.py` says; `taken` is the peak beyond what the process had before, in bytes."""
    attention = "-1" if flash_attention else "0"
    options = [str(n_cells), kv_type.value, attention, str(int(use_mmap)), str(filled), str(n_outputs)]
    run = subprocess.run(
        [sys.executable, str(HERE / "measured_load.py"), str(model), *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    before, after = result["before"], result["after"]
    result["taken"] = after.get("VmHWM", after["VmRSS"]) - before["VmRSS"]
    result["kv"] = sum(size for name, size in result["buffers"].items() if name.endswith(" KV"))
    return result


def check(model: Path, n_cells: int, kv_type: KvType, filled: int, **how: Any) -> tuple[float, float]:
    """Assert the promise for one setting; return what was taken and the size of the file."""
    real = measured(model, n_cells, kv_type, filled, **how)
    guess = estimate(describe(model), n_cells, kv_type, filled=filled, **how)
    off = guess.total_bytes / real["taken"] - 1
    assert abs(off) <= TOLERANCE, f"{off:+.1%}: estimated {guess}, taken {real['taken']}, {real['buffers']}"
    assert guess.kv_bytes == pytest.approx(real["kv"], rel=0.01)
    return real["taken"], model.stat().st_size


@pytest.mark.parametrize(
    ("n_cells", "kv_type", "filled", "how"),
    [
        (512, KvType.F16, 512, {}),
        (1024, KvType.F16, 1024, {"flash_attention": False}),
        (2048, KvType.Q8_0, 512, {}),
        (2048, KvType.Q4_0, 512, {"n_outputs": 32}),
        (8192, KvType.F16, 256, {"use_mmap": False}),
    ],
)
def test_smallest_model(smollm2: Path, n_cells: int, kv_type: KvType, filled: int, how: dict[str, Any]) -> None:
    check(smollm2, n_cells, kv_type, filled, **how)


@pytest.mark.parametrize(
    ("n_cells", "kv_type", "filled", "how"),
    [
        (512, KvType.F16, 512, {}),
        (2048, KvType.Q8_0, 512, {"use_mmap": False}),
        (2048, KvType.Q4_0, 512, {"n_outputs": 64}),
        (32768, KvType.F16, 512, {}),
    ],
)
def test_small_model(qwen_small: Path, n_cells: int, kv_type: KvType, filled: int, how: dict[str, Any]) -> None:
    if psutil.virtual_memory().available < 1_500_000_000:
        pytest.skip("less than 1.5 GB of free memory")
    taken, file_size = check(qwen_small, n_cells, kv_type, filled, **how)
    # Positive control: the file's size alone is no estimate.
    assert file_size / taken - 1 < -TOLERANCE


@pytest.mark.parametrize("file_type", [Q4_0, Q8_0])
def test_other_quantisations(smollm2: Path, tmp_path: Path, file_type: int) -> None:
    """Types that the constants were not measured on; Q4_0 is repacked, its shared embedding too."""
    model = tmp_path / "again.gguf"
    command = [sys.executable, str(HERE / "requantised.py"), str(smollm2), str(model), str(file_type)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    check(model, 1024, KvType.F16, 512)
