"""Read a `.hearth` file, which is from a stranger: checked whole, and never extracted.

The zip file's directory is looked at first, and everything is counted again while it is read, as what a header says
may be a lie. Only members that a persona has are read; what is kept lies under names of ours. Decodes no image and
opens no document. Blocks; any thread.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.limits import (
    PERSONA_BUNDLE_BYTES,
    PERSONA_BUNDLE_MEMBERS,
    PERSONA_BUNDLE_RATIO,
    PERSONA_BUNDLE_SMALL,
    PERSONA_DOCUMENT_BYTES,
    PERSONA_EMBEDDINGS_BYTES,
    PERSONA_ICON_BYTES,
    PERSONA_MANIFEST_BYTES,
    PERSONA_UNPACKED_BYTES,
)
from app.personas.bundle import (
    ICON_NAME,
    KNOWLEDGE,
    MANIFEST,
    MANIFEST_NAME,
    SIGNATURE,
    SIGNATURE_NAME,
    VERSION,
    Manifest,
    Member,
    is_member_name,
    read_json,
)
from app.personas.declared import shown
from app.personas.document import INSTRUCTIONS_NAME, TOML_NAME, read_persona
from app.personas.icon import check_icon
from app.personas.names import kept_name, same_file
from app.personas.persona import Persona
from app.personas.signing import Signature, signed_by
from app.personas.vectors import ABOUT_NAME, NAMES, VECTORS_NAME, kept_as, read_about
from engine.errors import LimitError, PersonaError, sentence

_BLOCK = 1 << 16
_END = struct.Struct("<4s4H2LH")
_END_MARK, _LONG_MARK = b"PK\x05\x06", b"PK\x06\x07"
_LONG_BYTES = 20
_DIRECTORY_BYTES = 256 * 1024
"""Of the zip file's directory: 200 members need a tenth."""
_LOCAL_BYTES = 30
_ENCRYPTED = 0x1
_MOST = {
    MANIFEST_NAME: PERSONA_MANIFEST_BYTES,
    SIGNATURE_NAME: 1024,
    TOML_NAME: PERSONA_DOCUMENT_BYTES,
    INSTRUCTIONS_NAME: PERSONA_DOCUMENT_BYTES,
    ICON_NAME: PERSONA_ICON_BYTES,
    ABOUT_NAME: PERSONA_MANIFEST_BYTES,
}
_DAMAGED = sentence("“{name}” is damaged, or not a bundle of a persona.")
_CHANGED = sentence("“{member}” in “{name}” is not what its list of contents says. The bundle was changed or damaged.")
_LACKS = sentence("“{name}” holds no {member}, so it is not a bundle of a persona.")
_UNFIT = sentence("“{member}” in “{name}” and {file} do not fit together.")
_ODD = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError, struct.error)
"""What zipfile raises over damaged files."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read whole and found in order. `public_key` is its author's, in hex, "" for an unsigned one."""

    persona: Persona
    public_key: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a bundle says, without its documents, which nobody has looked at. `icon` is a PNG file, b"" for none."""

    persona: Persona
    public_key: str
    icon: bytes


def read_bundle(path: Path, folder: Path | None = None) -> Bundle:
    """Check a bundle; with `folder`, keep its icon and documents there, each named by its sha256 and its suffix.

    Vectors of its documents, where it has some, are kept as `app.personas.vectors` names them.
    Raises `PersonaError` or `LimitError` with the reason why it is refused; what lies in `folder` is then of no use.
    """
    with _reading(path, folder) as reading:
        return reading.bundle()


def read_head(path: Path) -> Head:
    """What a bundle says of itself: only its small members are read. Raises as `read_bundle`."""
    with _reading(path, None) as reading:
        return reading.head()


@contextmanager
def _reading(path: Path, folder: Path | None) -> Iterator[_Reading]:
    name = shown(path.name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PersonaError(_DAMAGED, name=name)
        with path.open("rb") as file:
            yield _Reading(name, file, folder)
    except OSError as error:
        raise PersonaError(
            sentence("“{name}” could not be read or kept ({reason})."), name=name, reason=error.strerror or str(error)
        ) from error
    except _ODD as error:
        raise PersonaError(_DAMAGED, name=name) from error


class _Reading:
    """One bundle, from its first byte to its last."""

    def __init__(self, name: str, file: BinaryIO, folder: Path | None) -> None:
        self._name = name
        self._folder = folder
        self._left = PERSONA_UNPACKED_BYTES
        self._start = _check_end(name, file)
        self._archive = zipfile.ZipFile(file)
        self._members = self._checked_members()
        self._listed: dict[str, Member] = {}

    def head(self) -> Head:
        for name in (MANIFEST_NAME, TOML_NAME, INSTRUCTIONS_NAME):
            if name not in self._members:
                raise self._error(_LACKS, name)
        manifest_bytes = self._small(MANIFEST_NAME)
        manifest = read_json(manifest_bytes, MANIFEST, MANIFEST_NAME)
        assert isinstance(manifest, Manifest)
        if manifest.version > VERSION:
            raise PersonaError(sentence("{file} was written by a newer Hearth. Use that one."), file=self._name)
        public_key = self._signer(manifest_bytes)
        listed = self._listed = dict(manifest.members)
        for name in sorted((self._members.keys() - {MANIFEST_NAME, SIGNATURE_NAME}) ^ listed.keys()):
            raise self._error(_CHANGED, name)
        persona = read_persona(
            self._small(TOML_NAME, listed[TOML_NAME]), self._small(INSTRUCTIONS_NAME, listed[INSTRUCTIONS_NAME])
        )
        self._check_named(persona, listed)
        icon = self._small(ICON_NAME, listed[ICON_NAME]) if ICON_NAME in listed else b""
        if ICON_NAME in listed:
            check_icon(icon)
        return Head(persona, public_key, icon)

    def bundle(self) -> Bundle:
        head = self.head()
        if ICON_NAME in self._listed:
            self._keep(ICON_NAME, self._listed[ICON_NAME], iter([head.icon]))
        for each in head.persona.knowledge:
            member = KNOWLEDGE + each.name
            self._keep(member, self._listed[member], self._chunks(member))
        if NAMES & self._listed.keys():
            self._keep_vectors(head.persona)
        return Bundle(head.persona, head.public_key)

    def _keep_vectors(self, persona: Persona) -> None:
        """They are of these documents and of the size they say; whether they are right is seen where they are used."""
        for name in NAMES:
            if name not in self._listed:
                raise self._error(_LACKS, name)
        raw, vectors = self._small(ABOUT_NAME, self._listed[ABOUT_NAME]), self._listed[VECTORS_NAME]
        about = read_about(raw)
        if about.size_bytes > PERSONA_EMBEDDINGS_BYTES:
            raise LimitError(
                sentence("{member} in “{name}” is too large: {limit} KB are the most."),
                member=VECTORS_NAME,
                name=self._name,
                limit=PERSONA_EMBEDDINGS_BYTES >> 10,
            )
        if not about.are_of(persona) or about.size_bytes != vectors.size_bytes:
            raise self._error(_UNFIT, VECTORS_NAME)
        self._keep(ABOUT_NAME, self._listed[ABOUT_NAME], iter([raw]))
        self._keep(VECTORS_NAME, vectors, self._chunks(VECTORS_NAME))

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > PERSONA_BUNDLE_MEMBERS:
            raise self._too_many()
        members: dict[str, zipfile.ZipInfo] = {}
        seen: set[str] = set()
        for info in infos:
            self._check_member(info)
            if same_file(info.filename) in seen:
                raise self._error(sentence("“{member}” stands in “{name}” twice."), info.orig_filename)
            seen.add(same_file(info.filename))
            members[info.filename] = info
        places = sorted((info.header_offset, info.compress_size, len(info.orig_filename)) for info in infos)
        ends = [*(place[0] for place in places[1:]), self._start]
        if places and places[0][0] != 0:
            raise PersonaError(_DAMAGED, name=self._name)
        if any(at + _LOCAL_BYTES + length + size > end for (at, size, length), end in zip(places, ends, strict=False)):
            # Members that share their packed bytes (Fifield, "A better zip bomb", 2019).
            raise PersonaError(_DAMAGED, name=self._name)
        if sum(info.file_size for info in infos) > PERSONA_UNPACKED_BYTES:
            raise self._too_large()
        for info in infos:
            self._check_ratio(info, info.file_size)
        return members

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        parts = name.replace("\\", "/").split("/")
        if "\0" in name or "\\" in name or ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise self._error(sentence("“{member}” in “{name}” points to a place outside of it."), name)
        if info.is_dir() or stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise self._error(sentence("“{member}” in “{name}” is not a plain file."), name)
        if info.flag_bits & _ENCRYPTED:
            raise PersonaError(sentence("“{name}” is protected by a password."), name=self._name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PersonaError(_DAMAGED, name=self._name)
        if name != info.filename or not (name in (MANIFEST_NAME, SIGNATURE_NAME) or is_member_name(name)):
            raise self._error(sentence("“{member}” in “{name}” does not belong into a persona."), name)

    def _check_ratio(self, info: zipfile.ZipInfo, size_bytes: int) -> None:
        if size_bytes > PERSONA_BUNDLE_SMALL and size_bytes > PERSONA_BUNDLE_RATIO * info.compress_size:
            raise LimitError(
                sentence("“{member}” in “{name}” unpacks to more than {limit} times its size, as no document does."),
                member=shown(info.filename),
                name=self._name,
                limit=PERSONA_BUNDLE_RATIO,
            )

    def _check_named(self, persona: Persona, listed: dict[str, Member]) -> None:
        """The files that persona.toml names are those that are there."""
        wanted = {KNOWLEDGE + file.name: Member(file.sha256, file.size_bytes) for file in persona.knowledge}
        if persona.icon_sha256:
            icon = listed.get(ICON_NAME)
            wanted[ICON_NAME] = Member(persona.icon_sha256, icon.size_bytes if icon else 0)
        others = NAMES | {TOML_NAME, INSTRUCTIONS_NAME}
        there = {name: member for name, member in listed.items() if name not in others}
        for name in sorted(wanted.keys() | there.keys()):
            if wanted.get(name) != there.get(name):
                raise self._error(_UNFIT, name)

    def _signer(self, manifest: bytes) -> str:
        if SIGNATURE_NAME not in self._members:
            return ""
        signature = read_json(self._small(SIGNATURE_NAME), SIGNATURE, SIGNATURE_NAME)
        assert isinstance(signature, Signature)
        if not signed_by(signature, manifest):
            raise PersonaError(
                sentence("The signature of “{name}” is wrong. It was changed after its author signed it."),
                name=self._name,
            )
        return signature.public_key

    def _small(self, name: str, listed: Member | None = None) -> bytes:
        """A member that is read whole, no longer than members of its kind may be."""
        most = _MOST[name]
        data = io.BytesIO()
        for block in self._chunks(name):
            data.write(block)
            if data.tell() > most:
                raise LimitError(
                    sentence("{member} in “{name}” is too large: {limit} KB are the most."),
                    member=name,
                    name=self._name,
                    limit=most >> 10,
                )
        raw = data.getvalue()
        if listed is not None and (len(raw), hashlib.sha256(raw).hexdigest()) != (listed.size_bytes, listed.sha256):
            raise self._error(_CHANGED, name)
        return raw

    def _chunks(self, name: str) -> Iterator[bytes]:
        info = self._members[name]
        read = 0
        with self._archive.open(info) as stream:
            while block := stream.read(_BLOCK):
                read += len(block)
                self._left -= len(block)
                if self._left < 0:
                    raise self._too_large()
                self._check_ratio(info, read)
                yield block
        if read != info.file_size:
            raise PersonaError(_DAMAGED, name=self._name)

    def _keep(self, name: str, listed: Member, blocks: Iterator[bytes]) -> None:
        """Check a member, and keep it under a name of ours where something is to be kept."""
        digest, size = hashlib.sha256(), 0
        kept = kept_as(name) if name in NAMES else kept_name(listed.sha256, name)
        with _file(self._folder, kept) as write:
            for block in blocks:
                digest.update(block)
                size += len(block)
                if size > listed.size_bytes:
                    raise self._error(_CHANGED, name)
                write(block)
        if (digest.hexdigest(), size) != (listed.sha256, listed.size_bytes):
            raise self._error(_CHANGED, name)

    def _error(self, template: str, member: str) -> PersonaError:
        return PersonaError(template, name=self._name, member=shown(member), file=TOML_NAME)

    def _too_many(self) -> LimitError:
        template = sentence("“{name}” holds too many files: {limit} are the most.")
        return LimitError(template, name=self._name, limit=PERSONA_BUNDLE_MEMBERS)

    def _too_large(self) -> LimitError:
        template = sentence("“{name}” unpacks to more than {limit} MB, which is the most.")
        return LimitError(template, name=self._name, limit=PERSONA_UNPACKED_BYTES >> 20)


def _check_end(name: str, file: BinaryIO) -> int:
    """Look at the end of a zip file before zipfile reads its directory; gives the place where that begins.

    Nothing may stand around the archive, so that it is no other kind of file too, and its directory is short.
    """
    size = file.seek(0, os.SEEK_END)
    if size > PERSONA_BUNDLE_BYTES:
        raise LimitError(
            sentence("“{name}” is too large: {limit} MB are the most."), name=name, limit=PERSONA_BUNDLE_BYTES >> 20
        )
    tail = min(size, _END.size + _LONG_BYTES)
    file.seek(size - tail)
    end = file.read(tail)
    if size < _END.size or end[-_END.size :][:4] != _END_MARK or end[:4] == _LONG_MARK:
        raise PersonaError(_DAMAGED, name=name)
    _mark, disk, first_disk, here, n_members, directory, start, comment = _END.unpack(end[-_END.size :])
    if n_members > PERSONA_BUNDLE_MEMBERS or directory > _DIRECTORY_BYTES:
        template = sentence("“{name}” holds too many files: {limit} are the most.")
        raise LimitError(template, name=name, limit=PERSONA_BUNDLE_MEMBERS)
    if disk or first_disk or comment or here != n_members or start + directory + _END.size != size:
        raise PersonaError(_DAMAGED, name=name)
    return int(start)


@contextmanager
def _file(folder: Path | None, name: str) -> Iterator[Callable[[bytes], object]]:
    """Where a member's bytes go: durably into a file that is not there yet, or nowhere."""
    if folder is None or (folder / name).exists():
        yield len
        return
    path = folder / name
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        yield file.write
        file.flush()
        os.fsync(file.fileno())
