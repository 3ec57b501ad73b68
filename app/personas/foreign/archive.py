"""A zip file of a stranger, from which single members are read and nothing is extracted. Knows no format.

Looked at before anything is unpacked: how many members, how large, how tightly packed, whether they share their bytes
(Fifield, "A better zip bomb", 2019). `zipfile` never unpacks more of a member than its directory says.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from itertools import pairwise

from app.limits import PERSONA_BUNDLE_RATIO, PERSONA_BUNDLE_SMALL, PERSONA_UNPACKED_BYTES
from engine.errors import LimitError, PersonaError, sentence

MEMBERS = 2_000
"""Cards hold hundreds of pictures, of which one is read."""
_ENCRYPTED = 0x1
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, OSError, EOFError, ValueError, RuntimeError,
    KeyError, OverflowError,
)  # fmt: skip
_DAMAGED = sentence("{name} is damaged: what it holds cannot be read.")
_MADE = (1980, 1, 1, 0, 0, 0)


class Archive:
    """An open zip file; `names` are as it says them, and only ever compared. Raises `PersonaError`, `LimitError`."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _UNREADABLE:
            raise PersonaError(_DAMAGED, name=name) from None
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        self.names = tuple(member.filename for member in members)
        unpacked = sum(member.file_size for member in members)
        too_tight = any(
            member.file_size > PERSONA_BUNDLE_SMALL
            and member.file_size > PERSONA_BUNDLE_RATIO * max(member.compress_size, 1)
            for member in members
        )
        if len(self._zip.infolist()) > MEMBERS or unpacked > PERSONA_UNPACKED_BYTES or too_tight or _overlap(members):
            raise LimitError(sentence("{name} unpacks to more than Hearth reads, so it was left alone."), name=name)
        if len(set(self.names)) < len(self.names):
            raise PersonaError(_DAMAGED, name=name)
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise PersonaError(sentence("{name} is protected by a password. Unpack it first."), name=name)

    def read(self, member: str) -> bytes:
        """A member's bytes."""
        try:
            return self._zip.read(member)
        except _UNREADABLE:
            raise PersonaError(_DAMAGED, name=self._name) from None


def packed(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file, the same for the same members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            member = zipfile.ZipInfo(name, _MADE)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, data)
    return target.getvalue()


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    places = sorted((member.header_offset, member.compress_size) for member in members)
    return any(start + size > following for (start, size), (following, _) in pairwise(places))
