"""The translation catalogues: take the program's texts into `hearth.po`, and compile that to `hearth.mo`.

    python packaging/catalogue.py update    new texts in, gone ones out; translations that exist stay
    python packaging/catalogue.py compile   hearth.po -> hearth.mo
    python packaging/catalogue.py missing   list what is not translated; the exit code is 1 if anything is

Texts are what stands in tr(), ntr() and sentence(), and what the model catalogue says a model is good for. Needs
Babel (a development dependency); the program itself reads the compiled file with the standard library.
"""

from __future__ import annotations

import argparse
import ast
import io
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "app" / "locale"
LANGUAGES = ("de",)
ROOMS = ("app", "engine", "rag", "voice")
KEYWORDS = {"tr": 1, "sentence": 1, "ntr": 2}
"""Functions, and how many of their arguments are texts."""
MODEL_CATALOGUE = ROOT / "engine" / "model" / "catalogue.toml"
# The files must not change when their texts do not.
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)


def texts() -> Iterator[tuple[str, str | tuple[str, str]]]:
    """Every text of the program, with the file it stands in."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            yield from ((place, message) for message in _texts_in(path.read_text("utf-8")))
    for model in tomllib.loads(MODEL_CATALOGUE.read_text("utf-8"))["model"]:
        yield "engine/model/catalogue.toml", model["good_for"]


def _texts_in(source: str) -> Iterator[str | tuple[str, str]]:
    """By Python's own parser: it sees calls within f-strings too, which Babel's does not before Python 3.12."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS):
            continue
        given = node.args[: KEYWORDS[node.func.id]]
        words = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if len(words) == 1 == KEYWORDS[node.func.id]:
            yield words[0]
        elif len(words) == 2:
            yield words[0], words[1]


def template() -> Catalog:
    """All texts as a catalogue without translations."""
    catalogue = Catalog(project="Hearth", creation_date=_NO_DATE)
    for place, message in texts():
        catalogue.add(message, locations=[(place, 0)])
    return catalogue


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "hearth.po"


def load(language: str) -> Catalog:
    """The catalogue of a language as it is, empty if there is none yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, domain="hearth")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="hearth")


def updated(language: str) -> Catalog:
    """The catalogue of a language with today's texts."""
    catalogue = load(language)
    catalogue.update(template(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def _plain_header(catalogue: Catalog) -> None:
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    catalogue.fuzzy = False
    catalogue.header_comment = "# The words of Hearth, kept by packaging/catalogue.py; only msgstr is written by hand."
    catalogue.project, catalogue.version = "Hearth", "1"
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = "Hearth"


def po_bytes(catalogue: Catalog) -> bytes:
    _plain_header(catalogue)
    out = io.BytesIO()
    write_po(out, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    _plain_header(catalogue)
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing(language: str) -> list[str]:
    """Texts that have no translation."""
    return [_first(message.id) for message in updated(language) if message.id and not _translated(message)]


def _first(message_id: str | tuple[str, str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def _translated(message: Message) -> bool:
    strings = (message.string,) if isinstance(message.string, str | None) else message.string
    return all(strings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("update", "compile", "missing"))
    verb = parser.parse_args().verb
    code = 0
    for language in LANGUAGES:
        path = po_path(language)
        if verb == "update":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(po_bytes(updated(language)))
        elif verb == "compile":
            path.with_suffix(".mo").write_bytes(mo_bytes(load(language)))
        else:
            absent = missing(language)
            for text in absent:
                print(text)
            code = code or int(bool(absent))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
