"""The commands without a window: the same services, on a terminal or a pipe. Never imports Qt.

Exit codes: 0 done, 1 failed (one sentence on stderr), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.bootstrap import Start
from app.command_line import Arguments
from app.console import Console
from app.i18n import error_sentence
from app.settings import Settings
from engine.errors import HearthError

if TYPE_CHECKING:
    from app.cli_bench import Draw

Command = Callable[[Arguments, Start, Console], int]


def run_command(arguments: Arguments, start: Start, *, draw: Draw) -> int:
    """Run the command and return its exit code. `draw` is what makes pictures."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that is not UTF-8 shows "?" rather than ending the program.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    console = Console(json=arguments.json, quiet=arguments.quiet)
    start = Start(start.paths, Settings.load(start.paths.settings_file))
    for notice in start.settings.notices:
        console.note(notice)
    try:
        return _command(arguments.command, draw)(arguments, start, console)
    except HearthError as error:
        console.end_status()
        console.fail(error_sentence(error))
        if console.json:
            console.record({"type": "error", "code": error.code, "message": error_sentence(error)})
        return 1


def _command(name: str | None, draw: Draw) -> Command:
    if name == "bench":
        from app.cli_bench import bench  # noqa: PLC0415

        return partial(bench, draw=draw)
    if name == "chat":
        from app.cli_chat import chat  # noqa: PLC0415

        return chat
    if name in ("docs", "ask"):
        from app import cli_docs  # noqa: PLC0415

        return cli_docs.docs if name == "docs" else cli_docs.ask
    if name == "models":
        from app.cli_models import models  # noqa: PLC0415

        return models
    if name == "fetch":
        from app.cli_models import fetch  # noqa: PLC0415

        return fetch
    if name in ("transcribe", "say"):
        from app import cli_voice  # noqa: PLC0415

        return cli_voice.transcribe if name == "transcribe" else cli_voice.say
    if name == "persona":
        from app.cli_personas import personas  # noqa: PLC0415

        return personas
    if name == "talk":
        from app.cli_talk import talk  # noqa: PLC0415

        return talk
    if name == "serve":
        from app.cli_serve import serve  # noqa: PLC0415

        return serve
    if name == "tokens":
        from app.cli_tokens import tokens  # noqa: PLC0415

        return tokens
    assert name == "doctor"
    from app.doctor import doctor  # noqa: PLC0415

    return doctor
