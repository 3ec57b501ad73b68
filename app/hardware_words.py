"""What this computer is, in words, for the terminal and for a report. Looks at nothing itself."""

from __future__ import annotations

from app.amounts import bytes_text
from app.engine_probe import EngineProbe
from app.hardware import Hardware
from app.i18n import tr


def hardware_rows(hardware: Hardware) -> tuple[tuple[str, str], ...]:
    """Names and values: system, processor, cores, memory."""
    memory = tr(
        "{total}, {free} free now",
        total=bytes_text(hardware.memory_total),
        free=bytes_text(hardware.memory_available),
    )
    return (
        (tr("System"), f"{hardware.system}, {hardware.architecture}"),
        (tr("Processor"), hardware.processor),
        (tr("Cores"), tr("{cores} ({threads} threads)", cores=hardware.cores, threads=hardware.threads)),
        (tr("Memory"), memory),
    )


def card_texts(probe: EngineProbe) -> list[str]:
    """Each graphics card that llama.cpp finds."""
    return [f"{gpu.description} ({gpu.backend}, {bytes_text(gpu.total_bytes)})" for gpu in probe.gpus]
