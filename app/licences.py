"""Whose work Hearth stands on, and on which terms: read from what is installed, so that nothing is forgotten.

Distributions of Python carry their licences in their metadata, which an installed Hearth brings along. What is no
distribution (Qt's libraries, fonts, icons) is named here; what packaging/make_dist.py took from the system it was made
on lies as texts in `FOLDER / "collected"`. Knows no window.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

PROGRAM = "hearth-assistant"
FOLDER = Path(__file__).with_name("licence_texts")
COLLECTED = FOLDER / "collected"
_PARTS = Path(__file__).with_name("ui")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TEXT = re.compile(r"licen[cs]e|copying|notice|copyright", re.IGNORECASE)
_MOST_TERMS = 80
"""Some write the whole text where its name belongs."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One work. `version` and `terms` are "" where its metadata do not say."""

    name: str
    version: str
    terms: str
    files: tuple[Path, ...] = ()

    def text(self) -> str:
        """The licence's own words, "" where none were given along."""
        texts = (file.read_text("utf-8", "replace").strip() for file in self.files)
        return "\n\n\n".join(text for text in texts if text)


_CARRIED = (
    Licence("llama.cpp", "", "MIT", (FOLDER / "llama.cpp.txt",)),
    Licence("Qt", "", "LGPL-3.0-only", (FOLDER / "LGPL-3.0.txt", FOLDER / "GPL-3.0.txt")),
    Licence("Inter", "", "OFL-1.1", (_PARTS / "fonts" / "OFL-Inter.txt",)),
    Licence("JetBrains Mono", "", "OFL-1.1", (_PARTS / "fonts" / "OFL-JetBrainsMono.txt",)),
    Licence("Lucide", "", "ISC", (_PARTS / "icons" / "LICENSE-lucide.txt",)),
)


def licences() -> tuple[Licence, ...]:
    """Everything, by name; reads a hundred small files."""
    collected = [Licence(file.stem, "", "", (file,)) for file in COLLECTED.glob("*.txt")]
    found = [licence_of(each) for each in distributions_of(PROGRAM)]
    return tuple(sorted((*found, *_CARRIED, *collected), key=lambda each: each.name.casefold()))


def distributions_of(name: str) -> tuple[Distribution, ...]:
    """What is installed of a distribution and of all that it needs, itself first; extras are left out."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        key = _normal(waiting.pop())
        if key in found:
            continue
        try:
            found[key] = distribution(key)
        except PackageNotFoundError:
            continue  # for another system, or none of Python's
        waiting += _needed_by(found[key])
    return tuple(found.values())


def _needed_by(given: Distribution) -> Iterator[str]:
    for requirement in given.requires or ():
        _, _, marker = requirement.partition(";")
        name = _NAME.match(requirement)
        if name is not None and "extra" not in marker:
            yield name.group()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(given: Distribution) -> Licence:
    """One of what is installed."""
    metadata = given.metadata  # read and parsed each time it is asked for
    return Licence(metadata["Name"], metadata["Version"], _terms(metadata), _texts(given))


def _texts(given: Distribution) -> tuple[Path, ...]:
    # Not `given.files`: it makes an object of each installed file, ten thousand of them, where a hundred are wanted.
    names = (row[0] for row in csv.reader((given.read_text("RECORD") or "").splitlines()) if row)
    files = (Path(str(given.locate_file(name))) for name in names if _is_text(name))
    return tuple(sorted(file for file in files if file.is_file()))


def _is_text(name: str) -> bool:
    folder, _, rest = name.partition("/")
    return folder.endswith(".dist-info") and _TEXT.search(rest.rpartition("/")[2]) is not None


def _terms(metadata: PackageMetadata) -> str:
    for key in ("License-Expression", "License"):
        terms = metadata[key].strip() if key in metadata else ""
        if terms and "\n" not in terms and len(terms) <= _MOST_TERMS:
            return terms
    named = [each.rsplit("::", 1)[-1].strip() for each in metadata.get_all("Classifier") or () if "License ::" in each]
    return ", ".join(named)
