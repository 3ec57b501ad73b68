"""Full-text search over titles and messages. Any text of a person's is a safe query. Knows no window.

Words by FTS5's porter stemmer, the last one as a prefix; what that misses (scripts without spaces, middles of
words) by three-character fragments; two characters or fewer by a plain scan of what was written last.
"""

from __future__ import annotations

import re
import sqlite3

from app.store.database import Database
from app.store.types import SearchHit

MARK, END = "\x02", "\x03"
SNIPPET_TOKENS = 24
SCANNED = 20_000
"""Newest entries that a query of one or two characters looks at."""

_COLUMNS = "s.conversation_id, s.message_id, c.title, c.updated_at"
_VISIBLE = """
    JOIN conversations c ON c.id = s.conversation_id AND c.deleted_at IS NULL
    LEFT JOIN messages m ON m.id = s.message_id
WHERE (s.message_id IS NULL OR m.deleted_at IS NULL)
"""


def search(database: Database, query: str, *, limit: int = 50) -> list[SearchHit]:
    """The best hits first: titles before messages, then by rank and by time; archived conversations included."""
    terms = re.findall(r"\w+", query)
    if not terms:
        return []
    hits = _matches(database, "words", " ".join([*(f'"{t}"' for t in terms[:-1]), f'"{terms[-1]}"*']), limit)
    if len(hits) < limit:
        found = {(hit.conversation_id, hit.message_id) for hit in hits}
        long_terms = [term for term in terms if len(term) >= 3]
        if long_terms:
            more = _matches(database, "fragments", " ".join(f'"{term}"' for term in long_terms), limit)
        else:
            more = _scan(database, " ".join(terms), limit)
        hits += [hit for hit in more if (hit.conversation_id, hit.message_id) not in found]
    return hits[:limit]


def _matches(database: Database, index: str, expression: str, limit: int) -> list[SearchHit]:
    # Ranking needs no snippet, and snippets are made for the rows that are shown only.
    rows = database.rows(
        f"""SELECT {_COLUMNS}, s.number, snippet({index}, 0, ?, ?, '…', {SNIPPET_TOKENS}) AS snippet
        FROM {index} JOIN searchable s ON s.number = {index}.rowid {_VISIBLE} AND {index} MATCH ?
        ORDER BY s.message_id IS NOT NULL, bm25({index}), c.updated_at DESC LIMIT ?""",
        (MARK, END, expression, limit),
    )
    return [_hit(row, row["snippet"]) for row in rows]


def _scan(database: Database, phrase: str, limit: int) -> list[SearchHit]:
    escaped = re.sub(r"([%_\\])", r"\\\1", phrase)
    rows = database.rows(
        f"""SELECT {_COLUMNS}, s.body FROM (SELECT * FROM searchable ORDER BY number DESC LIMIT {SCANNED}) s {_VISIBLE}
        AND s.body LIKE ? ESCAPE '\\' ORDER BY s.message_id IS NOT NULL, s.number DESC LIMIT ?""",
        (f"%{escaped}%", limit),
    )
    hits = []
    for row in rows:
        body: str = row["body"]
        at = body.lower().find(phrase.lower())
        start = max(0, at - 40)
        cut = body[start:at] + MARK + body[at : at + len(phrase)] + END + body[at + len(phrase) : at + 120]
        hits.append(_hit(row, ("…" if start else "") + cut))
    return hits


def _hit(row: sqlite3.Row, marked: str) -> SearchHit:
    """Take the marks out of a snippet, keeping where they were."""
    text = ""
    marks: list[tuple[int, int]] = []
    start = 0
    for piece in re.split(f"({MARK}|{END})", re.sub(r"\s+", " ", marked)):
        if piece == MARK:
            start = len(text)
        elif piece == END:
            marks.append((start, len(text)))
        else:
            text += piece
    return SearchHit(row["conversation_id"], row["message_id"], row["title"], text, tuple(marks), row["updated_at"])
