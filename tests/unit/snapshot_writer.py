"""Runs in a process of its own: puts snapshots on a shelf, until it is killed or the disk refuses.

`python -m tests.unit.snapshot_writer FOLDER forever` prints a line before each write; `... FOLDER small` may write
files of 20,000 bytes only, and prints what the shelf reports.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from engine.model.snapshots import SnapshotShelf

FINGERPRINT = "f" * 32
STATE_BYTES = 3_000_000


def forever(folder: Path) -> None:
    shelf = SnapshotShelf(folder, 100_000_000, FINGERPRINT)
    number = 0
    while True:
        number += 1
        shelf.save(range(number, number + 500), os.urandom(STATE_BYTES), key=f"conversation {number % 5}")
        print(number, flush=True)
        shelf.flush(60)


def small(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    shelf = SnapshotShelf(folder, 100_000_000, FINGERPRINT, report=lambda line: print(line, flush=True))
    for key, size in (("before", 10_000), ("too large", 30_000), ("after", 10_000)):
        shelf.save(range(100), b"s" * size, key=key)
    shelf.flush(60)
    print([(each.key, len(shelf.load(each) or b"")) for each in shelf.entries()], flush=True)
    shelf.close()


if __name__ == "__main__":
    {"forever": forever, "small": small}[sys.argv[2]](Path(sys.argv[1]))
