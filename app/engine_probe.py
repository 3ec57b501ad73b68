"""Asks llama.cpp, in a process of its own, what it was built with and which devices it finds.

A driver that crashes takes that process with it and nothing else. Knows no model.
"""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection

TIMEOUT_S = 20.0
"""A graphics driver may take seconds to wake up."""


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
    """`error` is what went wrong ("" nothing); `features` are the processor features this build uses."""

    error: str = ""
    binding: str = ""
    features: tuple[str, ...] = ()
    gpus: tuple[GpuFound, ...] = ()
    threads: int = 0


def probe_engine(timeout_s: float = TIMEOUT_S) -> EngineProbe:
    """Look, at most for `timeout_s`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_probe, args=(theirs,), name="hearth-probe", daemon=True)
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
    return EngineProbe(**{**raw, "features": tuple(raw.get("features", ())), "gpus": gpus})


def _probe(connection: Connection) -> None:
    """The child's side."""
    try:
        found = _look()
    except (ImportError, OSError, AttributeError) as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    connection.send_bytes(json.dumps(found).encode())


def _look() -> dict[str, object]:
    from importlib.metadata import version  # noqa: PLC0415

    from engine.model.backend import gpus, thread_count  # noqa: PLC0415  # this process only
    from engine.model.llama_library import lib  # noqa: PLC0415

    info = lib.llama_print_system_info().decode("utf-8", "replace")
    words = [piece.split("=")[0].split(":")[-1].strip() for piece in info.split("|") if piece.strip().endswith("= 1")]
    return {
        "binding": version("llama-cpp-python"),
        "features": words,
        "gpus": [
            {
                "name": gpu.name, "description": gpu.description, "backend": gpu.backend,
                "free_bytes": gpu.free_bytes, "total_bytes": gpu.total_bytes,
            }
            for gpu in gpus()
        ],
        "threads": thread_count(),
    }  # fmt: skip
