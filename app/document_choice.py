"""Which documents a question about the library means: "this one", "these two", one by its name. Pure.

Knows the files that are there and the conversation so far; where these leave it open, the person is to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answer_citations import citations_of
from app.library_questions import LibraryQuestion, Reference, Wish, called, named_in
from app.store.types import StoredMessage
from engine.context.segments import Role
from rag.citations import Verdict
from rag.passages import Way
from rag.store.types import StoredFile

_TWO = re.compile(r"\b(?:two|both|beide[nr]?|zwei|deux|dos|amb[oa]s)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\W*(?:the |number |no\.? |nr\.? |nummer |die |das |le |la |el )*(\d{1,3})\W*", re.IGNORECASE)
_READ_WHOLE = (Way.WHOLE, Way.STEPS, Way.SIDE_BY_SIDE)


@dataclass(frozen=True, slots=True)
class Choice:
    """The documents that are meant, or, where it is not `sure`, those among which one must be chosen."""

    files: tuple[StoredFile, ...]
    sure: bool = True


def readable(files: Sequence[StoredFile]) -> tuple[StoredFile, ...]:
    """Those with text, each document once."""
    own = {file.blob_id: file for file in reversed(files) if file.blob_id is not None and file.n_chunks}
    return tuple(file for file in files if file.blob_id is not None and own.get(file.blob_id) is file)


def choose(question: LibraryQuestion, files: Sequence[StoredFile], path: Sequence[StoredMessage]) -> Choice | None:
    """Of `files`, those that the question means, which `path` ends with. None: it is no question about documents."""
    known = readable(files)
    if not known:
        return None
    if question.reference is Reference.ALL:
        return Choice(known)
    if question.reference is Reference.NAMED:
        return _named(question, known)
    if question.reference in (Reference.MANY, Reference.BARE_MANY):
        return _several(question, known)
    if len(known) == 1:
        return Choice(known)
    own = called(question.called[0], names(known)) if question.called else []
    if len(own) == 1:
        return Choice((known[own[0]],))
    last = last_meant(known, path[:-1])
    if last is not None:
        return Choice((last,))
    return Choice(known, sure=question.wish is Wish.EVERY)


def names(files: Sequence[StoredFile]) -> list[tuple[str, str]]:
    """File names and titles."""
    return [(file.path.name, file.title) for file in files]


def last_meant(files: Sequence[StoredFile], path: Sequence[StoredMessage]) -> StoredFile | None:
    """The document that a conversation named or cited last; None where that were several."""
    known = {file.blob_id: file for file in files if file.blob_id is not None}
    for place in range(len(path) - 1, -1, -1):
        message = path[place]
        if message.role is Role.USER:
            named = named_in(message.text, names(files))
            blobs = [files[number].blob_id or 0 for number in named]
        else:
            blobs = _cited(message, path[place - 1] if place else None)
        found = [known[blob] for blob in dict.fromkeys(blobs) if blob in known]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def picked(text: str, files: Sequence[StoredFile]) -> tuple[str, ...]:
    """The names of the files that a reply to "Which document do you mean?" picks, by number or by name."""
    if (match := _NUMBER.fullmatch(text.strip())) is not None:
        number = int(match[1])
        return (files[number - 1].path.name,) if 0 < number <= len(files) else ()
    return tuple(files[number].path.name for number in called(text, names(files)))


def _named(question: LibraryQuestion, files: tuple[StoredFile, ...]) -> Choice | None:
    chosen: dict[int, None] = {}
    for words in question.called:
        found = called(words, names(files))
        if not found:
            return None
        if len(found) > 1 and len(named_in(words, names(files))) != len(found):
            return Choice(tuple(files[number] for number in found), sure=False)
        chosen.update(dict.fromkeys(found))
    if question.wish is Wish.COMPARISON and len(chosen) < 2:
        return None
    return Choice(tuple(files[number] for number in chosen))


def _several(question: LibraryQuestion, files: tuple[StoredFile, ...]) -> Choice | None:
    if question.wish is Wish.COMPARISON and len(files) < 2:
        return None
    if question.wish is not Wish.EVERY and len(files) > 2 and any(_TWO.search(words) for words in question.called):
        return Choice(files, sure=False)
    return Choice(files)


def _cited(answer: StoredMessage, question: StoredMessage | None) -> list[int]:
    sources = question.sources if question is not None else None
    if sources is None:
        return []
    if sources.way in _READ_WHOLE:
        return [passage.blob_id for passage in sources.passages]
    return [
        sources.passages[citation.number - 1].blob_id
        for citation in citations_of(answer.text, sources)
        if citation.verdict is Verdict.HOLDS
    ]
