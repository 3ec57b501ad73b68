"""The command line as data: which options exist, and what was asked. Runs nothing.

Global options may stand before or after the command. Help is in the person's language, which the settings know:
where they lie is read first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from app.bootstrap import Start, find
from app.i18n import tr
from app.logs import LEVELS

EXPORT_FORMATS = (
    "hearth", "ccv3", "ccv3-json", "ccv2", "ccv2-json", "charx", "open-webui", "lm-studio", "jan", "skill",
)  # fmt: skip
"""What a persona can be written as; the first one is Hearth's own bundle."""
BENCH_PARTS = ("model", "prefill", "decode", "parallel", "lookup", "ingest", "query", "speech")
"""What `hearth bench` measures, by the names of `app.bench.report.Part`."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked. `command` None and "open" mean the window."""

    command: str | None = None
    self_test: bool = False
    data_dir: Path | None = None
    portable: bool = False
    model: str | None = None
    json: bool = False
    quiet: bool = False
    log_level: str = "info"
    quick: bool = False
    # open
    files: tuple[Path, ...] = ()
    # chat
    question: tuple[str, ...] = ()
    resume: bool = False
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    show_reasoning: bool = False
    save: bool = True
    # fetch
    names: tuple[str, ...] = ()
    if_none: bool = False
    # models
    everything: bool = False
    # docs, ask
    action: str | None = None
    collection: str | None = None
    documents: Path | None = None
    # persona
    wanted: str = ""
    instructions: Path | None = None
    description: str = ""
    accept: bool = False
    sign: bool = False
    export_format: str = EXPORT_FORMATS[0]
    embeddings: bool = False
    from_shelf: bool = False
    # transcribe
    sound: Path | None = None
    srt: bool = False
    language: str = ""
    # say
    words: tuple[str, ...] = ()
    output: Path | None = None
    voice: str = ""
    speed: float | None = None
    # talk
    hands_free: bool = True
    persona: str = ""
    # bench
    only: tuple[str, ...] = ()
    # serve
    port: int = 8791
    token: str | None = None


_WITH_VALUE = ("--data-dir", "--log-level", "--model")
"""Options before the command that have a word of their own."""


def parse(argv: Sequence[str]) -> tuple[Arguments, Start]:
    """Read the command line, and the settings of the run it means. Raises `SystemExit` (0 help, 2 wrong usage)."""
    places = _places(argv)
    start = find(getattr(places, "data_dir", None), portable=getattr(places, "portable", False))
    whole, commands = _parser_and_commands()
    parsed = vars(whole.parse_args(_with_command(argv, commands)))
    known = {field.name for field in fields(Arguments)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in parsed.items()
    }
    return Arguments(**{name: value for name, value in values.items() if name in known and value is not None}), start


def _with_command(argv: Sequence[str], commands: Collection[str]) -> list[str]:
    """`hearth FILE…`, as a file manager says it, is `hearth open FILE…`. A command's name is always the command."""
    skips = False
    for position, word in enumerate(argv):
        if skips:
            skips = False
        elif word in _WITH_VALUE:
            skips = True
        elif not word.startswith("-"):
            if word in commands or not _names_file(word):
                break
            return [*argv[:position], "open", *argv[position:]]
    return list(argv)


def _names_file(word: str) -> bool:
    path = Path(word)
    return path.is_absolute() or bool(path.suffix) or path.exists()


def _places(argv: Sequence[str]) -> argparse.Namespace:
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _add_places(first)
    try:
        return first.parse_known_args(argv)[0]
    except argparse.ArgumentError:
        return argparse.Namespace()  # the whole parser will say what is wrong


def _add_places(parser: argparse.ArgumentParser) -> None:
    nothing = argparse.SUPPRESS
    parser.add_argument(
        "--data-dir", type=Path, metavar=tr("FOLDER"), default=nothing,
        help=tr("keep everything of this run in a folder of its own"),
    )  # fmt: skip
    parser.add_argument(
        "--portable", action="store_true", default=nothing, help=tr("keep everything in a folder beside the program")
    )
    parser.add_argument("--log-level", choices=LEVELS, default=nothing, help=tr("how much goes into the log file"))


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_places(common)
    nothing = argparse.SUPPRESS
    common.add_argument(
        "--model", metavar=tr("NAME"), default=nothing, help=tr("the model to use: a name, a part of one, or a file")
    )
    common.add_argument("--json", action="store_true", default=nothing, help=tr("write JSON for other programs"))
    common.add_argument("--quiet", action="store_true", default=nothing, help=tr("write the result only"))
    return common


def parser() -> argparse.ArgumentParser:
    """The whole command line, in the language in force."""
    return _parser_and_commands()[0]


def _parser_and_commands() -> tuple[argparse.ArgumentParser, Collection[str]]:
    """The parser, and the names of the commands."""
    common = _common()
    whole = argparse.ArgumentParser(
        prog="hearth",
        parents=[common],
        allow_abbrev=False,
        description=tr("An assistant that lives wholly on your own computer. Without a command it opens its window."),
    )
    whole.add_argument("--version", action=_Version, nargs=0, help=tr("say which version this is"))
    whole.add_argument(
        "--quick", action="store_true", help=tr("only the small window for a quick question, for keys of your desktop")
    )
    whole.add_argument(
        "--self-test", action="store_true",
        help=tr("try every part of the program, with the smallest model there is or with --model FILE"),
    )  # fmt: skip
    commands = whole.add_subparsers(dest="command", metavar=tr("COMMAND"))

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[common], allow_abbrev=False, help=help_text, description=help_text)

    window = command("open", tr("open the window, with files attached to a new chat"))
    window.add_argument("files", nargs="*", type=Path, metavar=tr("FILE"))
    _add_chat(command("chat", tr("ask a question, or chat in the terminal")))
    _add_docs(command("docs", tr("the documents that can be asked")), common)
    question = command("ask", tr("ask the documents in a folder, and see where the answer stands"))
    question.add_argument("--docs", dest="documents", type=Path, metavar=tr("FOLDER"), help=tr("a folder, or one file"))
    question.add_argument("--collection", metavar=tr("NAME"), help=tr("a collection of the library instead"))
    question.add_argument("--no-save", dest="save", action="store_false", help=tr("keep nothing of this chat"))
    _add_sampling(question)
    question.add_argument("question", nargs="+", metavar=tr("QUESTION"))
    _add_personas(command("persona", tr("make, look at, share and ask personas")), common)
    models = command("models", tr("list the models on this computer"))
    models.add_argument(
        "--all", dest="everything", action="store_true", help=tr("also those to fetch, and files that cannot be used")
    )
    fetch = command("fetch", tr("download a model; goes on where an earlier download stopped"))
    fetch.add_argument(
        "names",
        nargs="*",
        metavar=tr("NAME"),
        help=tr("a model, voice (what hears) or kokoro (more voices); without: the model that suits this computer"),
    )
    fetch.add_argument("--if-none", action="store_true", help=tr("only where there is no model yet"))
    _add_voice(command)
    _add_bench(command("bench", tr("measure how fast this computer is at what Hearth does")))
    _add_serve(command("serve", tr("answer other programs on this computer, as OpenAI's API does")))
    tokens = command("tokens", tr("say which programs “hearth serve” lets in"))
    tokens.add_argument("action", nargs="?", choices=("list", "add", "revoke"), default="list")
    tokens.add_argument("names", nargs="*", metavar=tr("CLIENT"), help=tr("any name for the program"))
    command("doctor", tr("show what Hearth finds on this computer, and what is missing"))
    return whole, commands.choices


def _add_personas(personas: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = personas.add_subparsers(dest="action", metavar=tr("ACTION"))

    def action(name: str, help_text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[common], allow_abbrev=False, help=help_text, description=help_text)

    accept = tr("I have looked at it and want to use it")
    listed = action("list", tr("list the personas of this computer"))
    listed.add_argument(
        "--shelf", dest="from_shelf", action="store_true",
        help=tr("instead those that lie in the folders of the setting persona.shelves"),
    )  # fmt: skip
    listed.add_argument(
        "question", nargs="*", metavar=tr("WORD"), help=tr("with --shelf: only those that speak of these")
    )
    shown = action("show", tr("show all that a persona says and asks for"))
    shown.add_argument("wanted", metavar=tr("NAME"))
    shown.add_argument("--accept", action="store_true", help=accept)
    new = action("new", tr("make a persona"))
    new.add_argument("wanted", metavar=tr("NAME"))
    new.add_argument("--description", metavar=tr("TEXT"), help=tr("what it is for, in a sentence"))
    new.add_argument("--instructions", type=Path, metavar=tr("FILE"), help=tr("a text file with its instructions"))
    new.add_argument(
        "-f", "--file", dest="files", action="append", type=Path, metavar=tr("FILE"),
        help=tr("a document that it answers from; may be given several times"),
    )  # fmt: skip
    taken = action("import", tr("put a persona from a file on the shelf"))
    taken.add_argument("files", nargs=1, type=Path, metavar=tr("FILE"))
    taken.add_argument("--accept", action="store_true", help=accept)
    given = action("export", tr("write a persona as a file to share"))
    given.add_argument("wanted", metavar=tr("NAME"))
    given.add_argument("-o", "--output", type=Path, metavar=tr("FILE"))
    given.add_argument(
        "--sign", action="store_true", help=tr("sign it with your own key, which is made the first time")
    )
    given.add_argument(
        "--embeddings", action="store_true",
        help=tr("with its documents as they were learned, so that they are found by meaning at once"),
    )  # fmt: skip
    given.add_argument(
        "--as", dest="export_format", choices=EXPORT_FORMATS, metavar=tr("FORMAT"),
        help=tr("for another program: {formats}", formats=", ".join(EXPORT_FORMATS[1:])),
    )  # fmt: skip
    action("verify", tr("check a bundle without importing it")).add_argument(
        "files", nargs=1, type=Path, metavar=tr("FILE")
    )
    asked = action("run", tr("ask a persona a question"))
    asked.add_argument("wanted", metavar=tr("NAME"))
    asked.add_argument("question", nargs="+", metavar=tr("QUESTION"))
    _add_sampling(asked)
    asked.add_argument("--show-reasoning", action="store_true", help=tr("show what the model thinks before it answers"))
    asked.add_argument("--no-save", dest="save", action="store_false", help=tr("keep nothing of this chat"))


def _add_voice(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    heard = command("transcribe", tr("write down what is said in a sound or video file"))
    heard.add_argument("sound", type=Path, metavar=tr("FILE"))
    heard.add_argument("--srt", action="store_true", help=tr("as subtitles"))
    _add_language(heard)
    said = command("say", tr("speak a text, or write it as a sound file"))
    said.add_argument("words", nargs="+", metavar=tr("TEXT"), help=tr("what to say; - reads it from a pipe"))
    said.add_argument("-o", "--output", type=Path, metavar=tr("FILE"), help=tr("write a WAV file instead"))
    _add_voice_choice(said)
    talk = command("talk", tr("talk with the model by microphone and loudspeaker"))
    which = talk.add_mutually_exclusive_group()
    which.add_argument("-c", "--continue", dest="resume", action="store_true", help=tr("go on with the last chat"))
    which.add_argument("--persona", metavar=tr("NAME"), help=tr("talk with this persona, in its own voice"))
    talk.add_argument("--system", metavar=tr("TEXT"), help=tr("instructions for this chat"))
    talk.add_argument(
        "--push-to-talk", dest="hands_free", action="store_false", help=tr("listen only between two presses of Enter")
    )
    _add_language(talk)
    _add_voice_choice(talk)
    _add_sampling(talk)
    talk.add_argument("--no-save", dest="save", action="store_false", help=tr("keep nothing of this chat"))


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--language", type=_language, metavar="CODE", help=tr("what is spoken, as two letters; else it is found out")
    )


def _add_voice_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--voice", metavar=tr("NAME"), help=tr("a voice of Hearth or of this computer"))
    parser.add_argument("--speed", type=_number(0.5, 2.0), metavar="0.5..2", help=tr("1 is the voice's own"))


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--port", type=_whole(0, 65_535), metavar="N", help=tr("8791 unless you say otherwise; 0 takes a free one")
    )
    serve.add_argument(
        "--token", metavar=tr("TOKEN"),
        help=tr("let in who has this token only; other users of this computer may see what you type here"),
    )  # fmt: skip


def _language(text: str) -> str:
    if not (len(text) in (2, 3) and text.isascii() and text.isalpha()):
        raise argparse.ArgumentTypeError(tr("a language is two letters, like en or de"))
    return text.lower()


def _add_docs(docs: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = docs.add_subparsers(dest="action", metavar=tr("ACTION"))

    def action(name: str, help_text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, parents=[common], allow_abbrev=False, help=help_text, description=help_text)
        made.add_argument("--collection", metavar=tr("NAME"), help=tr("only this collection"))
        return made

    for name, help_text in (
        ("add", tr("read files and folders into the library")),
        ("remove", tr("take files and folders out of the library; they stay where they are")),
    ):
        action(name, help_text).add_argument("files", nargs="+", type=Path, metavar=tr("FILE"))
    for name, help_text in (
        ("search", tr("find passages, without a language model")),
        ("ask", tr("have a question answered from the library")),
    ):
        made = action(name, help_text)
        if name == "ask":
            _add_sampling(made)
        made.add_argument("question", nargs="+", metavar=tr("QUESTION"))
    action("list", tr("list the files"))
    action("status", tr("say how much is in the library"))
    action("embedder", tr("say or choose what finds passages by meaning")).add_argument(
        "names", nargs="*", metavar=tr("MODEL"), help=tr("light, a GGUF file, or a model of sentence-transformers")
    )


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  # slow, and asked for here only

        parser.exit(message=f"Hearth {version('hearth-assistant')}\n")


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument(
        "--only", type=_bench_parts, metavar=tr("PARTS"),
        help=tr("only some of these, with commas between them: {names}", names=", ".join(BENCH_PARTS)),
    )  # fmt: skip
    bench.add_argument(
        "-o", "--out", dest="output", type=Path, metavar=tr("FILE"), help=tr("also draw a picture (PNG)")
    )


def _bench_parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in BENCH_PARTS:
            known = ", ".join(BENCH_PARTS)
            raise argparse.ArgumentTypeError(tr("there is no “{name}”; there are: {names}", name=name, names=known))
    return names


def _add_chat(chat: argparse.ArgumentParser) -> None:
    chat.add_argument("question", nargs="*", metavar=tr("QUESTION"), help=tr("without one, a chat begins"))
    chat.add_argument(
        "-f", "--file", dest="files", action="append", type=Path, metavar=tr("FILE"),
        help=tr("attach a text file; may be given several times"),
    )  # fmt: skip
    chat.add_argument("-c", "--continue", dest="resume", action="store_true", help=tr("go on with the last chat"))
    chat.add_argument("--system", metavar=tr("TEXT"), help=tr("instructions for this chat"))
    _add_sampling(chat)
    chat.add_argument("--show-reasoning", action="store_true", help=tr("show what the model thinks before it answers"))
    chat.add_argument("--no-save", dest="save", action="store_false", help=tr("keep nothing of this chat"))


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temperature", type=_number(0.0, 2.0), metavar="0..2", help=tr("0 always takes the likeliest word")
    )
    parser.add_argument("--max-tokens", type=_whole(1), metavar="N", help=tr("end the answer after so many tokens"))
    parser.add_argument("--seed", type=_whole(0), metavar="N", help=tr("the same seed gives the same answer"))


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(tr("must be between {low} and {high}", low=low, high=high))
        return value

    read.__name__ = "number"
    return read


def _whole(low: int, high: int = 2**32 - 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(tr("must be {low} or more", low=low))
        if value > high:
            raise argparse.ArgumentTypeError(tr("must be between {low} and {high}", low=low, high=high))
        return value

    read.__name__ = "number"
    return read
