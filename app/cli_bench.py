"""`hearth bench`: how fast this computer is at what Hearth does, as a table, as JSON, and as a picture.

Imports no Qt: whoever starts the command hands in what can draw.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.bench import words
from app.bench.report import Part, Report
from app.bench.run import Subject, run_benchmark
from app.bootstrap import Start
from app.cli_models import library
from app.command_line import Arguments
from app.console import Console
from app.head_start import spec_by_settings
from app.i18n import tr
from engine.errors import ModelFileError, StoreError, sentence

Draw = Callable[[Report], bytes]
"""A report as a PNG file. Raises `HearthError` where nothing can be drawn."""
EXIT_OK, EXIT_FAILED = 0, 1
_WRITE_FAILED = sentence("{name} could not be written ({reason}).")
_NO_MODEL = sentence("There is no model on this computer yet. Fetch one with: hearth fetch")


def bench(arguments: Arguments, start: Start, console: Console, draw: Draw) -> int:
    """Measure, print, draw. The exit code is 1 where nothing could be measured. Raises `HearthError`."""
    parts = [Part(name) for name in arguments.only] or list(Part)

    def begins(part: Part) -> None:
        console.status(tr("Measuring: {what}…", what=words.part_label(part)))

    report = run_benchmark(parts, start.paths, lambda: _subject(arguments.model, start), begins=begins)
    console.end_status()
    if console.json:
        console.record(report.as_json())
    else:
        for line in _lines(report, console):
            console.say(line)
    if arguments.output is not None and report.measured:
        _write(arguments.output, draw(report))
        console.note(tr("The picture is in {file}.", file=arguments.output))
    return EXIT_OK if report.measured else EXIT_FAILED


def _subject(wanted: str | None, start: Start) -> Subject:
    """The model that was named, or the default. Raises `ModelFileError`."""
    with library(start) as shelf:
        if wanted is not None:
            entry, path = shelf.here(wanted)
        else:
            default = shelf.default()
            if default is None or default.path is None:
                raise ModelFileError(_NO_MODEL)
            entry, path = default, default.path
    return Subject(spec_by_settings(path, start.settings, None, start.paths), entry.name)


def _lines(report: Report, console: Console) -> list[str]:
    facts = [words.machine_text(report), words.model_text(report)]
    lines = [*(fact for fact in facts if fact), ""]
    rows = [
        (words.label(each.kind), words.value_text(each), words.range_text(each), words.held_against(each, report))
        for each in report.measured
    ]
    head = ("", tr("Median"), tr("Lowest – highest"), "")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for number, row in enumerate((head, *rows)):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(console.bold(line) if not number else line)
    lines += [console.faint(f"{words.part_label(each.part)}: {each.reason}") for each in report.skipped]
    for text in (words.limit_text(report), words.method_text(report), words.busy_text(report)):
        if text and report.measured:
            lines += ["", text]
    return lines


def _write(path: Path, data: bytes) -> None:
    try:
        path.expanduser().write_bytes(data)
    except OSError as error:
        raise StoreError(_WRITE_FAILED, name=str(path), reason=error.strerror or str(error)) from error
