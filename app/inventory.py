"""What the program itself answers of documents, without a model: which there are, and every place of something. Pure.

The answers are Markdown. Whatever comes from a document or a name is written so that it is text and nothing else: no
link, no image, no formula. Their numbers in brackets name passages, as those of a model's answers do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.consulting import sources_part
from app.documents_view import pages_text, state_sentence
from app.i18n import ntr, tr
from app.library_questions import called
from app.source_names import file_name, place_name
from app.store.types import SourcesPart
from rag.passages import Finding, Found, Hits, Passage, Way
from rag.store.types import FileState, StoredFile

MOST_HITS = 200
MOST_FILES = 200
MOST_ON_SUBJECT = 30
SNIPPET_CHARACTERS = 160
_MOST_MARKS = 8
"""Places that are named behind one value."""
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()|~&$:@^])")
"""What means something within a line; no name or passage begins one."""
_INERT = re.compile(rf"\\{_MARKUP.pattern}")
_VERBATIM = (Finding.MAIL_ADDRESSES, Finding.WEB_ADDRESSES, Finding.PHONE_NUMBERS)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer's Markdown, and what is kept with its question."""

    words: str
    sources: SourcesPart


def inventory(files: Sequence[StoredFile]) -> Told:
    """The list of all documents."""
    own = list({file.path: file for file in files}.values())
    lines = [
        ntr("There is {count} document:", "There are {count} documents:", len(own))
        if own
        else tr("There are no documents here yet.")
    ]
    lines += ["", *(_file_line(file) for file in own[:MOST_FILES])]
    if len(own) > MOST_FILES:
        lines += ["", tr("These are the first {shown} of {all}.", shown=MOST_FILES, all=len(own))]
    return Told("\n".join(lines).strip(), SourcesPart(Way.INVENTORY, (), len(own)))


def on_subject(subject: str, found: Found, files: Sequence[StoredFile]) -> Told:
    """The documents that a subject was found in, each with its best place; then those of whose name it is part."""
    part = sources_part(Found(Way.INVENTORY, found.passages, found.n_searched, found.by_meaning), subject)
    held = {passage.blob_id for passage in found.passages}
    named = called(subject, [(file.path.name, file.title) for file in files])
    others = {files[number].path: files[number] for number in named if files[number].blob_id not in held}
    lines = [
        f"- **{inert(place_name(passage))}**: {inert(snippet(passage.text))} [{number}]"
        for number, passage in enumerate(part.passages, 1)
    ]
    lines += [_file_line(file) for file in others.values()]
    if not lines:
        return Told(tr("No document here is on “{subject}”.", subject=inert(subject)), part)
    head = ntr(
        "{count} document on “{subject}”:", "{count} documents on “{subject}”:", len(lines), subject=inert(subject)
    )
    return Told("\n".join([head, "", *lines, *_unread(files)]), part)


def every_place(finding: Finding, hits: Hits, files: Sequence[StoredFile]) -> Told:
    """All hits: words with their surroundings, anything else once with all its places."""
    part = sources_part(Found(Way.EXHAUSTIVE, hits.passages, hits.n_pages), "")
    looked = ntr("{count} page was looked through.", "{count} pages were looked through.", hits.n_pages)
    if not hits.n_all:
        return Told("\n".join([f"{tr('Nothing of that is there.')} {looked}", *_unread(files)]), part)
    head = ntr("{count} place was found.", "{count} places were found.", hits.n_all)
    lines = [f"{head} {looked}"]
    if hits.n_all > len(hits.hits):
        lines[0] += " " + tr("These are the first {shown} of {all}.", shown=len(hits.hits), all=hits.n_all)
    lines += ["", *(_places(hits.passages) if finding is Finding.WORDS else _values(finding, hits))]
    return Told("\n".join([*lines, *_unread(files)]), part)


def which_one(files: Sequence[StoredFile], *, several: bool = False) -> Told:
    """Asks back which document is meant; a reply may give its number."""
    ask = tr("Which documents do you mean?") if several else tr("Which document do you mean?")
    lines = [f"{number}. {inert(file_name(str(file.path)))}" for number, file in enumerate(files[:MOST_FILES], 1)]
    return Told("\n".join([ask, "", *lines]), SourcesPart(Way.INVENTORY, (), len(files)))


def inert(text: str) -> str:
    """Text of a document in Markdown that is nothing but text, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def as_text(answer: str) -> str:
    """An answer of the program's own without the signs that keep `inert` text from meaning anything: for a place that
    draws no Markdown."""
    return _INERT.sub(r"\1", answer)


def snippet(text: str) -> str:
    """The beginning of a passage, to the end of a word."""
    line = " ".join(text.split())
    if len(line) <= SNIPPET_CHARACTERS:
        return line
    cut = line[:SNIPPET_CHARACTERS]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut) + " …"


def _file_line(file: StoredFile) -> str:
    pieces = [f"**{inert(file_name(str(file.path)))}**"]
    if file.title and file.title.casefold() not in file.path.name.casefold():
        pieces.append(inert(file.title))
    if pages := pages_text(file.unit, file.n_pages):
        pieces.append(pages)
    return f"- {' · '.join([*pieces, inert(state_sentence(file))])}"


def _places(passages: Sequence[Passage]) -> list[str]:
    lines: list[str] = []
    before = None
    for number, passage in enumerate(passages, 1):
        if passage.blob_id != before:
            lines += [*([""] if lines else []), f"**{inert(file_name(str(passage.path)))}**", ""]
            before = passage.blob_id
        lines.append(f"- … {inert(passage.text)} … [{number}]")
    return lines


def _values(finding: Finding, hits: Hits) -> list[str]:
    places: dict[str, list[int]] = {}
    shown: dict[str, str] = {}
    for hit in hits.hits:
        key = hit.text.casefold()
        shown.setdefault(key, hit.text)
        numbers = places.setdefault(key, [])
        if hit.passage + 1 not in numbers:
            numbers.append(hit.passage + 1)
    return [
        f"- {_value(finding, shown[key])} {''.join(f'[{number}]' for number in numbers[:_MOST_MARKS])}"
        + (f" (+{len(numbers) - _MOST_MARKS})" if len(numbers) > _MOST_MARKS else "")
        for key, numbers in places.items()
    ]


def _value(finding: Finding, text: str) -> str:
    """Addresses and numbers as code, to be copied; they lead nowhere."""
    return f"`{text.replace('`', '')}`" if finding in _VERBATIM else inert(text)


def _unread(files: Sequence[StoredFile]) -> list[str]:
    """A sentence on the files that were not looked through."""
    n_unread = sum(file.state is not FileState.READ and file.blob_id is None for file in files)
    if not n_unread:
        return []
    return [
        "",
        ntr(
            "{count} file is not read yet, or could not be read.",
            "{count} files are not read yet, or could not be read.",
            n_unread,
        ),
    ]
