"""What a header says a model is: real files, split files, other kinds than text, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModelFileError
from engine.model.description import ModelKind, describe, is_later_part
from tests.unit.gguf_writing import gguf, projector, tiny_model


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_real_models(smollm2: Path, qwen_small: Path, starter: Path) -> None:
    small, middle, large = (describe(path) for path in (smollm2, qwen_small, starter))
    assert (small.architecture, small.quantisation, small.n_params) == ("llama", "Q4_1", 134_515_008)
    assert (middle.architecture, middle.quantisation, middle.n_vocab) == ("qwen2", "Q4_K_M", 151_936)
    assert (large.n_layer, large.n_embd, large.n_ctx_train) == (28, 1536, 32_768)
    assert (set(large.n_head), set(large.n_head_kv), large.key_length) == ({12}, {2}, 128)
    assert large.size_bytes == 1_117_320_768
    assert all(model.kind is ModelKind.TEXT and "messages" in model.template for model in (small, middle, large))
    assert not any(model.can_think or model.recurrent or model.sliding_window for model in (small, middle, large))


def test_every_field_of_a_model(tmp_path: Path) -> None:
    model = describe(
        written(
            tmp_path / "a.gguf",
            tiny_model(
                architecture="gemma2",
                gemma2__attention__head_count=[4, 8],
                gemma2__attention__head_count_kv=[0, 2],
                gemma2__attention__key_length=96,
                gemma2__attention__sliding_window=512,
                gemma2__ssm__state_size=16,
                general__file_type=1024,
                tokenizer__chat_template="{% if enable_thinking %}",
            ),
        )
    )
    assert (model.n_head, model.n_head_kv, model.n_ff) == ((4, 8), (0, 2), (512, 512))
    assert (model.key_length, model.value_length) == (96, 32)
    assert model.sliding_window == 512
    assert model.recurrent and model.hybrid and model.can_think
    assert model.quantisation == "Q4_K"  # a guessed file type counts for nothing
    assert (model.licence, model.languages) == ("apache-2.0", ("en", "de"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (tiny_model(), ModelKind.TEXT),
        (projector(), ModelKind.PROJECTOR),
        (tiny_model(architecture="bert"), ModelKind.EMBEDDING),
        (tiny_model(architecture="qwen3", qwen3__pooling_type=3), ModelKind.EMBEDDING),
        (tiny_model(general__type="adapter"), ModelKind.ADAPTER),
        (tiny_model(general__type="imatrix"), ModelKind.OTHER),
        (tiny_model(architecture="wavtokenizer-dec"), ModelKind.OTHER),
        (gguf({"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"]}), ModelKind.VOCABULARY),
        (gguf({}), ModelKind.OTHER),
    ],
)
def test_kinds(tmp_path: Path, content: bytes, kind: ModelKind) -> None:
    assert describe(written(tmp_path / "a.gguf", content)).kind is kind


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"llama__block_count": 513}, "513 layers"),
        ({"llama__block_count": 0}, "0 layers"),
        ({"llama__embedding_length": 0}, "embedding length"),
        ({"llama__context_length": None}, "context length"),
        ({"llama__context_length": "many"}, "context length"),
        ({"split__count": 3}, "one of 3 parts"),
    ],
)
def test_refusals(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        describe(written(tmp_path / "a.gguf", tiny_model(**changes)))


def test_split_model_is_joined(tmp_path: Path) -> None:
    parts = [
        written(tmp_path / f"big-0000{number}-of-00003.gguf", content)
        for number, content in enumerate(
            (
                tiny_model(split__count=3, general__name=None),
                gguf({"split.count": 3}, [("blk.1.attn_k.weight", (256, 256), 12)]),
                gguf({"split.count": 3}, [("blk.1.attn_v.weight", (256, 256), 12)]),
            ),
            start=1,
        )
    ]
    for asked in parts:
        model = describe(asked)
        assert model.parts == tuple(parts)
        assert model.path == parts[0]
        assert model.name == "big"
        assert model.size_bytes == sum(path.stat().st_size for path in parts)
        assert model.n_params == describe(written(tmp_path / "one.gguf", tiny_model())).n_params + 2 * 256 * 256
    assert [is_later_part(path) for path in parts] == [False, True, True]
    parts[1].unlink()
    with pytest.raises(ModelFileError, match="big is in 3 parts, and big-00002-of-00003"):
        describe(parts[0])


def test_a_name_that_only_looks_split_is_taken_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "a-00002-of-00001.gguf", tiny_model())
    assert describe(path).parts == (path,)
