"""Which models there are: those found in the folders, those on offer, and the files that cannot be used, as entries.

Unites the engine's discovery, catalogue and fit estimate. Reads files and headers on the caller's thread; loads
nothing and fetches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.i18n import error_sentence, tr
from app.model_choice import choose_default
from app.model_entry import Availability, Fit, ModelEntry
from app.model_judge import judge
from app.settings import Settings
from engine.cancel import CancelToken
from engine.errors import ModelFileError
from engine.model.catalogue import SYSTEM_SHARE, Catalogue, CatalogueModel, load_catalogue
from engine.model.description import ModelDescription, ModelKind, describe
from engine.model.discovery import ADDED_FOLDER, DiscoveryResult, FoundModel, discover
from engine.model.discovery_memory import ScanMemory
from engine.model.discovery_stores import Places, Problem
from engine.model.fit import gigabytes
from engine.model.memory import machine_memory

DIGESTED_BYTES = 12_000_000_000
"""How much is read at most in search of a file by its digest; what was read once is known from then on."""


class ModelShelf:
    """Any thread, one `look` at a time. `available` is how many bytes of main memory a model could have now."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        available: Callable[[], int],
        *,
        memory_file: Path | None = None,
        places: Places | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        """`folder` is our own; `memory_file` keeps what was read of files, so that the next look is short."""
        self._settings = settings
        self._folder = folder
        self._available = available
        self._memory_file = memory_file
        self._memory: ScanMemory | None = None
        self._places = places
        self.catalogue = catalogue or load_catalogue()

    def starter(self) -> CatalogueModel:
        """The model to fetch first on this machine."""
        return self.catalogue.starter_for(machine_memory().total_bytes)

    def look(self, cancel: CancelToken) -> tuple[ModelEntry, ...]:
        """Look at the folders now. Models that are here first, then those to fetch, then what cannot be used."""
        if self._memory is None:
            self._memory = ScanMemory(self._memory_file)
        folders = [Path(folder) for folder in self._settings.texts("model.folders")]
        result = discover(self._folder, folders, places=self._places, memory=self._memory, cancel=cancel)
        if self._memory_file is not None:
            self._memory.save()
        return self._entries(result)

    def holding(self, sha256: str, entries: Sequence[ModelEntry], cancel: CancelToken) -> Path | None:
        """The model among `entries` whose file has this digest, in hex; None where there is none.

        Files that were never read whole are read now, the smallest first: seconds for each gigabyte.
        """
        memory = self._memory = self._memory or ScanMemory(self._memory_file)
        size = next((model.size_bytes for model in self.catalogue.models if model.sha256 == sha256), None)
        paths = [
            (not memory.knows(entry.path), entry.size_bytes, entry.path)
            for entry in entries
            if entry.availability is Availability.HERE and entry.path is not None and entry.path.is_file()
            if size in (None, entry.size_bytes)
        ]
        left, found = DIGESTED_BYTES, None
        for unknown, n_bytes, path in sorted(paths):
            left -= n_bytes if unknown else 0
            if left < 0:
                break
            if memory.digest(path, cancel) == sha256:
                found = path
                break
        if self._memory_file is not None:
            memory.save()
        return found

    def entry_of(self, path: Path) -> ModelEntry:
        """The entry of one file, wherever it lies. Raises `ModelFileError`."""
        description = describe(path)
        return self._described(description, description.name, ())

    def _entries(self, result: DiscoveryResult) -> tuple[ModelEntry, ...]:
        here = [self._found(model) for model in result.models if model.description.kind is ModelKind.TEXT]
        last = Path(path) if (path := self._settings.text("model.path")) else None
        if last is not None and all(entry.path != last for entry in here):
            here += self._lone(last)
        default = choose_default(here, last)
        here = [replace(entry, is_default=entry is default) for entry in here]
        fetched = {entry.catalogue.id for entry in here if entry.catalogue is not None}
        starter = self.starter()
        offered = [
            self._offered(model, recommended=model is starter)
            for model in self.catalogue.models
            if model.id not in fetched
        ]
        return (*here, *offered, *(_broken(problem) for problem in result.problems))

    def _found(self, model: FoundModel) -> ModelEntry:
        sources = tuple(dict.fromkeys(source.app for source in model.sources))
        return self._described(model.description, model.name, sources)

    def _lone(self, path: Path) -> list[ModelEntry]:
        """The model used last, where it lies in no folder that is searched: a file that was opened by itself."""
        try:
            description = describe(path)
        except ModelFileError:
            return []  # Moved or gone, which is no fault: another model is used then.
        return [self._described(description, description.name, (ADDED_FOLDER,))]

    def _described(self, description: ModelDescription, name: str, sources: tuple[str, ...]) -> ModelEntry:
        known = self.catalogue.by_file(description.path.name, description.size_bytes)
        judgement = judge(description, self._settings, self._available())
        return ModelEntry(
            key=str(description.path),
            name=known.name if known is not None else name,
            availability=Availability.HERE,
            path=description.path,
            sources=sources,
            size_bytes=description.size_bytes,
            quantisation=description.quantisation,
            architecture=description.architecture,
            n_params=known.parameters if known is not None else description.n_params,
            n_ctx_train=description.n_ctx_train,
            n_ctx=judgement.n_ctx,
            n_cells=judgement.n_cells,
            memory_bytes=judgement.memory_bytes,
            licence=known.licence if known is not None else description.licence,
            good_for=tr(known.good_for) if known is not None else "",
            fit=judgement.fit,
            fit_sentence=judgement.sentence,
            description=description,
            catalogue=known,
        )

    def _offered(self, model: CatalogueModel, *, recommended: bool) -> ModelEntry:
        suits = machine_memory().total_bytes >= model.min_memory_bytes * SYSTEM_SHARE
        return ModelEntry(
            key=f"catalogue:{model.id}",
            name=model.name,
            availability=Availability.TO_FETCH,
            size_bytes=model.size_bytes,
            n_params=model.parameters,
            licence=model.licence,
            good_for=tr(model.good_for),
            fit=Fit.FITS if suits else Fit.TIGHT,
            fit_sentence=tr(
                "Made for computers with {memory} of memory or more.", memory=gigabytes(model.min_memory_bytes)
            ),
            recommended=recommended,
            catalogue=model,
        )


def _broken(problem: Problem) -> ModelEntry:
    return ModelEntry(
        key=f"problem:{problem.path}",
        name=problem.path.name,
        availability=Availability.BROKEN,
        path=problem.path,
        sources=(problem.app,),
        problem=error_sentence(problem.error),
    )
