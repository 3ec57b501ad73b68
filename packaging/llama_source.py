"""The source of llama-cpp-python as it is pinned, with what of it is mended for Hearth. Standard library only.

A mend that finds no place, or more than one, ends the build: the pinned version has changed, and somebody must look.
"""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

PACKAGE = "llama-cpp-python"


class Mend(NamedTuple):
    """`before` stands once in `file` of the unpacked source, and becomes `after`."""

    file: str
    before: str
    after: str


MENDS = (
    # Processors with arithmetic in 16 bits (AVX512-FP16): attention takes so many numbers of a head at a time, and what
    # is left one by one, which for heads of 64 (Qwen2.5 0.5B, SmolLM2, Llama 3.2 1B) is all of them.
    Mend(
        "vendor/llama.cpp/ggml/src/ggml-cpu/simd-mappings.h",
        "#define GGML_F16_STEP 128\n#define GGML_F16_EPR  32\n",
        "#define GGML_F16_STEP 64\n#define GGML_F16_EPR  32\n",
    ),
)


def mended(source: Path) -> None:
    """Carry out all mends. Raises `ValueError` where one does not fit."""
    for mend in MENDS:
        path = source / mend.file
        text = path.read_text(encoding="utf-8")
        if text.count(mend.before) != 1:
            raise ValueError(f"{mend.file} is not as it was when its mend was written")
        path.write_text(text.replace(mend.before, mend.after), encoding="utf-8")


def fetch(python: Path, requirement: str, folder: Path, *, log: Path, environment: dict[str, str]) -> Path:
    """Fetch the source that `requirement` names with its hash into `folder`, unpack and mend it; its folder.

    Raises `subprocess.CalledProcessError` where it cannot be had, and `ValueError` as `mended`.
    """
    pinned = folder / "llama.txt"
    pinned.write_text(requirement)
    with log.open("a") as out:
        subprocess.run(
            [python, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-binary", PACKAGE,
             "--require-hashes", "-r", pinned, "-d", folder],
            env=environment, stdout=out, stderr=subprocess.STDOUT, check=True,
        )  # fmt: skip
    (archive,) = folder.glob("llama_cpp_python-*.tar.gz")
    with tarfile.open(archive) as packed:  # pip has checked its hash
        packed.extractall(folder)
    source = folder / archive.name.removesuffix(".tar.gz")
    mended(source)
    return source
