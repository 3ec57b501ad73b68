"""`hearth models` and `hearth fetch`: what is here, and getting more. No conversation is opened for either."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import contextmanager
from pathlib import Path

from app.amounts import bytes_text, context_text, params_text, progress_text
from app.bootstrap import Start
from app.command_line import Arguments
from app.console import Console
from app.downloader.order import Progress
from app.i18n import error_sentence, tr
from app.model_choice import find_entry
from app.model_entry import Availability, Fit, ModelEntry
from app.models import ModelLibrary
from app.shown_names import shown_name
from app.weights_bundle import EMBEDDER, KOKORO, VOICE, WeightsBundle
from engine.cancel import CancelToken
from engine.errors import DownloadError
from engine.model.catalogue import CatalogueModel

_POLL_S = 0.2
_LINE_EVERY_S = 10.0
"""Where there is no terminal, a line of progress now and then."""


@contextmanager
def library(start: Start) -> Iterator[ModelLibrary]:
    """The list of models with no model loaded."""
    from engine.worker.client import EngineClient  # noqa: PLC0415

    engine = EngineClient()
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="general") as pool:
        models = ModelLibrary(
            engine, start.settings, start.paths.models, pool, memory_file=start.paths.cache / "models.json"
        )
        try:
            yield models
        finally:
            models.close()
            engine.close()


def models(arguments: Arguments, start: Start, console: Console) -> int:
    """List the models."""
    with library(start) as shelf:
        shelf.refresh().result()
        entries = [entry for entry in shelf.entries if arguments.everything or entry.availability is Availability.HERE]
    if console.json:
        console.record([_as_json(entry) for entry in entries])
        return 0
    if not any(entry.availability is Availability.HERE for entry in entries):
        console.note(tr("There is no model on this computer yet. Fetch one with: hearth fetch"))
    shown = [entry for entry in entries if entry.availability is not Availability.BROKEN]
    for line in _table(shown, console):
        console.say(line)
    for entry in entries:
        if entry.availability is Availability.BROKEN:
            console.say(console.faint(shown_name(f"{entry.name}: {entry.problem}")))
    if any(entry.is_default for entry in shown):
        console.note(tr("* is used when no other model is named."))
    return 0


def fetch(arguments: Arguments, start: Start, console: Console) -> int:
    """Download models into our own folder."""
    with library(start) as shelf:
        folders = {EMBEDDER: start.paths.embedder, VOICE: start.paths.voice, KOKORO: start.paths.voice}
        bundles = {bundle.id: (bundle, folder) for bundle, folder in folders.items()}
        names = tuple(name for name in arguments.names if name not in bundles)
        for name in dict.fromkeys(arguments.names or (EMBEDDER.id,)):
            if name in bundles and (failed := _fetch_bundle(*bundles[name], console, asked=bool(arguments.names))):
                return failed
        if arguments.names and not names:
            return 0
        if arguments.if_none and shelf.default() is not None:
            return 0
        wanted = _wanted(names, shelf)
        for model in wanted:
            path = start.paths.models / model.file_name
            if path.is_file() and path.stat().st_size == model.size_bytes:
                console.note(tr("{name} is here already.", name=model.name))
            else:
                console.note(tr("Fetching {name} ({size})", name=model.name, size=bytes_text(model.size_bytes)))
                try:
                    path = _fetch_one(model, shelf, console)
                except DownloadError as error:
                    console.end_status()
                    console.fail(error_sentence(error))
                    _say_what_else(start.paths.models, console)
                    return 1
            if console.json:
                console.record({"type": "fetched", "id": model.id, "path": str(path)})
            else:
                console.note(tr("{name} is ready.", name=model.name))
    return 0


def _fetch_bundle(bundle: WeightsBundle, folder: Path, console: Console, *, asked: bool) -> int:
    """Files that a part of the program needs; returns the exit code. Ctrl+C pauses; the next call goes on."""
    missing = bundle.missing(folder)
    if missing:
        size = bytes_text(sum(file.size_bytes for file in missing))
        console.note(tr("Fetching {name} ({size})", name=bundle.name, size=size))
        try:
            bundle.fetch(folder, _Meter(console).show, CancelToken())
        except DownloadError as error:
            console.end_status()
            console.fail(error_sentence(error))
            return 1
        console.end_status()
        console.note(tr("{name} is ready.", name=bundle.name))
    elif asked:
        console.note(tr("{name} is here already.", name=bundle.name))
    return 0


def _wanted(names: Sequence[str], shelf: ModelLibrary) -> list[CatalogueModel]:
    """The models named, or the starter. Raises `ModelFileError` for a name that the catalogue lacks."""
    if not names:
        return [shelf.starter()]
    entries = [
        ModelEntry(f"catalogue:{model.id}", model.name, Availability.TO_FETCH, catalogue=model)
        for model in shelf.catalogue.models
    ]
    found = [find_entry(entries, name).catalogue for name in names]
    return [model for model in found if model is not None]


def _fetch_one(model: CatalogueModel, shelf: ModelLibrary, console: Console) -> Path:
    """Follow one download; Ctrl+C pauses it (the next call goes on) and ends as `KeyboardInterrupt`."""
    cancel = CancelToken()
    meter = _Meter(console)
    future = shelf.fetch(model, meter.show, cancel)
    interrupted = False
    while True:
        try:
            path = _result(future)
            if path is not None:
                console.end_status()
                return path
        except KeyboardInterrupt:
            interrupted = True
            cancel.cancel()
        except CancelledError:
            console.end_status()
            if interrupted:
                console.note(tr("Paused. The same command goes on where it stopped."))
                raise KeyboardInterrupt from None
            raise


def _result(future: Future[Path]) -> Path | None:
    try:
        return future.result(timeout=_POLL_S)
    except NotYetError:
        return None


class _Meter:
    """A progress bar on a terminal, a line now and then elsewhere, JSON lines with --json."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_line = 0.0

    def show(self, progress: Progress) -> None:
        """Called from the downloader's thread."""
        console = self._console
        if console.json:
            console.record({
                "type": "progress", "stage": progress.stage.value, "source": progress.source,
                "received_bytes": progress.received_bytes, "total_bytes": progress.total_bytes,
                "bytes_per_s": round(progress.bytes_per_s), "seconds_left": progress.seconds_left,
            })  # fmt: skip
        elif console.err_is_terminal:
            console.status(_bar(progress))
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_EVERY_S
            console.note(f"  {progress_text(progress)}")


def _bar(progress: Progress, width: int = 24) -> str:
    done = round(width * progress.fraction)
    return f"{'█' * done}{'░' * (width - done)} {progress.fraction:4.0%}  {progress_text(progress)}"


def _say_what_else(folder: Path, console: Console) -> None:
    console.note(tr("What has come is kept; the same command goes on from there."))
    console.note(tr("A model file (GGUF) that you have already works too:"))
    console.note(tr("  put it into {folder}", folder=folder))
    console.note(tr("  or name it: hearth --model /path/to/model.gguf"))


def _table(entries: Sequence[ModelEntry], console: Console) -> list[str]:
    if not entries:
        return []
    head = [tr("Model"), tr("Quantisation"), tr("Parameters"), tr("Size"), tr("Context"), tr("Fit"), tr("Where")]
    rows = [[_cell(text) for text in _row(entry)] for entry in entries]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    marks = ["*" if entry.is_default else " " for entry in entries]
    lines = [f"{mark} {line(row)}" for mark, row in zip(marks, rows, strict=True)]
    return [console.bold(f"  {line(head)}"), *lines]


def _row(entry: ModelEntry) -> tuple[str, ...]:
    here = entry.availability is Availability.HERE
    return (
        entry.name,
        entry.quantisation,
        params_text(entry.n_params),
        bytes_text(entry.size_bytes),
        context_text(entry.n_ctx_train),
        _fit_word(entry.fit),
        ", ".join(entry.sources) if here else tr("to fetch: {id}", id=entry.catalogue.id if entry.catalogue else ""),
    )


def _fit_word(fit: Fit) -> str:
    words = {Fit.FITS: tr("Fits"), Fit.TIGHT: tr("Tight"), Fit.TOO_LARGE: tr("Too large"), Fit.UNKNOWN: ""}
    return words[fit]


def _cell(text: str, longest: int = 48) -> str:
    shown = shown_name(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _as_json(entry: ModelEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "id": entry.catalogue.id if entry.catalogue is not None else None,
        "state": entry.availability.value,
        "path": str(entry.path) if entry.path is not None else None,
        "sources": list(entry.sources),
        "size_bytes": entry.size_bytes,
        "quantisation": entry.quantisation,
        "architecture": entry.architecture,
        "parameters": entry.n_params,
        "n_ctx_train": entry.n_ctx_train,
        "n_ctx": entry.n_ctx,
        "memory_bytes": entry.memory_bytes,
        "fit": entry.fit.value,
        "fit_sentence": entry.fit_sentence,
        "default": entry.is_default,
        "problem": entry.problem,
    }
