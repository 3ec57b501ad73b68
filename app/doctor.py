"""`hearth doctor`: what Hearth finds on this computer, and what to do about what is missing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from app.amounts import bytes_text
from app.bootstrap import Start, why_no_window
from app.cli_models import library
from app.command_line import Arguments
from app.console import Console
from app.engine_probe import EngineProbe, probe_engine
from app.hardware import Hardware, free_disk, look_at_hardware
from app.i18n import tr
from app.model_entry import Availability, Fit, ModelEntry

_LITTLE_DISK = 2 * 1024**3


def doctor(_arguments: Arguments, start: Start, console: Console) -> int:
    """Look at everything. The exit code is 1 where no answer could be given on this computer."""
    hardware = look_at_hardware()
    engine = probe_engine()
    with library(start) as shelf:
        shelf.refresh().result()
        models = [entry for entry in shelf.entries if entry.availability is Availability.HERE]
    no_window = why_no_window()
    missing = _missing(start, engine, models, no_window)
    usable = not engine.error and any(entry.fit is not Fit.TOO_LARGE for entry in models)
    if console.json:
        console.record(
            {
                "hardware": asdict(hardware),
                "engine": asdict(engine),
                "models": [{"name": entry.name, "path": str(entry.path), "fit": entry.fit.value} for entry in models],
                "folders": {name: str(folder) for name, folder in _folders(start)},
                "window": no_window is None,
                "missing": missing,
            }
        )
        return 0 if usable else 1
    _say_hardware(hardware, engine, console)
    _say_models(models, console)
    _section(tr("Folders"), [(name, str(folder)) for name, folder in _folders(start)], console)
    if missing:
        console.say(console.bold(tr("To do")))
        for text in missing:
            console.say(f"  - {text}")
    else:
        console.say(tr("Nothing is missing."))
    return 0 if usable else 1


def _say_hardware(hardware: Hardware, engine: EngineProbe, console: Console) -> None:
    _section(
        tr("This computer"),
        [
            (tr("System"), f"{hardware.system}, {hardware.architecture}"),
            (tr("Python"), hardware.python),
            (tr("Processor"), hardware.processor),
            (tr("Cores"), tr("{cores} ({threads} threads)", cores=hardware.cores, threads=hardware.threads)),
            (
                tr("Memory"),
                tr(
                    "{total}, {free} free now",
                    total=bytes_text(hardware.memory_total),
                    free=bytes_text(hardware.memory_available),
                ),
            ),
        ],
        console,
    )
    if engine.error:
        _section("llama.cpp", [(tr("Problem"), engine.error)], console)
        return
    cards = [f"{gpu.description} ({gpu.backend}, {bytes_text(gpu.total_bytes)})" for gpu in engine.gpus]
    _section(
        "llama.cpp",
        [
            (tr("Version"), f"llama-cpp-python {engine.binding}"),
            (tr("Runs on"), ", ".join([*cards, tr("processor")])),
            (tr("Uses"), " ".join(engine.features)),
            (tr("Threads"), str(engine.threads)),
        ],
        console,
    )


def _say_models(models: list[ModelEntry], console: Console) -> None:
    rows = [
        (("* " if entry.is_default else "  ") + entry.name, entry.fit_sentence or ", ".join(entry.sources))
        for entry in models
    ]
    _section(tr("Models"), rows or [(tr("none"), "")], console)


def _section(title: str, rows: list[tuple[str, str]], console: Console) -> None:
    width = max((len(name) for name, _value in rows), default=0)
    console.say(console.bold(title))
    for name, value in rows:
        console.say(f"  {name.ljust(width)}  {value}".rstrip())
    console.say()


def _folders(start: Start) -> list[tuple[str, Path]]:
    paths = start.paths
    return [
        (tr("Chats"), paths.data),
        (tr("Settings"), paths.settings_file),
        (tr("Models"), paths.models),
        (tr("Log"), paths.logs),
    ]


def _missing(start: Start, engine: EngineProbe, models: list[ModelEntry], no_window: str | None) -> list[str]:
    """What stands in the way, each with what to do."""
    texts = []
    if engine.error:
        texts.append(
            tr("llama.cpp does not work here ({reason}). Set Hearth up again with: make run", reason=engine.error)
        )
    if not models:
        texts.append(tr("There is no model on this computer yet. Fetch one with: hearth fetch"))
    elif all(entry.fit is Fit.TOO_LARGE for entry in models):
        texts.append(tr("No model here fits into this computer's memory. Fetch a smaller one with: hearth fetch"))
    if no_window is not None:
        texts.append(no_window)
    if free_disk(start.paths.data) < _LITTLE_DISK:
        texts.append(
            tr("There is little room left on the disk ({free}).", free=bytes_text(free_disk(start.paths.data)))
        )
    return texts
