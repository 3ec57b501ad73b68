"""Conversations as Markdown, HTML and JSON."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.store import exporting
from app.store.store import ConversationStore
from app.store.types import (
    AttachmentPart,
    Conversation,
    MessageState,
    ReasoningPart,
    SourcePassage,
    SourcesPart,
    StoredMessage,
    TextPart,
)
from engine.context.segments import Role

HOSTILE = (
    "**bold** <script>alert(1)</script> ![x](file:///etc/passwd) [y](javascript:alert(1)) "
    "<img src=x onerror=alert(1)> [z](https://example.com/) <https://example.org/>"
)


@pytest.fixture
def given(tmp_path: Path) -> tuple[Conversation, list[StoredMessage]]:
    store = ConversationStore.open(tmp_path / "c.db")
    c = store.create_conversation(title="<b>Title</b>").id
    parts = (TextPart(HOSTILE), AttachmentPart("<a>.md", "```\nx</pre><script>", 5))
    question = store.add_message(c, parent_id=None, role=Role.USER, parts=parts)
    answer = store.add_message(
        c,
        parent_id=question.id,
        role=Role.ASSISTANT,
        parts=(ReasoningPart("why\nso"), TextPart("| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx < 1\n```")),
        model="<m>",
    )
    store.update_message(answer.id, state=MessageState.FAILED, error="<broken>")
    found = store.conversation(c), store.path(c)
    store.close()
    return found


class _Page(HTMLParser):
    """The elements of a page and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.handlers: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.add(value or "")
            if name in ("src", "srcset", "data", "poster", "background"):
                self.loaded.add(value or "")
            if name.startswith("on"):
                self.handlers.add(name)


def test_markdown(given: tuple[Conversation, list[StoredMessage]]) -> None:
    markdown = exporting.to_markdown(*given)
    assert markdown.startswith("# <b>Title</b>\n")
    assert HOSTILE in markdown
    assert "````\n```\nx</pre><script>\n````" in markdown, "the fence is longer than any inside"
    assert "> why\n> so" in markdown


def test_page_loads_and_runs_nothing(given: tuple[Conversation, list[StoredMessage]]) -> None:
    page = _Page(exporting.to_html(*given))
    assert not page.elements & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "b", "m", "a.md"}
    assert {"strong", "table", "pre", "details"} <= page.elements
    assert (page.loaded, page.handlers) == (set(), set())
    assert page.links == {"https://example.com/", "https://example.org/"}


def test_control_the_page_check_sees_what_runs() -> None:
    page = _Page("<img src=x onerror=alert(1)><script></script><a href='javascript:x'>")
    assert page.elements & {"script", "img"}
    assert (page.loaded, page.handlers, page.links) == ({"x"}, {"onerror"}, {"javascript:x"})


def test_page_shows_what_markdown_would_hide(given: tuple[Conversation, list[StoredMessage]]) -> None:
    page = exporting.to_html(*given)
    for text in (
        "&lt;b&gt;Title",
        "&lt;script&gt;alert(1)",
        "x &lt; 1",
        "&lt;broken&gt;",
        "&lt;a&gt;.md",
        "(&lt;m&gt;)",
    ):
        assert text in page


def test_json_is_what_the_module_documents(given: tuple[Conversation, list[StoredMessage]]) -> None:
    document = json.loads(exporting.to_json(*given))
    assert (document["format"], document["version"]) == ("hearth-conversations", 1)
    [entry] = document["conversations"]
    documented = exporting.__doc__ or ""
    for name in (*entry, *entry["messages"][0], *(key for part in entry["messages"][0]["parts"] for key in part)):
        assert f'"{name}"' in documented
    assert [part["kind"] for part in entry["messages"][1]["parts"]] == ["reasoning", "text"]


SAVED_TOO_EARLY = "This answer was still being written when the chat was saved."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (MessageState.STREAMING, SAVED_TOO_EARLY),
        (MessageState.STOPPED, "You stopped this answer."),
        (MessageState.INTERRUPTED, "This answer was cut off before it was done."),
        (MessageState.COMPLETE, ""),
    ],
)
@pytest.mark.parametrize("words", ["The first half of", ""])
def test_an_answer_that_is_not_whole_says_so(tmp_path: Path, state: MessageState, said: str, words: str) -> None:
    store = ConversationStore.open(tmp_path / "c.db")
    c = store.create_conversation().id
    question = store.add_message(c, parent_id=None, role=Role.USER, parts=(TextPart("Why?"),))
    parts = (TextPart(words),) if words else ()
    store.add_message(c, parent_id=question.id, role=Role.ASSISTANT, parts=parts, state=state)
    chat = store.conversation(c), store.path(c)
    store.close()
    markdown, page = exporting.to_markdown(*chat), exporting.to_html(*chat)
    assert markdown.endswith(f"\n\n*{said}*\n" if said else f"{words}\n" if words else "## Hearth\n")
    assert (f"<p class='meta'>{said}</p>\n</body>" in page) == bool(said)
    assert json.loads(exporting.to_json(*chat))["conversations"][0]["messages"][1]["state"] == state.value


def test_what_stands_behind_code_that_was_cut_off_is_no_code(tmp_path: Path) -> None:
    store = ConversationStore.open(tmp_path / "c.db")
    c = store.create_conversation().id
    text = "````\n```\n````\n\n```python\nx = 1"
    store.add_message(c, parent_id=None, role=Role.ASSISTANT, parts=(TextPart(text),), state=MessageState.STREAMING)
    markdown = exporting.to_markdown(store.conversation(c), store.path(c))
    store.close()
    assert markdown.endswith(f"{text}\n```\n\n*{SAVED_TOO_EARLY}*\n")


LETTER = "Pay the fine at https://evil.example/pay before noon."
PASSAGE = SourcePassage("/a/letter.pdf", "", "page", 2, "", 1, 1, "", LETTER, 1, 0, len(LETTER), 0.9)
LURES = (
    "Pay [here](https://evil.example/pay?who=me), <https://evil.example/>, [a [b] c](https://evil.example/nested), [r],"
    " or ask [us](https://example.org/). At noon [1].\n\n[r]: https://evil.example/reference"
)


def test_addresses_of_documents_are_no_links_and_cited_places_are_named(tmp_path: Path) -> None:
    store = ConversationStore.open(tmp_path / "c.db")
    c = store.create_conversation(title="Fine").id
    asked = (SourcesPart("passages", (PASSAGE,), 9), TextPart("How do I pay?"))
    question = store.add_message(c, parent_id=None, role=Role.USER, parts=asked)
    parts = (ReasoningPart("See <https://evil.example/thought>."), TextPart(LURES))
    store.add_message(c, parent_id=question.id, role=Role.ASSISTANT, parts=parts)
    given = store.conversation(c), store.path(c)
    store.close()
    page, markdown = exporting.to_html(*given), exporting.to_markdown(*given)
    assert _Page(page).links == {"https://example.org/"}
    assert "https://evil" not in markdown
    for text in (page, markdown):
        assert "https[:]//evil[.]example/pay?who=me (letter.pdf, page 2)" in text
        assert "[1] letter.pdf, page 2" in text
    assert _Page(exporting.to_html(given[0], given[1][1:])).links >= {"https://evil.example/pay?who=me"}, (
        "without the document they are links"
    )
