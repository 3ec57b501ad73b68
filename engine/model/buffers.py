"""What llama.cpp says in its log about the memory it took and how it computes: the only place where it says so.

Knows llama.cpp's wording, nothing else. Other lines are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BUFFER = re.compile(r"(?P<device>\S+)\s+(?P<kind>model|KV|RS|compute|output) buffer size\s*=\s*(?P<mib>[\d.]+) MiB")
_FLASH_ATTENTION = re.compile(
    r"flash_attn\s*=\s*(?P<asked>enabled|disabled|auto)|Flash Attention (?P<judged>enabled|not supported)"
    r"|flash_attn is (?P<refused>not compatible)"
)
_NOT_LOCKED = re.compile(r"failed to (?:mlock|VirtualLock)|mlock not supported")
_OFFLOADED = re.compile(r"offloaded (?P<layers>\d+)/\d+ layers to GPU")
_HOST = ("CPU", "_Host", "_Mapped")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Buffers:
    """Sizes in bytes, over all devices; `devices` are the GPUs that hold something.

    `flash_attention` is what is in effect; `not_locked`: the system would not let the weights be kept in memory.
    """

    weights: int = 0
    kv: int = 0
    compute: int = 0
    devices: tuple[str, ...] = ()
    offloaded_layers: int = 0
    flash_attention: bool = False
    not_locked: bool = False


def read_buffers(lines: Iterable[str]) -> Buffers:
    """Add up what the log of one load says."""
    sizes = {"model": 0, "KV": 0, "RS": 0, "compute": 0, "output": 0}
    devices: list[str] = []
    layers = 0
    flash_attention = not_locked = False
    for line in lines:
        if (flash := _FLASH_ATTENTION.search(line)) is not None:
            # "auto" is settled by a later line.
            flash_attention = "enabled" in (flash["asked"], flash["judged"])
        not_locked = not_locked or _NOT_LOCKED.search(line) is not None
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
        sizes["model"],
        sizes["KV"] + sizes["RS"],
        sizes["compute"] + sizes["output"],
        tuple(devices),
        layers,
        flash_attention,
        not_locked,
    )
