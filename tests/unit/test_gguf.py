"""The GGUF header reader: what it reads, what it refuses, and its caps at -1, 0 and +1."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelFileError
from engine.model import gguf as reader
from engine.model.gguf import GgufArray, GgufHeader, read_header
from tests.unit.gguf_writing import Typed, gguf, text, tiny_model


def read(tmp_path: Path, content: bytes, **options: Any) -> GgufHeader:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    return read_header(path, **options)


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path, content)
    return str(caught.value)


def test_real_header(qwen_small: Path) -> None:
    begun = time.perf_counter()
    header = read_header(qwen_small)
    assert time.perf_counter() - begun < 0.3
    assert header.version == 3
    assert header.text("general.architecture") == "qwen2"
    assert header.integer("qwen2.block_count") == 24
    assert header.array_length("tokenizer.ggml.tokens") == 151_936
    assert len(header.tensors) == 291
    assert sum(tensor.n_elements for tensor in header.tensors) == 630_167_424
    last = header.tensors[-1]
    assert header.data_offset + last.offset + last.size_bytes <= header.file_size == 491_400_064


def test_long_array_is_kept_on_request(smollm2: Path) -> None:
    key = "tokenizer.ggml.tokens"
    without = read_header(smollm2).metadata[key]
    kept = read_header(smollm2, keep_arrays=(key,)).metadata[key]
    assert isinstance(without, GgufArray) and without.values is None
    assert isinstance(kept, GgufArray) and kept.values is not None
    assert len(kept.values) == kept.length == without.length == 49_152
    assert kept.values[1] == "<|im_start|>"


@pytest.mark.parametrize(
    ("number", "code", "value"),
    [
        (0, "B", 255), (1, "b", -128), (2, "H", 65_535), (3, "h", -32_768), (4, "I", 2**32 - 1), (5, "i", -(2**31)),
        (6, "f", 0.5), (7, "?", True), (10, "Q", 2**64 - 1), (11, "q", -(2**63)), (12, "d", 0.1),
    ],
)  # fmt: skip
def test_every_scalar(tmp_path: Path, number: int, code: str, value: Any) -> None:
    header = read(tmp_path, gguf({"key": Typed(number, code, value), "after": "whole"}), keep_arrays=())
    assert header.metadata["key"] == value
    assert header.text("after") == "whole"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=30).filter(lambda key: key != "general.alignment"),
        st.integers(0, 2**32 - 1) | st.booleans() | st.text(max_size=50) | st.lists(st.text(max_size=8), min_size=1),
        max_size=12,
    )
)
def test_what_is_written_is_read(tmp_path: Path, metadata: dict[str, Any]) -> None:
    header = read(tmp_path, gguf(metadata, [("a", (32, 2), 8), ("b", (3,), 0)]))
    for key, value in metadata.items():
        found = header.metadata[key]
        assert (list(found.values or ()) if isinstance(found, GgufArray) else found) == value
    assert [(tensor.name, tensor.shape, tensor.size_bytes) for tensor in header.tensors] == [
        ("a", (32, 2), 68),
        ("b", (3,), 12),
    ]


def test_version_2_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, gguf({"a": 1}, version=2)).version == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"GG", "not a GGUF model file"),
        (b"<html>no model here</html>", "not a GGUF model file"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (gguf({}, version=1), "version 1"),
        (gguf({}, version=4), "version 4"),
        (b"GGUF" + struct.pack("<I", 3), "incomplete"),
    ],
)
def test_not_a_model(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(tmp_path, content)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.gguf"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "absent.gguf", Path("a\0b")):
        with pytest.raises(ModelFileError):
            read_header(path)


def test_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    whole = tiny_model()
    header = read(tmp_path, whole)
    data_end = header.data_offset + header.tensors[-1].offset + header.tensors[-1].size_bytes
    assert read(tmp_path, whole[:data_end]).tensors == header.tensors  # padding after the last tensor may be missing
    for length in (*range(0, header.data_offset, 7), header.data_offset, data_end - 1):
        refused(tmp_path, whole[:length])
    assert "1 of" in refused(tmp_path, whole[: data_end - 1])


def with_tensor(name: bytes = b"t", shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text(name)
    head += struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return head + bytes(-len(head) % 32) + bytes(4096)


def test_wrong_tensors_are_refused(tmp_path: Path) -> None:
    assert len(read(tmp_path, with_tensor()).tensors) == 1  # positive control
    assert "impossible size" in refused(tmp_path, with_tensor(shape=(2**62, 2**62)))
    assert "impossible size" in refused(tmp_path, with_tensor(shape=(0, 2**64 - 1)))
    assert "impossible shape" in refused(tmp_path, with_tensor(shape=(33,), kind=8))
    assert "number format" in refused(tmp_path, with_tensor(kind=4))
    assert "number format" in refused(tmp_path, with_tensor(kind=999))
    assert "not where" in refused(tmp_path, with_tensor(offset=32))
    assert "incomplete" in refused(tmp_path, with_tensor(shape=(2**40,)))
    assert "not text" in refused(tmp_path, with_tensor(name=b"\xff"))
    twice = gguf({}, [("a", (8,), 0), ("a", (8,), 0)])
    assert "twice" in refused(tmp_path, twice)


def test_wrong_metadata_is_refused(tmp_path: Path) -> None:
    one = gguf({"a": 1})
    assert "unknown kind of value" in refused(tmp_path, one[:-8] + struct.pack("<II", 13, 1))
    nested = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 9, 1)
    assert "unknown kind of list" in refused(tmp_path, nested)
    assert "twice" in refused(tmp_path, gguf({"a": 1, "b": 2}).replace(text("b"), text("a")))
    assert "no name" in refused(tmp_path, gguf({"": 1}))
    assert "not text" in refused(tmp_path, gguf({b"\xff": 1}))
    assert read(tmp_path, gguf({"general.alignment": 64}, [("t", (8,), 0)])).data_offset % 64 == 0
    for alignment in (b"\4\0\0\0\0\0\0\0", b"\4\0\0\0\3\0\0\0", b"\7\0\0\0\1", b"\10\0\0\0" + text("32")):
        entry = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("general.alignment") + alignment
        assert "alignment is impossible" in refused(tmp_path, entry)


def test_invalid_text_in_a_value_is_shown_not_refused(tmp_path: Path) -> None:
    assert read(tmp_path, gguf({"a": b"caf\xe9"})).text("a") == "caf�"


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, excess: int) -> None:
    """Each cap: one below and exactly at it is read, one above is refused."""
    monkeypatch.setattr(reader, "MAX_STRING_BYTES", 5_000)
    monkeypatch.setattr(reader, "MAX_ARRAY_ELEMENTS", 2_000)
    monkeypatch.setattr(reader, "MAX_METADATA_ENTRIES", 50)
    monkeypatch.setattr(reader, "MAX_TENSORS", 40)
    monkeypatch.setattr(reader, "MAX_HEADER_BYTES", 20_000)
    n = excess
    head = len(gguf({"a": [0, 1]})) - 8
    at_the_cap: dict[str, bytes] = {
        "string": gguf({"a": "x" * (5_000 + n)}),
        "key": gguf({"k" * (reader.MAX_KEY_BYTES + n): 1}),
        "numbers": gguf({"a": list(range(1_000)), "b": list(range(1_000 + n))}),
        "strings": gguf({"a": ["y"] * 1_000, "b": ["y"] * (1_000 + n)}),
        "entries": gguf({f"k{number}": 1 for number in range(50 + n)}),
        "tensors": gguf({}, [(f"t{number}", (8,), 0) for number in range(40 + n)]),
        "tensor name": gguf({}, [("t" * (reader.MAX_TENSOR_NAME_BYTES + n), (8,), 0)]),
        "dimensions": gguf({}, [("t", (2,) * (reader.MAX_DIMENSIONS + n), 0)]),
        "skipped strings in all": gguf({"a": [*["y" * 10] * 1_099, "z" * (20_000 - head - 18 * 1_099 - 8 + n)]}),
    }
    for what, content in at_the_cap.items():
        if excess > 0:
            assert ("far larger" in (sentence := refused(tmp_path, content))) or "shape" in sentence, what
        else:
            assert read(tmp_path, content).file_size == len(content), what


def test_declared_counts_are_not_believed(tmp_path: Path) -> None:
    """A few bytes that claim billions of entries cost nothing."""
    begun = time.perf_counter()
    for n_tensors, n_entries in ((2**63, 0), (0, 2**63), (65_536, 8_192)):
        refused(tmp_path, b"GGUF" + struct.pack("<IQQ", 3, n_tensors, n_entries))
    for length in (2**64 - 1, 2**40, 4_000_000):
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a")
        refused(tmp_path, head + struct.pack("<IIQ", 9, 8, length))
        refused(tmp_path, head + struct.pack("<IQ", 8, length))
    assert time.perf_counter() - begun < 0.5
