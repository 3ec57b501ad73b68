"""An answer that is still being written, cut into what is spoken next. Knows no synthesizer; the clock is injected.

The first chunk is short, because somebody waits for it; the others are whole sentences. A chunk knows which characters
of the answer it stands for, and the chunks together stand for all of them, once and in order. Code, tables and
formulas are never cut, and are announced as soon as they begin.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from voice.tts.languages import Languages, OnlyEnglish
from voice.tts.sentence_end import sentence_end
from voice.tts.speakable import speakable

FIRST_WAIT_S = 0.2
"""After so long without a mark, a few words will do (`voice.tts.sentence_end.FIRST_WORDS`)."""
_FENCE = re.compile(r"[ \t]*(`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})[^\n]*(?:\n|\Z)")
_HEADING = re.compile(r"#{1,6}[ \t]")
_TELLS = 40
"""Characters that tell a language; a shorter piece is judged with what was said before it."""
_BEFORE = 80


@dataclass(frozen=True, slots=True)
class Chunk:
    """`text` is what to say for `answer[start:end]`, "" where there is nothing to say for it; `language` ISO 639-1."""

    start: int
    end: int
    text: str
    language: str = "en"


def spoken_sentences(text: str, *, languages: Languages | None = None) -> list[Chunk]:
    """What is said of a whole text in Markdown, cut where a voice breathes."""
    splitter = SentenceSplitter(languages=languages)
    return [chunk for chunk in (*splitter.feed(text), *splitter.end()) if chunk.text]


class SentenceSplitter:
    """One for each answer, one thread at a time. `clock` gives seconds."""

    def __init__(self, *, languages: Languages | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._languages = languages or OnlyEnglish()
        self._language = "en"
        """Of what was last said."""
        self._clock = clock
        self._raw = ""
        self._done = 0
        """So much of the answer is in chunks."""
        self._fence = ""
        """The marker that closes the code that is being written."""
        self._in_table = False
        self._spoke = False
        self._begun_s: float | None = None

    def expect(self, text: str) -> None:
        """The language of `text` is that of the answer, too, as long as nothing else can be told."""
        self._language = self._languages.of(text) or self._language

    def feed(self, delta: str) -> list[Chunk]:
        """What can be spoken now that `delta` has come."""
        if delta.strip() and self._begun_s is None:
            self._begun_s = self._clock()
        self._raw += delta
        return self._chunks(final=False)

    def poll(self) -> list[Chunk]:
        """What can be spoken now that time has passed."""
        return self._chunks(final=False)

    def end(self) -> list[Chunk]:
        """The rest; the answer is complete."""
        chunks = self._chunks(final=True)
        if self._done < len(self._raw):
            chunks.append(self._chunk(len(self._raw), ""))
        return chunks

    def _chunks(self, *, final: bool) -> list[Chunk]:
        chunks = []
        while (chunk := self._next(final=final)) is not None:
            chunks.append(chunk)
            self._spoke = self._spoke or bool(chunk.text)
        return chunks

    def _chunk(self, end: int, text: str) -> Chunk:
        chunk = Chunk(self._done, end, text, self._language)
        self._done = end
        return chunk

    def _next(self, *, final: bool) -> Chunk | None:
        start = self._done
        while start < len(self._raw) and self._raw[start].isspace():
            start += 1
        if start == len(self._raw):
            return None
        if self._fence:
            return self._code(final=final)
        line_start = self._raw.rfind("\n", 0, start) + 1
        if not self._raw[line_start:start].strip() and self._raw[start] in "`~|#":
            line_end = self._raw.find("\n", start) + 1
            if not line_end and not final and self._may_be_block(start):
                return None
            block = self._block(line_start, start, line_end or len(self._raw))
            if block is not None:
                return block
        if self._raw[start] != "|":
            self._in_table = False
        end = sentence_end(self._raw, start, final=final, first=not self._spoke, late=self._is_late())
        return self._said(end) if end else None

    def _may_be_block(self, start: int) -> bool:
        line = self._raw[start:]
        return line.startswith(("```", "~~~", "|", "#")) or line in ("`", "``", "~", "~~")

    def _block(self, line_start: int, start: int, end: int) -> Chunk | None:
        """A chunk for the line where code, a table or a heading begins; None where none does."""
        fence = _FENCE.match(self._raw, line_start)
        if fence is not None:
            self._fence, self._in_table = fence[1], False
            return self._chunk(end, self._languages.phrases(self._language).code)
        if self._raw[start] == "|":
            text = "" if self._in_table else self._languages.phrases(self._language).table
            self._in_table = True
            return self._chunk(end, text)
        return self._said(end) if _HEADING.match(self._raw, start) else None

    def _code(self, *, final: bool) -> Chunk | None:
        """The rest of the code, of which nothing is said."""
        closing = re.compile(rf"(?m)^[ \t]*{re.escape(self._fence)}{re.escape(self._fence[0])}*[ \t]*(?:\n|\Z)")
        match = closing.search(self._raw, self._done)
        if match is None or (not match[0].endswith("\n") and not final):
            return None
        self._fence = ""
        return self._chunk(match.end(), "")

    def _said(self, end: int) -> Chunk:
        piece = self._raw[self._done : end]
        telling = piece if len(piece) >= _TELLS else self._raw[max(0, end - _BEFORE) : end]
        self._language = language = self._languages.of(telling) or self._language
        return self._chunk(end, speakable(piece, language=language, phrases=self._languages.phrases(language)))

    def _is_late(self) -> bool:
        return not self._spoke and self._begun_s is not None and self._clock() - self._begun_s >= FIRST_WAIT_S
