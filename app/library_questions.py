"""Which questions are about the library itself, and what they ask: a list of documents, every place of something, or
that a document is read whole. Pure; knows no library and no model.

Phrases of four languages are matched whole (`app.library_phrases`). What a question calls a document by a name must be
the name of one: "Summarise the French Revolution" is an ordinary question, unless a document is called that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from app import library_phrases as phrases
from rag.passages import Finding

LONGEST = 240
"""Characters; a longer question says more than these phrases do."""
_MOST_WORDS = 10
"""Of what is looked for word by word."""
_MOST_TAILS = 4
_QUOTED = re.compile(r"^[\"'“”„«»‘’‚]+ ?(.+?) ?[\"'“”„«»‘’]+$")
_LEAD_WORDS = re.compile(
    r"^(?:the |der |die |das |le |la |les |el |los |las |l['’])?(?:(?:word|term|name"
    r"|phrase|wort|begriff|ausdruck|mot|terme"
    r"|nom|palabra|término|nombre)s? )|^(?:the|der|die|das|le|la|les|el|los|las) ",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:it|its|this|that|they|them|he|she|him|her|which|what|who|es|das|dies|er|sie|ihn|was|wer|il|elle|ils|elles|ça|cela|lo|esto|eso"
    r"|él|ella)(?: .*)?",
    re.IGNORECASE,
)
_ENDING = re.compile(r"\.\w{1,5}$")
_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    """
    the a an of in on to and my this that these those der die das den dem des ein eine von in zu und mein diese dieses
    le la les un une de du des et mon ma ce cette el los las un una de del y mi este esta
    """.split()  # noqa: SIM905  # words are easier to read than a list of them
)


class Wish(StrEnum):
    """What a question about the library wants."""

    INVENTORY = "inventory"
    """Which documents there are, perhaps on a subject."""
    EVERY = "every"
    """Every place of something."""
    WHOLE = "whole"
    """An answer for which documents must be read whole."""
    COMPARISON = "comparison"
    """The same, of several."""


class Reference(StrEnum):
    """How a question points at documents."""

    ALL = "all"
    """Not at all: everything is meant."""
    ONE = "one"
    """ "this document"."""
    MANY = "many"
    """ "these documents"."""
    BARE_ONE = "bare one"
    """ "it": perhaps a document."""
    BARE_MANY = "bare many"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class LibraryQuestion:
    """`subject` is what documents are on, or the words of which every place is wanted (`exact`: as they stand).

    `called` is what the question calls its documents. Where that is a mere name (`reference` NAMED), it is a question
    about the library only if documents of that name are there.
    """

    wish: Wish
    reference: Reference = Reference.ALL
    called: tuple[str, ...] = ()
    subject: str = ""
    finding: Finding | None = None
    exact: bool = False


def library_question(text: str) -> LibraryQuestion | None:
    """What a question asks of the library itself, None for an ordinary one."""
    line = " ".join(text.split()).strip(" ?!.¿¡…")
    if not line or len(line) > LONGEST:
        return None
    line = _without_frame(line)
    return _inventory(line) or _mentions(line) or _list(line) or _comparison(line) or _summary(line)


def reference_of(called: str) -> Reference:
    """How words point at documents."""
    called = called.strip(" ,")
    if _any_of((phrases.BARE_ONE,)).fullmatch(called):
        return Reference.BARE_ONE
    if _any_of((phrases.BARE_MANY,)).fullmatch(called):
        return Reference.BARE_MANY
    if _any_of(phrases.MANY).fullmatch(called):
        return Reference.MANY
    return Reference.ONE if _any_of(phrases.ONE).fullmatch(called) else Reference.NAMED


def named_in(text: str, names: Sequence[tuple[str, str]]) -> list[int]:
    """Which of the documents (file name, title) a text names in full, in the order in which it names them."""
    folded = text.casefold()
    places = []
    for number, (file_name, title) in enumerate(names):
        known = {file_name.casefold(), title.casefold() if len(title.split()) > 1 else ""}
        at = min((folded.find(each) for each in known if each and each in folded), default=-1)
        if at >= 0:
            places.append((at, number))
    return [number for _at, number in sorted(places)]


def called(words: str, names: Sequence[tuple[str, str]]) -> list[int]:
    """Which documents (file name, title) may be called so: those named in full, else those that have every word.

    Of several, those that have the small words too ("lease A"). What follows a colon may be what the answer is to tell.
    """
    if found := named_in(words, names):
        return found
    bare = _QUOTED.sub(r"\1", words.strip())
    found = _having(bare, names)
    if not found and (before := bare.partition(": ")[0]) != bare:
        return called(before, names)
    return found


def _having(bare: str, names: Sequence[tuple[str, str]]) -> list[int]:
    """Those that have every word of a name."""
    every = _words(_ENDING.sub("", bare))
    listed = [(_words(_ENDING.sub("", file_name)), _words(title)) for file_name, title in names]
    if same := [number for number, (in_file_name, _title) in enumerate(listed) if in_file_name == every]:
        return same
    wanted = {word for word in every if word not in _SMALL}
    special = {word for word in wanted if not _any_of((phrases.NOUNS,)).fullmatch(word)}
    if not wanted or len(wanted) > _MOST_WORDS:
        return []
    known = [(set(in_file_name), set(in_title)) for in_file_name, in_title in listed]
    found = [
        number
        for number, own in enumerate(known)
        if any(wanted <= words or (len("".join(special)) > 2 and special <= words) for words in own)
    ]
    named = special | set(_words(_LEAD_WORDS.sub("", bare))) & _SMALL
    return [number for number in found if any(named <= words for words in known[number])] or found


def _inventory(line: str) -> LibraryQuestion | None:
    match = _match(phrases.INVENTORY, line)
    return None if match is None else LibraryQuestion(Wish.INVENTORY, subject=_bare(match["subject"] or "")[0])


def _mentions(line: str) -> LibraryQuestion | None:
    match = _match(phrases.MENTIONS, line)
    if match is None:
        return None
    words, exact = _bare(match["words"])
    if not exact and (_any_of((phrases.QUOTED_ONLY,)).match(match[0]) or _PRONOUN.fullmatch(words)):
        return None
    if not words or len(words.split()) > _MOST_WORDS:
        return None
    where = match["doc"]
    reference = reference_of(where) if where else Reference.ALL
    return LibraryQuestion(Wish.EVERY, reference, (where,) if where else (), words, Finding.WORDS, exact)


def _list(line: str) -> LibraryQuestion | None:
    match = _match(phrases.KIND_LISTS, line) or _match(phrases.LISTS, line)
    if match is None:
        return None
    finding = _finding(match["what"])
    where = match["doc"]
    reference = reference_of(where) if where else Reference.ALL
    if finding is not None:
        # "Alle Daten" are dates in a document, and data anywhere else.
        if reference is Reference.ALL and match["what"].casefold() == "daten":
            return None
        return LibraryQuestion(Wish.EVERY, reference, (where,) if where else (), "", finding)
    if reference in (Reference.ALL, Reference.BARE_ONE, Reference.BARE_MANY):
        return None
    return LibraryQuestion(Wish.WHOLE, reference, (where,))


def _comparison(line: str) -> LibraryQuestion | None:
    match = _match(phrases.COMPARISONS, line)
    if match is None:
        return None
    two = tuple(each for each in (match["doc"], match["other"]) if each)
    if len(two) == 2:
        return LibraryQuestion(Wish.COMPARISON, Reference.NAMED, two)
    reference = reference_of(two[0])
    if reference in (Reference.MANY, Reference.BARE_MANY):
        return LibraryQuestion(Wish.COMPARISON, reference, two)
    return None


def _summary(line: str) -> LibraryQuestion | None:
    match = _match(phrases.SUMMARIES, line)
    if match is None:
        return None
    where = match["doc"]
    if not where:
        return LibraryQuestion(Wish.WHOLE, Reference.BARE_ONE)
    return LibraryQuestion(Wish.WHOLE, reference_of(where), (where,))


def _finding(what: str) -> Finding | None:
    for finding, pattern in phrases.KINDS.items():
        if _any_of((pattern,)).fullmatch(what.strip()):
            return finding
    return None


def _bare(words: str) -> tuple[str, bool]:
    """Words without what leads to them, and whether they were quoted."""
    words = _LEAD_WORDS.sub("", words.strip(" ,"))
    quoted = _QUOTED.match(words)
    return (quoted[1], True) if quoted else (words, False)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


class _Slots:
    """A match's slots; None where its phrase has no such slot."""

    def __init__(self, match: re.Match[str]) -> None:
        self._slots = match.groupdict()
        self._whole = match[0]

    def __getitem__(self, name: str | int) -> str:
        if name == 0:
            return self._whole
        return self._slots.get(str(name)) or self._slots.get(f"{name}2") or ""


def _match(all_phrases: tuple[str, ...], line: str) -> _Slots | None:
    """The first phrase that a line is."""
    for phrase in all_phrases:
        if match := _compiled(phrase).fullmatch(line):
            return _Slots(match)
    return None


def _without_frame(line: str) -> str:
    """Without what is polite, and what says only in which form the answer is wanted."""
    line = re.sub(phrases.LEADS, "", line, count=1, flags=re.IGNORECASE)
    for _ in range(_MOST_TAILS):
        shorter = re.sub(phrases.TAILS, "", line, flags=re.IGNORECASE)
        if shorter == line:
            break
        line = shorter
    return line.strip(" ,")


@cache
def _compiled(phrase: str) -> re.Pattern[str]:
    return re.compile(phrase, re.IGNORECASE)


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
