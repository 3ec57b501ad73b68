"""Builds llama.cpp's own programs from the very source that llama-cpp-python vendors, as honest peers.

They run with the libraries of the installed wheel, so that both sides execute the same machine code.
The build is kept in the cache folder; it takes a few minutes on two cores, once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = ROOT / "packaging" / "locks" / "llama.txt"
PROGRAMS = ("llama-bench", "llama-server")


def wheel_libraries() -> Path:
    """The folder of the installed wheel's shared libraries."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "lib"


def environment(program: Path) -> dict[str, str]:
    """What a peer is started with, so that it finds the wheel's libraries, and its own where the wheel has none."""
    return {**os.environ, "LD_LIBRARY_PATH": f"{wheel_libraries()}:{program.parent}"}


def llama_bench() -> Path:
    """The path of `llama-bench`, built now if it is not in the cache."""
    return _program("llama-bench")


def llama_server() -> Path:
    """The path of `llama-server` without its web page, built now if it is not in the cache."""
    return _program("llama-server")


def _program(name: str) -> Path:
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = platformdirs.user_cache_path("hearth", appauthor=False) / "peers" / key
    if not all((folder / program).exists() for program in PROGRAMS):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            _build(_vendored_source(Path(scratch)), Path(scratch) / "build", folder)
    return folder / name


def _build(source: Path, build: Path, folder: Path) -> None:
    """One configured build for all programs; each appears in `folder` whole or not at all."""
    configure: list[str | Path] = [
        "cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON",
        "-DLLAMA_OPENSSL=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF", "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_BUILD_TESTS=OFF",
        "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_APP=OFF", "-DLLAMA_BUILD_SERVER=ON", "-DLLAMA_BUILD_COMMON=ON",
        "-DLLAMA_BUILD_TOOLS=ON", "-DCMAKE_SKIP_RPATH=ON",
    ]  # fmt: skip
    compile_: list[str | Path] = ["cmake", "--build", build, "-j", str(os.cpu_count() or 2), "--target", *PROGRAMS]
    with (folder / "build.log").open("w") as log:
        subprocess.run(configure, check=True, stdout=log, stderr=log)
        subprocess.run(compile_, check=True, stdout=log, stderr=log)
    shipped = {library.name for library in wheel_libraries().iterdir()}
    for library in (build / "bin").glob("*.so*"):
        if library.name not in shipped:
            shutil.copy(library, folder)
    for program in PROGRAMS:
        part = (folder / program).with_suffix(".part")
        shutil.copy(build / "bin" / program, part)
        part.replace(folder / program)


def _vendored_source(scratch: Path) -> Path:
    """Unpack llama.cpp out of the pinned source distribution."""
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "llama-cpp-python",
            "--require-hashes", "-r", LOCK, "-d", scratch,
        ],
        check=True,
    )  # fmt: skip
    archive = next(scratch.glob("llama_cpp_python-*.tar.gz"))
    shutil.unpack_archive(archive, scratch)
    return next(scratch.glob("llama_cpp_python-*/vendor/llama.cpp"))


if __name__ == "__main__":
    llama_bench()
