"""Where other programs keep their models: read-only scanners that name candidate files. Opens no GGUF file.

Layouts: Ollama manifests and blobs, LM Studio, the Hugging Face cache, llama.cpp's cache, Jan, GPT4All, plain
folders. Never writes, follows links to files only, looks at a capped number of entries.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import ModelFileError, sentence

MAX_ENTRIES = 50_000
"""Folder entries looked at in one store."""
MAX_DEPTH = 8
"""Folders within folders. The Hugging Face cache needs 4."""
MAX_MANIFEST_BYTES = 1024 * 1024
"""An Ollama manifest or a settings file. Real ones have 1 to 20 KB."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OLLAMA_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that should be a model. `name` and `sha256` are what its program says of it, "" if nothing."""

    path: Path
    app: str
    name: str = ""
    sha256: str = ""
    projector: Path | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be used, and the sentence why."""

    path: Path
    app: str
    error: ModelFileError


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: a home folder, the environment, and the platform as `sys.platform` names it."""

    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    platform: str = sys.platform
    system: Path = Path("/")
    """The root of what is installed for everybody."""

    def variable(self, name: str) -> Path | None:
        """A folder named by the environment; `~` is this home."""
        value = self.environment.get(name, "").strip()
        if not value:
            return None
        return self.home / value[2:] if value.startswith("~/") else Path(value)

    @property
    def cache(self) -> Path:
        """The XDG cache folder, on every platform (that is what the programs concerned use)."""
        return self.variable("XDG_CACHE_HOME") or self.home / ".cache"

    def program_data(self, *names: str) -> list[Path]:
        """Where a desktop program of that name keeps its files on this platform."""
        if self.platform == "darwin":
            roots: list[Path | None] = [self.home / "Library" / "Application Support"]
        elif self.platform == "win32":
            roots = [self.variable("APPDATA"), self.variable("LOCALAPPDATA")]
        else:
            share = self.variable("XDG_DATA_HOME") or self.home / ".local" / "share"
            roots = [share, self.variable("XDG_CONFIG_HOME") or self.home / ".config"]
        return [root.joinpath(*names) for root in roots if root is not None]


Scan = Iterator[Candidate | Problem]


def scan_folder(
    root: Path, app: str, *, name_of: Callable[[Path], str] = lambda path: "", needed: bool = False
) -> Scan:
    """All `.gguf` files below `root`, each folder once (links may form loops). Only a `needed` root is missed."""
    entries = 0
    seen: set[tuple[int, int]] = set()
    pending = [(root, 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                found = sorted(listing, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            if needed and folder == root:
                yield Problem(root, app, ModelFileError(sentence("The folder {name} is not there."), name=str(root)))
            continue
        except OSError as error:
            yield Problem(folder, app, unreadable(folder, error))
            continue
        for entry in found:
            entries += 1
            if entries > MAX_ENTRIES:
                too_many = sentence("{name} has very many files; only the first {count} were looked at.")
                yield Problem(root, app, ModelFileError(too_many, name=str(root), count=MAX_ENTRIES))
                return
            path = Path(entry.path)
            if _is(stat.S_ISDIR, path):
                if depth < MAX_DEPTH:
                    pending.append((path, depth + 1))
            elif entry.name.lower().endswith(".gguf"):
                yield _file(path, app, name_of(path))


def ollama(places: Places) -> Scan:
    """Ollama: `manifests/<host>/<namespace>/<model>/<tag>` name blobs by their sha256."""
    chosen = places.variable("OLLAMA_MODELS")
    roots = [chosen] if chosen else [places.home / ".ollama" / "models"]
    if not chosen and places.platform == "linux":
        roots.append(places.system / "usr/share/ollama/.ollama/models")
    for root in roots:
        manifests = root / "manifests"
        for path in _files(manifests):
            yield from _ollama_manifest(root, path, path.relative_to(manifests).parts)


def lm_studio(places: Places) -> Scan:
    """LM Studio: `models/<publisher>/<repository>/<file>` below its home, or a folder from its settings."""
    homes = [places.home / ".lmstudio", places.cache / "lm-studio"]
    pointer = _text(places.home / ".lmstudio-home-pointer")
    if pointer:
        homes.insert(0, Path(pointer))
    for home in dict.fromkeys(homes):
        chosen = _json(home / "settings.json").get("downloadsFolder")
        folders = [home / "models"]
        if isinstance(chosen, str) and chosen:
            folders.insert(0, Path(chosen))
        for folder in dict.fromkeys(folders):
            yield from scan_folder(folder, "LM Studio")


def hugging_face(places: Places) -> Scan:
    """The Hugging Face cache: `models--<org>--<name>/snapshots/<revision>/...` link to blobs named by sha256."""
    home = places.variable("HF_HOME") or places.cache / "huggingface"
    hub = places.variable("HF_HUB_CACHE") or places.variable("HUGGINGFACE_HUB_CACHE") or home / "hub"
    try:
        repositories = sorted(hub.glob("models--*/snapshots"))
    except OSError as error:
        yield Problem(hub, "Hugging Face", unreadable(hub, error))
        return
    for snapshots in repositories:
        repository = snapshots.parent.name.removeprefix("models--").replace("--", "/", 1)
        for found in scan_folder(snapshots, "Hugging Face"):
            if isinstance(found, Problem):
                yield found
                continue
            blob = found.path.resolve().name
            sha256 = blob if _SHA256.fullmatch(blob) else ""
            yield Candidate(found.path, found.app, f"{repository}/{found.path.stem}", sha256)


def llama_cpp(places: Places) -> Scan:
    """llama.cpp's own downloads, a flat folder."""
    folders = [
        places.variable("LLAMA_CACHE"),
        places.cache / "llama.cpp",
        places.home / "Library" / "Caches" / "llama.cpp",
    ]
    local = places.variable("LOCALAPPDATA")
    if local:
        folders.append(local / "llama.cpp")
    for folder in dict.fromkeys(folder for folder in folders if folder):
        yield from scan_folder(folder, "llama.cpp")


def jan(places: Places) -> Scan:
    """Jan: a folder a model, whose file is often just `model.gguf`. Its `model.yml` is not needed."""
    folders = [places.home / "jan" / "models"]
    for data in (*places.program_data("Jan", "data"), *places.program_data("jan", "data")):
        folders += [data / "models", data / "llamacpp" / "models"]

    def name(path: Path) -> str:
        return path.parent.name if path.stem == "model" else ""

    # On a file system that ignores case both spellings are one folder.
    seen: set[tuple[int, int]] = set()
    for folder in dict.fromkeys(folders):
        try:
            status = folder.stat()
        except OSError:  # Not installed here.
            continue
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield from scan_folder(folder, "Jan", name_of=name)


def gpt4all(places: Places) -> Scan:
    """GPT4All, a flat folder."""
    for folder in places.program_data("nomic.ai", "GPT4All"):
        yield from scan_folder(folder, "GPT4All")


STORES: Sequence[Callable[[Places], Scan]] = (ollama, lm_studio, hugging_face, llama_cpp, jan, gpt4all)


def unreadable(path: Path, error: OSError) -> ModelFileError:
    """The sentence for a file or folder that the system does not let us read."""
    return ModelFileError(
        sentence("{name} cannot be read: {reason}."), name=str(path), reason=error.strerror or str(error)
    )


def _ollama_manifest(root: Path, path: Path, parts: tuple[str, ...]) -> Scan:
    name = _ollama_name(parts)
    layers = _json(path).get("layers")
    blobs: dict[str, tuple[Path, str]] = {}
    for layer in layers if isinstance(layers, list) else ():
        kind, digest = (layer.get("mediaType"), layer.get("digest")) if isinstance(layer, dict) else (None, None)
        match = _OLLAMA_DIGEST.fullmatch(digest) if isinstance(digest, str) else None
        if match and isinstance(kind, str):
            blobs.setdefault(kind.rpartition(".")[2], (root / "blobs" / f"sha256-{match[1]}", match[1]))
    if "model" not in blobs:
        error = ModelFileError(sentence("Ollama's entry for {name} cannot be understood."), name=name)
        yield Problem(path, "Ollama", error)
        return
    model, sha256 = blobs["model"]
    projector = blobs["projector"][0] if "projector" in blobs else None
    found = _file(model, "Ollama", name)
    if isinstance(found, Problem):
        yield found
    else:
        yield Candidate(
            model, "Ollama", name, sha256, projector if projector and _is(stat.S_ISREG, projector) else None
        )


def _ollama_name(parts: tuple[str, ...]) -> str:
    """As Ollama itself lists it: without its default host and namespace."""
    host, namespace, model, tag = parts if len(parts) == 4 else ("", "", "/".join(parts[:-1]), parts[-1])
    prefix = "" if host == "registry.ollama.ai" else host
    owner = "" if namespace == "library" else namespace
    return "/".join(part for part in (prefix, owner, model) if part) + f":{tag}"


def _file(path: Path, app: str, name: str) -> Candidate | Problem:
    """A regular file as a candidate; a link to nowhere or anything else as a problem."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        error = ModelFileError(
            sentence("{name} is listed by {app}, but the file is not there."), name=name or path.name, app=app
        )
        return Problem(path, app, error)
    except OSError as error:
        return Problem(path, app, unreadable(path, error))
    if not stat.S_ISREG(mode):
        return Problem(path, app, ModelFileError(sentence("{name} is not a file."), name=path.name))
    return Candidate(path, app, name)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """As `Path.is_file` and the like, but False also where the system forbids to look."""
    try:
        return kind(path.stat().st_mode)
    except OSError:
        return False


def _files(root: Path) -> list[Path]:
    """All regular files below `root`, capped, without following links to folders."""
    files: list[Path] = []
    for folder, folders, names in os.walk(root, followlinks=False):
        folders.sort()
        if len(Path(folder).relative_to(root).parts) >= MAX_DEPTH:
            folders.clear()
        files += [Path(folder) / name for name in sorted(names) if not name.startswith(".")]
        if len(files) > MAX_ENTRIES:
            break
    return [path for path in files[:MAX_ENTRIES] if _is(stat.S_ISREG, path)]


def _text(path: Path) -> str:
    """A small text file's content, "" if there is none that can be read."""
    try:
        if _is(stat.S_ISREG, path) and path.stat().st_size <= MAX_MANIFEST_BYTES:
            return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):  # Another program's file: not ours to complain about.
        pass
    return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(path) or "{}")
    except (ValueError, RecursionError):  # As above; the caller finds nothing in it.
        return {}
    return value if isinstance(value, dict) else {}
