"""Asks llama.cpp, in a process of its own, what it was built with and which devices it finds.

A driver that crashes takes that process with it and nothing else. Knows no model.
"""

from __future__ import annotations

import json
import multiprocessing
import platform
from collections.abc import Collection
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

TIMEOUT_S = 20.0
"""A graphics driver may take seconds to wake up."""
_WANTED = {"x86_64": ("AVX", "AVX2", "F16C", "FMA"), "amd64": ("AVX", "AVX2", "F16C", "FMA"), "aarch64": ("DOTPROD",)}
"""By architecture, what llama.cpp is several times slower without."""


@dataclass(frozen=True, slots=True)
class GpuFound:
    """Memory in bytes, 0 where the driver does not say."""

    name: str
    description: str
    backend: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """`error` is what went wrong ("" nothing); `features` are the processor features this build uses.

    `lacks` are those that matter most and are not used, because the processor has them not or the build does not.
    `threads` are used unless others were measured as faster for a model: to write (`threads_to_write`) and to read
    prompts (`threads_to_read`), 0 while nothing is measured.
    """

    error: str = ""
    binding: str = ""
    features: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    gpus: tuple[GpuFound, ...] = ()
    threads: int = 0
    threads_to_write: int = 0
    threads_to_read: int = 0


def probe_engine(model: Path | None = None, notes: Path | None = None, *, timeout_s: float = TIMEOUT_S) -> EngineProbe:
    """Look, at most for `timeout_s`; in `notes` also for what was measured of `model`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_probe, args=(theirs, model, notes), name="hearth-probe", daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(timeout_s):
            return EngineProbe(error="no answer")
        raw = json.loads(ours.recv_bytes())
    except EOFError:
        child.join(timeout=1)
        return EngineProbe(error=f"exit code {child.exitcode}")
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()
    gpus = tuple(GpuFound(**gpu) for gpu in raw.pop("gpus", ()))
    lists = {name: tuple(raw.get(name, ())) for name in ("features", "lacks")}
    return EngineProbe(**{**raw, **lists, "gpus": gpus})


def lacking(features: Collection[str], architecture: str) -> tuple[str, ...]:
    """Of the processor features that matter most on an architecture (`platform.machine()`), those not among these."""
    return tuple(each for each in _WANTED.get(architecture.lower(), ()) if each not in features)


def _probe(connection: Connection, model: Path | None, notes: Path | None) -> None:
    """The child's side."""
    try:
        found = _look(model, notes)
    except (ImportError, OSError, AttributeError) as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    connection.send_bytes(json.dumps(found).encode())


def _look(model: Path | None, notes: Path | None) -> dict[str, object]:
    from importlib.metadata import version  # noqa: PLC0415

    from engine.model.backend import gpus, thread_count  # noqa: PLC0415  # this process only
    from engine.model.llama_library import lib  # noqa: PLC0415
    from engine.model.threads import ThreadNotes  # noqa: PLC0415

    info = lib.llama_print_system_info().decode("utf-8", "replace")
    found = gpus()
    backend = found[0].backend if found else "CPU"
    measured = ThreadNotes(notes, model, backend).read() if model is not None else None
    words = [piece.split("=")[0].split(":")[-1].strip() for piece in info.split("|") if piece.strip().endswith("= 1")]
    return {
        "binding": version("llama-cpp-python"),
        "features": words,
        "lacks": lacking(words, platform.machine()),
        "gpus": [
            {
                "name": gpu.name, "description": gpu.description, "backend": gpu.backend,
                "free_bytes": gpu.free_bytes, "total_bytes": gpu.total_bytes,
            }
            for gpu in found
        ],
        "threads": thread_count(),
        "threads_to_write": measured.decode if measured else 0,
        "threads_to_read": measured.prefill if measured else 0,
    }  # fmt: skip
