"""`hearth chat`: one question on the command line or through a pipe, or a chat in the terminal.

Chats are stored as the window's are, unless --no-save. Knows no window.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.attachments import read_attachment
from app.bootstrap import Start
from app.cli_answer import AnswerPrinter
from app.command_line import Arguments
from app.console import Console
from app.events import ChatEvent
from app.i18n import tr
from app.limits import ATTACHMENT_BYTES, MIB
from app.prompting import sampling_of
from app.prompting_persona import drawn_as
from app.services import Services
from app.settings import Settings
from app.store.types import AttachmentPart, MessageState, StoredMessage
from engine.errors import ChatError, LimitError, sentence
from engine.types import SamplingParams

if TYPE_CHECKING:
    from app.personas.persona import Persona

EXIT_OK, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def chat(arguments: Arguments, start: Start, console: Console) -> int:
    """Answer one question, or hold a chat until the person ends it."""
    question = " ".join(arguments.question)
    attachments = [read_attachment(path) for path in arguments.files]
    piped = _piped(console)
    if piped and question:
        attachments.append(AttachmentPart(tr("Piped text.txt"), piped, len(piped.encode("utf-8", "replace"))))
    elif piped:
        question = piped
    printer = AnswerPrinter(console, show_reasoning=arguments.show_reasoning)
    with services_for(arguments, start, printer.take) as services:
        talk = Talk(arguments, services, console, printer)
        talk.begin()
        if question.strip() or (attachments and not console.interactive):
            return talk.ask(question, attachments)
        if not console.interactive:
            raise ChatError(sentence('There is no question. Ask one: hearth chat "…"'))
        from app.cli_interactive import converse  # noqa: PLC0415

        return converse(talk, attachments)


class Talk:
    """One conversation as a terminal holds it, with a persona or with that of new chats."""

    def __init__(
        self,
        arguments: Arguments,
        services: Services,
        console: Console,
        printer: AnswerPrinter,
        persona: Persona | None = None,
    ) -> None:
        self.services = services
        self.console = console
        self._arguments = arguments
        self._printer = printer
        self._persona = persona
        self.conversation_id: str | None = None
        self.last: StoredMessage | None = None

    def begin(self) -> None:
        """Choose the conversation and the model. Raises `HearthError`."""
        arguments = self._arguments
        if arguments.resume:
            self._resume()
        if arguments.system is not None:
            self._set_system_prompt(arguments.system)
        remote = self.services.remote.spec
        if arguments.model is not None:
            self.load(arguments.model)
        elif remote is not None and remote.remote is not None:
            self.console.note(
                tr("Answers come from {host}: your messages leave this computer.", host=remote.remote.address)
            )
        else:
            self.services.models.default()  # Looks at the folders now, so that the answer carries a model's name.

    def load(self, wanted: str) -> None:
        """Start loading a model that a person named; the next answer waits for it. Raises `ModelFileError`."""
        _entry, path = self.services.models.here(wanted)
        self.services.models.load(path)

    def ask(self, question: str, attachments: Sequence[AttachmentPart]) -> int:
        """Send, print the answer, and return the exit code for how it ended."""
        return self._follow(
            lambda: self.services.chat.send(
                self.conversation_id,
                question,
                attachments,
                sampling=self.sampling(),
                persona=self._persona.short_name if self._persona is not None else None,
            )
        )

    def regenerate(self) -> int:
        """Answer the last question again. Raises `ChatError` where there is none."""
        if self.last is None:
            raise ChatError(sentence("There is no answer yet."))
        message_id = self.last.id
        return self._follow(lambda: self.services.chat.regenerate(message_id, sampling=self.sampling()))

    def _follow(self, begin: Callable[[], Future[str]]) -> int:
        message = self._printer.follow(self.services, begin)
        self.conversation_id, self.last = message.conversation_id, message
        if message.state is MessageState.COMPLETE:
            return EXIT_OK
        return EXIT_INTERRUPTED if message.state is MessageState.STOPPED else EXIT_FAILED

    def new(self) -> None:
        """The next question starts another conversation."""
        self.conversation_id, self.last = None, None
        if self._arguments.system is not None:
            self._set_system_prompt(self._arguments.system)

    def _resume(self) -> None:
        conversations = self.services.store_call(lambda store: store.conversations()).result()
        if not conversations:
            raise ChatError(sentence("There is no chat to go on with yet."))
        newest = max(conversations, key=lambda conversation: conversation.updated_at)
        path = self.services.store_call(lambda store: store.path(newest.id)).result()
        self.conversation_id, self.last = newest.id, path[-1] if path else None
        self.console.note(tr("Going on with “{title}”.", title=newest.title))

    def _set_system_prompt(self, text: str) -> None:
        conversation_id = self.conversation_id
        if conversation_id is None:
            created = self.services.store_call(lambda store: store.create_conversation(system_prompt=text)).result()
            self.conversation_id = created.id
        else:
            self.services.store_call(lambda store: store.set_system_prompt(conversation_id, text)).result()

    def sampling(self) -> SamplingParams | None:
        """The settings and the persona with what the command line says; None where it says nothing."""
        arguments = self._arguments
        sampling = own = drawn_as(self._persona, sampling_of(self.services.settings))
        if arguments.temperature is not None:
            sampling = replace(sampling, temperature=arguments.temperature)
        if arguments.max_tokens is not None:
            sampling = replace(sampling, max_tokens=arguments.max_tokens)
        if arguments.seed is not None:
            sampling = replace(sampling, seed=arguments.seed)
        return sampling if sampling != own else None


@contextmanager
def services_for(arguments: Arguments, start: Start, publish: Callable[[ChatEvent], None]) -> Iterator[Services]:
    """The services; with --no-save on a database that is gone afterwards."""
    settings: Settings = start.settings
    settings.override("chat.automatic_titles", False)  # The program would end before the model had found one.
    if arguments.save:
        with Services.open(start.paths, publish=publish, settings=settings) as services:
            yield services
        return
    with (
        tempfile.TemporaryDirectory(prefix="hearth-") as folder,
        Services.open(
            start.paths, publish=publish, settings=settings, database=Path(folder) / "conversations.db"
        ) as services,
    ):
        yield services


def _piped(console: Console) -> str:
    """What was piped or redirected into the program, "" if nothing was. Raises `LimitError`, `AttachmentError`."""
    if console.source.isatty() or not _is_stream(console.source.fileno()):
        return ""
    data = sys.stdin.buffer.read(ATTACHMENT_BYTES + 1)
    if len(data) > ATTACHMENT_BYTES:
        raise LimitError(
            sentence("What was piped in is larger than {limit} MB, which is the most Hearth can read at once."),
            limit=ATTACHMENT_BYTES // MIB,
        )
    return data.decode("utf-8", "replace")


def _is_stream(descriptor: int) -> bool:
    """A pipe, a socket or a file; not the empty device that a service manager gives."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
