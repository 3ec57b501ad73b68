"""Ways to load a real model, adapters on it, and its threads, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.model.description import describe
from engine.model.fit import kv_cache_bytes
from engine.model.load_plan import FLASH_FORCED
from engine.model.loading import NOT_LOCKED
from engine.types import KvType
from tests.unit.adapter_writing import lora, lora_for_smollm2

HERE = Path(__file__).parent


def ask(task: str, model: Path, **options: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.process.machine_room", task, str(model), json.dumps(options)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=HERE.parent.parent)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_memory_for_several_windows(smollm2: Path) -> None:
    found = ask("loaded", smollm2, n_ctx=512)
    assert (found["n_ctx"], found["n_cells"], found["n_sequences"]) == (512, 2048, 32)
    assert (found["kv_type"], found["flash_attention"], found["notes"]) == ("f16", True, [])
    as_wished = ask("loaded", smollm2, n_ctx=512, n_cells=768, flash_attention="off")
    assert (as_wished["n_ctx"], as_wished["n_cells"], as_wished["flash_attention"]) == (512, 768, False)
    assert as_wished["best"] == found["best"]


@pytest.mark.parametrize("kv_type", [KvType.Q8_0, KvType.Q4_0])
def test_quantised_memory_switches_flash_attention_on(smollm2: Path, kv_type: KvType) -> None:
    found = ask("loaded", smollm2, n_ctx=512, n_cells=512, kv_type=kv_type.value, flash_attention="off")
    assert (found["kv_type"], found["flash_attention"]) == (kv_type.value, True)
    assert found["notes"] == [FLASH_FORCED]
    assert found["kv_bytes"] == pytest.approx(kv_cache_bytes(describe(smollm2), 512, kv_type), rel=0.01)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="rights and limits are set in Linux's way")
def test_weights_that_may_not_be_locked_are_loaded_all_the_same(smollm2: Path) -> None:
    found = ask("loaded", smollm2, n_ctx=512, n_cells=512, use_mlock=True, unprivileged=True)
    assert found["notes"] == [NOT_LOCKED]
    # Positive control: without the wish there is nothing to say.
    assert ask("loaded", smollm2, n_ctx=512, n_cells=512, unprivileged=True) == found | {"notes": []}


def test_an_adapter_changes_the_model_and_leaves_it_as_it_was(smollm2: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "random.gguf", tmp_path / "other.gguf"
    file.write_bytes(lora_for_smollm2())
    other.write_bytes(lora_for_smollm2(seed=2))
    weights = [(str(file), 1.0), (str(file), 0.0), (str(file), 0.5), (str(file), 1.0), (str(other), 1.0)]
    found = ask("adapters", smollm2, adapters=weights)
    assert found["refused"] == ""
    bare, whole, none, half, again, another, removed, freed = (np.array(row) for row in found["rows"])
    assert np.abs(whole - bare).max() > 0.1
    assert np.abs(half - bare).max() > 0.05
    assert np.abs(half - whole).max() > 0.05
    assert np.abs(another - whole).max() > 0.05
    assert np.array_equal(again, whole)
    for same in (none, removed, freed):
        assert np.array_equal(same, bare)
    nothing, first, zero, weaker, equal, second = found["variants"]
    assert nothing == zero == ""
    assert first == equal
    assert len({first, weaker, second, ""}) == 4


def test_an_adapter_of_another_model_is_refused(smollm2: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.gguf"
    for content in (
        lora_for_smollm2(general__architecture="qwen2"),
        lora({"blk.0.attn_q.weight": (512, 576)}),
        lora({"blk.99.attn_q.weight": (576, 576)}),
    ):
        file.write_bytes(content)
        found = ask("adapters", smollm2, adapters=[(str(file), 1.0)])
        assert found["refused"] == "The adapter other.gguf was made for another model."
        bare, removed, freed = found["rows"]
        assert bare == removed == freed


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "alone.gguf"
    file.write_bytes(lora_for_smollm2())
    assert ask("loaded", file)["refused"].startswith("alone.gguf is an adapter, not a model.")


def test_threads_of_this_machine(smollm2: Path) -> None:
    found = ask("threads", smollm2, cores={"logical": 4, "physical": 2, "performance": 2, "allowed": 3})
    if found["choice"] is not None:  # None where this machine is too busy to tell
        assert {found["choice"]["decode"], found["choice"]["prefill"]} <= {2, 3}
        assert found["now"] == [found["choice"]["decode"], found["choice"]["prefill"]]
    two = ask("threads", smollm2, cores={"logical": 2, "physical": 2, "performance": 2, "allowed": 2})
    assert (two["choice"], two["now"]) == ({"decode": 2, "prefill": 2}, [2, 2])
