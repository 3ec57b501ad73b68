"""A conversation as Markdown, JSON or one self-contained HTML page. Knows no file and no window.

What a person reads holds no link that only a document has brought into the chat (`app.document_addresses`).

The JSON form is Hearth's own exchange format, version 1, which `app.store.importing` reads back:

{"format": "hearth-conversations", "version": 1, "conversations": [{
    "id", "title", "title_is_automatic", "created_at", "updated_at", "pinned", "archived", "tags": [...],
    "model", "system_prompt", "sampling": null or {SamplingParams}, "active_leaf",
    "messages": [{
        "id", "parent_id", "role", "state", "created_at", "model", "error", "pinned", "excluded",
        "usage": null or {MessageUsage},
        "parts": [{"kind": "text", "text"} or {"kind": "reasoning", "text", "seconds"}
                  or {"kind": "attachment", "name", "text", "size", "media_type"}
                  or {"kind": "image", "name", "sha256", "size", "width", "height", "media_type", "data"}
                  or {"kind": "recall", "message_id", "text", "origin", "name"}
                  or {"kind": "sources", "way", "question", "n_searched", "by_meaning",
                      "passages": [{SourcePassage}]}
                  or {"kind": "keyed", "persona", "texts": [...]}]}]}]}

An answer of the state "streaming" was being written, and is read back as "interrupted". Times are seconds since 1970,
UTC. An image's `data` are its bytes in base64, "" if they are lost. Given all messages of a tree it loses nothing that
was said; a folder is the library's affair, and a summary, which a model can make again, stays behind.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial

from markdown_it import MarkdownIt

from app.answer_citations import with_places
from app.document_addresses import NO_DOCUMENTS, DocumentAddresses
from app.i18n import tr
from app.message_states import saved_state_text
from app.shown_names import shown_name
from app.store.types import (
    AttachmentPart,
    Conversation,
    ImagePart,
    KeyedPart,
    Part,
    ReasoningPart,
    RecallPart,
    SourcesPart,
    SpokenPart,
    StoredMessage,
    TextPart,
    UnspokenPart,
)
from engine.context.segments import Role

FORMAT = "hearth-conversations"
VERSION = 1

Read = Callable[[ImagePart], bytes | None]
"""The bytes of an image, None if they are lost: `app.store.images.ImageFolder.read`."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_IMAGE_WIDTH = 640
"""Pixels that an image takes at most on a page."""

_STYLE = """
:root { color-scheme: light dark;
  --text: #26231f; --muted: #6a645b; --line: #ded9d1; --page: #fffefc; --code: #f5f2ed; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ece7e0; --muted: #aaa296; --line: #3a3531; --page: #221f1c; --code: #1a1816; }
}
body { font: 16px/1.6 Inter, system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 46rem;
  margin: 3rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; } .meta, .who { color: var(--muted); font-size: .85rem; }
.who { margin: 2rem 0 .25rem; font-weight: 600; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem;
  overflow-x: auto; }
code { font-family: "JetBrains Mono", ui-monospace, monospace; font-size: .9em; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--muted); }
details { color: var(--muted); } img { max-width: 100%; height: auto; border-radius: 8px; }
"""


def _no_bytes(_part: ImagePart) -> bytes | None:
    return None


def to_markdown(conversation: Conversation, messages: Sequence[StoredMessage], read: Read = _no_bytes) -> str:
    """The path as one Markdown document; of images the names."""
    blocks = [f"# {_title(conversation)}", f"*{_date(conversation.created_at)}*"]
    sources: SourcesPart | None = None
    addresses = NO_DOCUMENTS
    for message in messages:
        sources = message.sources if message.role is Role.USER else sources
        addresses = addresses.after(message)
        blocks.append(f"## {_who(message)}")
        for part in message.parts:
            match part:
                case TextPart(text):
                    answers = message.role is Role.ASSISTANT
                    blocks.append(_closed(addresses.unlinked(with_places(text, sources)) if answers else text))
                case ReasoningPart(text):
                    quoted = "\n".join(f"> {line}" for line in addresses.unlinked(text).splitlines())
                    blocks.append(f"> *{tr('Reasoning')}*\n>\n{quoted}")
                case UnspokenPart(text):
                    quoted = "\n".join(f"> {line}" for line in addresses.unlinked(text.strip()).splitlines())
                    blocks.append("> *" + tr("Not spoken") + f"*\n>\n{quoted}")
                case AttachmentPart(name, text):
                    fence = _fence(text)
                    blocks.append(f"**{tr('Attachment')}: {shown_name(name)}**\n\n{fence}\n{text}\n{fence}")
                case ImagePart(name):
                    blocks.append(f"**{tr('Image')}: {shown_name(name)}**")
        if ending := saved_state_text(message):
            blocks.append(f"*{ending}*")
    return "\n\n".join(blocks) + "\n"


def to_json(conversation: Conversation, messages: Sequence[StoredMessage], read: Read = _no_bytes) -> str:
    """The conversation in Hearth's exchange format (see the module)."""
    entry = {
        "id": conversation.id,
        "title": conversation.title,
        "title_is_automatic": conversation.title_is_automatic,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "pinned": conversation.pinned,
        "archived": conversation.archived,
        "tags": list(conversation.tags),
        "model": conversation.model,
        "system_prompt": conversation.system_prompt,
        "sampling": None if conversation.sampling is None else asdict(conversation.sampling),
        "active_leaf": conversation.active_leaf,
        "messages": [
            {
                "id": message.id,
                "parent_id": message.parent_id,
                "role": message.role,
                "state": message.state,
                "created_at": message.created_at,
                "model": message.model,
                "error": message.error,
                "pinned": message.pinned,
                "excluded": message.excluded,
                "usage": None if message.usage is None else asdict(message.usage),
                "parts": [_part(part, read) for part in message.parts],
            }
            for message in messages
        ],
    }
    return json.dumps({"format": FORMAT, "version": VERSION, "conversations": [entry]}, ensure_ascii=False, indent=2)


def to_html(conversation: Conversation, messages: Sequence[StoredMessage], read: Read = _no_bytes) -> str:
    """The path as one HTML page that loads nothing; a message's own HTML is shown, not run. Images are inside it."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    body = [f"<h1>{html.escape(_title(conversation))}</h1><p class='meta'>{_date(conversation.created_at)}</p>"]
    sources: SourcesPart | None = None
    addresses = NO_DOCUMENTS
    for message in messages:
        sources = message.sources if message.role is Role.USER else sources
        addresses = addresses.after(message)
        markdown.validateLink = partial(_leads_on, addresses)  # type: ignore[method-assign]
        body.append(f"<p class='who'>{html.escape(_who(message))}</p>")
        for part in message.parts:
            match part:
                case TextPart(text):
                    if message.role is Role.ASSISTANT:
                        text = addresses.unlinked(with_places(text, sources))
                    body.append(markdown.render(text))
                case ReasoningPart(text):
                    words = markdown.render(addresses.unlinked(text))
                    body.append(f"<details><summary>{tr('Reasoning')}</summary>{words}</details>")
                case UnspokenPart(text):
                    words = markdown.render(addresses.unlinked(text))
                    body.append("<details><summary>" + tr("Not spoken") + f"</summary>{words}</details>")
                case AttachmentPart(name, text):
                    body.append(
                        f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(text)}</pre></details>"
                    )
                case ImagePart():
                    body.append(_figure(part, read(part)))
        if ending := saved_state_text(message):
            body.append(f"<p class='meta'>{html.escape(ending)}</p>")
    return (
        "<!DOCTYPE html>\n<html><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy'"
        " content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{html.escape(_title(conversation))}</title>"
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


_KINDS: dict[type[Part], str] = {
    TextPart: "text",
    ReasoningPart: "reasoning",
    UnspokenPart: "unspoken",
    SpokenPart: "spoken",
    AttachmentPart: "attachment",
    ImagePart: "image",
    RecallPart: "recall",
    SourcesPart: "sources",
    KeyedPart: "keyed",
}


def _part(part: Part, read: Read) -> dict[str, object]:
    data = {"data": base64.b64encode(read(part) or b"").decode("ascii")} if isinstance(part, ImagePart) else {}
    return {"kind": _KINDS[type(part)], **asdict(part), **data}


def _figure(part: ImagePart, data: bytes | None) -> str:
    name = html.escape(part.name)
    if data is None:
        return f"<p class='meta'>{html.escape(tr('Image'))}: {name}</p>"
    # The width is for readers that know no style sheets, such as the one that makes PDF files.
    width, address = min(part.width, _IMAGE_WIDTH), base64.b64encode(data).decode("ascii")
    return f"<p><img alt='{name}' title='{name}' width='{width}' src='data:{part.media_type};base64,{address}'></p>"


def _leads_on(addresses: DocumentAddresses, url: str) -> bool:
    """Whether an address may be a link, as in the window."""
    return url.casefold().startswith(("http:", "https:", "mailto:")) and addresses.origin_of(url) is None


def _title(conversation: Conversation) -> str:
    return conversation.title or tr("Conversation")


def _who(message: StoredMessage) -> str:
    if message.role is Role.USER:
        return tr("You")
    return f"Hearth ({message.model})" if message.model else "Hearth"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _closed(text: str) -> str:
    """With the end of a code block that was cut off, or all that follows would be code."""
    fence = ""
    for line in text.splitlines():
        if (match := _FENCE.match(line)) is None:
            continue
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not line[match.end() :].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _fence(text: str) -> str:
    """A code fence longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence
