"""The personas of this computer: found, made, changed, compared, copied, thrown away and brought back.

Whatever is new is put together under a name that nobody looks at, and appears in one step: after a crash it is there
whole or not at all. A damaged folder is named with its reason, and the others are there. Knows no model and no
window. Any thread, several programs at once; blocks on the disk.
"""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.personas.bundle import Sign, write_bundle
from app.personas.bundle_reading import read_bundle
from app.personas.declared import shown
from app.personas.document import INSTRUCTIONS_NAME, TOML_NAME, instructions_bytes, toml_bytes
from app.personas.faults import telling
from app.personas.folder import NEW, Given, PersonaFolder, SavedVersion, Shelved, appear, files_of
from app.personas.names import is_short_name, short_name_of
from app.personas.persona import Persona
from app.personas.trust import Origin, Trust
from engine.atomic_write import replace_durably
from engine.errors import HearthError, LimitError, PersonaError, sentence

_GONE = ".deleted-"
_KEPT_DELETED_S = 30 * 24 * 3600.0
_KEPT_UNFINISHED_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A folder on the shelf that cannot be used, and why."""

    short_name: str
    error: HearthError


@dataclass(frozen=True, slots=True)
class Listing:
    """The shelf as it is: what can be used by name, and what cannot."""

    personas: tuple[Shelved, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A persona that was moved aside: what `Shelf.bring_back` takes."""

    short_name: str
    folder: Path


class Shelf:
    """The personas in `folder`, which is made when the first one is. Every method raises `PersonaError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listing(self) -> Listing:
        """All of them, by name."""
        found: list[Shelved] = []
        problems: list[Problem] = []
        for name in sorted(self._names()):
            try:
                found.append(self.get(name))
            except (PersonaError, LimitError) as error:
                problems.append(Problem(name, error))
        found.sort(key=lambda each: (each.persona.name.casefold(), each.persona.short_name))
        return Listing(tuple(found), tuple(problems))

    def has(self, short_name: str) -> bool:
        """Whether there is a persona of that short name, damaged or not."""
        return is_short_name(short_name) and (self.folder / short_name).is_dir()

    def get(self, short_name: str, number: int = 0) -> Shelved:
        """The saved version of that number; the present one for 0, and where that version is lost."""
        return self.place(short_name).shelved(number)

    def find(self, wanted: str) -> Shelved:
        """One by its short name or, where only one has it, by its name."""
        if self.has(wanted):
            return self.get(wanted)
        named = [each for each in self.listing().personas if each.persona.name.casefold() == wanted.strip().casefold()]
        if len(named) != 1:
            raise PersonaError(sentence("There is no persona “{name}”."), name=shown(wanted))
        return named[0]

    def place(self, short_name: str) -> PersonaFolder:
        """Its folder, for its versions and files."""
        if not is_short_name(short_name):
            raise PersonaError(sentence("There is no persona “{name}”."), name=shown(short_name))
        return PersonaFolder(self.folder / short_name)

    def create(self, persona: Persona, given: Given | None = None, trust: Trust | None = None) -> Shelved:
        """Put a new persona on the shelf, under the first free short name like its own. The person's own by default."""

        def fill(made: PersonaFolder) -> Persona:
            made.save(persona, 0, given)
            made.set_trust(trust or Trust(Origin.OWN))
            return persona

        return self._add(fill)

    def save(self, persona: Persona, before: int, given: Given | None = None) -> Shelved:
        """The person has changed the version numbered `before`: keep the next one, unless nothing is different.

        Whoever may use the old version has written the new one, so it needs no look again.
        """
        folder = self.place(persona.short_name)
        old = folder.present()
        if old.persona == persona and old.number == before:
            return old
        folder.save(persona, before, given)
        new = folder.present()
        if old.usable and not new.usable:
            folder.set_trust(old.trust.accepting(new.fingerprint))
            new = folder.present()
        return new

    def restore(self, short_name: str, number: int) -> Shelved:
        """Make an old version the present one again; what is between them stays."""
        folder = self.place(short_name)
        persona, newest = folder.at(number), folder.newest()
        if number != newest:
            folder.save(persona, newest)
        return folder.present()

    def versions(self, short_name: str) -> tuple[SavedVersion, ...]:
        """Newest first."""
        return self.place(short_name).versions()

    def difference(self, short_name: str, old: int, new: int) -> str:
        """Two versions compared line by line, in the unified format; "" where they are equal."""
        folder = self.place(short_name)
        before, after = folder.at(old), folder.at(new)
        lines: list[str] = []
        for name, of in ((TOML_NAME, toml_bytes), (INSTRUCTIONS_NAME, instructions_bytes)):
            first, second = (of(each).decode("utf-8").splitlines() for each in (before, after))
            lines += difflib.unified_diff(first, second, f"{name} ({old})", f"{name} ({new})", lineterm="")
        return "\n".join(lines)

    def duplicate(self, short_name: str, name: str) -> Shelved:
        """A copy of another name: trusted as far as what it was copied from; of a built-in one the person's own."""
        folder = self.place(short_name)
        old = folder.present()
        given = {sha256: folder.file(sha256, file_name) for sha256, file_name in files_of(old.persona)}
        copy = replace(old.persona, short_name=short_name_of(name), name=name)
        built_in = old.trust.origin is Origin.BUILT_IN
        made = self.create(copy, given, Trust(Origin.OWN) if built_in else old.trust)
        if old.usable and not made.usable:
            self.accept(made)
        return self.get(made.persona.short_name)

    def accept(self, seen: Shelved) -> Shelved:
        """The person has looked at it as it is in `seen`, and wants to use it."""
        folder = self.place(seen.persona.short_name)
        folder.set_trust(folder.trust().accepting(seen.fingerprint))
        return folder.present()

    def grant(self, short_name: str, tool: str, granted: bool) -> Shelved:
        """The person has turned the switch of a tool that the persona asks for."""
        folder = self.place(short_name)
        folder.set_trust(folder.trust().granting(tool, granted))
        return folder.present()

    def delete(self, short_name: str) -> Deleted:
        """Move one aside, for 30 days."""
        path = self.place(short_name).path
        aside = self.folder / f"{_GONE}{time.time_ns()}-{short_name}"
        with telling(path):
            try:
                path.rename(aside)
            except FileNotFoundError:
                raise PersonaError(sentence("There is no persona “{name}”."), name=short_name) from None
            os.utime(aside)  # the time of a folder does not change with its name
        return Deleted(short_name, aside)

    def bring_back(self, deleted: Deleted) -> Shelved:
        """Undo a deletion, under another short name where its own is taken now."""
        if not deleted.folder.is_dir():
            raise PersonaError(sentence("“{name}” was deleted for good."), name=deleted.short_name)
        with telling(deleted.folder):
            return self._appear(deleted.folder, deleted.short_name)

    def deleted(self) -> tuple[Deleted, ...]:
        """What can be brought back, newest first."""
        names = [name for name in self._entries() if name.startswith(_GONE)]
        pairs = [(name.removeprefix(_GONE).partition("-")[2], name) for name in sorted(names, reverse=True)]
        return tuple(Deleted(short_name, self.folder / name) for short_name, name in pairs if short_name)

    def take_bundle(self, path: Path) -> Shelved:
        """Import a `.hearth` file, whole or not at all. It may be used once the person has looked at it."""

        def fill(made: PersonaFolder) -> Persona:
            with telling(made.path):
                made.files.mkdir(mode=0o700)
            bundle = read_bundle(path, made.files)
            made.save(bundle.persona, 0)
            made.set_trust(Trust(Origin.IMPORTED, shown(path.name), bundle.public_key))
            return bundle.persona

        return self._add(fill)

    def write_bundle(self, short_name: str, path: Path, sign: Sign | None = None) -> None:
        """Export the present version to `path`, which is replaced in one step."""
        folder = self.place(short_name)
        persona = folder.present().persona
        with telling(path):
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as file:
                    vectors = folder.vectors(persona)
                    write_bundle(file, persona, lambda sha256: folder.found(persona, sha256), sign, vectors)
                read_bundle(temporary)  # whoever gets it can read it
                replace_durably(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Let go of what was deleted long ago, and of what a program that died has left. For the housekeeping."""
        now = time.time()
        for name in self._entries():
            kept = _KEPT_DELETED_S if name.startswith(_GONE) else _KEPT_UNFINISHED_S if name.startswith(NEW) else None
            path = self.folder / name
            with suppress(OSError):
                if kept is not None and path.stat().st_mtime < now - kept:
                    shutil.rmtree(path)

    def _add(self, fill: Callable[[PersonaFolder], Persona]) -> Shelved:
        """Have a folder filled out of sight, then let it appear."""
        with telling(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            staged = Path(tempfile.mkdtemp(prefix=NEW, dir=self.folder))
            try:
                persona = fill(PersonaFolder(staged))
                return self._appear(staged, persona.short_name)
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def _appear(self, staged: Path, short_name: str) -> Shelved:
        while True:
            free = short_name if is_short_name(short_name) else "persona"
            free = free if not (self.folder / free).exists() else short_name_of(free, self._entries())
            try:
                appear(staged, self.folder / free)
            except FileExistsError:
                continue  # another program was quicker
            return self.get(free)

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name in self._entries() if self.has(name))

    def _entries(self) -> frozenset[str]:
        with telling(self.folder):
            try:
                return frozenset(path.name for path in self.folder.iterdir())
            except FileNotFoundError:
                return frozenset()
