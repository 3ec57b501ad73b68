"""What this computer is: processor, memory, system, disk. Reads only; knows no model and no llama.cpp."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Hardware:
    """Memory in bytes; `cores` are physical, `threads` logical."""

    system: str
    python: str
    processor: str
    architecture: str
    cores: int
    threads: int
    memory_total: int
    memory_available: int


def look_at_hardware() -> Hardware:
    """Now."""
    memory = psutil.virtual_memory()
    threads = psutil.cpu_count(logical=True) or 1
    return Hardware(
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        processor=_processor(),
        architecture=platform.machine(),
        cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        memory_total=memory.total,
        memory_available=memory.available,
    )


def free_disk(folder: Path) -> int:
    """Bytes free where `folder` is or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _processor() -> str:
    """The name on the box."""
    if sys.platform.startswith("linux"):
        try:
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.lower().startswith(("model name", "hardware")):
                    return line.split(":", 1)[1].strip()
        except OSError:
            pass  # the portable answer below is good enough
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.strip()
    return platform.processor() or platform.machine()
