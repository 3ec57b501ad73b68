"""Which encoding bytes without any mark are in, by the letters that languages use every day. Knows no file.

In a wrong encoding a text is full of letters that none of its languages has, or of capitals within words. Texts of a
few words are told so, which a guess by statistics of bytes cannot do. After Li and Momoi, "A composite approach to
language/encoding detection" (2001), their second method, with sets in the place of distributions.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

LEAST_SHARE = 0.95
"""Of the letters beyond ASCII: so many must be everyday ones of the language."""
_LOOKED_AT = 16 * 1024
"""Bytes; of lines that are not plain ASCII."""
_MARKS = frozenset("“”„‟‘’‚‛«»‹›–—…•·§©®™°±²³½€£¥¡¿№、。「」『』・：；，！？（）《》〈〉【】ー～〜　\xa0\xad")
"""Used in any language: they tell nothing."""
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"))
"""ISO 2022: seven bits, with escape sequences between scripts."""
_CENTRAL = ("cp1250", "iso8859_2")


@dataclass(frozen=True, slots=True)
class _Alphabet:
    """A language of one byte a letter: what it has beyond ASCII, in lower case, the commonest apart."""

    encodings: tuple[str, ...]
    often: str
    seldom: str = ""
    is_latin: bool = True


_ALPHABETS = (
    _Alphabet(("cp1252",), "äöüß"),
    _Alphabet(("cp1252",), "éèàç", "âæêëîïôœùûüÿ"),
    _Alphabet(("cp1252",), "áéíóñ", "üúª"),
    _Alphabet(("cp1252",), "ãçáéíó", "àâêõôúüªº"),
    _Alphabet(("cp1252",), "àèùòì", "éíîóú"),
    _Alphabet(("cp1252",), "åäöæø", "éü"),
    _Alphabet(_CENTRAL, "ąęłóśż", "ćńź"),
    _Alphabet(_CENTRAL, "íáéěšžčřů", "äďĺľňóôŕťúý"),
    _Alphabet(_CENTRAL, "áéöóő", "íúüű"),
    _Alphabet(_CENTRAL, "čšž", "ćđ"),
    _Alphabet(_CENTRAL, "ăîţş", "â"),
    _Alphabet(("cp1254",), "ıüşçğöİ", "âîû"),
    _Alphabet(("cp1257",), "ėšįžų", "ąčęū"),
    _Alphabet(("cp1257",), "āīēšū", "čģķļņž"),
    _Alphabet(("cp1251", "koi8_r", "cp866", "iso8859_5"), "оеаинтсрвлкм", "бгдёжзйпуфхцчшщъыьэюя", is_latin=False),
    _Alphabet(("cp1251", "koi8_u"), "оаинвіретскл", "бгґдєжзийїмпуфхцчшщьюя", is_latin=False),
    _Alphabet(("cp1253",), "αοιετσνηυρπκ", "βγδζθλμξφχψωςάέήίόύώϊϋΐΰ", is_latin=False),
    _Alphabet(("cp1255",), "יוהלאמרתבשנכ", "גדזחטךםןסעףפץצק", is_latin=False),
)
_CAPITAL_WITHIN = re.compile("(?<=[a-zß-öø-ÿа-џά-ώ])[À-ÖØ-ÞА-ЯЁΑ-ΩŠŽĄĆĘŁŃŚŹŻ]")
_MIXED = re.compile(r"[A-Za-z](?=[^\W\d_A-Za-z])|(?<=[^\W\d_A-Za-z])[A-Za-z]")
"""Latin letters right beside others, which no word of theirs has."""
_UNFIT = (0.0, 0, 0.0)
_KANA = re.compile("[\u3041-\u30fa]")
_LEAST_KANA = 0.1
"""Of the letters of a Japanese text."""


def guessed(data: bytes) -> str | None:
    """The encoding's name for Python, None where none is near. `data` is no UTF-8, or holds zeros or escapes."""
    sample = data[:_LOOKED_AT]
    if b"\0" in sample:
        return _wide(sample)
    escaped = next((name for mark, name in _ESCAPES if mark in sample), None)
    if escaped is not None:
        return escaped if "\ufffd" not in _decoded(sample, escaped) else None
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_LOOKED_AT]
    return _of_one_byte(telling) or _of_two_bytes(telling)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: spaces and line ends have a zero, always on the same side."""
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-be" if first > second else "utf-16-le"
    text = _decoded(sample, encoding)
    strange = sum(1 for letter in text if not (letter.isprintable() or letter.isspace()) or letter == "\ufffd")
    if min(first, second) * 50 > max(first, second) or strange * 50 > len(text):
        return None
    return encoding if any(letter.isspace() or letter.isalpha() for letter in text) else None


def _of_one_byte(sample: bytes) -> str | None:
    best = (LEAST_SHARE, -len(sample), 0.0)
    found = None
    for alphabet in _ALPHABETS:
        for encoding in alphabet.encodings:
            rank = _rank(_decoded(sample, encoding), alphabet)
            if rank > best:
                best, found = rank, encoding
    return found


def _rank(text: str, alphabet: _Alphabet) -> tuple[float, int, float]:
    """Which share of the letters beyond ASCII the language has, how few are marks, and which share is common in it."""
    known = alphabet.often + alphabet.seldom
    known += known.upper()
    beyond = [letter for letter in text if letter > "\x7f"]
    letters = [letter for letter in beyond if letter not in _MARKS]
    if not letters:
        return _UNFIT
    strange = sum(letter not in known for letter in letters) + len(_CAPITAL_WITHIN.findall(text))
    if alphabet.is_latin:
        fits = sum(letter.isascii() and letter.isalpha() for letter in text) >= len(letters)
    else:
        fits = 2 * sum(letter.isupper() for letter in letters) <= len(letters)
        strange += len(_MIXED.findall(text))
    common = sum(letter.lower() in alphabet.often for letter in letters) / len(letters)
    return (1 - strange / len(letters), len(letters) - len(beyond), common) if fits else _UNFIT


def _of_two_bytes(sample: bytes) -> str | None:
    for encoding, known, needs_kana in _EAST_ASIAN:
        letters = [letter for letter in _decoded(sample, encoding) if letter > "\x7f" and letter not in _MARKS]
        n_kana = sum(_KANA.match(letter) is not None for letter in letters)
        if not letters or (needs_kana and n_kana < _LEAST_KANA * len(letters)):
            continue
        if sum(letter in _everyday(known) for letter in letters) >= LEAST_SHARE * len(letters):
            return encoding
    return None


_EAST_ASIAN = (
    ("cp932", "ja", True),
    ("euc_jp", "ja", True),
    ("cp949", "ko", False),
    ("gb18030", "zh", False),
    ("big5", "zh-tw", False),
)
"""Korean first of those without kana: its syllables are Chinese letters in the encodings of the others."""
_LEVELS = {
    "ja": ("euc_jp", 0xB0, 0xCF),
    "ko": ("euc_kr", 0xB0, 0xC8),
    "zh": ("gb2312", 0xB0, 0xD7),
    "zh-tw": ("big5", 0xA4, 0xC6),
}
"""Where the standards put their common letters (JIS X 0208, KS X 1001, GB 2312, Big5): the first byte."""


@cache
def _everyday(language: str) -> frozenset[str]:
    encoding, first, last = _LEVELS[language]

    def rows() -> Iterator[str]:
        for lead in range(first, last + 1):
            for trail in range(0x40, 0xFF):
                yield bytes((lead, trail)).decode(encoding, "ignore")

    kana = (chr(number) for number in range(0x3041, 0x30FF)) if language == "ja" else ()
    wide = (chr(number) for number in range(0xFF01, 0xFF5F))
    return frozenset(letter for each in (*rows(), *kana, *wide) for letter in each if letter > "\x7f")


def _decoded(data: bytes, encoding: str) -> str:
    """The text; a letter that is cut off at the end is left out."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(data)
