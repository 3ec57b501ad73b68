"""Whisper's tokens: which of them steer, which are words, which are no speech. Knows no model's weights.

Numbers and lists are those of OpenAI's `whisper.tokenizer` and of whisper.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LANGUAGES = tuple(
    language
    for line in (
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la",
        "mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be",
        "tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su",
    )
    for language in line.split()
)
"""ISO 639-1 where there is one, in the order of their tokens."""
_ENGLISH_END = 50_256
_MULTILINGUAL = 51_865
_NO_SPEECH = tuple(
    mark
    for line in (
        '" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (\' (" (( )) ((( ))) ',
        "[[ ]] {{ }} ♪♪ ♪♪♪ ♩ ♪ ♫ ♬ ♭ ♮ ♯",
    )
    for mark in line.split()
)


class WhisperWords:
    """`words` are the tokens' bytes, `n_vocabulary` how many tokens there are with those that steer."""

    def __init__(self, words: Sequence[bytes], n_vocabulary: int) -> None:
        self._words = words
        self.is_multilingual = n_vocabulary >= _MULTILINGUAL
        self.end = _ENGLISH_END + self.is_multilingual
        """Of what was said; what is lower is a word."""
        self.start = self.end + 1
        self.first_language = self.start + 1
        self._write = self.first_language + len(LANGUAGES) + 1
        self.silence = self._write + 3
        """Nobody speaks."""
        self._untimed = self.silence + 1
        blank = [number for number, word in enumerate(words) if word == b" "]
        self.never_first = (*blank[:1], self.end)
        unwanted = {mark.encode() for mark in _NO_SPEECH} | {f" {mark}".encode() for mark in (*_NO_SPEECH, "-", "'")}
        self.never = tuple(number for number, word in enumerate(words[: self.end]) if word in unwanted)

    def prompt(self, language: str) -> list[int]:
        """What follows `start`. Raises `ValueError` for a language that Whisper does not know."""
        spoken = [self.first_language + LANGUAGES.index(language), self._write] if self.is_multilingual else []
        return [*spoken, self._untimed]

    def text(self, tokens: Iterable[int]) -> str:
        """Words as they are written."""
        return b"".join(self._words[token] for token in tokens).decode("utf-8", "replace").strip()
