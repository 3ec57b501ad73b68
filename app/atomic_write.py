"""Replace a file in one step: after a crash there is the old one or the new one, never half. Knows no format."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, data: bytes | str, *, mode: int = 0o600) -> None:
    """Write `data` (text as UTF-8) to `path` durably. Raises `OSError`; the old file is then untouched.

    Temporary file beside the target, fsync, rename, fsync of the folder (POSIX rename(2) is atomic;
    Windows' MoveFileEx with replace is what `os.replace` uses there).
    """
    payload = data.encode("utf-8") if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
