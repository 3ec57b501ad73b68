"""`hearth persona run`: one question to a persona, as the window would ask it, and the places that its answer cites.

Knows no window.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.bootstrap import Start
from app.cli_answer import AnswerPrinter, wait_for
from app.cli_chat import Talk, services_for
from app.cli_docs import LONGEST_S, print_cited
from app.cli_personas import own_shelf
from app.command_line import Arguments
from app.console import Console
from app.persona_models import KEY
from app.personas.folder import Shelved
from app.personas.persona import Persona
from app.services import Services
from app.store.types import SourcesPart
from engine.errors import PersonaError, sentence


def run(arguments: Arguments, start: Start, console: Console) -> int:
    """Answer one question as the persona would. Raises `HearthError`."""
    shelved = usable(start, arguments.wanted)
    if arguments.model is not None:
        start.settings.override(KEY, False)
    printer = AnswerPrinter(console, show_reasoning=arguments.show_reasoning)
    with services_for(arguments, start, printer.take) as services:
        talk = Talk(arguments, services, console, printer, shelved.persona)
        talk.begin()
        read_documents(services, shelved)
        code = talk.ask(" ".join(arguments.question), ())
        if talk.last is not None:
            print_cited(services, talk.last.conversation_id, console, lambda each: _named(each, shelved.persona))
        return code


def usable(start: Start, wanted: str) -> Shelved:
    """The persona that a person named. Raises `PersonaError` where there is none, or nobody has looked at it."""
    shelved = own_shelf(start).find(wanted)
    if not shelved.usable:
        raise PersonaError(
            sentence("Nobody has looked at “{name}” yet. Do so first: hearth persona show {short_name} --accept"),
            name=shelved.persona.name,
            short_name=shelved.persona.short_name,
        )
    return shelved


def read_documents(services: Services, shelved: Shelved) -> None:
    """Wait until the library has read them: the program would end before."""
    if shelved.persona.knowledge:
        wait_for(services.pool.submit(services.personas.documents.collection, shelved))
        wait_for(services.documents.wait_until_idle(LONGEST_S))


def _named(sources: SourcesPart, persona: Persona) -> SourcesPart:
    """The persona's own documents without the folder that they lie in."""
    names = {each.name for each in persona.knowledge}
    return replace(
        sources,
        passages=tuple(
            replace(each, path=name) if (name := Path(each.path).name) in names else each for each in sources.passages
        ),
    )
