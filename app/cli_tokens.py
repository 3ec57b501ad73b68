"""`hearth tokens`: which programs `hearth serve` lets in. One that runs takes changes at once. Knows no server."""

from __future__ import annotations

from app.api.tokens import TOKEN_FILE, TokenFile
from app.bootstrap import Start
from app.command_line import Arguments
from app.console import Console
from app.i18n import tr
from engine.errors import SettingsError, sentence


def tokens(arguments: Arguments, start: Start, console: Console) -> int:
    """List the clients, give one a token, or let it in no more. Raises `SettingsError`."""
    file = TokenFile(start.paths.config / TOKEN_FILE)
    if arguments.action == "list":
        names = sorted(file.tokens())
        if console.json:
            console.record(names)
            return 0
        for name in names:
            console.say(name)
        if not names:
            console.note(tr("No program is let in yet. Begin with: hearth serve"))
        return 0
    if not arguments.names:
        raise SettingsError(sentence("Say for which program, by any name: hearth tokens add editor"))
    for name in arguments.names:
        if arguments.action == "add":
            token = file.token_for(name)
            console.record({"client": name, "token": token}) if console.json else console.say(token)
        elif not file.revoke(name):
            raise SettingsError(sentence("There is no program called “{name}” in the list."), name=name)
        else:
            console.note(tr("“{name}” is let in no more.", name=name))
    return 0
