"""The report for whoever helps: versions, computer, models by kind, processes; no name that a person gave."""

from __future__ import annotations

from pathlib import Path

from app.diagnostics import collect
from app.engine_probe import EngineProbe, GpuFound
from app.hardware import look_at_hardware
from app.model_entry import Availability, ModelEntry
from app.report_log import REPORT_NAME
from engine.engine import EngineState, EngineStatus
from engine.model.catalogue import load_catalogue

SECRET = "ottos-diary"


def text(tmp_path: Path, *models: ModelEntry, probe: EngineProbe | None = None) -> str:
    state = EngineState(EngineStatus.EMPTY)
    return collect(tmp_path, look_at_hardware(), probe or EngineProbe(), state, models).as_text()


def test_a_model_of_ones_own_is_told_by_its_kind(tmp_path: Path) -> None:
    own = ModelEntry(
        "own", f"{SECRET}.gguf", Availability.HERE, path=Path("/home/otto") / f"{SECRET}.gguf", size_bytes=10**9,
        architecture="llama", quantisation="Q4_K_M", n_params=1_500_000_000, n_ctx=8192,
    )  # fmt: skip
    report = text(tmp_path, own)
    assert SECRET not in report
    assert "otto" not in report
    assert "llama, 1.5B, Q4_K_M, 1.0 GB, 8k" in report


def test_a_model_that_hearth_offers_has_its_name(tmp_path: Path) -> None:
    known = load_catalogue().models[0]
    report = text(tmp_path, ModelEntry("known", SECRET, Availability.HERE, catalogue=known))
    assert known.name in report
    assert SECRET not in report


def test_what_a_file_says_of_itself_is_taken_only_as_a_word(tmp_path: Path) -> None:
    odd = ModelEntry("odd", "odd", Availability.HERE, architecture=f"my {SECRET}, dear", quantisation="/home/otto")
    assert SECRET not in (report := text(tmp_path, odd))
    assert "otto" not in report


def test_of_a_failed_probe_only_the_kind(tmp_path: Path) -> None:
    report = text(tmp_path, probe=EngineProbe(error=f"OSError: /home/otto/{SECRET}/libllama.so"))
    assert "OSError" in report
    assert SECRET not in report


def test_it_says_what_the_computer_has(tmp_path: Path) -> None:
    (tmp_path / REPORT_NAME).write_text("2026-01-01 12:00:00 INFO app: started\n")
    card = GpuFound("Vulkan0", "A card", "Vulkan", 0, 8 * 10**9)
    report = text(tmp_path, probe=EngineProbe(features=("AVX2",), gpus=(card,)))
    for words in ("A card (Vulkan, 8.0 GB)", "AVX2", "llama-cpp-python", "window", "INFO app: started"):
        assert words in report


def test_without_a_log_it_is_still_a_report(tmp_path: Path) -> None:
    assert text(tmp_path).endswith("empty\n")
