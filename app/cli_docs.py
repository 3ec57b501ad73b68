"""`hearth docs` and `hearth ask`: the document library on a terminal or a pipe. Knows no window.

Places are printed as `file:page`, which other programs understand. What is written for programs is JSON lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from app import cli_embedder
from app.answer_citations import citations_of, cited_places, complaint, doubt
from app.bootstrap import Start
from app.cli_answer import AnswerPrinter, wait_for
from app.cli_chat import EXIT_FAILED, EXIT_OK, Talk, services_for
from app.command_line import Arguments
from app.console import Console
from app.document_addresses import DocumentAddresses, Origin
from app.documents_care import COMMAND_LINE
from app.documents_view import anew_sentence, hidden_sentence, pages_text, reading_sentence
from app.embedder_choice import KEY as EMBEDDER
from app.i18n import error_sentence, ntr, tr
from app.library_process import run_library
from app.services import Services
from app.shown_names import shown_name
from app.source_names import page_name
from app.store.types import SourcesPart
from engine.errors import LibraryError, sentence
from engine.worker.envelope import error_of
from rag.citations import Verdict
from rag.client import LibraryClient, LibraryPlace
from rag.events import EmbeddingProgress, LibraryEvent, ReadingProgress
from rag.passages import Passage
from rag.scan import plain_path
from rag.store.types import Collection, FilePlace, FileState, StoredFile
from rag.types import Unit

DEFAULT_COLLECTION = "Documents"
SEARCH_CHARACTERS = 8_000
_SHOWN = 300
"""Characters of a passage that are printed."""
_AT_ONCE = 1000
"""Files that are listed by one question."""
LONGEST_S = 24 * 3600.0
_READY_S = 30.0
"""For the model for meanings to be there, and what is new to be learned; after that, the rest is found by its words."""
T = TypeVar("T")


def docs(arguments: Arguments, start: Start, console: Console) -> int:
    """Run one of the commands behind `hearth docs`."""
    if arguments.action == "ask":
        return _ask(arguments, start, console, " ".join(arguments.question))
    with open_library(start, console) as library:
        actions: dict[str, Callable[[], int]] = {
            "add": lambda: _add(arguments, library, console),
            "list": lambda: _list(arguments, library, console),
            "search": lambda: _search(arguments, library, console),
            "remove": lambda: _remove(arguments, library, console),
            "status": lambda: _status(arguments, library, console),
            "embedder": lambda: _embedder(arguments, start, library, console),
        }
        return actions[arguments.action or "status"]()


def ask(arguments: Arguments, start: Start, console: Console) -> int:
    """`hearth ask --docs FOLDER "question"`: the folder is read (once) and asked."""
    return _ask(arguments, start, console, " ".join(arguments.question))


class _Library:
    """The client, and the progress of its work on the terminal."""

    def __init__(self, start: Start, console: Console) -> None:
        self._console = console
        paths = start.paths
        place = LibraryPlace(paths.library, start.settings.text(EMBEDDER), paths.embedder, paths.voice)
        self.client = LibraryClient(place, self._on_event, entry_point=run_library)

    def result(self, future: Future[T]) -> T:
        """Wait, while Ctrl+C stays heard."""
        return wait_for(future)

    def collection(self, name: str) -> Collection:
        """Raises `LibraryError` where there is none of that name."""
        for each in self.result(self.client.collections()):
            if not each.owner and each.name.casefold() == name.casefold():
                return each
        raise LibraryError(sentence("There is no collection “{name}”."), name=name)

    def scope(self, name: str | None) -> tuple[int, ...] | None:
        return None if name is None else (self.collection(name).id,)

    def files(self, collection_ids: tuple[int, ...] | None) -> Iterator[tuple[StoredFile, ...]]:
        """A part at a time, so that the first are there at once, however many there are."""
        after: FilePlace | None = None
        while part := self.result(self.client.files(collection_ids, after=after, limit=_AT_ONCE)):
            yield part
            after = (str(part[-1].path), part[-1].id)

    def _on_event(self, event: LibraryEvent) -> None:
        if isinstance(event, ReadingProgress) and event.unit is Unit.TIME:
            self._console.status(reading_sentence(event))
        elif isinstance(event, ReadingProgress):
            self._console.status(tr("Reading… {number} pages", number=event.n_pages))
        elif isinstance(event, EmbeddingProgress) and event.n_left and event.anew:
            self._console.status(anew_sentence(event))
        elif isinstance(event, EmbeddingProgress) and event.n_left:
            self._console.status(tr("Learning meanings… {number} passages to go", number=event.n_left))


@contextmanager
def open_library(start: Start, console: Console) -> Iterator[_Library]:
    start.paths.create()
    library = _Library(start, console)
    try:
        yield library
    finally:
        library.client.close()


def _add(arguments: Arguments, library: _Library, console: Console) -> int:
    began = time.monotonic()
    name = arguments.collection or DEFAULT_COLLECTION
    collection = library.result(library.client.add_collection(name))
    for path in arguments.files:
        library.result(library.client.add(collection.id, path))
    library.result(library.client.wait_until_idle(LONGEST_S))
    console.end_status()
    (summary,) = (each for each in library.result(library.client.summaries()) if each.id == collection.id)
    if summary.n_failed:
        for part in library.files((collection.id,)):
            _print_files([file for file in part if file.state is FileState.FAILED], console)
    console.note(
        tr(
            "{files} files with {pages} pages can be asked ({seconds} s).",
            files=summary.n_read,
            pages=summary.n_pages,
            seconds=round(time.monotonic() - began),
        )
    )
    return EXIT_FAILED if summary.n_failed and not summary.n_read else EXIT_OK


def _list(arguments: Arguments, library: _Library, console: Console) -> int:
    for part in library.files(library.scope(arguments.collection)):
        _print_files(part, console)
    return EXIT_OK


def _search(arguments: Arguments, library: _Library, console: Console) -> int:
    question = " ".join(arguments.question)
    library.result(library.client.wait_until_idle(_READY_S))
    found = library.result(
        library.client.search(
            question,
            most_characters=SEARCH_CHARACTERS,
            collection_ids=library.scope(arguments.collection),
            wait_s=LONGEST_S,
            whole=False,
        )
    )
    console.end_status()
    for passage in found.passages:
        if console.json:
            console.record(_passage_record(passage))
        else:
            print_passage(passage, question, console)
    if not found.passages:
        console.note(tr("Nothing was found."))
    return EXIT_OK if found.passages else EXIT_FAILED


def print_passage(passage: Passage, question: str, console: Console) -> None:
    """A place and how its passage begins, on a terminal without anything that it would make a link of."""
    text, section = " ".join(passage.text.split()), shown_name(passage.section)
    if console.out.isatty():
        addresses = DocumentAddresses((Origin("", f"{section}\n{text}"),), (question,))
        text, section = addresses.spelled_out(text), addresses.spelled_out(section)
    place = place_text(passage.path, passage.unit.value, passage.page, passage.page_label, passage.first_line)
    console.say(console.bold(place) + (f"  {section}" if section else ""))
    console.say("    " + text[:_SHOWN])


def _remove(arguments: Arguments, library: _Library, console: Console) -> int:
    wanted = {plain_path(path) for path in arguments.files}
    known = library.result(library.client.sources())
    sources = [source for source in known if source.path in wanted]
    for source in sources:
        library.result(library.client.remove_source(source.id))
    for path in sorted(wanted - {source.path for source in sources}):
        folder = next((each for each in known if each.path in path.parents), None)
        if folder is None:
            console.fail(tr("{path} is not in the library.", path=path))
        else:
            name = folder.path
            console.fail(
                tr("This file belongs to the folder {name}: remove that, or move the file out of it.", name=name)
            )
    if sources:
        console.note(ntr("{count} was removed.", "{count} were removed.", len(sources)))
    return EXIT_OK if len(sources) == len(wanted) else EXIT_FAILED


def _status(arguments: Arguments, library: _Library, console: Console) -> int:
    summaries = library.result(library.client.summaries())
    for each in summaries:
        record = {
            "type": "collection", "name": each.name, "owner": each.owner, "files": each.n_files, "ready": each.n_read,
            "waiting": each.n_waiting, "failed": each.n_failed, "pages": each.n_pages, "passages": each.n_chunks,
            "without_vector": each.n_unembedded,
        }  # fmt: skip
        if console.json:
            console.record(record)
        else:
            console.say(
                tr(
                    "{name}: {files} files, {pages} pages, {waiting} waiting, {failed} could not be read",
                    name=shown_name(each.name),
                    files=each.n_files,
                    pages=each.n_pages,
                    waiting=each.n_waiting,
                    failed=each.n_failed,
                )
            )
    if not summaries:
        console.note(tr("The library is empty. Add something: hearth docs add FILE"))
    return EXIT_OK


def _embedder(arguments: Arguments, start: Start, library: _Library, console: Console) -> int:
    if arguments.names:
        cli_embedder.choose(" ".join(arguments.names), start.settings, library.client, console)
        library.result(library.client.wait_until_idle(LONGEST_S))
        console.end_status()
    cli_embedder.show(library.result(library.client.learning()), start.settings.text(EMBEDDER), console)
    return EXIT_OK


def _ask(arguments: Arguments, start: Start, console: Console, question: str) -> int:
    if not question.strip():
        raise LibraryError(sentence('There is no question. Ask one: hearth ask --docs FOLDER "…"'))
    printer = AnswerPrinter(console, show_reasoning=False)
    with services_for(arguments, start, printer.take) as services:
        talk = Talk(arguments, services, console, printer)
        talk.begin()
        documents = services.documents
        if arguments.documents is not None:
            folder = plain_path(arguments.documents)
            collection = documents.add_collection(str(folder), COMMAND_LINE).result()
            documents.add(collection.id, folder).result()
            ids: tuple[int, ...] = (collection.id,)
        else:
            names = [each for each in documents.collections().result() if not each.owner]
            wanted = arguments.collection
            ids = tuple(each.id for each in names if wanted is None or each.name.casefold() == wanted.casefold())
            if not ids:
                raise LibraryError(sentence("The library is empty. Add something: hearth docs add FILE"))
        wait_for(documents.wait_until_idle(LONGEST_S))
        conversation = services.store_call(lambda store: store.create_conversation()).result()
        services.store_call(lambda store: store.set_collections(conversation.id, ids)).result()
        talk.conversation_id = conversation.id
        code = talk.ask(question, ())
        print_cited(services, conversation.id, console)
        return code


def print_cited(
    services: Services,
    conversation_id: str,
    console: Console,
    shown: Callable[[SourcesPart], SourcesPart] = lambda sources: sources,
) -> None:
    """The places that the newest answer cites."""
    path = services.store_call(lambda store: store.path(conversation_id)).result()
    if len(path) >= 2 and (sources := path[-2].sources) is not None:
        _print_sources(path[-1].text, shown(sources), console)


def _print_sources(answer: str, sources: SourcesPart, console: Console) -> None:
    """The passages that an answer cites, and what is wrong with its citations."""
    citations = citations_of(answer, sources)
    places = cited_places(answer, sources)
    holding = {number for number, _passage in places}
    if console.json:
        console.record({
            "type": "sources", "way": sources.way,
            "passages": [
                {"number": number, "file": each.path, "page": each.page, **_line_record(each.unit, each.first_line),
                 "section": each.section, "score": round(each.score, 4), "cited": number in holding,
                 **({"cited_at": [found.first_line for other, found in places if other == number]}
                    if each.unit == Unit.TIME else {}),
                 "text": each.text}
                for number, each in enumerate(sources.passages, 1)
            ],
            "found": not doubt(answer, sources),
            "refused": [complaint(each, sources) for each in citations if each.verdict is not Verdict.HOLDS],
        })  # fmt: skip
        return
    if warning := doubt(answer, sources):
        console.note(warning)
    if not places and sources.way == "nothing":
        places = list(enumerate(sources.passages, 1))
    if places:
        console.say()
    for number, each in places:
        place = place_text(Path(each.path), each.unit, each.page, each.page_label, each.first_line)
        console.say(console.faint(f"[{number}] {place}"))
    for citation in citations:
        if citation.verdict is not Verdict.HOLDS:
            console.note(complaint(citation, sources))


def _print_files(files: Sequence[StoredFile], console: Console) -> None:
    for file in files:
        problem = "" if file.fault is None else error_sentence(error_of(file.fault))
        if console.json:
            console.record({
                "type": "file", "path": str(file.path), "state": file.state.value, "pages": file.n_pages,
                "passages": file.n_chunks, "without_vector": file.n_unembedded, "hidden": file.n_hidden,
                "reachable": file.reachable, "problem": problem,
            })  # fmt: skip
        else:
            state = problem or (
                tr("not reachable just now")
                if not file.reachable
                else tr("waiting")
                if file.state is FileState.WAITING
                else tr("transcript")
                if file.unit is Unit.TIME
                else pages_text(file.unit, file.n_pages) or tr("read")
            )
            if file.n_hidden:
                state = f"{state}; {hidden_sentence(file.n_hidden)}"
            console.say(f"{shown_name(file.path)}  {console.faint(shown_name(state))}")


def place_text(path: Path, unit: str, page: int, label: str, line: int) -> str:
    """`file:12` for a page, `file:120` for a line, as compilers and editors write places; `file: 12:34` for a time."""
    if unit == "text":
        return shown_name(f"{path}:{line}")
    return shown_name(f"{path}:{label or page}" if unit == "page" else f"{path}: {page_name(unit, page, label, line)}")


def _passage_record(passage: Passage) -> dict[str, object]:
    return {
        "type": "passage", "file": str(passage.path), "page": passage.page,
        **_line_record(passage.unit, passage.first_line),
        "section": passage.section, "score": round(passage.score, 4), "text": passage.text,
    }  # fmt: skip


def _line_record(unit: str, line: int) -> dict[str, int]:
    """Lines of a transcript are seconds."""
    return {"seconds": line} if unit == Unit.TIME else {"line": line}
