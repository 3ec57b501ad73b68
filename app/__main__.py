"""`hearth`: read the command line, then open the window or run a command.

Imports only what the chosen way needs: a command never imports Qt, and the window waits for nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.bootstrap import Start, StartError, prepare, why_no_window
from app.command_line import Arguments, parse
from app.i18n import tr
from engine.worker.settle import refuse_telemetry

if TYPE_CHECKING:
    from app.bench.report import Report

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run Hearth; returns the exit code: 0 done, 1 failed (said on stderr), 2 wrong usage, 130 interrupted."""
    multiprocessing.freeze_support()
    refuse_telemetry()
    try:
        arguments, start = parse(sys.argv[1:] if argv is None else argv)
        prepare(start, arguments.log_level)
        return _run(arguments, start)
    except StartError as error:
        sys.stderr.write(f"hearth: {error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough (`hearth chat … | head`). Python must not find out again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK


def _run(arguments: Arguments, start: Start) -> int:
    if arguments.self_test:
        from app.self_test import self_test  # noqa: PLC0415

        return self_test(arguments, start)
    if arguments.command not in (None, "open"):
        from app.cli import run_command  # noqa: PLC0415

        return run_command(arguments, start, draw=_draw)
    reason = why_no_window()
    if reason is not None:
        sys.stderr.write(f"hearth: {reason}\n" + tr("To chat in this terminal: hearth chat") + "\n")
        return EXIT_USAGE
    from app.head_start import head_start  # noqa: PLC0415

    begun = head_start(start.paths, arguments.model)
    from app.ui.application import run_window  # noqa: PLC0415  # a quarter of a second in which the model loads

    return run_window(start.paths, model=arguments.model, files=arguments.files, begun=begun, quick=arguments.quick)


def _draw(report: Report) -> bytes:
    """The one picture that a command makes, and the one moment in which it needs Qt."""
    from app.ui.bench_chart import chart_png  # noqa: PLC0415

    return chart_png(report)


if __name__ == "__main__":
    raise SystemExit(main())
