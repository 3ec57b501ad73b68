"""Names that are safe as files on every system, and as words on the command line. Knows no file.

The rules for file names are those of Windows, the strictest ("Naming Files, Paths, and Namespaces", Microsoft Learn).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from engine.context.clean import clean

SHORT_NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SHORT_NAME_CHARACTERS = 64
"""As the names of SKILL.md."""
FILE_NAME_CHARACTERS = 120
KNOWLEDGE_SUFFIXES = frozenset(
    """
    .pdf .docx .odt .odp .pptx .xlsx .xls .ods .epub .html .htm .mhtml .mht .rtf .eml .mbox .ipynb .srt .vtt .ass
    .md .markdown .txt .text .rst .csv .tsv .json .jsonl .toml .yaml .yml .xml .tex .org .adoc .log
    .py .js .ts .c .h .cpp .hpp .cs .go .rs .java .kt .swift .rb .php .lua .r .sql .sh .css
    .png .jpg .jpeg .gif .bmp .webp
    """.split()  # noqa: SIM905  # easier to read than a list
)
"""Of files that a persona may answer from: what the library's loaders read, and no archive."""

_SHORT_NAME = re.compile(SHORT_NAME)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"
}


def is_short_name(name: str) -> bool:
    """Whether a persona may be called so on the command line, and its folder."""
    fits = len(name) <= SHORT_NAME_CHARACTERS and _SHORT_NAME.fullmatch(name) is not None
    return fits and name not in _DEVICES


def short_name_of(name: str, taken: Container[str] = ()) -> str:
    """A short name for a persona of that name, other than those that are `taken`."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_name)[: SHORT_NAME_CHARACTERS - 8].strip("-")
    if not stem or stem in _DEVICES:
        stem = "persona"
    number, short_name = 1, stem
    while short_name in taken:
        number += 1
        short_name = f"{stem}-{number}"
    return short_name


def is_file_name(name: str) -> bool:
    """Whether a file of that name can lie in a folder of any system, and is what it looks like."""
    return (
        0 < len(name) <= FILE_NAME_CHARACTERS
        and _FORBIDDEN.search(name) is None
        and clean(name, max_characters=len(name)).text == name
        and name == name.strip()
        and not name.startswith(".")
        and not name.endswith(".")
        and name.split(".", 1)[0].strip().casefold() not in _DEVICES
    )


def is_knowledge_name(name: str) -> bool:
    """Whether a document that a persona answers from may be called so."""
    return is_file_name(name) and suffix_of(name) in KNOWLEDGE_SUFFIXES


def suffix_of(name: str) -> str:
    """The last suffix, in small letters, with its dot; "" for none."""
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix.lower() if stem else ""


def same_file(name: str) -> str:
    """What two names have in common that mean one file on some system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def kept_name(sha256: str, name: str) -> str:
    """What a file of a persona is called on the disk: nothing of it is a stranger's but an allowed suffix."""
    suffix = suffix_of(name)
    return sha256 + (suffix if suffix in KNOWLEDGE_SUFFIXES else "")
