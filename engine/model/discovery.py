"""Find the models that a person already has, each once, however many programs keep a copy.

Reads other programs' folders and never writes there. Knows no window and loads nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.cancel import CancelToken
from engine.errors import ModelFileError
from engine.model.description import ModelDescription, ModelKind, is_later_part, split_parts
from engine.model.discovery_memory import ScanMemory, sample
from engine.model.discovery_stores import STORES, Candidate, Places, Problem, scan_folder, unreadable

OWN_APP = "Hearth"
ADDED_FOLDER = "Folder"
"""The `app` of models in a folder that the person added."""
MAX_MODELS = 5_000
"""Candidates looked into in one search."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One copy of a model: whose it is, where it lies (its first part), and what its program calls it ("" unknown)."""

    app: str
    path: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model, and every place it was found in; `description.path` is the first of them."""

    description: ModelDescription
    sources: tuple[ModelSource, ...]

    @property
    def name(self) -> str:
        """The name a person knows it by: its program's, else the file's own."""
        return next((source.name for source in self.sources if source.name), self.description.name)


@dataclass(frozen=True, slots=True)
class DiscoveryResult:
    """All models, in the order found, and what could not be used. Models of every kind: see `description.kind`."""

    models: tuple[FoundModel, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    candidate: Candidate
    parts: tuple[Path, ...]
    description: ModelDescription
    file_id: tuple[int, int]
    """Device and inode of the first part: the same for hard and symbolic links."""


def discover(
    own_folder: Path,
    extra_folders: Sequence[Path] = (),
    *,
    places: Places | None = None,
    memory: ScanMemory | None = None,
    cancel: CancelToken | None = None,
) -> DiscoveryResult:
    """Search our own folder, the folders that the person added, and every program's store, in that order.

    Keep `memory` from search to search: a second one reads only what has changed. A cancelled search returns
    what it has. Raises nothing for what it finds: broken and unreadable files are in `problems`.
    """
    memory = memory or ScanMemory()
    cancel = cancel or CancelToken()
    problems: list[Problem] = []
    entries = list(_entries(_candidates(own_folder, extra_folders, places or Places()), memory, cancel, problems))
    models = [_found(group) for group in _groups(entries, memory, cancel)]
    return DiscoveryResult(tuple(_with_projectors(models)), tuple(problems))


def _candidates(own_folder: Path, extra_folders: Sequence[Path], places: Places) -> Iterator[Candidate | Problem]:
    yield from scan_folder(own_folder, OWN_APP)
    for folder in extra_folders:
        yield from scan_folder(folder, ADDED_FOLDER, needed=True)
    for store in STORES:
        yield from store(places)


def _entries(
    found: Iterable[Candidate | Problem], memory: ScanMemory, cancel: CancelToken, problems: list[Problem]
) -> Iterator[_Entry]:
    """Describe each candidate; what cannot be described goes to `problems`."""
    seen: set[tuple[Path, str]] = set()
    for item in found:
        if cancel.cancelled or len(seen) >= MAX_MODELS:
            return
        if isinstance(item, Problem):
            problems.append(item)
            continue
        # A second or later part speaks only where the first part is missing; `split_parts` then says so, once.
        first = _first_part(item.path)
        if (first, item.app) in seen or (first != item.path and first.exists()):
            continue
        seen.add((first, item.app))
        try:
            parts = split_parts(item.path)
            description = memory.describe(parts)
            status = parts[0].stat()
            if item.sha256:
                memory.remember_digest(parts[0], item.sha256)
        except ModelFileError as error:
            problems.append(Problem(item.path, item.app, error))
        except OSError as error:
            problems.append(Problem(item.path, item.app, unreadable(item.path, error)))
        else:
            yield _Entry(item, parts, description, (status.st_dev, status.st_ino))


def _first_part(path: Path) -> Path:
    if not is_later_part(path):
        return path
    stem, _, count = path.stem.rpartition("-of-")
    return path.with_name(f"{stem[:-5]}00001-of-{count}{path.suffix}")


def _groups(entries: Sequence[_Entry], memory: ScanMemory, cancel: CancelToken) -> list[list[_Entry]]:
    """Entries with the same content together. Whole files are read only where size and samples agree."""
    by_size: defaultdict[tuple[int, int], list[_Entry]] = defaultdict(list)
    for entry in entries:
        by_size[entry.description.size_bytes, len(entry.parts)].append(entry)
    place = {id(entry): number for number, entry in enumerate(entries)}
    groups = [
        sorted(group, key=lambda entry: place[id(entry)])
        for same_size in by_size.values()
        for group in _same_content(same_size, memory, cancel)
    ]
    return sorted(groups, key=lambda group: place[id(group[0])])


def _same_content(entries: list[_Entry], memory: ScanMemory, cancel: CancelToken) -> list[list[_Entry]]:
    """Split entries of the same size into groups of the same content: links, then samples, then whole files."""
    by_file: defaultdict[tuple[int, int], list[_Entry]] = defaultdict(list)
    for entry in entries:
        by_file[entry.file_id].append(entry)
    if len(by_file) == 1:
        return [entries]
    by_sample: defaultdict[bytes, list[list[_Entry]]] = defaultdict(list)
    for copies in by_file.values():
        by_sample[_sample(copies[0])].append(copies)
    by_content: defaultdict[str, list[_Entry]] = defaultdict(list)
    for key, alike in by_sample.items():
        for copies in alike:
            content = key.hex() if len(alike) == 1 else _digest(copies[0], memory, cancel)
            by_content[content] += copies
    return list(by_content.values())


def _sample(entry: _Entry) -> bytes:
    try:
        return b"".join(sample(part) for part in entry.parts)
    except OSError:  # Gone or forbidden since it was described: then it is like no other.
        return str(entry.parts[0]).encode(errors="surrogateescape")


def _digest(entry: _Entry, memory: ScanMemory, cancel: CancelToken) -> str:
    try:
        digests = [memory.digest(part, cancel) for part in entry.parts]
    except OSError:  # As above.
        digests = [""]
    return " ".join(digests) if all(digests) else str(entry.parts[0])


def _found(group: list[_Entry]) -> FoundModel:
    sources: dict[Path, ModelSource] = {}
    for entry in group:
        sources.setdefault(entry.parts[0], ModelSource(entry.candidate.app, entry.parts[0], entry.candidate.name))
    projector = next((entry.candidate.projector for entry in group if entry.candidate.projector), None)
    return FoundModel(replace(group[0].description, projector=projector), tuple(sources.values()))


def _with_projectors(models: list[FoundModel]) -> Iterator[FoundModel]:
    """Give each text model the projector that lies beside it and has its width, the smallest if there are several."""
    beside: defaultdict[Path, list[ModelDescription]] = defaultdict(list)
    for model in models:
        if model.description.kind is ModelKind.PROJECTOR:
            for source in model.sources:
                beside[source.path.parent].append(replace(model.description, path=source.path))
    for model in models:
        description = model.description
        if description.kind is ModelKind.TEXT and description.projector is None:
            fitting = [
                projector
                for source in model.sources
                for projector in beside[source.path.parent]
                if projector.n_embd in (0, description.n_embd)
            ]
            if fitting:
                chosen = min(fitting, key=lambda projector: projector.size_bytes)
                description = replace(description, projector=chosen.path)
        yield replace(model, description=description)
