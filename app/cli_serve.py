"""`hearth serve`: the models and personas of this computer for other programs on it, until Ctrl+C.

A process of its own, with the engine's worker as its child: no model is in it, and no window. It reads and writes none
of the chats. Knows no route.
"""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from app.api.application import make_application
from app.api.backend import open_parts
from app.api.server import Server
from app.api.tokens import TOKEN_FILE, FixedToken, TokenCheck, TokenFile
from app.bootstrap import Start
from app.cli_answer import wait_for
from app.command_line import Arguments
from app.console import Console
from app.events import ChatEvent, Notice
from app.head_start import is_alone
from app.i18n import tr
from app.services import Services

EXIT_OK = 0


def serve(arguments: Arguments, start: Start, console: Console) -> int:
    """Serve until the person or the system ends it. Raises `HearthError`."""
    tokens: TokenCheck
    token = arguments.token
    if token is not None:
        tokens = FixedToken(token)
    else:
        kept = TokenFile(start.paths.config / TOKEN_FILE)
        token, tokens = kept.token_for(), kept
    server = Server(arguments.port)

    def publish(event: ChatEvent) -> None:
        if isinstance(event, Notice):
            console.note(event.text)

    # A service manager's polite end is an end like Ctrl+C: the worker is told, and what it knows is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hearth-") as folder,
            Services.open(
                start.paths,
                publish=publish,
                settings=start.settings,
                database=Path(folder) / "conversations.db",
            ) as services,
        ):
            if not is_alone(start.paths):
                console.note(
                    tr("Hearth's window is open too. Each of the two loads a model of its own: that takes more memory.")
                )
            remote = services.remote.spec
            if remote is not None and remote.remote is not None and arguments.model is None:
                console.note(
                    tr("Answers come from {host}: your messages leave this computer.", host=remote.remote.address)
                )
            loading = services.load_first_model(arguments.model)
            if arguments.model is not None:
                wait_for(loading)
            with open_parts(services) as parts:
                application = make_application(parts, tokens=tokens, hosts=server.hosts)
                try:
                    server.run(application, on_ready=lambda: _say_ready(server, token, arguments, start, console))
                finally:
                    # The end is under way. Broken off, what it had not closed yet would keep the process for ever.
                    for each in (signal.SIGINT, signal.SIGTERM):
                        signal.signal(each, signal.SIG_IGN)
    except KeyboardInterrupt:
        console.note(tr("(stopped)"))
    finally:
        server.close()
    return EXIT_OK


def _say_ready(server: Server, token: str, arguments: Arguments, start: Start, console: Console) -> None:
    path = start.paths.config / TOKEN_FILE
    if console.json:
        record = {"type": "ready", "address": server.address}
        console.record(record if arguments.token is not None else {**record, "token_file": str(path)})
        return
    console.say(server.address)
    console.note(tr("Other programs on this computer can ask at this address now. Ctrl+C ends it."))
    if arguments.token is None:
        # Only where a person reads it: what a service manager catches is kept for years.
        shown = token if console.err_is_terminal else str(path)
        console.note(tr("Token: {token}", token=shown))
