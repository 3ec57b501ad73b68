"""Which hardware llama.cpp can use here, how many layers go there, and how many threads to run.

Knows llama.cpp's devices, not the model files.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import sentence
from engine.model.cores import look_at_cores
from engine.model.llama_library import ggml, ggml_base

_GPU, _INTEGRATED_GPU = 1, 2
ALL_LAYERS = 999
"""More than any model has: llama.cpp takes it as all, the output layer included."""
GPU_MEMORY_SHARE = 0.9
"""Of a GPU's free memory; the rest is for the desktop and the driver."""


NO_ROOM = sentence("The graphics card has too little free memory for this model.")


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU as ggml reports it; memory in bytes, 0 where the driver does not say."""

    name: str
    description: str
    backend: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Offload:
    """How many layers go to the GPU, and why not all ("" when all do or no GPU is there)."""

    n_gpu_layers: int
    note: str = ""


def gpus() -> list[Device]:
    """The GPUs that the built-in back ends found, in ggml's order."""
    device_at = ggml.ggml_backend_dev_get
    device_at.restype = ctypes.c_void_p
    device_at.argtypes = [ctypes.c_size_t]
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    found = []
    for index in range(ggml.ggml_backend_dev_count()):
        device = ctypes.c_void_p(device_at(index))
        if ggml_base.ggml_backend_dev_type(device) in (_GPU, _INTEGRATED_GPU):
            found.append(_describe(device))
    return found


def _describe(device: ctypes.c_void_p) -> Device:
    for function in (ggml_base.ggml_backend_dev_name, ggml_base.ggml_backend_dev_description):
        function.restype = ctypes.c_char_p
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    ggml_base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    name = (ggml_base.ggml_backend_dev_name(device) or b"").decode("utf-8", "replace")
    description = (ggml_base.ggml_backend_dev_description(device) or b"").decode("utf-8", "replace")
    return Device(name, description, backend_name(name), free.value, total.value)


def backend_name(device_name: str) -> str:
    """The name people know for a ggml device ("CUDA0" is CUDA, "MTL0" is Metal)."""
    stem = device_name.rstrip("0123456789")
    return {"MTL": "Metal"}.get(stem, stem or "CPU")


def gpu_room(devices: Sequence[Device]) -> int:
    """Bytes that a model may take on these GPUs together; 0 where no driver says."""
    return int(sum(device.free_bytes for device in devices) * GPU_MEMORY_SHARE)


def choose_offload(wanted: int | None, needed_bytes: int, room: int, n_layers: int, fixed_bytes: int = 0) -> Offload:
    """Decide how many layers go to the GPU. `wanted` is the person's choice (-1: all); `needed_bytes` is for all.

    Of those, `fixed_bytes` (the room to compute in) are needed however few layers go there.
    """
    if wanted is not None:
        return Offload(ALL_LAYERS if wanted < 0 else wanted)
    if room == 0 or needed_bytes <= room:
        return Offload(ALL_LAYERS)
    fitting = math.floor(n_layers * (room - fixed_bytes) / (needed_bytes - fixed_bytes))
    if fitting < 1:
        return Offload(0, NO_ROOM)
    return Offload(fitting, sentence("Only a part of the model fits into the graphics card's memory."))


def thread_count(wanted: int | None = None) -> int:
    """Threads: the person's choice, else the fast physical cores that this process may use."""
    return wanted or look_at_cores().sensible
