"""The shelf: KV states of token sequences on disk, so that what was read once is not computed again.

Follows what llama.cpp's server calls its prompt cache, but on disk: which of the kept sequences has most in common
with a prompt, least recently used out first, one background thread that writes. Knows no llama.cpp and no
conversation: states are bytes, keys are text. The file format is `engine.model.snapshot_file`'s.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.model import snapshot_file
from engine.model.snapshot_choice import Snapshot, choose
from engine.model.snapshot_file import DamagedSnapshotError, ForeignSnapshotError, Header, State
from engine.model.snapshot_queue import WriteQueue

__all__ = ["Snapshot", "SnapshotShelf"]

SPARE_BYTES = 1_000_000_000
"""Left free on the disk for what matters more."""
MOST_WAITING_BYTES = 1_000_000_000
"""States in memory that wait to be written; more of them are not taken."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    snapshot: Snapshot
    state: State


class SnapshotShelf:
    """Any thread. Nothing raises: what the disk refuses is `report`ed (never with words of a prompt) and done without.

    Only files of `fingerprint` are found (`engine.model.fingerprint`), but those of all others count to `max_bytes`,
    and the least recently used of all go first. Two processes may share a folder.
    """

    def __init__(
        self, folder: Path, max_bytes: int, fingerprint: str, *, report: Callable[[str], None] = lambda _line: None
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._fingerprint = fingerprint
        self._report = report
        self._lock = threading.Lock()
        self._kept: dict[Path, Snapshot] = {}
        self._queue = WriteQueue(self._write, lambda unwanted: self._drop([unwanted.snapshot]))
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            snapshot_file.remove_abandoned(folder)
            self._make_room(0)
            self._read_index()
        except OSError as error:
            self._say("The snapshots cannot be read", error)

    @property
    def max_bytes(self) -> int:
        return self._max_bytes

    @property
    def disk_bytes(self) -> int:
        """What all snapshots in the folder take, also those of other models."""
        try:
            return snapshot_file.bytes_in(self._folder)
        except OSError:
            return 0

    def entries(self) -> tuple[Snapshot, ...]:
        """All that can be found, also what is not written yet."""
        # In this order: what has been written is kept before it leaves the queue.
        waiting = {each.snapshot.path: each.snapshot for each in self._queue.items()}
        with self._lock:
            return tuple((self._kept | waiting).values())

    def longest(self, tokens: Sequence[int], variant: str = "", *, whole: bool = False) -> tuple[Snapshot, int] | None:
        """The snapshot that shares most tokens with `tokens` from the beginning, and how many; None if none does.

        With `whole` (for models that cannot forget a part) only one whose tokens all are there; that may be all
        of `tokens`. Of several the smallest, then the last used.
        """
        return choose(self.entries(), tokens, variant, whole=whole)

    def holds(self, tokens: Sequence[int], *, key: str, variant: str = "") -> bool:
        """Whether exactly this is on the shelf, so that it need not be saved again."""
        wanted = array("i", tokens)
        return any(
            (snapshot.key, snapshot.variant) == (key, variant) and snapshot.tokens == wanted
            for snapshot in self.entries()
        )

    def save(self, tokens: Sequence[int], state: State, *, key: str, variant: str = "") -> None:
        """Put a sequence on the shelf, in place of those of the same key and variant that it goes on from.

        Returns at once; `state` is not copied, so do not change it. From now on it is found, and `load` gives it
        from memory until it is written. Refused quietly: an empty one, and one larger than the shelf.
        """
        header = Header(self._fingerprint, key, variant, len(tokens), len(state))
        if not tokens or not state or snapshot_file.file_bytes(header) > self._max_bytes:
            return
        path = snapshot_file.new_path(self._folder, self._fingerprint, key)
        snapshot = Snapshot(path, key, variant, array("i", tokens), len(state), time.time())
        self._queue.discard(lambda each: snapshot.goes_on_from(each.snapshot))
        if sum(len(each.state) for each in self._queue.items()) + len(state) > MOST_WAITING_BYTES:
            self._report("A snapshot was not taken: too many wait to be written.")
            return
        self._queue.put(path, _Waiting(snapshot, state))

    def load(self, snapshot: Snapshot) -> bytes | None:
        """The state, checked, and marked as used; None if it is gone or damaged (it is then removed)."""
        waiting = self._queue.get(snapshot.path)
        if waiting is not None:
            return bytes(waiting.state)  # no copy where it is bytes already
        now = time.time()
        try:
            header, tokens, state = snapshot_file.read_all(snapshot.path)
            if header.fingerprint != self._fingerprint or tokens != snapshot.tokens:
                raise DamagedSnapshotError("another file")
            snapshot_file.mark_used(snapshot.path, now)
        except (DamagedSnapshotError, ForeignSnapshotError):
            self._report("A damaged snapshot was removed.")
            self._drop([snapshot])
            return None
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._say("A snapshot cannot be read", error)
            with self._lock:
                self._kept.pop(snapshot.path, None)
            return None
        with self._lock:
            if snapshot.path in self._kept:
                self._kept[snapshot.path] = replace(snapshot, used_at=now)
        return state

    def forget(self, key: str) -> None:
        """Remove what was saved under this key, by any model, also what waits to be written. "" is everything."""
        self._queue.discard(lambda each: key in ("", each.snapshot.key))
        with self._lock:
            self._kept = {path: each for path, each in self._kept.items() if key not in ("", each.key)}
        try:
            if key:
                snapshot_file.remove_key(self._folder, key)
            else:
                snapshot_file.remove_all(self._folder)
        except OSError as error:
            self._say("A snapshot cannot be removed", error)

    def clear(self) -> None:
        """Remove everything, of every model."""
        self.forget("")

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits to be written; False if that took longer."""
        return self._queue.flush(timeout_s)

    def close(self) -> None:
        """End the thread after the file it is at; what else waits is lost (`flush` first). Idempotent."""
        self._queue.close()

    # The queue's thread

    def _write(self, waiting: _Waiting) -> None:
        """Write one, in place of those that it goes on from. What the disk refuses is said if it is still wanted."""
        snapshot, state = waiting.snapshot, waiting.state
        header = Header(self._fingerprint, snapshot.key, snapshot.variant, len(snapshot.tokens), len(state))
        size = snapshot_file.file_bytes(header)
        with self._lock:
            older = [each for each in self._kept.values() if snapshot.goes_on_from(each)]
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(size, first=older)
            if shutil.disk_usage(self._folder).free - size < SPARE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            snapshot_file.write(snapshot.path, header, snapshot.tokens, state)
        except OSError as error:
            if self._queue.get(snapshot.path) is not None:
                self._say("A snapshot was not written", error)
            return
        with self._lock:
            self._kept[snapshot.path] = snapshot
        self._drop(older)

    def _make_room(self, size: int, first: Sequence[Snapshot] = ()) -> None:
        """Remove files until `size` more bytes fit: those that are to be replaced, then the least recently used."""
        found = snapshot_file.files_in(self._folder)
        replaced = {snapshot.path for snapshot in first}
        taken = sum(file.size for file in found) + size
        gone = set(self._kept) - {file.path for file in found}
        for file in sorted((file for file in found if file.is_whole), key=lambda file: file.path not in replaced):
            if taken <= self._max_bytes:
                break
            file.path.unlink(missing_ok=True)
            taken -= file.size
            gone.add(file.path)
        with self._lock:
            for path in gone:
                self._kept.pop(path, None)

    def _read_index(self) -> None:
        for file in snapshot_file.files_in(self._folder):
            if not file.is_whole or not snapshot_file.is_of_fingerprint(file.path, self._fingerprint):
                continue
            try:
                header, tokens = snapshot_file.read_index(file.path)
            except DamagedSnapshotError:
                self._report("A damaged snapshot was removed.")
                file.path.unlink(missing_ok=True)
                continue
            except (ForeignSnapshotError, OSError):
                continue
            if header.fingerprint == self._fingerprint:
                self._kept[file.path] = Snapshot(
                    file.path, header.key, header.variant, tokens, header.state_bytes, file.used_at
                )

    def _drop(self, snapshots: Sequence[Snapshot]) -> None:
        """Out of the index, and off the disk."""
        with self._lock:
            for snapshot in snapshots:
                self._kept.pop(snapshot.path, None)
        for snapshot in snapshots:
            try:
                snapshot.path.unlink(missing_ok=True)
            except OSError as error:
                self._say("A snapshot cannot be removed", error)

    def _say(self, what: str, error: OSError) -> None:
        self._report(f"{what}: {error.strerror or type(error).__name__}.")
