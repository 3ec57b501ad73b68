"""The pages of a prompt as people know them: one part of one message each, with its words. Pure; knows no engine.

The engine's pages are finer: the chat format's own words stand between them, a file's name is one and its text another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from engine.context.segments import Origin, PromptMessage
from engine.pages import PageState, PromptPage, Region

PageKey = tuple[str, str, str]
"""Message id, origin, label."""


class WhyOut(StrEnum):
    """Why a page is not in the window."""

    ROOM = "room"
    PERSON = "person"
    """Taken out, and can be taken back in."""
    SUMMARY = "summary"
    """A summary stands for it."""


@dataclass(frozen=True, slots=True)
class PromptWords:
    """What a prompt's pages say, and the ids of messages that are out for another reason than room.

    `summary_id` is the stored summary's; in a prompt it may be joined to the message after it, and bear that one's id.
    """

    texts: Mapping[PageKey, str] = field(default_factory=dict)
    out: Mapping[str, WhyOut] = field(default_factory=dict)
    summary_id: str = ""

    def read(self, page: MemoryPage) -> MemoryPage:
        """The page with its words, and why it is out if it is."""
        text = self.texts.get(page.key, "")
        why = self.out.get(page.message_id, WhyOut.ROOM)
        is_summary = page.origin == Origin.SUMMARY and self.summary_id
        return replace(page, text=text, why_out=why, message_id=self.summary_id if is_summary else page.message_id)


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """One part of one message. `tokens` include the `format_tokens` of the chat format around it.

    `start` is the first token's place in the prompt, -1 for a page that is left out. `growing` marks the answer that
    is being written, `why_out` is for pages that are left out.
    """

    origin: str
    tokens: int
    region: Region
    start: int = -1
    format_tokens: int = 0
    state: PageState = PageState.IN_WINDOW
    message_id: str = ""
    label: str = ""
    pinned: bool = False
    text: str = ""
    growing: bool = False
    why_out: WhyOut = WhyOut.ROOM

    @property
    def key(self) -> PageKey:
        """What stays the same when the prompt is another one."""
        return (self.message_id, self.origin, self.label)

    @property
    def end(self) -> int:
        """The place behind it in the prompt; 0 for a page that is left out."""
        return self.start + self.tokens if self.start >= 0 else 0


def words_of(messages: Iterable[PromptMessage], taken_out: Iterable[str] = ()) -> PromptWords:
    """The words of each page that these messages make; the person has `taken_out` those of these ids.

    A file's name and its text share a page: the text counts.
    """
    texts: dict[PageKey, str] = {}
    out: dict[str, WhyOut] = {}
    for message in messages:
        if message.excluded:
            out[message.message_id] = WhyOut.SUMMARY
        for segment in message.segments:
            key = (message.message_id, segment.origin.value, segment.label)
            if segment.origin is not Origin.APP and len(segment.text) > len(texts.get(key, "")):
                texts[key] = segment.text
    return PromptWords(texts, out | dict.fromkeys(taken_out, WhyOut.PERSON))


def folded(pages: Sequence[PromptPage], words: PromptWords) -> tuple[MemoryPage, ...]:
    """Pages as people know them: template words join a neighbour, a file's name its text. Those left out come last.

    Template words join the page of their own message that follows, else the one before them.
    """
    made: list[MemoryPage] = []
    start = 0
    for page in _joined(page for page in pages if page.state is not PageState.OUT):
        made.append(replace(words.read(page), start=start))
        start += page.tokens
    outside = _joined(page for page in pages if page.state is PageState.OUT)
    return (*made, *(words.read(page) for page in outside))


def _joined(pages: Iterable[PromptPage]) -> list[MemoryPage]:
    made: list[MemoryPage] = []
    waiting: list[PromptPage] = []
    for page in pages:
        if page.origin == Origin.APP:
            waiting.append(page)
            continue
        before = 0
        for words in waiting:
            if made and words.message_id != page.message_id:
                made[-1] = _with_format(made[-1], words.tokens)
            else:
                before += words.tokens
        waiting.clear()
        new = _page(page)
        last = made[-1] if made else None
        if last is not None and last.key == new.key and last.message_id and last.label:
            made[-1] = _with_format(replace(last, tokens=last.tokens + new.tokens), before)
        else:
            made.append(_with_format(new, before))
    tokens = sum(words.tokens for words in waiting)
    if made:
        made[-1] = _with_format(made[-1], tokens)
    elif tokens:
        made.append(_page(replace(waiting[0], tokens=tokens)))
    return made


def _page(page: PromptPage) -> MemoryPage:
    return MemoryPage(
        page.origin,
        page.tokens,
        page.region,
        state=page.state,
        message_id=page.message_id,
        label=page.label,
        pinned=page.pinned,
    )


def _with_format(page: MemoryPage, tokens: int) -> MemoryPage:
    return replace(page, tokens=page.tokens + tokens, format_tokens=page.format_tokens + tokens)
