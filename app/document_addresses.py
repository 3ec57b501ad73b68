"""Addresses that only a document has brought into a chat, and how they are written where they must lead nowhere: in
what is exported, and on a terminal. Pure; knows no window.

A document may come from anybody, and a model repeats what it says, or builds an address that carries something away.
So an address counts as a document's where its host is one that a document names, or lies below such a one; unless the
person has written it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.source_names import file_name, place_name
from app.store.types import AttachmentPart, RecallPart, SourcePassage, SourcesPart, StoredMessage, TextPart
from engine.context.segments import Role

_AUTHORITY = re.compile(r"\s*(?:https?:[/\\]*|mailto:[^@?]*@)([^/?#\\\s]+)", re.IGNORECASE)
_HOST = re.compile(r"\[[^\]]*\]|[^:]+")
_DOTS = str.maketrans("。．｡", "...")
"""Browsers take these for dots (UTS 46)."""


_ADDRESS = re.compile(
    r"(?:https?://|mailto:|www\.)[^\s<>\"'`|()\[\]{}]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE
)
"""What other programs make a link of, where they find it in plain text."""
_LINK = re.compile(r"!?\[([^\[\]]*)\]\(\s*<?([^\s<>()]+)>?[^()\n]*\)|<([^\s<>]+)>")
"""A link or an image of Markdown."""
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_ENDING = ".,;:!?*_~"
"""Behind an address, of the sentence or the markup that it stands in."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an address comes from. `passage` is None for an attached file, `name` "" where it stands there anyway."""

    name: str
    text: str
    passage: SourcePassage | None = None


@dataclass(frozen=True, slots=True)
class DocumentAddresses:
    """What documents have said in a chat up to some answer, and what the person has."""

    documents: tuple[Origin, ...] = ()
    said: tuple[str, ...] = ()
    _known: dict[str, int | None] = field(default_factory=dict, compare=False, repr=False)
    """Hosts looked for before: an answer under way is shown again and again, and an attached file may be long."""

    def origin_of(self, address: str) -> int | None:
        """The place in `documents` of the first that an address comes from; None where it is not a document's."""
        host = _host(address) if self.documents else ""
        if not host:
            return None
        if host not in self._known:
            self._known[host] = self._origin_of(host)
        return self._known[host]

    def spelled_out(self, text: str) -> str:
        """A text in which no address of a document's is one for another program, each with its source behind it."""
        return _ADDRESS.sub(self._spelled_out, text) if self.documents else text

    def unlinked(self, markdown: str) -> str:
        """As `spelled_out`, for Markdown: its links to such addresses become their words. Code stays as it is."""
        if not self.documents:
            return markdown

        def plain(link: re.Match[str]) -> str:
            address = link[2] or link[3]
            if self._found(address) is None:
                return link[0]
            return f"{link[1]} {address}" if link[1] and link[1] != address else address

        pieces = _CODE.split(markdown)
        pieces[::2] = [self.spelled_out(_LINK.sub(plain, piece)) for piece in pieces[::2]]
        return "".join(pieces)

    def _spelled_out(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(_ENDING)
        place = self._found(address)
        if place is None:
            return match[0]
        name = self.documents[place].name
        return broken(address) + (f" ({name})" if name else "") + match[0][len(address) :]

    def _found(self, address: str) -> int | None:
        scheme = "" if ":" in address else "mailto:" if "@" in address else "https://"
        return self.origin_of(scheme + address)

    def after(self, message: StoredMessage) -> DocumentAddresses:
        """These, and what a message of the person's adds."""
        if message.role is not Role.USER:
            return self
        held = set(self.documents)
        documents = tuple(origin for origin in _origins(message) if origin not in held)
        said = tuple(part.text for part in message.parts if isinstance(part, TextPart))
        return DocumentAddresses((*self.documents, *documents), (*self.said, *said))

    def _origin_of(self, host: str) -> int | None:
        if any(_names(text, host) for text in self.said):
            return None
        return next((place for place, each in enumerate(self.documents) if _names(each.text, host)), None)


def broken(address: str) -> str:
    """An address that a person can read and no program follows: "https[:]//example[.]org/page"."""
    found = _AUTHORITY.match(address)
    end = found.end() if found is not None else len(address)
    return re.sub(r"[:.@]", r"[\g<0>]", address[:end]) + address[end:]


NO_DOCUMENTS = DocumentAddresses()


def _origins(message: StoredMessage) -> Iterable[Origin]:
    for part in message.parts:
        match part:
            case SourcesPart():
                yield from (Origin(place_name(each), each.text, each) for each in part.passages)
            case AttachmentPart():
                yield Origin(file_name(part.name), part.text)
            case RecallPart(origin="document"):
                yield Origin(file_name(part.name), part.text)


def _names(text: str, host: str) -> bool:
    """Whether a text names this host, one above it, or one below it."""
    labels = host.split(".")
    if len(labels) < 2:
        return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", text, re.IGNORECASE) is not None
    above = r"\.".join(map(re.escape, labels[-2:]))
    for found in re.finditer(rf"(?<![\w-])(?:[\w-]+\.)*{above}(?![\w-]|\.\w)", text, re.IGNORECASE):
        named = _plain(found[0])
        if named == host or host.endswith(f".{named}") or named.endswith(f".{host}"):
            return True
    return False


def _host(address: str) -> str:
    """Where an address leads, as a browser reads it: behind a name and a password, with what is written in percents."""
    found = _AUTHORITY.match(address)
    host = _HOST.match(_without_percents(found[1]).rpartition("@")[2]) if found is not None else None
    if host is None:
        return ""
    plain = _plain(host[0].translate(_DOTS))
    try:
        return plain.encode("ascii").decode("idna") if "xn--" in plain else plain
    except UnicodeError:
        return plain


def _without_percents(text: str) -> str:
    """RFC 3986, 2.1."""
    data = re.sub(
        rb"%([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode("utf-8", "replace")
    )
    return data.decode("utf-8", "replace")


def _plain(host: str) -> str:
    """In one spelling."""
    return host.casefold().rstrip(".").removeprefix("www.")
