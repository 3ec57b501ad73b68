"""A benchmark's report as tests want it, with every line in it."""

from __future__ import annotations

from dataclasses import replace

from app.bench.report import Kind, Machine, Measured, MemorySpeed, ModelFacts, Part, Report, Skipped

MODEL = ModelFacts("Writer 1.5B", "Q4_K_M", 1_100_000_000, 1_000_000_000, 2, on_gpu=False)
MEMORY = MemorySpeed(read=16e9, triad=14e9)
FULL = Report(
    Machine("A processor of ours", 2, 16_000_000_000, 0.02),
    MODEL,
    MEMORY,
    (
        Measured(Kind.MODEL, (2.0, 2.4)),
        Measured(Kind.PREFILL, (81.0, 80.0, 84.0)),
        Measured(Kind.DECODE, (12.0, 11.0, 12.5)),
        Measured(Kind.PARALLEL, (24.0, 23.0, 25.0)),
        Measured(Kind.LOOKUP, (30.0, 18.0, 36.0)),
        Measured(Kind.INGEST, (40.0, 42.0, 39.0)),
        Measured(Kind.QUERY, (12.0, 11.0, 19.0)),
        Measured(Kind.HEARING, (9.0, 8.0, 9.5)),
        Measured(Kind.SPEAKING, (3.0, 2.9, 3.2)),
    ),
    (),
)
BUSY = replace(FULL, machine=replace(FULL.machine, others=0.8))
WITHOUT_VOICE = replace(
    FULL,
    measured=FULL.measured[:-2],
    skipped=(Skipped(Part.SPEECH, "The models that hear are not on this computer yet."),),
)
ON_GPU = replace(FULL, model=replace(MODEL, on_gpu=True))
