"""E-mails, mailboxes, and web pages saved as MHTML: from whom, to whom, when, about what, the text, attachments' names.

Read with the standard library's parser (RFC 5322, 2045-2049). A mailbox is streamed, one message at a time. Attachments
are named, not read.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage

from rag.loaders.flow import Block, Item, NewPage, pages_of
from rag.loaders.html import html_text, items_of, page_title, parse
from rag.loaders.limits import MIB, PAGES, TITLE_CHARACTERS, WHOLE_BYTES
from rag.loaders.loader import NO_TEXT, TOO_LARGE, OpenDocument, Source
from rag.loaders.visible import title_of
from rag.types import DocumentInfo, Unit

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_HEADER_CHARACTERS = 2_000
_PARTS = 500
"""Of one message; bombs nest thousands."""
_FROM = b"From "


def open_mail(source: Source) -> OpenDocument:
    """One message. Raises `DocumentError`."""
    message = _parsed(source.whole(WHOLE_BYTES))
    info = DocumentInfo(title_of(_header(message, "Subject"), source.title), Unit.MAIL, "message/rfc822", 1)
    return OpenDocument(info, pages_of(_message(message), Unit.MAIL))


def open_mailbox(source: Source) -> OpenDocument:
    """Messages one after the other, each begun by a line "From " (RFC 4155). Raises `DocumentError`."""

    def items() -> Iterator[Item]:
        for raw in _split(source):
            yield from _message(_parsed(raw))

    return OpenDocument(DocumentInfo(source.title, Unit.MAIL, "application/mbox"), pages_of(items(), Unit.MAIL))


def open_mhtml(source: Source) -> OpenDocument:
    """A web page saved with all its parts. Raises `DocumentError`."""
    message = _parsed(source.whole(WHOLE_BYTES))
    page = next((part for part in _parts(message) if part.get_content_type() == "text/html"), None)
    text = html_text(_bytes(page)) if page is not None else None
    root = parse(text) if text else None
    if root is None:
        raise source.error(NO_TEXT)
    title = page_title(root) or _header(message, "Subject")
    info = DocumentInfo(title_of(title, source.title), Unit.TEXT, "multipart/related")
    return OpenDocument(info, pages_of(items_of(root), Unit.TEXT))


def _split(source: Source) -> Iterator[bytes]:
    source.file.seek(0)
    lines: list[bytes] = []
    size = n_messages = 0
    after_empty = True
    while line := source.file.readline(MIB):
        if after_empty and line.startswith(_FROM):
            if lines:
                yield b"".join(lines)
            lines, size, n_messages = [], 0, n_messages + 1
            if n_messages > PAGES:
                raise source.error(TOO_LARGE, limit=source.size // MIB)
            continue
        # Attachments of huge messages are cut off with the rest: their text stands first.
        if size < WHOLE_BYTES:
            lines.append(line[1:] if line.startswith(b">From ") else line)
            size += len(line)
        after_empty = line in (b"\n", b"\r\n")
    if lines:
        yield b"".join(lines)


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _message(message: EmailMessage) -> Iterator[Item]:
    subject = _header(message, "Subject")
    yield NewPage(subject[:TITLE_CHARACTERS])
    close = False
    for name in _HEADERS:
        if value := _header(message, name):
            yield Block(f"{name}: {value}", level=1 if name == "Subject" else 0, close=close)
            close = True
    attachments: list[str] = []
    plain: list[str] = []
    pages: list[bytes] = []
    for part in _parts(message):
        file_name = part.get_filename()
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or (file_name and part.get_content_maintype() != "text"):
            attachments.append(file_name or kind)
        elif kind == "text/plain":
            plain.append(_text(part))
        elif kind == "text/html":
            pages.append(_bytes(part))
    if any(text.strip() for text in plain):
        for text in plain:
            yield Block(text.replace("\r\n", "\n"))
    else:
        for page in pages:
            text_of_page = html_text(page)
            root = parse(text_of_page) if text_of_page else None
            if root is not None:
                yield from items_of(root)
    if attachments:
        yield Block("Attachments: " + ", ".join(attachments))


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """The leaves of a message, forwarded messages' too, without recursion."""
    stack: list[EmailMessage] = [message]
    for _ in range(_PARTS):
        if not stack:
            return
        part = stack.pop()
        payload = part.get_payload()
        if isinstance(payload, list):
            stack.extend(inner for inner in reversed(payload) if isinstance(inner, EmailMessage))
        else:
            yield part


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = message.get(name, "")
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""  # the parser of structured headers gives up on some hostile ones
    return " ".join(str(value)[:_HEADER_CHARACTERS].split())


def _bytes(part: EmailMessage) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


def _text(part: EmailMessage) -> str:
    charset = part.get_content_charset("utf-8")
    try:
        return _bytes(part).decode(charset, "replace")
    except (LookupError, ValueError):
        return _bytes(part).decode("utf-8", "replace")
