"""Whose KV state is it? A short text that is the same only where one context may go on from another's state.

Knows no llama.cpp: whoever asks gives the plain facts.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_END_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A model's file: `size` in bytes, `modified_ns` in nanoseconds since 1970, `ends` the hash of both its ends."""

    size: int
    modified_ns: int
    ends: str


def file_identity(path: Path) -> FileIdentity:
    """Look at the first and the last MiB only; about 2 ms, where a whole file of 1 GB takes a second.

    The first MiB of a GGUF file holds its metadata, the last one numbers of its last tensor, which any training
    changes; length and time of change tell of the rest. Not seen is an edit in the middle that keeps the length and
    sets the time back, which nobody does by accident. Raises `OSError`.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(_END_BYTES))
        file.seek(max(0, status.st_size - _END_BYTES))
        digest.update(file.read(_END_BYTES))
    return FileIdentity(status.st_size, status.st_mtime_ns, digest.hexdigest())


def fingerprint_of(
    file: FileIdentity,
    *,
    n_layer: int,
    n_embd: int,
    kv_types: Sequence[str],
    template: str,
    library_version: str,
    flash_attention: bool,
    more: Sequence[str] = (),
) -> str:
    """32 hexadecimal digits that change with any of the facts.

    `kv_types` are the names of the keys' and the values' type, `template` the chat template's family,
    `library_version` what may change the state's format: llama.cpp's and llama-cpp-python's. `flash_attention`
    changes how values lie in the cache. `more` is for whatever else a state depends on (a rope scaling, say).
    """
    facts = [
        [file.size, file.modified_ns, file.ends],
        [n_layer, n_embd, list(kv_types)],
        [template, library_version, flash_attention],
        list(more),
    ]
    return hashlib.sha256(json.dumps(facts).encode("ascii")).hexdigest()[:32]
