"""The language of a text, and whether its script writes words without spaces.

Scripts that one language alone uses decide by themselves; the others go to py3langid (naive Bayes over byte n-grams,
after Lui and Baldwin 2012), restricted to languages that documents are commonly written in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

ENOUGH_LETTERS = 12
"""Of which one can tell the language, by and large, in a script that many share."""
_SAMPLE = 150
_PLACES = 3
"""Samples from all over a long text: a title page may be in another language."""
_SURE = 0.25

_LANGUAGES = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk km kn ko lo "
    "lt lv mk ml mn mr ms my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh"
)

UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Thai, Japanese and Chinese letters, as ranges within a regular expression's brackets."""
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_FRAGMENTED = re.compile(f"[{UNSPACED}{_HANGUL}]")
_LETTER = re.compile(r"[^\W\d_]")
_SCRIPTS = (
    ("ko", re.compile(f"[{_HANGUL}]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
)
_SHARES = {"ja": 0.1, "zh": 0.2}
"""Of the letters; Japanese uses Chinese ones besides its own, and a Chinese one says more than a Latin one."""
_SHARE = 0.4


def needs_fragments(text: str) -> bool:
    """Whether something in it is in a script without spaces between words, or with long compounds (Chinese, Japanese,
    Korean, Thai), so that words must be searched by fragments of three characters."""
    return _FRAGMENTED.search(text) is not None


def language_of(text: str) -> str:
    """ISO 639-1, or "" where the text is too short or no language; half a millisecond, unless it was asked lately."""
    return _language_of(_sample(text))


@lru_cache(maxsize=32)
def _language_of(sample: str) -> str:
    n_letters = len(_LETTER.findall(sample))
    if not n_letters:
        return ""
    for language, letters in _SCRIPTS:
        if len(letters.findall(sample)) >= _SHARES.get(language, _SHARE) * n_letters:
            return language
    if n_letters < ENOUGH_LETTERS:
        return ""
    language, probability = _identifier().classify(sample)
    return str(language) if probability >= _SURE else ""


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE * _PLACES:
        return text
    step = (len(text) - _SAMPLE) // (_PLACES - 1)
    return " ".join(text[start : start + _SAMPLE] for start in range(0, step * _PLACES, step))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Takes a second to load, once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415  # see above

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LANGUAGES.split())
    return identifier
