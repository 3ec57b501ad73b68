"""Questions whose answers are known, over real documents of Debian packages: what retrieval is measured on.

The packages are fetched with apt into the cache folder and unpacked there; nothing is installed, nothing of them runs.
Each set has two halves, by hash: one to tune on, one to report.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import lxml.html
import platformdirs

from app.paths import APP_NAME
from rag.types import Heading, Page

FETCH_S = 300
LONGEST = 1000
"""Characters that are kept of a section: its beginning, one or two passages."""
_BLOCKS = {
    "p",
    "li",
    "dt",
    "dd",
    "tr",
    "pre",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "br",
    "table",
    "ul",
    "ol",
    "dl",
}
_LEFT_OUT = {"script", "style", "nav"}


class Half(StrEnum):
    TUNING = "tuning"
    REPORTING = "reporting"


@dataclass(frozen=True, slots=True)
class Section:
    """A section by itself: `path` are the headings above its text, the highest first."""

    id: str
    title: str
    """Of its document."""
    path: tuple[str, ...]
    text: str

    def page(self, number: int) -> Page:
        """The section as a page of a document, under its headings."""
        headings = tuple(Heading(0, level, heading) for level, heading in enumerate(self.path, 1))
        return Page(number, self.text, headings=headings)


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    relevant: frozenset[str]
    """Ids of sections."""

    @property
    def half(self) -> Half:
        return Half.TUNING if _hash(self.text) % 2 else Half.REPORTING


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    name: str
    language: str
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]

    def documents(self) -> Iterator[tuple[str, tuple[Section, ...]]]:
        """Titles with their sections, in order."""
        by_title: dict[str, list[Section]] = {}
        for section in self.sections:
            by_title.setdefault(section.title, []).append(section)
        yield from ((title, tuple(sections)) for title, sections in by_title.items())

    def half(self, half: Half) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.half is half)


def beginning(text: str) -> str:
    """As much as is kept of a section, up to a line's end."""
    return text if len(text) <= LONGEST else text[: max(text.rfind("\n", 0, LONGEST), LONGEST // 2)]


def sample(sections: Iterable[Section], n: int) -> list[Section]:
    """The same `n` each time, in their order."""
    listed = list(sections)
    chosen = {section.id for section in sorted(listed, key=lambda section: _hash(section.id))[:n]}
    return [section for section in listed if section.id in chosen]


def unpacked(package: str) -> Path:
    """The files of a Debian package, as below `/`; fetched if they are not here yet."""
    folder = platformdirs.user_cache_path(APP_NAME, appauthor=False) / "test-documents"
    target = folder / package
    if target.is_dir():
        return target
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise RuntimeError(f"the package {package} is missing, and there is no apt to fetch it with")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        subprocess.run(
            ["apt-get", "download", package], cwd=temporary, check=True, capture_output=True, timeout=FETCH_S
        )
        (archive,) = Path(temporary).glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, f"{temporary}/files"], check=True, timeout=FETCH_S)
        Path(temporary, "files").rename(target)
    return target


def html(path: Path) -> Any:
    """The body of an HTML file, by what it says its encoding is, else UTF-8."""
    return lxml.html.document_fromstring(path.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8")).body


def text_of(element: Any, *, without: str = "") -> str:
    """An element's words, blocks on lines of their own; parts that match the XPath `without` are left out."""
    left_out = set(element.xpath(without)) if without else set()
    parts: list[str] = []

    def visit(node: Any) -> None:
        if not isinstance(node.tag, str) or node.tag in _LEFT_OUT or node in left_out:
            return
        if node.tag in _BLOCKS:
            parts.append("\n")
        parts.append(node.text or "")
        for child in node:
            visit(child)
            parts.append(child.tail or "")
        if node.tag in _BLOCKS:
            parts.append("\n")

    visit(element)
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def plain(title: str) -> str:
    """A heading without its number and its link sign."""
    return re.sub(r"^\s*(?:\w+\s+)?(?:[A-Z0-9]+\.)+(?=\s|\w)", "", title.replace("¶", "")).strip()


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
