"""Who is told that the documents do not say: questions put to manuals that answer them and to another subject's.

python -m tests.evaluation.refusals --out FOLDER [--half reporting] [--tokens 900]

All questions of a half of the FAQ set, through the whole app as `tests.evaluation.answers` puts them. What the search
alone refuses is not asked further. Of the answerable ones, those in doubt are asked for one token, as only the refusal
before it counts; foreign ones are answered to the end, and what is answered as if it were there is listed, to be read:
some of it is there. A run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.consulting import CHARACTERS_A_TOKEN
from app.weighing import is_in_doubt
from rag.passages import Way
from tests.evaluation.answers import FOREIGN, SAMPLING, Asked, Desk, recorded
from tests.evaluation.retrieval_sets import Half
from tests.evaluation.retrieval_sets_faq import faq

SEARCH_S = 60.0
SEARCH, MODEL, ANSWER, WARNED, NOBODY = "search", "model, before", "model, in its answer", "warning", ""
"""Who says that the documents do not say."""


def every(half: Half) -> Iterator[Asked]:
    """Each question of a half to its own manuals and to another subject's."""
    for question in faq().half(half):
        subject = next(iter(question.relevant)).split("/")[0]
        yield Asked(question, subject, True)
        yield Asked(question, FOREIGN[subject], False)


def put(desk: Desk, one: Asked, tokens: int) -> dict[str, object]:
    """One record: who refuses it, and what is answered where nobody does."""
    found = desk.services.documents.search(
        one.question.text,
        most_characters=int(tokens * CHARACTERS_A_TOKEN),
        collection_ids=(desk.collections[one.manuals],),
    ).result(SEARCH_S)
    record: dict[str, object] = {
        "question": one.question.text,
        "manuals": one.manuals,
        "answerable": one.answerable,
        "confidence": round(found.confidence, 3),
        "in doubt": found.way == Way.PASSAGES and is_in_doubt(found.confidence, one.question.text),
        "says not": SEARCH if found.way == Way.NOTHING else NOBODY,
    }
    if found.way == Way.NOTHING or (one.answerable and not record["in doubt"]):
        return record
    answer = desk.ask(one, replace(SAMPLING, max_tokens=1) if one.answerable else SAMPLING)
    if answer["way"] == Way.NOTHING:
        record["says not"] = MODEL
    elif not one.answerable:
        record["says not"] = ANSWER if answer["refused"] else WARNED if answer["doubted"] else NOBODY
        record |= {name: answer[name] for name in ("answer", "citations", "passages")}
    return record


def summary(records: Sequence[dict[str, object]]) -> dict[str, object]:
    """How many of each kind were refused, and by whom."""
    told: dict[str, object] = {}
    for kind, answerable in (("answerable", True), ("foreign", False)):
        own = [each for each in records if each["answerable"] is answerable]
        told[kind] = len(own)
        told[f"{kind}, in doubt"] = sum(bool(each["in doubt"]) for each in own)
        for who in (SEARCH, MODEL, *(() if answerable else (ANSWER, WARNED, NOBODY))):
            told[f"{kind}, refused: {who or 'by nobody'}"] = sum(each["says not"] == who for each in own)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--half", type=Half, default=Half.REPORTING)
    parser.add_argument("--tokens", type=int, default=900, help="of passages for a question")
    arguments = parser.parse_args()
    records = recorded(
        arguments.out / "refusals.jsonl",
        every(arguments.half),
        arguments.tokens,
        lambda desk, one: put(desk, one, arguments.tokens),
    )
    for each in records:
        if not each["answerable"] and each["says not"] == NOBODY:
            print(f"{each['question']}\n  {each['manuals']}: {each['answer']}")
    print(json.dumps(summary(records), indent=2))


if __name__ == "__main__":
    main()
