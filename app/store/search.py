"""Full-text search over titles and messages. Any text of a person's is a safe query. Knows no window.

Words come first, by FTS5's porter stemmer, the last one as a prefix. Then what words miss, middles of words and
scripts without spaces, by fragments of three characters; a term of one or two (東京) is what a fragment begins with.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from app.limits import SEARCH_CHARACTERS, SEARCH_TERMS
from app.store.database import Database
from app.store.types import SearchHit

CANDIDATES = 1_000
"""Of a query with more hits than these the newest come first, unranked."""
_FRAGMENT_CANDIDATES = 200
"""Newest texts with all fragments of a query that are read to see whether they hold its terms."""
_FRAGMENTS_OF_TERM = 300
"""Fragments, the most frequent ones, that a term of one or two characters may begin."""
_AT_ONCE = 50
_SNIPPET_TOKENS = 24
_SNIPPET_CHARACTERS = 200_000
"""How far into a message a snippet is looked for."""
_BEFORE, _AFTER = 40, 80
_MARK, _END = "\x02", "\x03"
_NO_MARKS = str.maketrans("", "", _MARK + _END)
_VISIBLE = """
    JOIN conversations c ON c.id = s.conversation_id AND c.deleted_at IS NULL
    LEFT JOIN messages m ON m.id = s.message_id
WHERE m.deleted_at IS NULL
"""

Marks = tuple[tuple[int, int], ...]


def search(database: Database, query: str, *, limit: int = 50) -> list[SearchHit]:
    """The best hits first: titles before messages, then by rank and by time; archived conversations included."""
    terms = query[:SEARCH_CHARACTERS].encode("utf-8", "ignore").decode().replace("\0", " ").split()[:SEARCH_TERMS]
    if not terms:
        return []
    numbers: dict[int, str] = {}  # in order of rank; the value is the query that makes the snippet
    words = [term for term in terms if any(character.isalnum() for character in term)]
    if words:
        expression = " ".join(_quoted(word) for word in words) + "*"
        for column in ("title", "body"):
            found = _by_words(database, f"{column} : ({expression})", limit - len(numbers))
            numbers |= dict.fromkeys(found, expression)
    if len(numbers) < limit:
        patterns = [re.compile(re.escape(term), re.IGNORECASE) for term in terms]
        for number in _by_fragments(database, terms, patterns, limit):
            numbers.setdefault(number, "")
    shown = list(numbers)[:limit]
    rows = {row["number"]: row for row in _rows(database, shown)}
    texts = {number: (rows[number]["title"] + rows[number]["body"]) for number in shown}
    snippets = _snippets({n: texts[n] for n in shown if numbers[n]}, expression if words else "")
    pattern = re.compile("|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True)), re.IGNORECASE)
    return [
        SearchHit(
            rows[number]["conversation_id"],
            rows[number]["message_id"],
            rows[number]["conversation"],
            *(snippets.get(number) or _cut(texts[number], pattern)),
            rows[number]["updated_at"],
        )
        for number in shown
    ]


def _by_words(database: Database, expression: str, limit: int) -> list[int]:
    """The numbers of the best matches in the index of words."""
    if limit < 1:
        return []
    # Ranking looks at every match, which 100,000 messages with "the" make too many.
    few = f"SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {CANDIDATES})"
    count = database.row(few, (expression,))
    assert count is not None
    order = "round(bm25(words), 2), c.updated_at DESC" if count[0] < CANDIDATES else "words.rowid DESC"
    rows = database.rows(
        f"""SELECT s.number FROM words CROSS JOIN searchable s ON s.number = words.rowid {_VISIBLE}
        AND words MATCH ? ORDER BY {order} LIMIT ?""",
        (expression, limit),
    )
    return [row["number"] for row in rows]


def _by_fragments(
    database: Database, terms: Sequence[str], patterns: Sequence[re.Pattern[str]], limit: int
) -> list[int]:
    """The numbers of the newest texts that hold every term as it is written, titles first."""
    expression = " AND ".join(filter(None, (_fragments(database, term.lower()) for term in terms)))
    if not expression:
        return []
    candidates = database.rows(
        f"""SELECT s.number, s.message_id FROM fragments CROSS JOIN searchable s ON s.number = fragments.rowid
        {_VISIBLE}
        AND fragments MATCH ? ORDER BY fragments.rowid DESC LIMIT {_FRAGMENT_CANDIDATES}""",
        (expression,),
    )
    numbers = [row["number"] for row in sorted(candidates, key=lambda row: row["message_id"] is not None)]
    found: list[int] = []
    for start in range(0, len(numbers), _AT_ONCE):
        chunk = numbers[start : start + _AT_ONCE]
        rows = {row["number"]: row["title"] + row["body"] for row in _rows(database, chunk)}
        # The index knows that all fragments of a term are there, not that they stand side by side.
        found += [number for number in chunk if all(pattern.search(rows[number]) for pattern in patterns)]
        if len(found) >= limit:
            break
    return found


def _fragments(database: Database, term: str) -> str:
    """An expression for a term; "" for one or two Latin letters, which as a fragment would mean nothing."""
    if len(term) >= 3:
        return " AND ".join(_quoted(term[at : at + 3]) for at in range(len(term) - 2))
    if term.isascii() and term.isalnum():
        return ""
    rows = database.rows(
        "SELECT term FROM fragment_terms WHERE term >= ? AND term < ? ORDER BY doc DESC LIMIT ?",
        (term, term + "\U0010ffff", _FRAGMENTS_OF_TERM),
    )
    # A term that is nowhere must find nothing, not be left out.
    return "(" + " OR ".join(_quoted(row["term"]) for row in rows) + ")" if rows else _quoted("\U0010ffff" * 3)


def _quoted(term: str) -> str:
    """A string of FTS5's query language: nothing in it is an operator."""
    return '"' + term.replace('"', '""') + '"'


def _rows(database: Database, numbers: Sequence[int]) -> list[sqlite3.Row]:
    return database.rows(
        """SELECT s.*, c.title AS conversation, c.updated_at FROM searchable s
        JOIN conversations c ON c.id = s.conversation_id
        WHERE s.number IN (SELECT value FROM json_each(?))""",
        (json.dumps(numbers),),
    )


def _snippets(texts: dict[int, str], expression: str) -> dict[int, tuple[str, Marks]]:
    """The places of `texts` that match, found by the index's own rules in an index of these texts alone.

    FTS5's `snippet` on the real index would read all of the index again for each hit.
    """
    if not texts:
        return {}
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(
            'CREATE VIRTUAL TABLE shown USING fts5 (text, tokenize = "porter unicode61 remove_diacritics 2")'
        )
        memory.executemany(
            "INSERT INTO shown (rowid, text) VALUES (?, ?)",
            ((number, text[:_SNIPPET_CHARACTERS].translate(_NO_MARKS)) for number, text in texts.items()),
        )
        rows = memory.execute(
            "SELECT rowid, snippet(shown, 0, ?, ?, '…', ?) FROM shown WHERE shown MATCH ?",
            (_MARK, _END, _SNIPPET_TOKENS, expression),
        )
        return {number: _unmarked(marked) for number, marked in rows}


def _cut(text: str, pattern: re.Pattern[str]) -> tuple[str, Marks]:
    """The surroundings of the first match of `pattern`, every match in them marked."""
    first = pattern.search(text)
    start = max(0, first.start() - _BEFORE) if first else 0
    end = min(len(text), (first.end() if first else 0) + _AFTER)
    piece = text[start:end].translate(_NO_MARKS)
    marked = pattern.sub(lambda match: f"{_MARK}{match[0]}{_END}", piece)
    return _unmarked(("…" if start else "") + marked + ("…" if end < len(text) else ""))


def _unmarked(marked: str) -> tuple[str, Marks]:
    """Take the marks out of a snippet, keeping where they were; white space becomes single blanks."""
    text = ""
    marks: list[tuple[int, int]] = []
    start = 0
    for piece in re.split(f"({_MARK}|{_END})", re.sub(r"\s+", " ", marked)):
        if piece == _MARK:
            start = len(text)
        elif piece == _END:
            marks.append((start, len(text)))
        else:
            text += piece
    return text, tuple(marks)
