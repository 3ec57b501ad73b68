"""What counts as an adapter and to which model it belongs, from headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModelFileError
from engine.model.adapter_file import check_belongs, read_adapter
from engine.model.description import ModelKind, describe
from tests.unit.adapter_writing import lora
from tests.unit.gguf_writing import gguf, tiny_model

FITTING = {"blk.0.attn_q.weight": (256, 256), "blk.1.ffn_up.weight": (256, 512)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(tiny_model())
    return path


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "adapter.gguf"
    path.write_bytes(content)
    return path


def test_adapter_is_read_and_belongs(tmp_path: Path, model: Path) -> None:
    path = written(tmp_path, lora(FITTING, rank=8))
    adapter = read_adapter(path)
    assert (adapter.name, adapter.architecture, adapter.alpha, adapter.rank) == ("Random", "llama", 8.0, 8)
    assert adapter.pairs["blk.1.ffn_up.weight"] == ((256, 8), (8, 512))
    check_belongs(adapter, model)
    assert describe(path).kind is ModelKind.ADAPTER
    # An embedding's matrices are the other way round.
    check_belongs(read_adapter(written(tmp_path, gguf_of_embedding())), model)


def gguf_of_embedding() -> bytes:
    metadata = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}
    tensors = [("token_embd.weight.lora_a", (4, 64), 0), ("token_embd.weight.lora_b", (4, 256), 0)]
    return gguf(metadata | {"adapter.lora.alpha": 4.0}, tensors)


@pytest.mark.parametrize(
    "changes",
    [
        {"general__type": "model"},
        {"general__type": None},
        {"adapter__type": "control_vector"},
        {"adapter__lora__alpha": None},
        {"adapter__lora__alpha": 4},
        {"adapter__alora__invocation_tokens": [1, 2]},
    ],
)
def test_other_files_are_no_adapters(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        read_adapter(written(tmp_path, lora(FITTING, **changes)))


def test_half_a_pair_is_damaged(tmp_path: Path) -> None:
    metadata = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 1.0,
    }
    for names in ([], ["blk.0.attn_q.weight.lora_a"], ["blk.0.attn_q.weight"]):
        with pytest.raises(ModelFileError):
            read_adapter(written(tmp_path, gguf(metadata, [(name, (256, 4), 0) for name in names])))


@pytest.mark.parametrize(
    "content",
    [
        lora(FITTING, general__architecture="qwen2"),
        lora({"blk.0.attn_q.weight": (256, 128)}),
        lora({"blk.0.attn_q.weight": (128, 256)}),
        lora({"blk.7.attn_q.weight": (256, 256)}),
    ],
)
def test_an_adapter_for_something_else_does_not_belong(tmp_path: Path, model: Path, content: bytes) -> None:
    with pytest.raises(ModelFileError, match="another model"):
        check_belongs(read_adapter(written(tmp_path, content)), model)
