"""What a person may send to somebody who is to help: versions, this computer, models, processes, the report log.

Built from numbers and from the program's own words, so that it holds no chat, no name of a file, folder or person.
Knows no window; `collect` takes a second and belongs on a thread of a pool.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from app.amounts import bytes_text, context_text, params_text
from app.engine_probe import EngineProbe
from app.hardware import Hardware
from app.hardware_words import card_texts, hardware_rows
from app.i18n import language, tr
from app.model_entry import Availability, ModelEntry
from app.report_log import read_report
from engine.engine import EngineState

_PACKAGES = (
    "hearth-assistant", "llama-cpp-python", "PySide6-Essentials", "faiss-cpu", "onnxruntime", "numpy", "apsw",
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,31}")
"""What a model file may say of its kind: a word, nothing that could be a sentence or a path."""
_PROCESS_NAME = re.compile(r"hearth-[a-z-]{1,24}")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and rows of a name and a value."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """All of it; `log` are the newest lines of the report log."""

    sections: tuple[Section, ...]
    log: str

    def as_text(self) -> str:
        """Plain text, as it is copied."""
        blocks = []
        for section in self.sections:
            width = max((len(name) for name, _value in section.rows), default=0)
            rows = [f"  {name.ljust(width)}  {value}".rstrip() for name, value in section.rows]
            blocks.append("\n".join([section.title, *rows]))
        blocks.append("\n".join([tr("Log"), self.log.rstrip() or f"  {tr('empty')}"]))
        return "\n\n".join(blocks) + "\n"


def collect(
    logs: Path, hardware: Hardware, probe: EngineProbe, state: EngineState, models: Sequence[ModelEntry]
) -> Diagnostics:
    """Put it together. `logs` is the folder of the report log."""
    sections = (
        _versions(hardware),
        _computer(hardware),
        _backend(probe, state),
        _models(models),
        _processes(),
    )
    return Diagnostics(sections, read_report(logs))


def _versions(hardware: Hardware) -> Section:
    rows = [(name, _version(name)) for name in _PACKAGES]
    rows.append(("Python", hardware.python))
    rows.append((tr("Language"), language()))
    return Section(tr("Versions"), tuple((name, value) for name, value in rows if value))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _computer(hardware: Hardware) -> Section:
    return Section(tr("This computer"), hardware_rows(hardware))


def _backend(probe: EngineProbe, state: EngineState) -> Section:
    cards = card_texts(probe)
    # Of an error only its kind: the rest may name a folder.
    rows = [(tr("Problem"), probe.error.partition(":")[0])] if probe.error else []
    rows += [
        (tr("Runs on"), ", ".join([*cards, tr("processor")])),
        (tr("Uses"), " ".join(probe.features)),
        (tr("State"), state.status.value),
    ]
    if (model := state.model) is not None and not model.remote_host:
        rows += [
            (tr("In use"), _kind_text(model.architecture, model.quantisation, model.n_params, model.weights_bytes)),
            (tr("Backend"), f"{_word(model.backend)}, n_gpu_layers {model.n_gpu_layers}, n_threads {model.n_threads}"),
            (
                tr("Context"),
                f"n_ctx {model.n_ctx}, n_cells {model.n_cells}, {model.kv_type.value},"
                f" flash attention {int(model.flash_attention)}",
            ),
        ]
    elif model is not None:
        rows.append((tr("In use"), tr("another computer")))
    return Section("llama.cpp", tuple(rows))


def _models(models: Sequence[ModelEntry]) -> Section:
    """Kind and size; the name only of those that Hearth itself offers."""
    rows = []
    for entry in models:
        if entry.availability is Availability.HERE:
            known = entry.catalogue.name if entry.catalogue is not None else tr("a file of your own")
            kind = _kind_text(entry.architecture, entry.quantisation, entry.n_params, entry.size_bytes)
            rows.append((known, ", ".join(part for part in (kind, context_text(entry.n_ctx)) if part)))
    return Section(tr("Models"), tuple(rows) or ((tr("none"), ""),))


def _kind_text(architecture: str, quantisation: str, n_params: int, size: int) -> str:
    parts = (_word(architecture), params_text(n_params), _word(quantisation), bytes_text(size))
    return ", ".join(part for part in parts if part)


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "…" if text else ""


def _processes() -> Section:
    """The window's and those that it started, by what they are for, with the memory that each holds."""
    own = psutil.Process()
    names = {child.pid: child.name for child in multiprocessing.active_children() if child.pid is not None}
    rows = [(tr("window"), bytes_text(own.memory_info().rss))]
    for child in own.children(recursive=True):
        name = names.get(child.pid, "")
        try:
            memory = bytes_text(child.memory_info().rss)
        except psutil.Error:
            continue  # it ended meanwhile
        rows.append((name if _PROCESS_NAME.fullmatch(name) else tr("another process"), memory))
    return Section(tr("Processes"), tuple(rows))
