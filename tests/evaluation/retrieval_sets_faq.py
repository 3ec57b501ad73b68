"""FAQ-514: questions of three FAQs, each to find its own answer among 6,000 other sections of their manuals.

No section holds its own heading, so that answers, which stand without their question, are not told by that. Some
questions have doubles in spirit; the one whose answer it is counts. (The name is from a first count; what a release
holds may differ.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.evaluation.retrieval_sets import (
    Question,
    RetrievalSet,
    Section,
    beginning,
    html,
    plain,
    sample,
    text_of,
    unpacked,
)

N_DISTRACTORS = 6000
LEAST = 80
"""Characters of a section: shorter ones say nothing."""
_POD_HEADING = re.compile(r"^=head([1-4])\s+(.+?)(?=\n\s*\n)", re.MULTILINE | re.DOTALL)
_NOT_TEXT = re.compile(r"^=\w+ ?|X<[^<>]*>", re.MULTILINE)
"""Commands, and entries of the index. A heading with such entries is no question of ours."""
_POD_CODE = re.compile(r"[A-Z](?:<<+\s(.*?)\s>>+|<([^<>]*)>)", re.DOTALL)


def faq() -> RetrievalSet:
    """All questions, their answers, and the distractors."""
    answers: list[Section] = []
    questions: list[Question] = []
    others: list[Section] = []
    for section in (*_perl(), *_debian(), *_python()):
        heading = section.path[-1] if section.path else ""
        if section.id.split("/")[1].startswith("faq") and heading.endswith("?"):
            answers.append(_without_heading(section))
            questions.append(Question(heading, frozenset({section.id})))
        else:
            others.append(_without_heading(section))
    return RetrievalSet("FAQ", "en", (*answers, *sample(others, N_DISTRACTORS)), tuple(questions))


def _without_heading(section: Section) -> Section:
    return Section(section.id, section.title, section.path[:-1], section.text)


def _perl() -> Iterator[Section]:
    (folder,) = unpacked("perl-doc").glob("usr/share/perl/*/pod")
    for path in sorted(folder.glob("*.pod")):
        if re.search(r"toc$|^perl(cn|faq|jp|ko|tw)$", path.stem):
            continue  # lists of headings, and other languages
        kind = "faq" if re.fullmatch(r"perlfaq\d", path.stem) else "manual"
        raw = path.read_text("utf-8", "replace")
        name = re.search(r"^=head1 NAME\s+(.+)", raw, re.MULTILINE)
        title = _without_codes(name[1]) if name else path.stem
        marks = list(_POD_HEADING.finditer(raw))
        above: list[tuple[int, str]] = []
        for number, mark in enumerate(marks):
            level, heading = int(mark[1]), " ".join(_without_codes(mark[2]).split())
            above = [*(other for other in above if other[0] < level), (level, heading)]
            end = marks[number + 1].start() if number + 1 < len(marks) else len(raw)
            text = _without_codes(_NOT_TEXT.sub("", raw[mark.end() : end])).strip()
            if len(text) >= LEAST:
                path_titles = tuple(heading for _level, heading in above)
                yield Section(f"perl/{kind}/{path.stem}/{number}", title, path_titles, beginning(text))


def _without_codes(pod: str) -> str:
    """The words within formatting codes, from the inside out."""
    while (simpler := _POD_CODE.sub(lambda code: code[1] or code[2] or "", pod)) != pod:
        pod = simpler
    return pod


def _debian() -> Iterator[Section]:
    folder = unpacked("debian-faq") / "usr/share/doc/debian/FAQ"
    for path in sorted(folder.glob("*.en.html")):
        body = html(path)
        title = next((plain(text_of(one)) for one in body.xpath(".//h1")), path.stem)
        for number, part in enumerate(body.xpath(".//div[@class='section']")):
            yield from _section(f"debian/faq/{path.stem}/{number}", title, part, ".//div[@class='section']")


def _python() -> Iterator[Section]:
    folder: Path = unpacked("python3.11-doc") / "usr/share/doc/python3.11/html"
    for path in sorted(folder.rglob("*.html")):
        kind = "faq" if path.parent.name == "faq" else "manual"
        if path.stem.startswith("genindex") or path.stem in {"contents", "changelog"}:
            continue
        body = html(path)
        title = next((plain(text_of(one)) for one in body.xpath(".//h1")), path.stem)
        for number, part in enumerate(body.xpath(".//section")):
            at = f"python/{kind}/{path.relative_to(folder).with_suffix('').as_posix()}/{number}"
            yield from _section(at, title, part, ".//section")


def _section(number: str, title: str, part: Any, inner: str) -> Iterator[Section]:
    heading = next(iter(part.xpath(".//h1|.//h2|.//h3|.//h4|.//h5")), None)
    text = text_of(part, without=f"{inner}|.//h1|.//h2|.//h3|.//h4|.//h5|.//*[contains(@class,'contents')]")
    if heading is not None and len(text) >= LEAST:
        yield Section(number, title, (plain(text_of(heading).replace("\n", " ")),), beginning(text))
