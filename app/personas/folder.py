"""One persona on the disk: every saved version, its files, and what the person decided about it.

    versions/0001/persona.toml, INSTRUCTIONS.md     never changed; the highest number is the present one
    files/<sha256>.pdf                              icon and documents of all versions
    files/vectors.bin, embeddings.json              of some documents, where they travel along
    documents/<hash>/handbook.pdf                  documents again, by their names, for the library
    trust.json

A version appears in one step, so of two programs that save at once one is told so. The folder's own name is the
persona's short name, whatever persona.toml says. Any thread; blocks on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from app.i18n import error_sentence
from app.limits import PERSONA_DOCUMENT_BYTES
from app.personas.document import (
    INSTRUCTIONS_NAME,
    TOML_NAME,
    fingerprint,
    instructions_bytes,
    read_persona,
    toml_bytes,
)
from app.personas.faults import telling
from app.personas.names import kept_name
from app.personas.persona import KnowledgeFile, Persona
from app.personas.trust import FILE_NAME, Trust, read_trust, trust_bytes
from app.personas.vectors import ABOUT_NAME, EMBEDDINGS, VECTORS_NAME, Embeddings, Vectors, kept_as, read_about
from engine.atomic_write import atomic_write
from engine.errors import LimitError, PersonaError, sentence

VERSIONS, FILES, DOCUMENTS = "versions", "files", "documents"
ICON = "icon.png"
NEW = ".new-"
"""Begins the name of what is not finished."""
_SHORT_HASH = 16

Given = Mapping[str, Path | bytes]
"""Files that a persona names and its folder may lack, by their sha256: where they are, or what they hold."""


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """A version that was kept; `saved_at` in seconds since 1970."""

    number: int
    saved_at: float


@dataclass(frozen=True, slots=True)
class Shelved:
    """A saved version of a persona, as it lies on the shelf; the present one where nothing else is said."""

    persona: Persona
    number: int
    fingerprint: str
    trust: Trust

    @property
    def usable(self) -> bool:
        """It is the person's own, or was looked at as it is now."""
        return self.trust.allows(self.fingerprint)

    def checked(self) -> Shelved:
        """Itself, if the person has looked at it. Raises `PersonaError`."""
        if not self.usable:
            raise PersonaError(
                sentence("Nobody has looked at “{name}” yet. Look at what it says and asks for before you use it."),
                name=self.persona.name,
            )
        return self


@lru_cache(maxsize=128)
def _understood(toml: bytes, instructions: bytes) -> tuple[Persona, str]:
    """The persona of two files and its fingerprint: worked out once while they stay the same."""
    persona = read_persona(toml, instructions)
    return persona, fingerprint(persona)


class PersonaFolder:
    """The folder at `path`, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._versions = path / VERSIONS
        self._files = path / FILES
        self._documents = path / DOCUMENTS

    def present(self) -> Shelved:
        """The newest version. Raises `PersonaError` or `LimitError` for a damaged folder."""
        return self.shelved()

    def shelved(self, number: int = 0) -> Shelved:
        """The saved version of that number, the newest where there is none such. Raises as `present`."""
        if not number or not self._version(number).is_dir():
            number = self.newest()
        if not number:
            raise PersonaError(sentence("There is no persona “{name}”."), name=self.path.name)
        persona, mark = self._read(number)
        return Shelved(replace(persona, short_name=self.path.name), number, mark, self.trust())

    def at(self, number: int) -> Persona:
        """The persona as of a saved version. Raises `PersonaError` or `LimitError`."""
        return replace(self._read(number)[0], short_name=self.path.name)

    def given_name(self, number: int) -> str:
        """The short name that a saved version gives itself: its author's, where it came from one. Raises as `at`."""
        return self._read(number)[0].short_name

    def _read(self, number: int) -> tuple[Persona, str]:
        folder = self._version(number)
        with telling(folder):
            try:
                toml, instructions = _head(folder / TOML_NAME), _head(folder / INSTRUCTIONS_NAME)
            except (FileNotFoundError, NotADirectoryError):
                raise PersonaError(
                    sentence("“{name}” has no version {number}."), name=self.path.name, number=number
                ) from None
        try:
            return _understood(toml, instructions)
        except PersonaError as error:
            raise PersonaError(
                sentence("“{name}” cannot be used: {reason}"), name=self.path.name, reason=error_sentence(error)
            ) from error

    def versions(self) -> tuple[SavedVersion, ...]:
        """Newest first. Raises `PersonaError`."""
        with telling(self._versions):
            return tuple(
                SavedVersion(number, (self._version(number) / TOML_NAME).stat().st_mtime)
                for number in sorted(self._numbers(), reverse=True)
                if (self._version(number) / TOML_NAME).is_file()
            )

    def save(self, persona: Persona, before: int, given: Given | None = None) -> None:
        """Keep a version that follows number `before`, and the files that it needs.

        Raises `PersonaError`: it says too much, a file is missing, the disk is full, or another program saved first.
        """
        toml, instructions = toml_bytes(persona), instructions_bytes(persona)
        with telling(self.path):
            self._versions.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._files.mkdir(exist_ok=True, mode=0o700)
            for sha256, name in files_of(persona):
                self._take(sha256, name, given or {})
            staged = Path(tempfile.mkdtemp(prefix=NEW, dir=self._versions))
            try:
                atomic_write(staged / TOML_NAME, toml)
                atomic_write(staged / INSTRUCTIONS_NAME, instructions)
                appear(staged, self._version(before + 1))
            except FileExistsError:
                raise PersonaError(
                    sentence("“{name}” was saved by another window meanwhile. Look at it and save again."),
                    name=self.path.name,
                ) from None
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def file(self, sha256: str, name: str) -> Path:
        """Where a file of the persona lies. Raises `PersonaError` where it is lost."""
        path = self._files / kept_name(sha256, name)
        if not path.is_file():
            raise PersonaError(sentence("“{name}” was lost. Add it to the persona again."), name=name)
        return path

    def documents(self, persona: Persona) -> tuple[Path, ...]:
        """Its documents as files with the names that it gives them, for the library to read. Raises `PersonaError`.

        They are links to the kept files, or copies, in folders of our own. Those of other versions stay beside them, as
        chats may remember these.
        """
        with telling(self._documents):
            self._documents.mkdir(mode=0o700, exist_ok=True)
            return tuple(self._named(each.sha256[:_SHORT_HASH], each) for each in persona.knowledge)

    def _named(self, folder: str, wanted: KnowledgeFile) -> Path:
        path = self._documents / folder / wanted.name
        if path.is_file():
            return path
        kept = self.file(wanted.sha256, wanted.name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            path.hardlink_to(kept)
        except OSError:  # a disk that knows no links
            shutil.copyfile(kept, path)
        return path

    def found(self, persona: Persona, sha256: str) -> bytes:
        """A file's bytes by their sha256, as a bundle is written. Raises `PersonaError`."""
        names = dict(files_of(persona))
        path = self.file(sha256, names.get(sha256, ""))
        with telling(path):
            return path.read_bytes()

    @property
    def files(self) -> Path:
        """The folder of icon and documents; what lies there is named by `kept_name`."""
        return self._files

    def vectors(self, persona: Persona) -> Vectors | None:
        """Those that travel with the documents of this version; None for none, or such of other documents."""
        path = self._files / kept_as(VECTORS_NAME)
        try:
            about = read_about(_head(self._files / kept_as(ABOUT_NAME)))
            fits = about.are_of(persona) and path.stat().st_size == about.size_bytes
        except (OSError, PersonaError, LimitError):
            return None
        return Vectors(about, path) if fits else None

    def set_vectors(self, about: Embeddings, data: bytes) -> None:
        """Let them travel with the documents that they are of. Raises `PersonaError`."""
        with telling(self._files):
            self._files.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic_write(self._files / kept_as(VECTORS_NAME), data)
            said = json.dumps(EMBEDDINGS.write(about), indent=1, sort_keys=True)
            atomic_write(self._files / kept_as(ABOUT_NAME), said + "\n")

    def trust(self) -> Trust:
        """Nothing was decided where nothing can be read."""
        try:
            return read_trust((self.path / FILE_NAME).read_bytes())
        except OSError:
            return Trust()

    def set_trust(self, trust: Trust) -> None:
        """Raises `PersonaError`."""
        with telling(self.path):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic_write(self.path / FILE_NAME, trust_bytes(trust))

    def _take(self, sha256: str, name: str, given: Given) -> None:
        path = self._files / kept_name(sha256, name)
        if path.is_file():
            return
        source = given.get(sha256)
        if source is None:
            raise PersonaError(sentence("“{name}” was lost. Add it to the persona again."), name=name)
        data = source if isinstance(source, bytes) else source.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PersonaError(sentence("“{name}” was changed on the disk. Add it to the persona again."), name=name)
        atomic_write(path, data)

    def _numbers(self) -> list[int]:
        try:
            names = [path.name for path in self._versions.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [int(name) for name in names if name.isascii() and name.isdecimal() and len(name) < 10]

    def newest(self) -> int:
        """The number of the present version, damaged or not; 0 where there is none."""
        with telling(self._versions):
            return max(self._numbers(), default=0)

    def _version(self, number: int) -> Path:
        return self._versions / f"{number:04d}"


def files_of(persona: Persona) -> list[tuple[str, str]]:
    """The sha256 and the name of each file that a persona has."""
    icon = [(persona.icon_sha256, ICON)] if persona.icon_sha256 else []
    return icon + [(each.sha256, each.name) for each in persona.knowledge]


def appear(staged: Path, target: Path) -> None:
    """Give a finished folder its name in one step. Raises `FileExistsError` where that is taken."""
    if target.exists():
        raise FileExistsError(target)
    try:
        staged.rename(target)
    except OSError:
        if target.exists():  # POSIX says "not empty" where Windows says that it exists
            raise FileExistsError(target) from None
        raise
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _head(path: Path) -> bytes:
    """A file's bytes, and no more than it takes to see that they are too many."""
    with path.open("rb") as file:
        return file.read(PERSONA_DOCUMENT_BYTES + 1)
