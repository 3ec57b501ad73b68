"""The person's adapters by model: kept in the settings, handed to the engine, checked before they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.head_start import spec_by_settings
from app.model_adapters import KEY, adapters_of, check_adapter, set_adapters
from app.settings import Settings
from engine.errors import ModelFileError
from engine.types import Adapter, FlashAttention, KvType
from tests.unit.adapter_writing import lora
from tests.unit.gguf_writing import tiny_model

ONE, TWO = Path("/models/one.gguf"), Path("/models/two.gguf")


def test_each_model_keeps_its_own(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    settings = Settings.load(file)
    set_adapters(ONE, [Adapter(Path("/a.gguf")), Adapter(Path("/b.gguf"), 0.25)], settings)
    set_adapters(TWO, [Adapter(Path("/a.gguf"), 0.0)], settings)
    set_adapters(ONE, [Adapter(Path("/a.gguf"), 1.5)], settings)
    again = Settings.load(file)
    assert adapters_of(ONE, again) == (Adapter(Path("/a.gguf"), 1.5),)
    assert adapters_of(TWO, again) == (Adapter(Path("/a.gguf"), 0.0),)
    assert adapters_of(Path("/models/three.gguf"), again) == ()
    assert spec_by_settings(ONE, again, None).adapters == (Adapter(Path("/a.gguf"), 1.5),)
    set_adapters(ONE, [], again)
    set_adapters(TWO, [], again)
    assert again.texts(KEY) == ()


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=30), max_size=4))
def test_texts_that_make_no_sense_are_passed_over_and_kept(texts: list[str]) -> None:
    settings = Settings()
    settings.set(KEY, tuple(texts))
    assert adapters_of(ONE, settings) == ()
    set_adapters(ONE, [Adapter(Path("/a.gguf"))], settings)
    assert settings.texts(KEY) == (*texts, "1.00 | /models/one.gguf | /a.gguf")


def test_only_an_adapter_of_this_model_is_taken(tmp_path: Path) -> None:
    model, adapter = tmp_path / "model.gguf", tmp_path / "adapter.gguf"
    model.write_bytes(tiny_model())
    adapter.write_bytes(lora({"blk.0.attn_q.weight": (256, 256)}))
    check_adapter(adapter, model)
    with pytest.raises(ModelFileError):
        check_adapter(model, model)
    odd = tmp_path / "a | b"
    odd.mkdir()
    (odd / "adapter.gguf").write_bytes(adapter.read_bytes())
    with pytest.raises(ModelFileError, match="Rename"):
        check_adapter(odd / "adapter.gguf", model)


def test_settings_become_a_spec() -> None:
    settings = Settings()
    plain = spec_by_settings(ONE, settings, None)
    assert (plain.use_mmap, plain.use_mlock, plain.speculate, plain.draft_path) == (True, False, True, None)
    assert (plain.kv_type, plain.flash_attention) == (KvType.F16, FlashAttention.AUTO)
    for key, value in (
        ("model.kv_type", "q4_0"),
        ("model.flash_attention", "off"),
        ("model.weights", "locked"),
        ("model.speculate", False),
        ("model.draft_path", "/models/small.gguf"),
    ):
        settings.set(key, value)
    chosen = spec_by_settings(ONE, settings, None)
    assert (chosen.use_mmap, chosen.use_mlock, chosen.speculate) == (False, True, False)
    assert chosen.draft_path == Path("/models/small.gguf")
    assert (chosen.kv_type, chosen.flash_attention) == (KvType.Q4_0, FlashAttention.OFF)
    settings.set("model.weights", "read")
    assert (spec_by_settings(ONE, settings, None).use_mmap, spec_by_settings(ONE, settings, None).use_mlock) == (
        False,
        False,
    )
