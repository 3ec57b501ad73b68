"""Questions in eight languages about the translations of two Debian books: each asks for the matter of one section.

The sections stand as in the books, with their headings; a question puts a heading into a sentence. What the
translators left in English is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.language import language_of
from tests.evaluation.retrieval_sets import Question, RetrievalSet, Section, beginning, html, plain, text_of, unpacked

HANDBOOK = {
    "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "ru": "ru-RU",
    "ar": "ar-MA", "zh": "zh-CN", "ja": "ja-JP", "pt": "pt-BR",
}  # fmt: skip
GUIDE = {"de": "de", "es": "es", "fr": "fr", "ru": "ru", "zh": "zh_CN", "ja": "ja", "pt": "pt"}
ASKED = {
    "de": "Was muss ich über {} wissen?", "es": "¿Qué debo saber sobre {}?", "fr": "Que dois-je savoir sur {} ?",
    "ru": "Что нужно знать про {}?", "ar": "ماذا يجب أن أعرف عن {}؟", "zh": "关于{}我需要知道什么？",
    "ja": "{}について何を知っておくべきですか？", "pt": "O que devo saber sobre {}?",
}  # fmt: skip
WITHOUT_SPACES = {"zh", "ja"}
"""These say the same in a third of the characters."""
LEAST = 150
"""Characters of a section."""
LEAST_QUESTION = 8
LEAST_SHARE = 0.75
"""Of a section's characters, those in its own language."""
_SECTION = ".//div[contains(concat(' ', @class, ' '), ' section ') or contains(concat(' ', @class, ' '), ' sect1 ')]"
_HEADINGS = ".//*[self::h1 or self::h2 or self::h3 or self::h4][contains(@class, 'title')]"
_LEFT_OUT = f"{_SECTION}|{_HEADINGS}|.//*[@class='toc']|.//*[@class='docnav']"


def languages() -> tuple[RetrievalSet, ...]:
    """One set a language."""
    return tuple(_set(language) for language in HANDBOOK)


def _set(language: str) -> RetrievalSet:
    handbook = unpacked("debian-handbook") / "usr/share/doc/debian-handbook/html" / HANDBOOK[language]
    found = list(_sections(handbook, "handbook", language))
    if language in GUIDE:
        guide = unpacked("installation-guide-amd64") / "usr/share/doc/installation-guide-amd64" / GUIDE[language]
        found += _sections(guide, "installation guide", language)
    times = Counter(section.path[-1] for section in found)
    questions = [
        Question(ASKED[language].format(section.path[-1]), frozenset({section.id}))
        for section in found
        if times[section.path[-1]] == 1 and _is_question(section.path[-1], language)
    ]
    return RetrievalSet(f"books {language}", language, tuple(found), tuple(questions))


def _is_question(heading: str, language: str) -> bool:
    """Long enough to be looked for, and not left in English: doubled, so that its language can be told."""
    least = LEAST_QUESTION // 2 if language in WITHOUT_SPACES else LEAST_QUESTION
    latin = language in {"de", "es", "fr", "pt"}
    told = language_of(f"{heading} {heading}")
    return len(heading) >= least and (told != "en" if latin else told == language)


def _sections(folder: Path, book: str, language: str) -> Iterator[Section]:
    least = LEAST // 3 if language in WITHOUT_SPACES else LEAST
    for path in sorted(folder.glob("*.html")):
        parts = html(path).xpath(_SECTION)
        for number, part in enumerate(parts):
            headings = [_heading(one) for one in parts if one is part or one in set(part.iterancestors("div"))]
            text = text_of(part, without=_LEFT_OUT)
            if headings[-1] and len(text) >= least and _share(text, language) >= LEAST_SHARE:
                above = tuple(heading for heading in headings if heading)
                yield Section(
                    f"{book}/{path.stem}/{number}", f"{book} {path.stem}", above, f"{above[-1]}\n{beginning(text)}"
                )


def _heading(section: Any) -> str:
    found = section.xpath(_HEADINGS)
    return plain(text_of(found[0]).replace("\n", " ")) if found else ""


def _share(text: str, language: str) -> float:
    """Of the characters in lines long enough to tell their language, those in the language."""
    told = [(language_of(line), len(line)) for line in text.split("\n")]
    right = sum(length for found, length in told if found == language)
    return right / max(1, sum(length for found, length in told if found))
