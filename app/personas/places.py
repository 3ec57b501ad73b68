"""Where in a persona's files a value stands, and the sentences on what is wrong with it there. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass

from engine.context.clean import clean
from engine.errors import LimitError, PersonaError, sentence

_SHOWN = 60
"""Characters of a stranger's key or value that a sentence repeats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, for sentences: a file's name and a path of keys, "sampling.top_p"."""

    file: str
    key: str = ""

    def at(self, key: str) -> Place:
        return Place(self.file, f"{self.key}.{shown(key)}" if self.key else shown(key))

    def item(self, number: int) -> Place:
        """`number` counts from 0; people count from 1."""
        return Place(self.file, f"{self.key}[{number + 1}]")

    def wrong(self) -> PersonaError:
        return self._error(sentence("“{key}” in {file} has a value of the wrong kind."))

    def missing(self) -> PersonaError:
        return self._error(sentence("“{key}” is missing in {file}."))

    def unknown(self) -> PersonaError:
        return self._error(sentence("“{key}” in {file} is unknown. A newer Hearth may know it."))

    def refused(self, value: str) -> PersonaError:
        return self._error(sentence("“{key}” in {file} may not be “{value}”."), value=shown(value))

    def hidden(self) -> PersonaError:
        return self._error(sentence("“{key}” in {file} holds characters that nobody can see."))

    def outside(self, low: float, high: float) -> PersonaError:
        template = sentence("“{key}” in {file} must be between {minimum} and {maximum}.")
        return self._error(template, minimum=low, maximum=high)

    def too_long(self, most: int) -> LimitError:
        template = sentence("“{key}” in {file} is too long: {limit} characters are the most.")
        return LimitError(template, key=self.key, file=self.file, limit=most)

    def too_many(self, most: int) -> LimitError:
        template = sentence("“{key}” in {file} holds too many: {limit} are the most.")
        return LimitError(template, key=self.key, file=self.file, limit=most)

    def _error(self, template: str, **fields: object) -> PersonaError:
        return PersonaError(template, key=self.key, file=self.file, **fields)


def shown(text: str) -> str:
    """A stranger's word as a sentence may repeat it."""
    return " ".join(clean(text[: 10 * _SHOWN], max_characters=_SHOWN).text.split())
