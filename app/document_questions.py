"""Which questions are looked up in the documents, and with which words. Pure; knows no library and no model.

A follow-up ("And in 2021?", "Who wrote it?") says too little to be found by itself: it is looked for together with the
question before it. No model is asked for that: a second prompt would cost more time than the search saves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.language import needs_fragments

from app.store.types import StoredMessage
from engine.context.segments import Role

LEAST_WORDS = 3
"""Informative words; a question with fewer leans on what was said before."""
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SMALL_TALK = re.compile(
    r"^\W*(?:hi|hello|hey|thanks|thank you|thx|ok(?:ay)?|great|cool|nice|bye|good (?:morning|evening|night|day)|yes|no"
    r"|hallo|danke(?: schön| sehr)?|guten (?:tag|morgen|abend)|tschüss|ja|nein|super|prima|merci|bonjour|salut|gracias"
    r"|hola|grazie|ciao)\b(?:\W+\w+){0,2}\W*$",
    re.IGNORECASE,
)
_LEANING = frozenset(
    """
    it its they them their that this these those he she his her him there then one ones same such former latter else
    er sie es ihn ihm ihr ihre ihren das dies diese dieser dieses dort dann davon dazu darin darüber
    il elle ils elles ce cela ça celui y en lui leur ello eso esto ellos
    """.split()  # noqa: SIM905  # words are easier to read than a list of them
)
_EMPTY_WORDS = frozenset(
    """
    a an the and or but if of in on at to for from by with as is are was were be been do does did can could will would
    should may might must has have had what which who whom whose when where why how about tell me please give show
    you your i my we our us also more ein eine der die den dem und oder aber von mit ist sind war wie was wer wo wann
    warum welche welcher ich mir mich bitte le la les un une des et ou est que qui où quand comment el los las y o es
    qué quién cuándo dónde cómo por para
    """.split()  # noqa: SIM905  # as above
)


def is_looked_up(text: str) -> bool:
    """False for greetings and thanks, which no document answers."""
    return bool(_WORD.search(text)) and not _SMALL_TALK.match(text.strip())


def search_words(path: Sequence[StoredMessage]) -> str:
    """What to look for, for the question that `path` ends with; it must be a person's message."""
    question = path[-1].text
    if not leans(question):
        return question
    before = next((message.text for message in reversed(path[:-1]) if message.role is Role.USER and message.text), "")
    return f"{before}\n{question}" if before else question


def leans(question: str) -> bool:
    """Whether a question cannot be understood without what was said before."""
    if needs_fragments(question):
        return len(question.strip()) < 2 * LEAST_WORDS
    words = [word.casefold() for word in _WORD.findall(question)]
    if any(word in _LEANING for word in words):
        return True
    return sum(word not in _EMPTY_WORDS for word in words) < LEAST_WORDS
