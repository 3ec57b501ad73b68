"""Which questions are looked up in the documents, and with which words. Pure; knows no library and no model.

A follow-up ("And in 2021?", "Who wrote it?") says too little to be found by itself: it is looked for together with the
question before it. No model is asked for that: a second prompt would cost more time than the search saves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from engine.context.segments import Role
from rag.language import needs_fragments

MOST_QUESTIONS = 3
"""Looked for together, the last included: each leans on the one before."""
LEAST_WORDS = 3
"""Informative words; a question with fewer leans on what was said before."""
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SMALL_TALK = frozenset(
    """
    hi hello hey thanks thank thx ok okay great cool nice bye goodbye good morning evening night day afternoon yes no
    yeah please there you very much so a lot job well done everyone again all perfect awesome sorry welcome
    hallo danke schön sehr guten gute tag morgen abend nacht tschüss ja nein super prima bitte vielen dank
    merci beaucoup bonjour bonsoir salut oui non gracias muchas hola buenos buenas días noches sí adiós grazie ciao
    """.split()  # noqa: SIM905  # words are easier to read than a list of them
)
MOST_LEANING = 4
"""Informative words of a question with a pronoun; one with more says by itself what it is about."""
_LEANING = frozenset(
    """
    it its they them their that this these those he she his her him then one ones same such former latter else
    er sie es ihn ihm ihr ihre ihren dies diese dieser dieses dort dann davon dazu darin darüber
    il elle ils elles cela ça celui lui leur ello eso esto ellos
    """.split()  # noqa: SIM905  # as above
)
_EMPTY_WORDS = frozenset(
    """
    a an the and or but if there then here
    of in on at to for from by with as is are was were be been do does did can could will would
    should may might must has have had what which who whom whose when where why how about tell me please give show
    you your i my we our us also more ein eine der die den dem und oder aber von mit ist sind war wie was wer wo wann
    warum welche welcher das
    ich mir mich bitte le la les un une des et ou est que qui où quand comment el los las y o es
    qué quién cuándo dónde cómo por para
    """.split()  # noqa: SIM905  # as above
)


_ABOUT_THE_ANSWER = re.compile(
    r"^\W*(?:(?:please|bitte|now|jetzt|and|und|can you|could you|kannst du|könntest du)\s+)*"
    r"(?:translate|rewrite|rephrase|reword|shorten|simplify|expand|continue|go on|repeat|elaborate"
    r"|(?:make|put|say|turn|write|explain|summari[sz]e)\s+(?:it|this|that|them)"
    r"|übersetze?|formuliere?|kürze?|vereinfache?|wiederhole?|weiter|mach weiter|erkläre? (?:das|es)"
    r"|traduis|reformule|raccourcis|continue|répète|traduce|reformula|acorta|continúa|repite"
    r"|(?:in|auf|en)\s+(?:english|german|french|spanish|englisch|deutsch|französisch|spanisch|anglais|allemand|français"
    r"|espagnol|inglés|alemán|francés|español))\b",
    re.IGNORECASE,
)
_HOW = frozenset(
    """
    english german french spanish italian englisch deutsch französisch spanisch italienisch anglais allemand français
    inglés alemán francés español shorter longer simpler simple words short brief briefly sentence sentences list table
    bullet points kürzer länger einfacher einfachen worten satz sätzen liste tabelle last answer again into one two
    three letzte letzten antwort noch einmal nochmal auf ins en deutsche englische
    """.split()  # noqa: SIM905  # as above
)


class Said(Protocol):
    """A message as far as it matters here."""

    @property
    def role(self) -> Role: ...

    @property
    def text(self) -> str: ...


def is_looked_up(text: str, *, answered: bool = False) -> bool:
    """False for greetings and thanks, which no document answers; and, in a chat where something has been `answered`,
    for what is to be done with the answer itself ("Translate it into German").
    """
    if answered and _ABOUT_THE_ANSWER.match(text):
        words = [word.casefold() for word in _WORD.findall(_ABOUT_THE_ANSWER.sub("", text))]
        if all(word in _HOW or word in _EMPTY_WORDS or word in _LEANING for word in words):
            return False
    return any(word.casefold() not in _SMALL_TALK for word in _WORD.findall(text))


def search_words(path: Sequence[Said]) -> str:
    """What to look for, for the question that `path` ends with; it must be a person's message."""
    questions: list[str] = []
    for message in reversed(path):
        if message.role is not Role.USER or not message.text:
            continue
        questions.insert(0, message.text)
        if len(questions) == MOST_QUESTIONS or not leans(message.text):
            break
    return "\n".join(questions)


def leans(question: str) -> bool:
    """Whether a question cannot be understood without what was said before."""
    if needs_fragments(question):
        return len(question.strip()) < 2 * LEAST_WORDS
    words = [word.casefold() for word in _WORD.findall(question)]
    n_informative = sum(word not in _EMPTY_WORDS and word not in _LEANING for word in words)
    return n_informative < LEAST_WORDS or (n_informative <= MOST_LEANING and any(word in _LEANING for word in words))
