"""`hearth chat` without a question: a chat line by line, with a few commands that begin with "/".

Ctrl+C stops the answer, not the program; Ctrl+D or /quit ends it. Knows no window.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from app.attachments import read_attachment
from app.cli_chat import Talk
from app.console import Console
from app.i18n import error_sentence, ntr, tr
from app.model_entry import Availability
from app.shown_names import shown_name
from app.store.types import AttachmentPart
from engine.errors import ChatError, HearthError, sentence

_PROMPT = "› "


class _EndedError(Exception):
    """The person has said goodbye."""


def converse(talk: Talk, attachments: Sequence[AttachmentPart] = ()) -> int:
    """Chat until the person ends it. Returns the exit code."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415  # gives input() its line editing and history
    talk.console.note(tr("Ask anything. /help shows what else there is, Ctrl+D ends the chat."))
    loop = _Loop(talk, list(attachments))
    while True:
        try:
            loop.step()
        except (_EndedError, EOFError):
            talk.console.say()
            return 0
        except KeyboardInterrupt:
            talk.console.say()
            talk.console.note(tr("Ctrl+D or /quit ends the chat."))
        except HearthError as error:
            talk.console.end_status()
            talk.console.fail(error_sentence(error))


class _Loop:
    def __init__(self, talk: Talk, attachments: list[AttachmentPart]) -> None:
        self._talk = talk
        self._console: Console = talk.console
        self._attachments = attachments
        self._commands: dict[str, tuple[Callable[[str], None], str]] = {
            "/help": (self._help, tr("show this list")),
            "/new": (self._new, tr("start another chat")),
            "/model": (self._model, tr("list the models, or use another one: /model NAME")),
            "/file": (self._file, tr("attach a text file to the next question: /file PATH")),
            "/regenerate": (self._regenerate, tr("answer the last question again")),
            "/save": (self._save, tr("write this chat as Markdown: /save FILE")),
            "/quit": (self._quit, tr("end")),
        }

    def step(self) -> None:
        """Read one line and do what it says."""
        line = input(_PROMPT).strip()
        if line.startswith("/"):
            name, _space, rest = line.partition(" ")
            command = self._commands.get(name)
            if command is None:
                raise ChatError(sentence("There is no command {name}. /help shows them all."), name=name)
            command[0](rest.strip())
        elif line:
            attachments, self._attachments = self._attachments, []
            self._talk.ask(line, attachments)

    def _help(self, _rest: str) -> None:
        for name, (_run, text) in self._commands.items():
            self._console.say(f"  {name:<12} {text}")

    def _new(self, _rest: str) -> None:
        self._talk.new()
        self._console.note(tr("A new chat."))

    def _model(self, rest: str) -> None:
        if rest:
            self._talk.load(rest)
            return
        models = self._talk.services.models
        models.refresh().result()
        for entry in models.entries:
            if entry.availability is Availability.HERE:
                mark = "*" if entry.loaded or entry.is_default else " "
                self._console.say(f"  {mark} {shown_name(entry.name)}  {entry.quantisation}")

    def _file(self, rest: str) -> None:
        self._attachments.append(read_attachment(Path(rest).expanduser()))
        count = len(self._attachments)
        self._console.note(
            ntr("{count} file goes with the next question.", "{count} files go with the next question.", count)
        )

    def _regenerate(self, _rest: str) -> None:
        self._talk.regenerate()

    def _save(self, rest: str) -> None:
        from app.store.exporting import to_markdown  # noqa: PLC0415

        conversation_id = self._talk.conversation_id
        if conversation_id is None:
            raise ChatError(sentence("There is nothing to save yet."))
        if not rest:
            raise ChatError(sentence("Say where: /save FILE"))
        services = self._talk.services
        text = services.store_call(
            lambda store: to_markdown(store.conversation(conversation_id), store.path(conversation_id))
        ).result()
        path = Path(rest).expanduser()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise ChatError(sentence("{name} exists already. Choose another name."), name=path.name) from error
        except OSError as error:
            raise ChatError(
                sentence("{name} could not be written ({reason})."), name=str(path), reason=error.strerror
            ) from error
        self._console.note(tr("Saved as {name}.", name=path))

    def _quit(self, _rest: str) -> None:
        raise _EndedError
