"""This machine's memory, and what its processor makes of weights. Knows no model.

Available memory is what programs can have without others being pushed out, within a container's limit.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CGROUP_USED = Path("/sys/fs/cgroup/memory.current")


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """Sizes in bytes, of main memory (not a graphics card's own)."""

    total_bytes: int
    available_bytes: int


def machine_memory() -> MachineMemory:
    """Ask the operating system, now."""
    memory = psutil.virtual_memory()
    limit = _number(_CGROUP_LIMIT)
    if limit is None or limit >= memory.total:
        return MachineMemory(memory.total, memory.available)
    left = max(0, limit - (_number(_CGROUP_USED) or 0))
    return MachineMemory(limit, min(memory.available, left))


def repacked_types(machine: str | None = None) -> frozenset[str]:
    """The tensor types that ggml's CPU back end keeps rearranged in a copy on this kind of processor.

    After `ggml_repack_get_optimal_repack_type` in ggml-cpu; our builds use what the processor has, and every
    x86 processor of the last ten years has AVX2, every 64-bit ARM one in a desktop dotprod.
    """
    machine = (machine or platform.machine()).lower()
    if machine in ("x86_64", "amd64"):
        return frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"} | ({"Q2_K"} if _has_avx512() else set()))
    if machine in ("arm64", "aarch64"):
        return frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "MXFP4", "Q8_0", "Q1_0"})
    return frozenset()


def _has_avx512() -> bool:
    try:
        return " avx512f " in Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:  # Not Linux; Q2_K is rare enough to be taken as not repacked.
        return False


def _number(path: Path) -> int | None:
    """A control group's figure; None where there is none, or no limit ("max")."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
