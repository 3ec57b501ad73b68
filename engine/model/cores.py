"""How many processor cores there are, and how many of them are fast ones. Knows no model and no llama.cpp.

Cores, not hyper-threads: two threads on one core share the units that multiply matrices. Linux is read from sysfs,
macOS by sysctl, Windows by GetLogicalProcessorInformationEx (written after its documentation and never run there).
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

_CPU_FOLDER = Path("/sys/devices/system/cpu")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_FAST_SHARE = 0.8
"""Of the best core's capacity or clock: favoured cores differ from their like by some per cent, slow ones by half."""
_RELATION_PROCESSOR_CORE = 0


@dataclass(frozen=True, slots=True)
class Cores:
    """`logical` hyper-threads on `physical` cores, `performance` of them fast; `allowed` threads may run at once."""

    logical: int
    physical: int
    performance: int
    allowed: int

    @property
    def sensible(self) -> int:
        """Threads to compute with until something is measured: a slow core would make all others wait for it."""
        return max(1, min(self.performance, self.physical, self.allowed))


def look_at_cores() -> Cores:
    """Now, for this process: its affinity and a control group's quota count."""
    logical = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    physical = min(psutil.cpu_count(logical=False) or logical, logical)
    performance = _performance_cores() or physical
    return Cores(logical, physical, min(performance, physical), max(1, min(affinity, _quota(logical))))


def _performance_cores() -> int | None:
    """Fast physical cores; None where the system does not tell cores apart."""
    if sys.platform == "darwin":
        return _performance_cores_of_mac()
    if sys.platform == "win32":
        return _performance_cores_of_windows()
    return fast_cores(_CPU_FOLDER)


def fast_cores(folder: Path) -> int | None:
    """Physical cores whose capacity (or else clock) is near the best one's, from Linux's sysfs."""
    by_core: dict[str, int] = {}
    for cpu in folder.glob("cpu[0-9]*"):
        speed = _number(cpu / "cpu_capacity") or _number(cpu / "cpufreq" / "cpuinfo_max_freq")
        siblings = _text(cpu / "topology" / "core_cpus_list") or _text(cpu / "topology" / "thread_siblings_list")
        if speed is not None:
            by_core[siblings or cpu.name] = speed
    return _count_fast(by_core.values())


def _performance_cores_of_mac() -> int | None:
    command = ["/usr/sbin/sysctl", "-n", "hw.perflevel0.physicalcpu"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(answer.stdout) if answer.returncode == 0 and answer.stdout.strip().isdigit() else None


def _performance_cores_of_windows() -> int | None:
    kernel = ctypes.CDLL("kernel32")
    size = ctypes.c_uint32(0)
    kernel.GetLogicalProcessorInformationEx(_RELATION_PROCESSOR_CORE, None, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    if not kernel.GetLogicalProcessorInformationEx(_RELATION_PROCESSOR_CORE, buffer, ctypes.byref(size)):
        return None
    return fastest_class(buffer.raw[: size.value])


def fastest_class(records: bytes) -> int | None:
    """Cores of the highest efficiency class in SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX records (higher is faster)."""
    classes, at = [], 0
    while at + 10 <= len(records):
        relation, size, _flags, efficiency = struct.unpack_from("<IIBB", records, at)
        if size < 10:
            break
        if relation == _RELATION_PROCESSOR_CORE:
            classes.append(efficiency)
        at += size
    return classes.count(max(classes)) if classes else None


def _count_fast(speeds: Iterable[int]) -> int | None:
    known = list(speeds)
    return sum(speed >= _FAST_SHARE * max(known) for speed in known) if known else None


def _quota(otherwise: int) -> int:
    """Whole cores that a Linux control group grants (rounded up), or `otherwise`."""
    try:
        quota, period = _CGROUP_QUOTA.read_text(encoding="ascii").split()
        return otherwise if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return otherwise  # No control group here, or an older one: nothing is known to be limited.


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
