"""The model and the adapter that a persona was made for, where this computer has them. Knows no window and no prompt.

A stranger names them: a model is found among those that the person has, by its name or its hash, and an adapter by the
hash of a file that the person has added, so that no other file is opened because a persona says so. Blocks on the disk.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.i18n import tr
from app.model_adapters import adapters_of
from app.models import ModelLibrary
from app.said_once import SaidOnce
from app.settings import Settings
from engine.engine import Engine
from engine.errors import HearthError
from engine.types import Adapter

if TYPE_CHECKING:
    from app.personas.persona import Persona

KEY = "persona.models"
"""The setting whether a persona's model is loaded when it is chosen."""
_SHA256 = re.compile("[0-9a-fA-F]{64}")


class PersonaModels:
    """Any thread but the window's and the store's."""

    def __init__(self, models: ModelLibrary, engine: Engine, settings: Settings, said: SaidOnce) -> None:
        self._models = models
        self._engine = engine
        self._settings = settings
        self._said = said
        self._lock = threading.Lock()
        self._hashes: dict[tuple[Path, int, int], str] = {}

    def prefer(self, persona: Persona) -> None:
        """Begin to load the first of its models that is here, unless one of them is loaded; says where none is.

        Where another computer answers, it goes on doing so.
        """
        if not persona.models or not self._settings.flag(KEY) or self._settings.flag("remote.enabled"):
            return
        paths = [path for path in map(self._here, persona.models) if path is not None]
        loaded = self._engine.state.model
        if loaded is not None and loaded.path in paths:
            return
        if paths:
            self._models.load(paths[0])
            return
        text = tr(
            "“{name}” was made for {model}, which is not on this computer. Another model answers.",
            name=persona.name,
            model=_shown(persona.models),
        )
        self._said.say(persona.short_name, text)

    def adapters(self, persona: Persona) -> tuple[Adapter, ...] | None:
        """The file of its hash among the adapters of the loaded model; None for those of the model itself.

        Says where it is missing. A file is hashed once while it stays the same.
        """
        wanted, model = persona.adapter, self._engine.state.model
        if wanted is None or model is None:
            return None
        for adapter in adapters_of(model.path, self._settings):
            if self._sha256(adapter.path) == wanted.sha256:
                return (Adapter(adapter.path, wanted.weight),)
        text = tr("“{name}” was made with an adapter that {model} does not have.", name=persona.name, model=model.name)
        self._said.say(persona.short_name, text)
        return None

    def _here(self, wanted: str) -> Path | None:
        if is_hash(wanted):
            return self._models.holding(wanted.casefold())
        if Path(wanted).name != wanted or Path(wanted).exists():
            return None
        try:
            return self._models.resolve(wanted).path
        except HearthError:
            return None

    def _sha256(self, path: Path) -> str:
        """ "" for a file that cannot be read."""
        try:
            status = path.stat()
            key = (path, status.st_size, status.st_mtime_ns)
            with self._lock:
                if key not in self._hashes:
                    with path.open("rb") as file:
                        self._hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
                return self._hashes[key]
        except OSError:
            return ""


def is_hash(wanted: str) -> bool:
    """Whether a persona names a model by the SHA-256 of its file, in hex."""
    return _SHA256.fullmatch(wanted) is not None


def file_by_hash(sha256: str) -> str:
    """For people, to whom the whole of it says nothing."""
    return tr("the very file {beginning}…", beginning=sha256[:12])


def _shown(models: Sequence[str]) -> str:
    """The first that people can read."""
    return next((each for each in models if not is_hash(each)), file_by_hash(models[0]))
