"""The words people read, in their language: `tr()` over stdlib gettext catalogues in `app/locale`.

One mechanism for window, command line and engine sentences alike, so that Qt-free code can speak too.
Knows no window.
"""

from __future__ import annotations

import gettext
import locale
from pathlib import Path

from engine.errors import HearthError, sentence

LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "hearth"
BUG = sentence("Something went wrong inside Hearth. Details are in the log.")
"""What is said of an error that is no `HearthError`."""

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def set_language(language: str) -> None:
    """Use `language` ("de", "en"; "system" asks the operating system). Call once, before any window opens."""
    global _catalogue
    if language == "system":
        language = (locale.getlocale()[0] or "en").split("_")[0]
    _catalogue = gettext.translation(DOMAIN, LOCALE_FOLDER, [language], fallback=True)


def language() -> str:
    """The language that is spoken now, ISO 639-1."""
    return str(_catalogue.info().get("language", "en"))


def translated(language: str, text: str) -> str:
    """A literal in a language (ISO 639-1) that need not be the window's: for words that are spoken among others."""
    return gettext.translation(DOMAIN, LOCALE_FOLDER, [language], fallback=True).gettext(text)


def tr(text: str, /, **fields: object) -> str:
    """Translate a literal, then fill its named fields."""
    translated = _catalogue.gettext(text) if text else text
    return translated.format(**fields) if fields else translated


def ntr(singular: str, plural: str, count: int, /, **fields: object) -> str:
    """As `tr`, choosing the grammatical number for `count`, which the text may name as `{count}`."""
    return _catalogue.ngettext(singular, plural, count).format(count=count, **fields)


def error_sentence(error: HearthError) -> str:
    """The translated sentence of an engine or app error."""
    return tr(error.template, **error.fields)
