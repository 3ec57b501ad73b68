"""Snapshot files: a token sequence and its KV state, one file each, and the folder that they lie in.

A file is a fixed prefix, a JSON header, the tokens as int32 and the state as llama.cpp gave it, all in this machine's
byte order: the files are a cache that never leaves it. Three CRC-32 guard header, tokens and state against a damaged
disk (every burst of up to 32 wrong bits is seen, of other damage all but one in 2**32); nothing here guards against
other programs of the same user. CRC-32 because it is the fastest check in the standard library (100 MB on a Xeon core:
30 ms, against 92 ms for SHA-256 and 165 ms for BLAKE2b), and a state is checked while a person waits.

Names carry hashes of fingerprint and key, so that a key's files are found without opening any. Knows neither
llama.cpp nor what is worth keeping; any thread, any process.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import struct
import time
import zlib
from array import array
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from engine.atomic_write import replace_durably

VERSION = 1
SUFFIX = ".kvstate"
TOKEN_BYTES = 4
State = bytes | bytearray
_MAGIC = b"HEARTHKV"
_PREFIX = struct.Struct("=8sIII")  # magic, version, length of the header, CRC-32 of the header
_MOST_HEADER_BYTES = 64 * 1024
_PART = ".part"
_STALE_S = 600.0
"""No file takes longer to be written than this."""
_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}\.kvstate(\.(?P<writer>\d+)\.part)?")


class DamagedSnapshotError(Exception):
    """The file is not what was written."""


class ForeignSnapshotError(Exception):
    """A file of another version."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file holds: whose state (`fingerprint`), what it is forgotten by (`key`), what else it depends on."""

    fingerprint: str
    key: str
    variant: str
    n_tokens: int
    state_bytes: int


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A snapshot's file, or one that is being written. `used_at` in seconds since 1970."""

    path: Path
    size: int
    used_at: float

    @property
    def is_whole(self) -> bool:
        return self.path.suffix == SUFFIX


def new_path(folder: Path, fingerprint: str, key: str) -> Path:
    """A name that no file has yet."""
    return folder / f"{_hashed(fingerprint)}-{_hashed(key)}-{secrets.token_hex(8)}{SUFFIX}"


def is_of_fingerprint(path: Path, fingerprint: str) -> bool:
    """By the name alone."""
    return path.name.startswith(_hashed(fingerprint) + "-")


def file_bytes(header: Header) -> int:
    """How long the file will be."""
    return _PREFIX.size + len(_header_json(header, 0, 0)) + header.n_tokens * TOKEN_BYTES + header.state_bytes


def write(path: Path, header: Header, tokens: array[int], state: State) -> None:
    """Write the file so that it is there whole or not at all, also after a power cut. Raises `OSError`."""
    token_bytes = tokens.tobytes()
    head = _header_json(header, zlib.crc32(token_bytes), zlib.crc32(state))
    part = path.with_name(f"{path.name}.{os.getpid()}{_PART}")
    try:
        with open(part, "xb", opener=_private) as file:  # Path.open knows no opener
            file.write(_PREFIX.pack(_MAGIC, VERSION, len(head), zlib.crc32(head)))
            file.write(head)
            file.write(token_bytes)
            file.write(state)
        replace_durably(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_index(path: Path) -> tuple[Header, array[int]]:
    """Header and tokens, checked; the state is not read, only its length.

    Raises `DamagedSnapshotError`, `ForeignSnapshotError` and `OSError`.
    """
    with path.open("rb") as file:
        header, tokens, _ = _read_head(file)
        return header, tokens


def read_all(path: Path) -> tuple[Header, array[int], bytes]:
    """Everything, checked. Raises as `read_index`."""
    with path.open("rb") as file:
        header, tokens, state_sum = _read_head(file)
        state = file.read(header.state_bytes)
    if zlib.crc32(state) != state_sum:
        raise DamagedSnapshotError("state")
    return header, tokens, state


def mark_used(path: Path, now: float) -> None:
    """Let the file be the last to go. Raises `OSError`."""
    os.utime(path, (now, now))


def files_in(folder: Path) -> list[FoundFile]:
    """All snapshots of all models, least recently used first, also those being written. Other files are not seen."""
    found = []
    try:
        for entry in os.scandir(folder):
            if _NAME.fullmatch(entry.name):
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # removed meanwhile
                found.append(FoundFile(Path(entry.path), status.st_size, status.st_mtime))
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda file: file.used_at)


def bytes_in(folder: Path) -> int:
    """What the snapshots in a folder take. Raises `OSError`; a folder that is not there is empty."""
    return sum(file.size for file in files_in(folder))


def keys_in(folder: Path) -> set[str]:
    """The keys of all whole snapshots, of every model. Raises `OSError`."""
    keys = set()
    for file in files_in(folder):
        if file.is_whole:
            try:
                keys.add(read_index(file.path)[0].key)
            except (DamagedSnapshotError, ForeignSnapshotError, FileNotFoundError):
                continue
    return keys


def remove_all(folder: Path) -> None:
    """Remove every snapshot, of every model. Raises `OSError`."""
    for file in files_in(folder):
        file.path.unlink(missing_ok=True)


def remove_key(folder: Path, key: str) -> None:
    """Remove the snapshots of one key, of every model. Raises `OSError`."""
    wanted = _hashed(key)
    for file in files_in(folder):
        if file.path.name.split("-")[1] == wanted:
            file.path.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove what processes that are gone left half written. Raises `OSError`."""
    for file in files_in(folder):
        match = _NAME.fullmatch(file.path.name)
        assert match is not None
        writer = match["writer"]
        if writer and (file.used_at < time.time() - _STALE_S or not psutil.pid_exists(int(writer))):
            file.path.unlink(missing_ok=True)


def _read_head(file: BinaryIO) -> tuple[Header, array[int], int]:
    """Header, tokens and the state's checksum; the file then stands at the state, whose length is right."""
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        raise DamagedSnapshotError("prefix")
    magic, version, length, head_sum = _PREFIX.unpack(prefix)
    if magic != _MAGIC:
        raise DamagedSnapshotError("magic")
    if version != VERSION:
        raise ForeignSnapshotError(f"version {version}")
    if length > _MOST_HEADER_BYTES:
        raise DamagedSnapshotError("header")
    head = file.read(length)
    if zlib.crc32(head) != head_sum:
        raise DamagedSnapshotError("header")
    try:
        values = json.loads(head)
        tokens_sum, state_sum = (int(values.pop(name), 16) for name in ("tokens_sum", "state_sum"))
        header = Header(**values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedSnapshotError("header") from error
    token_bytes = file.read(header.n_tokens * TOKEN_BYTES)
    if zlib.crc32(token_bytes) != tokens_sum:
        raise DamagedSnapshotError("tokens")
    if os.fstat(file.fileno()).st_size != file.tell() + header.state_bytes:
        raise DamagedSnapshotError("length")
    tokens = array("i")
    tokens.frombytes(token_bytes)
    return header, tokens, state_sum


def _header_json(header: Header, tokens_sum: int, state_sum: int) -> bytes:
    """Of a length that does not depend on the sums."""
    values = asdict(header) | {"tokens_sum": f"{tokens_sum:08x}", "state_sum": f"{state_sum:08x}"}
    return json.dumps(values, separators=(",", ":")).encode("ascii")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
