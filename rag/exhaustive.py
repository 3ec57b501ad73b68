"""Every place of all pages that holds what is looked for: words, or dates, amounts, addresses, numbers.

Nothing is ranked and nothing is left out: each page is looked through, some megabytes a second. The patterns are our
own, each linear in the text; dates are those that English, German, French, Spanish, Chinese and
Japanese write. Knows no model and no index.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.language import UNSPACED, needs_fragments
from rag.passages import Finding, Hit, Hits, Passage
from rag.scope import Scope
from rag.store import documents
from rag.transcript import line_at
from rag.types import Page, Unit

if TYPE_CHECKING:
    from rag.store.database import LibraryDatabase

AROUND = 80
"""Characters before and behind a hit that are shown with it."""
LONGEST_PASSAGE = 600
"""Characters: hits whose surroundings touch share a passage up to here."""
_ENDING = 3
"""Letters that a word may have behind those that are looked for: "contracts", "Verträgen"."""
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    "|januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|okt|dez"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
)
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:1\d{3}|20\d{2})"
_NAMED = rf"(?:{_MONTHS})\b\.?"
_DAY_FIRST = "|".join((
    rf"{_YEAR}-{_MONTH}-{_DAY}",
    rf"{_DAY}\.\s?{_MONTH}\.\s?(?:{_YEAR}|\d{{2}})",
    rf"{_DAY}/{_DAY}/(?:{_YEAR}|\d{{2}})",
    rf"{_DAY}-{_DAY}-{_YEAR}",
    rf"{_DAY}(?:st|nd|rd|th|er|\.)?\s(?:of\s|de\s|del\s)?{_NAMED}(?:(?:,|\sde|\sdel)?\s{_YEAR})?",
))  # fmt: skip
_MONTH_FIRST = rf"{_NAMED}(?:\s{_DAY}(?:st|nd|rd|th)?\b(?:,?\s{_YEAR})?|(?:\sde|\sdel)?\s{_YEAR})"
_DATE = rf"(?=\d)(?:{_DAY_FIRST})|(?=[adefjmnos][a-zäéûi]{{2}}){_MONTH_FIRST}"
_IN_LETTERS = rf"(?<![^\W{UNSPACED}])"
"""Not within a word; where no space stands between words, numbers stand right behind letters."""
_SPACE = "[ \u00a0\u202f]"
_SUM = r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?"
_SCALE = r"(?:thousand|million|billion|bn|tausend|millionen|milliarden|mio\.?|mrd\.?|millions?|milliards?|millones|mil)"
_UNIT = (
    r"(?:euros?\b|eur\b|us-?dollars?\b|dollars?\b|dollar\b|usd\b|pounds?\b(?!\s+(?:of|per))|gbp\b|pfund\b|chf\b"
    r"|franken\b|francs?\b|fr\.|sfr\b|yen\b|jpy\b|cny\b|yuan\b|pesos?\b|dólares\b|cents?\b|[€$£¥₹₽])"
)
_PATTERNS = {
    Finding.DATES: rf"\b(?<![.,/-])(?:{_DATE})(?!\w|[./-]\d)|(?<!\d)\d{{4}}年\d{{1,2}}月(?:\d{{1,2}}日)?",
    Finding.YEARS: rf"{_IN_LETTERS}(?<!\d[,:])(?<![€$£¥#]){_YEAR}(?![^\W{UNSPACED}]|[.,:]\d)",
    Finding.AMOUNTS: (
        rf"(?<![\w.,])(?:(?:us)?[€$£¥₹₽]|\b(?:eur|usd|gbp|chf|jpy|cny)\b){_SPACE}?(?:{_SUM})(?:{_SPACE}?{_SCALE}\b)?(?!\w)"
        rf"|(?<![\w.,])(?:{_SUM})(?:[.,](?:-|–|—))?{_SPACE}?(?:{_SCALE}{_SPACE}(?:d['’]|de\s)?)?{_UNIT}"
    ),
    Finding.MAIL_ADDRESSES: r"(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}",
    Finding.PHONE_NUMBERS: r"(?<![\w.,/+-])(?:\+|\()?\d[\d \u00a0()/.-]{5,24}\d(?![\w]|[.,/-]\d)",
    Finding.WEB_ADDRESSES: r"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<>\"“”„«»`{}|\\^]{2,2000}",
}
_LIKE_A_PHONE = re.compile(r"\+|\(?0|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}$")
_WHOLE_DATE = re.compile(_DATE, re.IGNORECASE)
_DOCUMENTS = """
SELECT min(file.id), blob.id, file.path, blob.title, blob.unit, blob.language, blob.n_pages
FROM blob JOIN file ON file.blob_id = blob.id JOIN source ON source.id = file.source_id
{where} GROUP BY blob.id ORDER BY file.path, blob.id
"""


@dataclass(frozen=True, slots=True)
class _Document:
    file_id: int
    blob_id: int
    path: str
    title: str
    unit: str
    language: str
    n_pages: int


def pattern_of(finding: Finding, words: str = "", *, exact: bool = False) -> re.Pattern[str]:
    """What is looked for. `words` count for `Finding.WORDS` alone: case, line breaks, hyphens at a line's end and, but
    for `exact`, a short ending do not matter. Raises `ValueError` where there are none.
    """
    if finding is not Finding.WORDS:
        return re.compile(_PATTERNS[finding], re.IGNORECASE)
    wanted = words.split()
    if not wanted:
        raise ValueError("no words to look for")
    text = r"(?:\s|-\n)+".join("(?:\u00ad|-\n)?".join(map(re.escape, word)) for word in wanted)
    if needs_fragments(words):
        return re.compile(text, re.IGNORECASE)
    before = r"(?<!\w)" if wanted[0][0].isalnum() else ""
    behind = "" if not wanted[-1][-1].isalnum() else r"(?!\w)" if exact else rf"\w{{0,{_ENDING}}}(?!\w)"
    return re.compile(before + text + behind, re.IGNORECASE)


def found_in(text: str, finding: Finding, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The places [start, end) of hits in a text, in their order."""
    right = _RIGHT.get(finding)
    for match in pattern.finditer(text):
        start, end = match.span()
        if finding is Finding.WEB_ADDRESSES:
            end = start + len(_address(match[0]))
        if right is None or right(match[0]):
            yield start, end


def find_every(
    database: LibraryDatabase, finding: Finding, words: str, scope: Scope, *, most: int, exact: bool = False
) -> Hits:
    """Look through all pages of a scope; the first `most` hits come with their surroundings, the others are counted."""
    pattern = pattern_of(finding, words, exact=exact)
    hits: list[Hit] = []
    passages: list[Passage] = []
    n_all = n_pages = 0
    read = _documents(database, scope)
    for document in read:
        for page in documents.pages(database, document.blob_id):
            n_pages += 1
            spans = list(found_in(page.text, finding, pattern))
            n_all += len(spans)
            for start, end in spans[: most - len(hits)]:
                around = _around(document, page, start, end)
                if passages and _touch(passages[-1], around):
                    passages[-1] = _grown(passages[-1], around, page)
                else:
                    passages.append(around)
                hits.append(Hit(" ".join(page.text[start:end].split()), len(passages) - 1))
    return Hits(tuple(hits), tuple(passages), n_all, n_pages, len(read))


def _documents(database: LibraryDatabase, scope: Scope) -> list[_Document]:
    """Each blob once, by path."""
    wheres: list[str] = []
    values: list[Any] = []
    for column, ids in (("source.collection_id", scope.collection_ids), ("blob.id", scope.blob_ids)):
        if ids is not None:
            wheres.append(f"{column} IN ({', '.join('?' * len(ids))})")
            values += ids
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    return [_Document(*row) for row in database.rows(_DOCUMENTS.format(where=where), values)]


def _around(document: _Document, page: Page, start: int, end: int) -> Passage:
    text = page.text
    first, stop = _word_start(text, max(0, start - AROUND)), _word_end(text, min(len(text), end + AROUND))
    unit = Unit(document.unit)
    first_line, last_line = (line_at(unit, text, at, page.first_line) for at in (first, stop))
    return Passage(
        0, document.file_id, document.blob_id, Path(document.path), document.title, unit, page.number,
        page.label, first, stop, first_line, last_line, _section(page, start),
        document.language, text[first:stop], 1.0,
    )  # fmt: skip


def _touch(before: Passage, after: Passage) -> bool:
    same = (before.blob_id, before.page) == (after.blob_id, after.page)
    return same and after.start <= before.end and after.end - before.start <= LONGEST_PASSAGE


def _grown(before: Passage, after: Passage, page: Page) -> Passage:
    end = max(before.end, after.end)
    return replace(
        before, end=end, last_line=max(before.last_line, after.last_line), text=page.text[before.start : end]
    )


def _section(page: Page, start: int) -> str:
    """The heading that a place stands under on its page."""
    place = bisect_right([heading.start for heading in page.headings], start)
    return page.headings[place - 1].title if place else ""


def _word_start(text: str, at: int) -> int:
    """Not within a word, which would be another one then."""
    space = max(text.find(" ", at, at + AROUND // 2), text.find("\n", at, at + AROUND // 2)) if at else -1
    return space + 1 if space >= 0 else at


def _word_end(text: str, at: int) -> int:
    space = max(text.rfind(" ", at - AROUND // 2, at), text.rfind("\n", at - AROUND // 2, at)) if at < len(text) else -1
    return space if space >= 0 else at


def _address(text: str) -> str:
    """Without what ends the sentence that it stands in."""
    text = text.rstrip(".,;:!?'’*_~")
    while text.endswith((")", "]")) and text.count("(") + text.count("[") < text.count(")") + text.count("]"):
        text = text[:-1].rstrip(".,;:!?'’")
    return text


def _is_phone(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    return 7 <= digits <= 15 and _LIKE_A_PHONE.match(text) is not None and _WHOLE_DATE.fullmatch(text) is None


_RIGHT: dict[Finding, Callable[[str], bool]] = {Finding.PHONE_NUMBERS: _is_phone}
