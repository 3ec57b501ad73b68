"""The German catalogue is whole, fits its texts, and is what the program reads."""

from __future__ import annotations

import gettext
import importlib.util
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.i18n import ntr, set_language, tr

ROOT = Path(__file__).resolve().parents[2]
FIELD = re.compile(r"\{[^}]*\}")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """`packaging/` is no package, so its script is loaded by its path."""
    spec = importlib.util.spec_from_file_location("catalogue_tool", ROOT / "packaging" / "catalogue.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def german() -> Iterator[None]:
    set_language("de")
    yield
    set_language("en")


def messages(mo: bytes) -> dict[object, str]:
    catalogue: dict[object, str] = gettext.GNUTranslations(io.BytesIO(mo))._catalog  # type: ignore[attr-defined]
    return {message: text for message, text in catalogue.items() if message}


def test_the_extraction_finds_every_kind_of_text(tool: ModuleType) -> None:
    found = {message for _place, message in tool.texts()}
    assert "Thinking…" in found  # tr
    assert "Temperature" in found  # sentence in a declaration
    assert "There is no answer yet." in found  # sentence of an error
    assert ("about {count} minute left", "about {count} minutes left") in found  # ntr
    assert "Friendly conversation and summaries." in found  # the models' own words


def test_nothing_is_untranslated(tool: ModuleType) -> None:
    assert tool.missing("de") == [], "python packaging/catalogue.py update, translate, compile"


def test_the_catalogue_holds_nothing_that_is_gone(tool: ModuleType) -> None:
    assert {message.id for message in tool.load("de")} == {message.id for message in tool.updated("de")}


def test_the_compiled_catalogue_is_fresh(tool: ModuleType) -> None:
    compiled = tool.po_path("de").with_suffix(".mo").read_bytes()
    assert messages(compiled) == messages(tool.mo_bytes(tool.load("de"))), "python packaging/catalogue.py compile"


def test_translations_name_the_same_fields(tool: ModuleType) -> None:
    wrong = []
    for message in tool.load("de"):
        if not message.id:
            continue
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        pairs = zip(originals, strings, strict=True)
        wrong += [text for original, text in pairs if sorted(FIELD.findall(original)) != sorted(FIELD.findall(text))]
    assert wrong == []


def test_the_program_speaks_german(german: None) -> None:
    assert tr("Thinking…") == "Nachdenken …"
    assert tr("{name} is ready.", name="X") == "X ist bereit."
    assert ntr("about {count} minute left", "about {count} minutes left", 1) == "noch etwa 1 Minute"
    assert ntr("about {count} minute left", "about {count} minutes left", 5) == "noch etwa 5 Minuten"


def test_a_language_without_a_catalogue_speaks_english() -> None:
    set_language("xx")
    assert tr("Thinking…") == "Thinking…"
    set_language("en")


def test_texts_within_f_strings_are_found(tool: ModuleType) -> None:
    source = "a = f\"{tr('One')} {ntr('{n} two', '{n} twos', n)}\"\nb = sentence(\"three \" \"four\")\nc = tr(name)\n"
    assert sorted(tool._texts_in(source), key=str) == [("{n} two", "{n} twos"), "One", "three four"]
