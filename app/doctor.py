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
from app.hardware_words import card_texts, hardware_rows
from app.i18n import tr
from app.installation import is_installed
from app.model_entry import Availability, Fit, ModelEntry
from app.settings import Settings
from app.settings_options import OPTIONS
from app.shown_names import shown_name
from app.voice_setup import SoundProbe, probe_sound
from app.weights_bundle import KOKORO, VOICE
from engine.types import FlashAttention, KvType

_LITTLE_DISK = 2 * 1024**3


def doctor(_arguments: Arguments, start: Start, console: Console) -> int:
    """Look at everything. The exit code is 1 where no answer could be given on this computer."""
    hardware = look_at_hardware()
    with library(start) as shelf:
        shelf.refresh().result()
        models = [entry for entry in shelf.entries if entry.availability is Availability.HERE]
    default = next((entry for entry in models if entry.is_default), None)
    engine = probe_engine(default.path if default is not None else None, start.paths.notes)
    sound = probe_sound(start.paths)
    no_window = why_no_window()
    missing = _missing(start, engine, models, no_window)
    usable = not engine.error and any(entry.fit is not Fit.TOO_LARGE for entry in models)
    if console.json:
        console.record(
            {
                "hardware": asdict(hardware),
                "engine": asdict(engine),
                "loading": dict(_loading(start.settings, engine, default)),
                "models": [{"name": entry.name, "path": str(entry.path), "fit": entry.fit.value} for entry in models],
                "voice": {
                    "weights": not VOICE.missing(start.paths.voice),
                    "kokoro": not KOKORO.missing(start.paths.voice),
                    **asdict(sound),
                },
                "folders": {name: str(folder) for name, folder in _folders(start)},
                "window": no_window is None,
                "missing": missing,
            }
        )
        return 0 if usable else 1
    _say_hardware(hardware, engine, console)
    _say_models(models, console)
    _section(tr("How a model is loaded"), _loading(start.settings, engine, default), console)
    _section(tr("Voice"), _voice(start, sound), console)
    _section(tr("Folders"), [(name, str(folder)) for name, folder in _folders(start)], console)
    if missing:
        console.say(console.bold(tr("To do")))
        for text in missing:
            console.say(f"  - {text}")
    else:
        console.say(tr("Nothing is missing."))
    return 0 if usable else 1


def _say_hardware(hardware: Hardware, engine: EngineProbe, console: Console) -> None:
    system, *others = hardware_rows(hardware)
    _section(tr("This computer"), [system, (tr("Python"), hardware.python), *others], console)
    if engine.error:
        _section("llama.cpp", [(tr("Problem"), engine.error)], console)
        return
    cards = card_texts(engine)
    rows = [
        (tr("Version"), f"llama-cpp-python {engine.binding}"),
        (tr("Runs on"), ", ".join([*cards, tr("processor")])),
        (tr("Uses"), " ".join(engine.features)),
    ]
    if engine.lacks:
        rows.append((tr("Lacks"), tr("{features}: answers come slowly", features=" ".join(engine.lacks))))
    _section("llama.cpp", rows, console)


def _loading(settings: Settings, engine: EngineProbe, model: ModelEntry | None) -> list[tuple[str, str]]:
    """What the settings and this computer make of it; `model` is the one used by default."""
    smaller = settings.text("model.kv_type") != KvType.F16.value
    attention = settings.text("model.flash_attention")
    if smaller and attention != FlashAttention.ON.value:
        attention_text = tr("on, as the smaller memory needs it")
    else:
        attention_text = _choice_text("model.flash_attention", attention)
    rows = [
        (tr("Precision"), _choice_text("model.kv_type", settings.text("model.kv_type"))),
        (tr("Flash attention"), attention_text),
        (tr("Weights"), _choice_text("model.weights", settings.text("model.weights"))),
        (tr("Threads"), _threads_text(settings.integer("model.n_threads"), engine)),
    ]
    if model is not None and model.n_ctx:
        tokens = tr("{count} tokens of one chat", count=f"{model.n_ctx:,}")
        cells = tr("{count} of all chats together", count=f"{model.n_cells:,}")
        rows.append((tr("Remembers"), f"{tokens}, {cells}"))
    return rows


def _choice_text(key: str, value: str) -> str:
    option = next(option for option in OPTIONS if option.key == key)
    return next((tr(label) for choice, label in option.choices if choice == value), value)


def _threads_text(wanted: int, engine: EngineProbe) -> str:
    if wanted:
        return tr("{count}, by the settings", count=wanted)
    if engine.threads_to_write:
        return tr(
            "{write} to write, {read} to read, as measured", write=engine.threads_to_write, read=engine.threads_to_read
        )
    return str(engine.threads)


def _say_models(models: list[ModelEntry], console: Console) -> None:
    rows = [
        (("* " if entry.is_default else "  ") + entry.name, entry.fit_sentence or ", ".join(entry.sources))
        for entry in models
    ]
    _section(tr("Models"), rows or [(tr("none"), "")], console)


def _voice(start: Start, sound: SoundProbe) -> list[tuple[str, str]]:
    """What there is to talk and to listen with; all of it may be missing."""
    here = not VOICE.missing(start.paths.voice)
    rows = [(tr("Models that hear"), tr("here") if here else tr("none yet; fetch them with: hearth fetch voice"))]
    better = not KOKORO.missing(start.paths.voice)
    rows.append((tr("More voices"), tr("here") if better else tr("not here; fetch it with: hearth fetch kokoro")))
    if sound.problem:
        return [*rows, (tr("Problem"), sound.problem)]
    none = tr("none found")
    return [*rows, (tr("Microphone"), sound.microphone or none), (tr("Loudspeaker"), sound.loudspeaker or none)]


def _section(title: str, rows: list[tuple[str, str]], console: Console) -> None:
    width = max((len(name) for name, _value in rows), default=0)
    console.say(console.bold(title))
    for name, value in rows:
        console.say(f"  {shown_name(name).ljust(width)}  {shown_name(value)}".rstrip())
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
            tr("llama.cpp does not work here ({reason}). Install Hearth again.", reason=engine.error)
            if is_installed()
            else tr("llama.cpp does not work here ({reason}). Set Hearth up again with: make run", reason=engine.error)
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
