"""Finding earlier messages again that a question needs and that have left the context window. Pure; knows no store.

The messages are cut into passages of a few sentences, attached files too, and ranked by BM25 (Robertson and Zaragoza,
"The Probabilistic Relevance Framework", 2009) for the question's informative words. The store's own index is for a
person's search over whole messages; it knows no passage and no attached file. Nothing comes back where nothing fits.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.store.types import AttachmentPart, RecallPart, StoredMessage, TextPart
from engine.context.segments import Role
from engine.pages import PageState, PromptPlan

PASSAGES = 3
TOKENS = 600
"""At most, of all recalled passages together; an eighth of a small window."""
PASSAGE_CHARACTERS = 600
ATTACHMENT_CHARACTERS = 400_000
"""How far into an attached file passages are looked for."""
LEAST_COVERAGE = 0.35
"""Of the question's informative words, weighed by how rare they are: what a passage must hold."""
UNKNOWN = 0.5
"""What a word that is in no passage weighs in that: a fact is often asked for in other words."""
COMMON = 0.2
"""A word in more than this share of the passages finds nothing by itself."""
NEXT_BEST = 0.6
"""A further passage must score at least this share of the best one's."""
_K1, _B = 1.2, 0.75
_STEM = 6
"""Words are compared by their first letters: crude, but the same for many languages."""
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f\uac00-\ud7af]{2,}")
_BORDER = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_STOP_WORDS = """\
a about after again all also am an and any are as at be because been before but by can could did do does doing down
each else for from get give go got had has have having he her here him his how i if in into is it its just know let
like make many may me might more most much my name no not now of on one only or other our out over please remember
remind said say shall she should so some such talk tell than that the their them then there these they thing this
those to told too up us use very want was way we were what when where which while who whom whose why will with would
yes you your write answer question explain earlier mention again thank thanks hello hi ok okay continue aber alle
als am an auch auf aus bei bin bis bist bitte da dann das dass dein deine dem den der des die dies diese doch du
durch ein eine einem einen einer er es für gesagt habe haben hat hast hatte ich ihr im in ist ja kann kannst kein
keine können man mein meine meinen meiner mich mir mit nach nicht noch nun nur oder schon sehr sein seine sich sie
sind so über um und uns von vor war warum was welche welcher welches wenn wer werden wie wieder will wir wird wo zu
zum zur au aux avec ce ces cette dans de des du elle en est et il je la le les leur mais me mon ne nous on ou par
pas plus pour que quel quelle qui sa ses son sur te toi ton tu un une vous con como cual cuando del donde el ella
ellos era es esta este esto fue hay las lo los mi muy no nos para pero por porque se ser si sin sobre su sus también
tu una unas uno unos y ya"""
"""Of English, German, French and Spanish: what says nothing about a question's subject."""


@dataclass(frozen=True, slots=True)
class _Passage:
    part: RecallPart
    counts: Counter[str]


def out_of_window(path: Sequence[StoredMessage], plan: PromptPlan) -> list[StoredMessage]:
    """The messages that a prompt leaves out, whole or their attached files, and that the person did not take out."""
    cleared = {page.message_id for page in plan.pages if page.state is PageState.OUT}
    gone = cleared | set(plan.dropped)
    return [message for message in path if message.id in gone and not message.excluded]


def characters_for(plan: PromptPlan, messages: Sequence[StoredMessage]) -> int:
    """How many characters of these messages may come back, by what their tokens were found to be."""
    ids = {message.id for message in messages}
    tokens = sum(page.tokens for page in plan.pages if page.message_id in ids and page.state is PageState.OUT)
    characters = sum(len(text) for message in messages for text, _, _ in _texts(message))
    a_token = characters / tokens if tokens else 3.0
    return round(min(TOKENS, plan.n_ctx // 8) * min(max(a_token, 1.0), 4.0))


def recall(question: str, messages: Sequence[StoredMessage], *, max_characters: int) -> tuple[RecallPart, ...]:
    """The passages of `messages` that the question needs, in their order; () if none fits well."""
    wanted = set(terms(question)) - _STOP_TERMS
    passages = [passage for message in messages for passage in _passages(message)]
    if not wanted or not passages:
        return ()
    held = {word: sum(word in passage.counts for passage in passages) for word in wanted}
    rarity = {word: _rarity(len(passages), n) for word, n in held.items()}
    whole = sum(rarity[word] * (1 if n else UNKNOWN) for word, n in held.items())
    telling = {word for word, n in held.items() if n <= max(2, COMMON * len(passages))}
    average = sum(passage.counts.total() for passage in passages) / len(passages)
    scored = []
    for index, passage in enumerate(passages):
        found = [word for word in wanted if word in passage.counts]
        if telling.intersection(found) and sum(rarity[word] for word in found) >= LEAST_COVERAGE * whole:
            scored.append((sum(rarity[word] * _weight(passage, word, average) for word in found), index))
    scored.sort(reverse=True)
    chosen: list[int] = []
    left = max_characters
    for score, index in scored[:PASSAGES]:
        if score >= NEXT_BEST * scored[0][0] and len(passages[index].part.text) <= left:
            left -= len(passages[index].part.text)
            chosen.append(index)
    return tuple(passages[index].part for index in sorted(chosen))


def terms(text: str) -> Iterator[str]:
    """The words of a text as they are compared; of scripts without spaces any two characters in a row."""
    plain = (
        text.lower()
        if text.isascii()
        else "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    )
    for word in _WORD.findall(unicodedata.normalize("NFC", plain)):
        if len(word) == 1 and word.isascii() and word.isalpha():
            continue
        if _UNSPACED.search(word):
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        else:
            yield (word[:-1] if len(word) > 3 and word.endswith("s") else word)[:_STEM]


def _stop_terms() -> frozenset[str]:
    return frozenset(term for word in _STOP_WORDS.split() for term in terms(word))


_STOP_TERMS = _stop_terms()


def _rarity(count: int, n: int) -> float:
    """BM25's weight of a word that is in `n` of `count` passages: high for few."""
    return math.log(1 + (count - n + 0.5) / (n + 0.5))


def _weight(passage: _Passage, word: str, average: float) -> float:
    times = passage.counts[word]
    return times * (_K1 + 1) / (times + _K1 * (1 - _B + _B * passage.counts.total() / average))


def _texts(message: StoredMessage) -> Iterator[tuple[str, str, str]]:
    """A message's texts, whose words each is, and of which file."""
    for part in message.parts:
        if isinstance(part, TextPart):
            yield part.text, "assistant" if message.role is Role.ASSISTANT else "user", ""
        elif isinstance(part, AttachmentPart):
            yield part.text[:ATTACHMENT_CHARACTERS], "document", part.name


def _passages(message: StoredMessage) -> Iterator[_Passage]:
    for text, origin, name in _texts(message):
        for piece, counts in _counted(text):
            yield _Passage(RecallPart(message.id, piece, origin, name), counts)


@lru_cache(maxsize=4096)
def _counted(text: str) -> tuple[tuple[str, Counter[str]], ...]:
    """The pieces of a text with their words, kept because a long conversation is looked through at every question."""
    return tuple((piece, counts) for piece in _pieces(text) if (counts := Counter(terms(piece))))


def _pieces(text: str) -> Iterator[str]:
    """Runs of sentences of at most `PASSAGE_CHARACTERS`."""
    piece = ""
    for sentence in _BORDER.split(text):
        for start in range(0, len(sentence), PASSAGE_CHARACTERS):
            run = sentence[start : start + PASSAGE_CHARACTERS].strip()
            if piece and len(piece) + 1 + len(run) > PASSAGE_CHARACTERS:
                yield piece
                piece = ""
            piece = f"{piece} {run}".strip()
    if piece:
        yield piece
