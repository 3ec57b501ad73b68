"""Makes the engine that the program stands on: a pool of models, on this computer and, if wanted, on another.

Follows the settings for how many stay in memory and for how long. Starts no process before a model is loaded.
How much a graphics card has free is asked of a process that ends with its answer.
"""

from __future__ import annotations

from collections.abc import Callable

from app.paths import Paths
from app.remote.choice import KEY_FILE
from app.remote.key_file import KeyFile
from app.settings import Settings
from engine.engine import Engine
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from engine.worker.pool import EnginePool
from engine.worker.restart import CrashBudget

GPU_PATIENCE_S = 5.0
"""For a driver to say how much is free; after that it counts as unknown."""
_SECONDS = 60.0


def make_engine(settings: Settings, paths: Paths) -> EnginePool:
    """A pool without a model."""
    budget = CrashBudget()  # shared: a model that crashes is left alone however often it is chosen again
    keys = KeyFile(paths.config / KEY_FILE)

    def make(spec: ModelSpec) -> Engine:
        if spec.remote is None:
            return EngineClient(budget=budget)
        from app.remote.engine import RemoteEngine  # noqa: PLC0415  # most people never need it

        return RemoteEngine(keys.key_for)

    return EnginePool(
        make, max_resident=settings.integer("model.resident"), idle_s=_idle_s(settings), free_gpu=free_gpu_bytes
    )


def free_gpu_bytes() -> int | None:
    """What the graphics cards have free now, in bytes; None if no driver says. Blocks, about a second with a card.

    The pool asks only where a model lies on a card already and another one is to be loaded. A driver is spoken to in
    a child alone, and the child's own share of the card is what the next worker will take too.
    """
    from app.engine_probe import probe_engine  # noqa: PLC0415  # machines without a graphics card never need it

    return sum(gpu.free_bytes for gpu in probe_engine(timeout_s=GPU_PATIENCE_S).gpus) or None


def follow_settings(pool: EnginePool, settings: Settings) -> Callable[[], None]:
    """Take changed limits into force. Returns the way to end that."""

    def on_setting(key: str) -> None:
        if key in ("model.resident", "model.idle_minutes"):
            pool.configure(max_resident=settings.integer("model.resident"), idle_s=_idle_s(settings))

    return settings.subscribe(on_setting)


def _idle_s(settings: Settings) -> float | None:
    return settings.integer("model.idle_minutes") * _SECONDS or None
