"""The model begins to load in its own process while this one still imports the window. Knows no window.

Only a file that is known without looking for it gets a head start: the one the person named, or the last one used.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from app.engines import make_engine
from app.model_adapters import adapters_of
from app.model_projectors import projector_of
from app.paths import Paths
from app.remote.choice import RemoteChoice
from app.settings import Settings
from engine.engine import Engine
from engine.types import FlashAttention, KvType, LoadedModel, ModelSpec

GIGABYTE = 1_000_000_000
LOCK_FILE = "hearth.lock"
"""Held by the program that does the housekeeping of a data folder."""


@dataclass(frozen=True, slots=True)
class HeadStart:
    """An engine, and the model file on its way into it."""

    engine: Engine
    path: Path
    loading: Future[LoadedModel]


def head_start(paths: Paths, model: str | None) -> HeadStart | None:
    """Begin to load `model` (a file), else the last model used; None if neither is a file here.

    None, too, while another computer answers, and while another Hearth has this data folder: this one will hand over
    to it and end.
    """
    if not is_alone(paths):
        return None
    settings = Settings.load(paths.settings_file, look_only=True)
    if model is None and RemoteChoice(settings, paths.config).spec is not None:
        return None
    path = Path(model or settings.text("model.path") or "").expanduser()
    if not path.is_file():
        return None
    path = path.resolve()
    engine = make_engine(settings, paths)
    return HeadStart(
        engine, path, engine.load(spec_by_settings(path, settings, settings.integer("model.n_ctx") or None, paths))
    )


def spec_by_settings(path: Path, settings: Settings, n_ctx: int | None, paths: Paths | None = None) -> ModelSpec:
    """How a file is loaded by the settings; with `n_ctx` None the worker takes the largest window that fits.

    Without `paths` the worker keeps nothing on the disk. Looks for a projector beside the file: some milliseconds.
    """
    layers = settings.integer("model.n_gpu_layers")
    snapshot_bytes = settings.integer("model.snapshot_gigabytes") * GIGABYTE
    weights, draft = settings.text("model.weights"), settings.text("model.draft_path")
    return ModelSpec(
        path=path,
        n_ctx=n_ctx,
        kv_type=KvType(settings.text("model.kv_type")),
        use_mmap=weights == "mapped",
        use_mlock=weights == "locked",
        flash_attention=FlashAttention(settings.text("model.flash_attention")),
        adapters=adapters_of(path, settings),
        projector=projector_of(path, settings),
        draft_path=Path(draft).expanduser() if draft else None,
        speculate=settings.flag("model.speculate"),
        n_gpu_layers=None if layers < -1 else layers,
        n_threads=settings.integer("model.n_threads") or None,
        snapshot_folder=paths.snapshots if paths is not None and snapshot_bytes else None,
        snapshot_bytes=snapshot_bytes,
        notes_folder=paths.notes if paths is not None else None,
    )


def is_alone(paths: Paths) -> bool:
    """Whether no program has the data folder open."""
    try:
        with FileLock(paths.data / LOCK_FILE, timeout=0):
            return True
    except (Timeout, OSError):
        return False
