"""Splits a model's stream of text into reasoning and answer. Knows the marks it is given and nothing else.

Marks may be split over deltas in any way: the result depends on the whole text only.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.context.chat_template import ReasoningMarks


@dataclass(frozen=True, slots=True)
class TextRun:
    """Some characters of one kind."""

    is_reasoning: bool
    text: str


class ReasoningSplitter:
    """Feed it deltas; it gives back runs, and holds back only what may be the beginning of a mark.

    Line breaks around reasoning belong to the format and are dropped: those after its opening mark, before its
    closing mark, and before the answer that follows.
    """

    def __init__(self, marks: ReasoningMarks, *, starts_inside: bool = False) -> None:
        self._marks = marks
        self._inside = starts_inside
        self._begun = False
        """The answer has begun: visible characters were given out."""
        self._skip_breaks = starts_inside
        self._held = ""
        """Unread text: it may be the beginning of a mark."""
        self._breaks = ""
        """Read white space whose fate the next characters decide."""
        self._runs: list[TextRun] = []

    def feed(self, text: str) -> list[TextRun]:
        """Take the next characters; give the runs that are certain by now."""
        self._held += text
        self._read(last=False)
        return self._taken()

    def finish(self) -> list[TextRun]:
        """The text is over: give what was held back."""
        self._read(last=True)
        if not self._inside:
            self._emit(self._breaks)
        self._breaks = ""
        return self._taken()

    def _taken(self) -> list[TextRun]:
        runs, self._runs = self._runs, []
        return runs

    def _read(self, *, last: bool) -> None:
        while self._held:
            wanted = self._wanted()
            at, mark = self._find(wanted, last=last)
            plain, self._held = self._held[:at], self._held[at + len(mark) :]
            if plain:
                self._plain(plain)
            if mark:
                self._switch(mark)
            elif self._wanted() == wanted:
                return

    def _wanted(self) -> tuple[str, ...]:
        """The marks that mean something here."""
        marks = self._marks
        if self._inside:
            return (marks.end,)
        if marks.anywhere:
            return (marks.start, *marks.silent)
        return () if self._begun else (marks.start,)

    def _find(self, wanted: tuple[str, ...], *, last: bool) -> tuple[int, str]:
        """Where plain text ends, and the mark that follows it ("": none, or none yet)."""
        held = self._held
        early = not self._inside and not self._marks.anywhere
        for at in range(len(held)):
            found = max((mark for mark in wanted if held.startswith(mark, at)), key=len, default="")
            rest = held[at:]
            if not last and any(len(mark) > len(rest) and mark.startswith(rest) for mark in wanted):
                return at, ""
            if found:
                return at, found
            if early and not held[at].isspace():
                break
        return len(held), ""

    def _switch(self, mark: str) -> None:
        self._breaks = ""
        self._skip_breaks = True
        if self._inside:
            self._inside = False
            self._begun = not self._marks.anywhere
        elif mark == self._marks.start:
            self._inside = True

    def _plain(self, text: str) -> None:
        if self._skip_breaks:
            text = text.lstrip("\r\n")
            if not text:
                return
            self._skip_breaks = False
        if self._inside:
            text = self._breaks + text
            kept = text.rstrip("\r\n")
            self._breaks = text[len(kept) :]
            self._emit(kept)
        elif self._begun or self._marks.anywhere:
            self._emit(text)
        else:
            text = self._breaks + text
            if text.isspace():
                self._breaks = text
            else:
                self._breaks = ""
                self._begun = True
                self._emit(text)

    def _emit(self, text: str) -> None:
        if text:
            self._runs.append(TextRun(self._inside, text))
