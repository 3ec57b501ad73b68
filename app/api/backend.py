"""`app.services` as what the API stands on: its models, personas, embedder and voices. Knows no HTTP.

A name from a request is looked up among names only: no file is opened because a request says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

from app.api.embedding import ServedEmbedder
from app.api.faults import UnknownModelError
from app.api.persona_models import ServedPersonas
from app.api.ports import DEFAULT_MODEL, Kind, Parts, Served
from app.api.speech import LocalSpeech
from app.embedder_choice import KEY as EMBEDDER
from app.model_entry import Availability, ModelEntry
from app.prompting import sampling_of
from app.services import Services
from engine.engine import EngineStatus
from engine.types import LoadedModel


@contextmanager
def open_parts(services: Services, *, may_load: bool = True) -> Iterator[Parts]:
    """Everything that the services have, until the end of the context. See `ServedModels` for `may_load`."""
    with (
        closing(ServedEmbedder(services.settings.text(EMBEDDER), services.paths.embedder)) as embedder,
        closing(LocalSpeech(services.paths, services.settings)) as speech,
    ):
        yield Parts(
            engine=services.engine,
            models=ServedModels(services, may_load=may_load),
            sampling=lambda: sampling_of(services.settings),
            personas=ServedPersonas(services),
            embedder=embedder,
            speech=speech,
        )


class ServedModels:
    """A `Models`: the chat models on this computer by the names of their files, and the one in use as `default`.

    Without `may_load` there is only the one in use: beside a window it is the person who chooses.
    """

    def __init__(self, services: Services, *, may_load: bool = True) -> None:
        self._services = services
        self._may_load = may_load

    def served(self) -> Sequence[Served]:
        """Looks at the folders the first time."""
        self._services.models.default()
        named = [Served(name_of(entry), Kind.MODEL, _changed(entry.path)) for entry in self._entries()]
        if not self._may_load:
            model = self._services.engine.state.model
            named = [each for each in named if model is not None and each.name == model.path.stem]
        return [Served(DEFAULT_MODEL, Kind.MODEL), *named]

    def use(self, name: str) -> Future[LoadedModel]:
        """Looks at the folders, too, if nobody has yet."""
        models, engine = self._services.models, self._services.engine
        state = engine.state
        present = state.model if state.status is EngineStatus.READY else None
        if name == DEFAULT_MODEL or (present is not None and present.path.stem.casefold() == name.casefold()):
            return models.ensure_loaded()
        if self._may_load:
            models.default()
        entry = next((each for each in self._entries() if name_of(each).casefold() == name.casefold()), None)
        if entry is None or not self._may_load:
            raise UnknownModelError("There is no model called “{name}”.", name=name, param="model")
        # Not as the person's own choice: the model they use stays that of the next start.
        return engine.load(models.spec(entry))

    def _entries(self) -> list[ModelEntry]:
        return [
            entry
            for entry in self._services.models.entries
            if entry.availability is Availability.HERE and entry.path is not None and entry.description is not None
        ]


def name_of(entry: ModelEntry) -> str:
    """What requests call a model: its file's name without the ending."""
    assert entry.path is not None
    return entry.path.stem


def _changed(path: Path | None) -> int:
    try:
        return int(path.stat().st_mtime) if path is not None else 0
    except OSError:
        return 0
