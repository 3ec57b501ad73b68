"""What pages and regions of the context window are called, and the signs they are drawn with. Words only."""

from __future__ import annotations

from app.i18n import ntr, tr
from app.memory_pages import MemoryPage, WhyOut
from app.memory_view import MemoryView
from app.ui.amounts import count_text
from engine.pages import PageState, Region

_ICONS = {
    "app": "code",
    "persona": "sparkles",
    "user": "message-square",
    "assistant": "mark",
    "summary": "layers",
    "document": "file-text",
    "tool": "settings",
}
_TITLE_CHARACTERS = 120


def origin_name(origin: str) -> str:
    """What all text of one origin is called."""
    return {
        "app": tr("Chat format"),
        "persona": tr("Instructions"),
        "user": tr("Your messages"),
        "assistant": tr("Answers"),
        "summary": tr("Summaries"),
        "document": tr("Files"),
        "tool": tr("Tools"),
    }.get(origin, origin)


def origin_icon(origin: str) -> str:
    """The icon that stands for an origin beside its colour."""
    return _ICONS.get(origin, _ICONS["app"])


def page_name(page: MemoryPage) -> str:
    """What one page is."""
    if page.growing:
        return tr("The answer being written")
    name = {
        "app": tr("Chat format"),
        "persona": tr("Instructions"),
        "user": tr("Your message"),
        "assistant": tr("Answer"),
        "summary": tr("Summary"),
        "document": tr("File"),
        "tool": tr("Tool result"),
    }.get(page.origin, page.origin)
    return tr("{kind}: {name}", kind=name, name=page.label) if page.label else name


def first_words(page: MemoryPage) -> str:
    """The beginning of a page on one line."""
    return " ".join(page.text[: 4 * _TITLE_CHARACTERS].split())[:_TITLE_CHARACTERS]


def page_title(page: MemoryPage) -> str:
    """One line that tells a page from its neighbours: a file's label, else the first words."""
    return page.label or first_words(page) or page_name(page)


def tokens_text(count: int) -> str:
    """ "1 token", "3,980 tokens"."""
    return tr("1 token") if count == 1 else tr("{count} tokens", count=count_text(count))


def known_text(page: MemoryPage, view: MemoryView) -> str:
    """Whether the model must read a page to answer."""
    if page.state is PageState.OUT or page.growing:
        return ""
    if page.end <= view.cached_tokens:
        return tr("known already")
    if page.end <= view.read_tokens:
        return tr("read anew")
    return tr("to be read anew") if page.start >= view.cached_tokens else tr("known in part")


def state_texts(page: MemoryPage, view: MemoryView) -> list[str]:
    """Everything about a page that the map says by its looks."""
    texts = [known_text(page, view)]
    if page.pinned:
        texts.append(tr("pinned"))
    if page.state is PageState.NEXT_OUT:
        texts.append(tr("among the first to be left out"))
    elif page.state is PageState.OUT:
        why = {
            WhyOut.ROOM: tr("left out, as there was no room"),
            WhyOut.PERSON: tr("left out by you"),
            WhyOut.SUMMARY: tr("left out, a summary stands for it"),
        }
        texts.append(why[page.why_out])
    return [text for text in texts if text]


def spoken_page(page: MemoryPage, view: MemoryView) -> str:
    """A page for a screen reader: "Your message, 120 tokens, known already: How do I ..."."""
    text = ", ".join((page_name(page), tokens_text(page.tokens), *state_texts(page, view)))
    words = "" if page.growing else first_words(page)
    return f"{text}: {words}" if words else text


def region_name(region: Region) -> str:
    """What a region of the window is called."""
    return {
        Region.SYSTEM: tr("Instructions"),
        Region.PINNED: tr("Pinned"),
        Region.ANSWER: tr("Kept free for the answer"),
        Region.RECENT: tr("Recent turns"),
        Region.RETRIEVED: tr("Passages"),
        Region.OLDER: tr("Older turns"),
    }[region]


def left_out_text(count: int, tokens: int) -> str:
    """The line between what is in the window and what is not."""
    pages = ntr("{count} page left out", "{count} pages left out", count)
    return f"{pages} · {tokens_text(tokens)}"
