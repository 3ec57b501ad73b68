"""Bundles in folders of this computer or of a network share, as a shop window: what they are called, say and ask for.

Only the small members of each bundle are read, and nothing is kept or opened. What a bundle says of itself is a
stranger's word: cleaned and shortened here, and nothing of it may be used before it is imported and looked at.
Knows no shelf of the person's own, and no window.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from app.limits import PERSONA_SHELF_BUNDLES, PERSONA_SHELF_ICON_BYTES
from app.personas.bundle import SUFFIX
from app.personas.bundle_reading import read_head
from app.personas.declared import shown
from app.personas.signing import key_words
from engine.context.clean import clean
from engine.errors import HearthError, LimitError, PersonaError, sentence

PATIENCE_S = 5.0
"""A share that does not answer for so long is left alone, and said."""
_DESCRIPTION = 500
_GONE = sentence("The folder {path} is not there just now.")
_SILENT = sentence("The folder {path} does not answer. It may be on another computer that is turned off.")
_TOO_MANY = sentence("The folder {path} holds more bundles than can be shown: {limit} are the most.")
_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle that could be imported from `path`, or with `fault` why it cannot be, or why a folder shows nothing.

    `signed_by` is its author's key in words, "" for none; `icon` a PNG file that nobody has decoded, b"" for none or a
    large one.
    """

    path: Path
    name: str
    short_name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    version: str = ""
    public_key: str = ""
    signed_by: str = ""
    n_documents: int = 0
    size_bytes: int = 0
    icon: bytes = b""
    fault: HearthError | None = None

    @property
    def key(self) -> str:
        return self.short_name


class Listed(Protocol):
    """What is looked through by its words and tags."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...


L = TypeVar("L", bound=Listed)


class LocalShelf:
    """The bundles in `folders` and in the folders just inside them. Any thread.

    What was read of a bundle is remembered as long as its size and date stay.
    """

    def __init__(self, folders: Iterable[Path], *, patience_s: float = PATIENCE_S) -> None:
        self._folders = tuple(dict.fromkeys(folders))
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._looking: dict[Path, Future[tuple[Offer, ...]]] = {}
        self._known: dict[Path, tuple[_Stamp, Offer]] = {}

    def found(self) -> tuple[Offer, ...]:
        """What lies there now, by name, those with a fault last.

        Blocks as long as the disk does, but no longer than the shelf has patience: belongs off the window's thread.
        """
        looks = [(folder, self._look(folder)) for folder in self._folders]
        deadline = time.monotonic() + self._patience_s
        offers: list[Offer] = []
        for folder, look in looks:
            try:
                offers += look.result(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                offers.append(_fault(folder, PersonaError(_SILENT, path=folder)))
        return tuple(sorted(offers, key=lambda each: (each.fault is not None, each.name.casefold(), str(each.path))))

    def _look(self, folder: Path) -> Future[tuple[Offer, ...]]:
        """One look at a folder at a time: one that hangs is waited for again, and its thread holds nobody up."""
        with self._lock:
            under_way = self._looking.get(folder)
            if under_way is not None and not under_way.done():
                return under_way
            look: Future[tuple[Offer, ...]] = Future()
            self._looking[folder] = look
        # No pool: those are waited for when the program ends.
        threading.Thread(target=self._run, args=(folder, look), name="persona-shelf", daemon=True).start()
        return look

    def _run(self, folder: Path, look: Future[tuple[Offer, ...]]) -> None:
        try:
            look.set_result(tuple(self._offers(folder)))
        except BaseException as error:  # noqa: BLE001  # a bug, which whoever waits is told
            look.set_exception(error)

    def _offers(self, folder: Path) -> Iterator[Offer]:
        paths: list[tuple[Path, _Stamp]] = []
        try:
            for each in _bundles(folder, deeper=True):
                if len(paths) == PERSONA_SHELF_BUNDLES:
                    yield _fault(folder, LimitError(_TOO_MANY, path=folder, limit=PERSONA_SHELF_BUNDLES))
                    break
                paths.append(each)
        except OSError:
            yield _fault(folder, PersonaError(_GONE, path=folder))
            return
        for path, stamp in paths:
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = self._known[path] = (stamp, _offer(path, stamp[0]))
            yield known[1]


def matching(listed: Sequence[L], words: str = "", tags: Iterable[str] = ()) -> tuple[L, ...]:
    """Those that hold every word somewhere in what they say of themselves, and have every tag; case does not count."""
    wanted = words.casefold().split()
    wanted_tags = {tag.casefold() for tag in tags}

    def fits(each: L) -> bool:
        own_tags = {tag.casefold() for tag in each.tags}
        text = " ".join((each.name, each.key, each.description, each.author, *own_tags)).casefold()
        return wanted_tags <= own_tags and all(word in text for word in wanted)

    return tuple(filter(fits, listed))


def tags_of(listed: Iterable[Listed]) -> tuple[str, ...]:
    """Every tag once, the most frequent first."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for tag in (tag for each in listed for tag in each.tags):
        counts[tag.casefold()] = counts.get(tag.casefold(), 0) + 1
        names.setdefault(tag.casefold(), tag)
    return tuple(names[key] for key in sorted(counts, key=lambda key: (-counts[key], key)))


def _bundles(folder: Path, *, deeper: bool) -> Iterator[tuple[Path, _Stamp]]:
    """Files only: no links, no pipes. Raises `OSError` where the folder cannot be read."""
    inner: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(Path(entry.path))
                elif entry.name.casefold().endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    yield Path(entry.path), (about.st_size, about.st_mtime_ns)
            except OSError:
                continue  # gone meanwhile
    for path in sorted(inner) if deeper else ():
        try:
            yield from _bundles(path, deeper=False)
        except OSError:
            continue  # of this one nothing may be seen


def _offer(path: Path, size_bytes: int) -> Offer:
    try:
        head = read_head(path)
    except HearthError as error:
        return _fault(path, error)
    persona = head.persona
    return Offer(
        path,
        shown(persona.name),
        persona.short_name,
        " ".join(clean(persona.description, max_characters=_DESCRIPTION).text.split()),
        persona.tags,
        shown(persona.author),
        shown(persona.version),
        head.public_key,
        key_words(head.public_key) if head.public_key else "",
        len(persona.knowledge),
        size_bytes,
        head.icon if len(head.icon) <= PERSONA_SHELF_ICON_BYTES else b"",
    )


def _fault(path: Path, error: HearthError) -> Offer:
    return Offer(path, shown(path.name), fault=error)
