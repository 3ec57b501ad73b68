"""Thousands of damaged headers: each is described or refused with a sentence, quickly and in little memory."""

from __future__ import annotations

import random
import re
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ModelFileError
from engine.model.description import describe
from engine.model.gguf import read_header
from tests.unit.gguf_writing import tiny_model

SMALL_MUTANTS = 2_000
REAL_MUTANTS = 400
EXTREMES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def mutants(header: bytes, hot: list[range], count: int, seed: int) -> Iterator[bytes]:
    """Damaged copies of `header`; damage falls into the `hot` ranges."""
    dice = random.Random(seed)
    for _ in range(count):
        changed = bytearray(header)
        for _ in range(dice.choice((1, 1, 1, 2, 5))):
            region = dice.choice(hot)
            at = dice.randrange(region.start, region.stop)
            match dice.randrange(6):
                case 0:
                    changed[at : at + 1] = bytes([changed[at] ^ 1 << dice.randrange(8) if at < len(changed) else 0])
                case 1:
                    changed[at : at + 8] = struct.pack("<Q", dice.choice(EXTREMES))
                case 2:
                    changed[at : at + 4] = struct.pack("<I", dice.choice(EXTREMES) & 0xFFFFFFFF)
                case 3:
                    del changed[at : at + dice.randrange(1, 64)]
                case 4:
                    changed[at:at] = dice.randbytes(dice.randrange(1, 64))
                case 5:
                    changed[at:] = b"" if dice.random() < 0.5 else changed[at // 2 :]
        yield bytes(changed)


def peak_memory() -> int:
    """This process's highest resident memory since `reset_peak`, in bytes."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def outcomes(path: Path, contents: Iterator[bytes], size: int) -> tuple[int, int]:
    """How many were described and how many refused; the file is padded (sparse) to `size`."""
    described = refused = 0
    for content in contents:
        with path.open("wb") as file:
            file.write(content)
            file.truncate(max(size, len(content)))
        begun = time.perf_counter()
        try:
            describe(path)
            described += 1
        except ModelFileError as error:
            assert str(error).endswith(".")
            refused += 1
        assert time.perf_counter() - begun < 2.0, content[:200]
    return described, refused


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_mutants_are_described_or_refused(tmp_path: Path, smollm2: Path) -> None:
    small = tiny_model()
    path = tmp_path / "mutant.gguf"
    path.write_bytes(small)
    small_head = small[: read_header(path).data_offset]
    real = read_header(smollm2)
    with smollm2.open("rb") as file:
        real_head = file.read(real.data_offset)

    reset_peak()
    before = peak_memory()
    described, refused = outcomes(
        path, mutants(small_head, [range(len(small_head))], SMALL_MUTANTS, seed=1), len(small)
    )
    assert described + refused == SMALL_MUTANTS
    assert described > 100  # damage within a text changes nothing that matters
    assert refused > 1_000
    # The vocabulary between is 1.7 MB of the same: damage goes to its edges, and to what stands before and behind.
    hot = [range(4, 1_500), range(real.data_offset - 20_000, real.data_offset), range(real.data_offset)]
    described, refused = outcomes(path, mutants(real_head, hot, REAL_MUTANTS, seed=2), real.file_size)
    assert described + refused == REAL_MUTANTS
    assert described > 10
    assert refused > 100
    assert peak_memory() - before < 200 * 1024 * 1024
