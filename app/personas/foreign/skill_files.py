"""Where skills lie: folders, and zip files of one. Regular files only; a stranger's names are never used as paths.

Follows the directory structure of the Agent Skills specification (agentskills.io/specification).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from app.limits import PERSONA_BUNDLE_BYTES, PERSONA_BUNDLE_MEMBERS, PERSONA_UNPACKED_BYTES
from app.personas.foreign.archive import Archive, packed
from app.personas.foreign.documents import text_of
from app.personas.foreign.imported import Files, Imported
from app.personas.foreign.skill import FILE, read_skill, skill_of
from app.personas.persona import Persona
from engine.atomic_write import atomic_write
from engine.errors import LimitError, PersonaError, sentence

_LOOKED_AT = 10_000
"""Entries of a folder and those in it."""


def read_folder(folder: Path) -> Imported:
    """The persona of a folder with a SKILL.md. Raises `PersonaError`, `LimitError`, `OSError`."""
    files: list[tuple[str, bytes]] = []
    left = PERSONA_UNPACKED_BYTES
    skill: str | None = None
    for path in _files_below(folder):
        data = _read(path, min(left, PERSONA_BUNDLE_BYTES), folder.name)
        left -= len(data)
        name = path.relative_to(folder).as_posix()
        if name == FILE:
            skill = text_of(data, FILE)
        elif len(files) < PERSONA_BUNDLE_MEMBERS:
            files.append((name, data))
        else:
            raise _too_many(folder.name)
    if skill is None:
        raise PersonaError(sentence("{name} is not a file that can be read."), name=FILE)
    return read_skill(skill, tuple(files), FILE)


def read_zip(data: bytes, name: str) -> Imported | None:
    """The persona of a zip file with a SKILL.md at its root or in its one folder; None for a zip without."""
    archive = Archive(data, name)
    skill = min((member for member in archive.names if member.split("/")[-1] == FILE), key=len, default=None)
    if skill is None or skill.count("/") > 1:
        return None
    root = skill.removesuffix(FILE)
    others = sorted(
        member
        for member in archive.names
        if member.startswith(root) and member != skill and not _is_hidden(member.removeprefix(root))
    )
    if len(others) > PERSONA_BUNDLE_MEMBERS:
        raise _too_many(name)
    files = tuple((member.removeprefix(root), archive.read(member)) for member in others)
    return read_skill(text_of(archive.read(skill), FILE), files, FILE)


def write(persona: Persona, path: Path, knowledge: Files) -> None:
    """Write a skill as a new folder, or as a zip file where the path ends so. Raises `PersonaError`, `OSError`."""
    files = skill_of(persona, knowledge)
    if path.suffix.lower() in (".zip", ".skill"):
        atomic_write(path, packed((f"{persona.short_name}/{name}", data) for name, data in files), mode=0o644)
        return
    path.mkdir(exist_ok=True)
    if any(path.iterdir()):
        raise PersonaError(sentence("The folder {name} is not empty. Choose a new one."), name=path.name)
    # SKILL.md last: a folder without it is no skill.
    for name, data in reversed(files):
        target = path.joinpath(*name.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _files_below(folder: Path) -> Iterator[Path]:
    """Regular files in the order of their names, without hidden ones; no link is followed."""
    n_seen = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        n_seen += len(folders) + len(names)
        if n_seen > _LOOKED_AT:
            raise _too_many(folder.name)
        for name in sorted(names):
            path = Path(parent, name)
            if not _is_hidden(name) and stat.S_ISREG(path.lstat().st_mode):
                yield path


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part in ("__pycache__", "__MACOSX") for part in name.split("/"))


def _read(path: Path, most: int, name: str) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise LimitError(sentence("The files in {name} are too large for a persona."), name=name)
    return data


def _too_many(name: str) -> LimitError:
    return LimitError(
        sentence("{name} holds too many files for a persona: {limit} are the most."),
        name=name,
        limit=PERSONA_BUNDLE_MEMBERS,
    )
