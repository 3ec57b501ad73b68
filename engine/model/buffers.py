"""What llama.cpp says in its log about the memory it took: the only place where it says so.

Knows llama.cpp's wording, nothing else. Lines that are not about buffers are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BUFFER = re.compile(r"(?P<device>\S+)\s+(?P<kind>model|KV|RS|compute|output) buffer size\s*=\s*(?P<mib>[\d.]+) MiB")
_OFFLOADED = re.compile(r"offloaded (?P<layers>\d+)/\d+ layers to GPU")
_HOST = ("CPU", "_Host", "_Mapped")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Buffers:
    """Sizes in bytes, over all devices; `devices` are the GPUs that hold something."""

    weights: int = 0
    kv: int = 0
    compute: int = 0
    devices: tuple[str, ...] = ()
    offloaded_layers: int = 0


def read_buffers(lines: Iterable[str]) -> Buffers:
    """Add up what the log of one load says."""
    sizes = {"model": 0, "KV": 0, "RS": 0, "compute": 0, "output": 0}
    devices: list[str] = []
    layers = 0
    for line in lines:
        if (offloaded := _OFFLOADED.search(line)) is not None:
            layers = int(offloaded["layers"])
        if (found := _BUFFER.search(line)) is None:
            continue
        sizes[found["kind"]] += round(float(found["mib"]) * _MIB)
        device = found["device"]
        on_host = device.startswith(_HOST[0]) or device.endswith(_HOST[1:])
        if not on_host and found["kind"] == "model" and device not in devices:
            devices.append(device)
    return Buffers(
        sizes["model"], sizes["KV"] + sizes["RS"], sizes["compute"] + sizes["output"], tuple(devices), layers
    )
