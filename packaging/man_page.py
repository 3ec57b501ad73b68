"""hearth(1), written from the parser of app/command_line.py: no option of it can be forgotten or misremembered."""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

from package_facts import ROOT, VERSION

_SECTIONS = """
.SH FILES
.TP
.I ~/.local/share/hearth
Chats, documents as they were read, personas.
.TP
.I ~/.config/hearth/settings.toml
The settings.
.TP
.I ~/.cache/hearth
Models that were fetched, and what can be made again.
.SH ENVIRONMENT
.TP
.B HEARTH_MODELS_DIR
The folder of the models that are fetched.
.TP
.B HEARTH_PORTABLE
A folder that everything of Hearth is kept in, or 1 for the folder
.I portable
beside the program, which is used too wherever it is found there.
.SH EXIT STATUS
0 done, 1 failed (with a sentence that says why), 2 wrong usage, 130 interrupted.
.SH NETWORK
Hearth reaches no network by itself. It does so for what you fetch, and for another computer that you set up to answer.
It does not update itself.
"""


def man_page() -> str:
    """The page, in roff."""
    sys.path.insert(0, str(ROOT))
    from app.command_line import parser  # noqa: PLC0415  # beside this folder
    from app.i18n import set_language  # noqa: PLC0415

    set_language("en")
    whole = parser()
    lines = [
        f'.TH HEARTH 1 "" "Hearth {VERSION}" "User Commands"',
        ".SH NAME", "hearth \\- an assistant that lives wholly on your own computer",
        ".SH SYNOPSIS", ".B hearth", "[OPTION]... [COMMAND]",
        ".SH DESCRIPTION", _plain(whole.description or ""),
        ".SH OPTIONS", "They may stand before or after a command.", *_options(whole),
        ".SH COMMANDS", *_commands(whole, "hearth", common=_option_names(whole)),
    ]  # fmt: skip
    return "\n".join(lines) + _SECTIONS


def write_man_page(target: Path) -> None:
    """Compressed, and the same bytes each time."""
    target.write_bytes(gzip.compress(man_page().encode(), 9, mtime=0))


def _commands(parser: argparse.ArgumentParser, path: str, *, common: frozenset[str]) -> list[str]:
    lines: list[str] = []
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, command in action.choices.items():
            usage = " ".join(
                _usage(each) for each in command._actions if not each.option_strings and each.dest != "help"
            )
            lines += [f".SS {_plain(f'{path} {name} {usage}'.strip())}", _plain(command.description or "")]
            lines += _options(command, without=common)
            lines += _commands(command, f"{path} {name}", common=common)
    return lines


def _options(parser: argparse.ArgumentParser, without: frozenset[str] = frozenset()) -> list[str]:
    lines: list[str] = []
    for action in parser._actions:
        if not action.option_strings or without.issuperset(action.option_strings):
            continue
        value = "" if action.nargs == 0 else f" {_value(action)}"
        names = ", ".join(action.option_strings)
        lines += [".TP", f".B {_plain(names + value)}", _plain(action.help or "")]
    return lines


def _option_names(parser: argparse.ArgumentParser) -> frozenset[str]:
    return frozenset(name for action in parser._actions for name in action.option_strings)


def _usage(action: argparse.Action) -> str:
    if isinstance(action, argparse._SubParsersAction):
        return str(action.metavar)
    name = str(action.metavar or action.dest)
    return {"*": f"[{name}]...", "+": f"{name}...", "?": f"[{name}]"}.get(str(action.nargs), name)


def _value(action: argparse.Action) -> str:
    if action.choices is not None and action.metavar is None:
        return "{" + ",".join(str(choice) for choice in action.choices) + "}"
    return str(action.metavar or action.dest.upper())


def _plain(text: str) -> str:
    """Text as roff takes it literally; argparse doubles a percent sign."""
    text = text.replace("%%", "%").replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text
