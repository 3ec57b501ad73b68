"""Replace a file in one step: after a crash there is the old one or the new one, never half. Knows no format."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, data: bytes | str, *, mode: int = 0o600) -> None:
    """Write `data` (text as UTF-8) to `path` durably. Raises `OSError`; the old file is then untouched."""
    payload = data.encode("utf-8") if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
        temporary.chmod(mode)
        replace_durably(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_durably(temporary: Path, path: Path) -> None:
    """Make the finished file `temporary`, in the same folder, the file `path`.

    fsync, rename, fsync of the folder (POSIX rename(2) is atomic; on Windows it is MoveFileEx with replace).
    """
    with temporary.open("r+b") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
