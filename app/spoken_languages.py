"""What is known of languages where answers are spoken, and the voice process as this program starts it: with that.

Imported in the program's own process too, for the name of the entry point: so it loads nothing by itself. Knows no
voice and no window.
"""

from __future__ import annotations

import re
from functools import cache
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from app.i18n import translated
from engine.errors import sentence

if TYPE_CHECKING:
    from voice.tts.speakable import Phrases

_CODE = sentence("The code is on screen.")
_TABLE = sentence("The table is on screen.")
_FORMULA = sentence("the formula on screen")
_LINK = sentence("a link to {site}")
_FENCES = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1|\Z)|`[^`\n]*`|https?://\S+")
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "is",
        "are",
        "in",
        "that",
        "it",
        "you",
        "for",
        "with",
        "this",
        "be",
        "not",
        "or",
        "on",
        "as",
    ]
)
_ENGLISH_SHARE = 0.2
"""Of the words: plain English, which need not be looked at more closely."""
_LATIN = re.compile(r"[a-z\u00c0-\u024f]", re.IGNORECASE)
_LEAST = 24
"""Latin letters, which many languages share, that tell which one it is."""


class SpokenLanguages:
    """See `voice.tts.languages.Languages`."""

    def of(self, text: str) -> str:
        """See `Languages`. A second, once, for the first that is not plain English."""
        prose = _FENCES.sub(" ", text)
        words = [word.casefold() for word in _WORD.findall(prose[:2000])]
        if words and sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words):
            return "en"
        if 0 < len(_LATIN.findall(prose)) < _LEAST:
            return ""
        from rag.language import language_of  # noqa: PLC0415  # in the process only

        return language_of(prose)

    def phrases(self, language: str) -> Phrases:
        """See `Languages`; in English where there is no translation."""
        return _phrases(language)


@cache
def _phrases(language: str) -> Phrases:
    """Kept: gettext looks for files each time, and every sentence asks."""
    from voice.tts.speakable import Phrases  # noqa: PLC0415  # brings the Markdown parser

    return Phrases(*(translated(language, phrase) for phrase in (_CODE, _TABLE, _FORMULA, _LINK)))


def run_voice(connection: Connection) -> None:
    """The voice process's entry point."""
    from voice.process import serve  # noqa: PLC0415  # in the process only

    serve(connection, languages=SpokenLanguages())
