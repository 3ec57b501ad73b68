"""A benchmark's report in words: what each line is called, its numbers, and what they are held against.

Knows no terminal and no picture: both say the same.
"""

from __future__ import annotations

from app.amounts import bytes_text
from app.bench.answers import AT_ONCE
from app.bench.report import Kind, Measured, Part, Report, Unit
from app.i18n import ntr, tr


def label(kind: Kind) -> str:
    """What a line measures."""
    return {
        Kind.MODEL: tr("Loading the model"),
        Kind.PREFILL: tr("Reading a question"),
        Kind.DECODE: tr("Writing one answer"),
        Kind.PARALLEL: tr("Writing {count} answers at once", count=AT_ONCE),
        Kind.LOOKUP: tr("Quoting, with words guessed ahead"),
        Kind.INGEST: tr("Learning documents"),
        Kind.QUERY: tr("Finding passages"),
        Kind.HEARING: tr("Understanding speech"),
        Kind.SPEAKING: tr("Speaking a sentence"),
    }[kind]


def part_label(part: Part) -> str:
    """What is being measured now."""
    return tr("Hearing and speaking") if part is Part.SPEECH else label(Kind(part.value))


def unit_text(unit: Unit) -> str:
    return {
        Unit.SECONDS: tr("s"),
        Unit.MILLISECONDS: tr("ms"),
        Unit.TOKENS: tr("tokens/s"),
        Unit.PASSAGES: tr("passages/s"),
        Unit.TIMES: tr("× real time"),
    }[unit]


def number_text(value: float) -> str:
    """As many digits as say something: "0.41", "8.3", "92", "1,204"."""
    digits = 0 if value >= 20 or value == 0 else 1 if value >= 2 else 2
    return f"{value:,.{digits}f}"


def value_text(measured: Measured) -> str:
    """ "14.2 tokens/s"."""
    return f"{number_text(measured.median)} {unit_text(measured.unit)}"


def range_text(measured: Measured) -> str:
    """ "13.9 – 14.4", from the lowest to the highest; "" where there was one round."""
    if len(measured.values) == 1:
        return ""
    return f"{number_text(measured.lowest)} – {number_text(measured.highest)}"


def held_against(measured: Measured, report: Report) -> str:
    """What the machine, or the ear, makes of a number; "" where there is nothing to hold it against."""
    if measured.kind is Kind.DECODE and report.limit is not None:
        share = round(100 * measured.median / report.limit)
        return tr("{share} % of what the memory allows", share=share)
    alone = report.of(Kind.DECODE)
    if measured.kind in (Kind.PARALLEL, Kind.LOOKUP) and alone is not None:
        return tr("{times} times one answer", times=f"{measured.median / alone.median:.1f}")
    if measured.unit is Unit.TIMES:
        return tr("keeps up") if measured.median >= 1 else tr("slower than people talk")
    return ""


def machine_text(report: Report) -> str:
    """ "Intel Core i5, 4 cores, 16 GB"."""
    machine = report.machine
    cores = ntr("{count} core", "{count} cores", machine.cores)
    return f"{machine.processor}, {cores}, {bytes_text(machine.memory_bytes)}"


def model_text(report: Report) -> str:
    """ "Qwen2.5 Coder 1.5B, Q4_K_M, 1.1 GB, 4 threads"; "" where none was measured."""
    model = report.model
    if model is None:
        return ""
    on = tr("on the graphics card") if model.on_gpu else ntr("{count} thread", "{count} threads", model.n_threads)
    return ", ".join(piece for piece in (model.name, model.quantisation, bytes_text(model.weights_bytes), on) if piece)


def limit_text(report: Report) -> str:
    """Where the limit comes from, in whole sentences; "" where none is known."""
    model, memory, limit = report.model, report.memory, report.limit
    if model is not None and model.on_gpu:
        return tr("The model runs on the graphics card, so the speed of the main memory is no limit for it.")
    if model is None or memory is None or limit is None:
        return ""
    sentences = [
        tr(
            "For every token the processor reads {size} of the model once. This computer's memory delivers {speed}/s"
            " at best, so one answer can reach {limit} tokens a second and no more.",
            size=bytes_text(model.bytes_per_token),
            speed=bytes_text(max(memory.read, memory.triad)),
            limit=number_text(limit),
        ),
        tr("Quotations and several answers at once may pass that line: then one reading serves several tokens."),
    ]
    return " ".join(sentences)


def method_text(report: Report) -> str:
    """How it was measured."""
    sentences = [tr("Each number is the median of its rounds; the lowest and the highest stand beside it.")]
    if report.memory is not None:
        sentences.append(
            tr(
                "The memory was read by all cores at once ({read}/s), and read and written as the STREAM benchmark"
                " does in its triad ({triad}/s); the better one counts.",
                read=bytes_text(report.memory.read),
                triad=bytes_text(report.memory.triad),
            )
        )
    return " ".join(sentences)


def busy_text(report: Report) -> str:
    """A warning where other programs were at work; "" else."""
    if not report.machine.is_busy:
        return ""
    return tr(
        "Other programs kept {share} % of the processor busy: alone, this computer is faster than this.",
        share=round(100 * report.machine.others),
    )
