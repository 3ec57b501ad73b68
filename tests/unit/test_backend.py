"""Offload by the numbers, buffers from llama.cpp's log, and llama.cpp's log itself in pieces."""

from __future__ import annotations

import os

import pytest

from engine.model.backend import ALL_LAYERS, Device, backend_name, choose_offload, gpu_room, thread_count
from engine.model.buffers import read_buffers
from engine.model.llama_library import LOG_LINES_KEPT, LlamaLog

GIB = 1024**3
MIB = 1024**2


@pytest.mark.parametrize(
    ("wanted", "needed", "room", "layers", "noted"),
    [
        (None, 5 * GIB, 8 * GIB, ALL_LAYERS, False),
        (None, 8 * GIB, 8 * GIB, ALL_LAYERS, False),
        (None, 16 * GIB, 8 * GIB, 16, True),
        (None, 500 * GIB, 8 * GIB, 0, True),
        (None, 5 * GIB, 0, ALL_LAYERS, False),
        (-1, 500 * GIB, 8 * GIB, ALL_LAYERS, False),
        (7, 5 * GIB, 8 * GIB, 7, False),
    ],
)
def test_offload(wanted: int | None, needed: int, room: int, layers: int, noted: bool) -> None:
    offload = choose_offload(wanted, needed, room, 32)
    assert (offload.n_gpu_layers, bool(offload.note)) == (layers, noted)


def test_room_leaves_something_for_the_desktop() -> None:
    devices = [Device("CUDA0", "", "CUDA", 4 * GIB, 8 * GIB), Device("CUDA1", "", "CUDA", 4 * GIB, 8 * GIB)]
    assert 6 * GIB < gpu_room(devices) < 8 * GIB


def test_names_and_threads() -> None:
    assert [backend_name(name) for name in ("CUDA0", "Vulkan1", "MTL0", "Metal")] == [
        "CUDA",
        "Vulkan",
        "Metal",
        "Metal",
    ]
    assert thread_count(3) == 3
    assert 1 <= thread_count() <= (os.cpu_count() or 1)


CPU_LOG = """
load_tensors:   CPU_Mapped model buffer size =    60.00 MiB
load_tensors:   CPU_REPACK model buffer size =    32.10 MiB
llama_context:        CPU  output buffer size =     0.50 MiB
llama_kv_cache:        CPU KV buffer size =    22.50 MiB
sched_reserve:        CPU compute buffer size =    98.25 MiB
"""
GPU_LOG = """
load_tensors: offloaded 29/29 layers to GPU
load_tensors:    CUDA0 model buffer size =   900.00 MiB
load_tensors:   CPU_Mapped model buffer size =   100.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =   112.00 MiB
llama_context:  CUDA_Host  output buffer size =     1.16 MiB
sched_reserve:      CUDA0 compute buffer size =   299.00 MiB
sched_reserve:  CUDA_Host compute buffer size =     7.00 MiB
"""


def test_buffers() -> None:
    cpu = read_buffers(CPU_LOG.splitlines())
    assert (cpu.weights, cpu.kv, cpu.compute) == (round(92.1 * MIB), round(22.5 * MIB), round(98.75 * MIB))
    assert (cpu.devices, cpu.offloaded_layers) == ((), 0)
    gpu = read_buffers(GPU_LOG.splitlines())
    assert (gpu.weights, gpu.kv) == (1000 * MIB, 112 * MIB)
    assert (gpu.devices, gpu.offloaded_layers) == (("CUDA0",), 29)


def test_log_lines_come_whole_and_only_warnings_are_told() -> None:
    log, told = LlamaLog(), list[str]()
    log.listen(told.append)
    log.start_recording()
    log.add(2, "one ")
    log.add(5, "line\ntwo\n")
    log.add(4, "bad")
    assert log.lines() == ("one line", "two")
    log.add(5, "!\n")
    assert told == ["bad!"]
    assert log.stop_recording() == ["one line", "two", "bad!"]
    for number in range(LOG_LINES_KEPT + 5):
        log.add(2, f"{number}\n")
    assert len(log.lines()) == LOG_LINES_KEPT
    assert log.lines()[-1] == f"{LOG_LINES_KEPT + 4}"
