"""Write the hash-pinned locks in `packaging/locks` anew from pyproject.toml. Needs `uv` on the PATH.

base.txt  what `make run` installs
dist.txt  base, and what makes an installed program of it
dev.txt   base, the optional readers, and the tools of `make check` and `make test`
torch.txt what stands on torch, without torch itself: which of its files is right depends on the machine
llama.txt llama-cpp-python alone, built from source by setup_environment.py

The locks hold for every system and Python we support (markers) and name no index.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "packaging" / "locks"
HEADER = "# Written by `make lock`; do not edit.\n"


def compile_lock(
    name: str,
    *arguments: str,
    source: str = "pyproject.toml",
    stdin: str | None = None,
    left_out: tuple[str, ...] = (),
) -> None:
    """`left_out`: packages that others call needed and that we do without; the locks are installed as they stand."""
    lock = LOCKS / name
    command = [
        "uv", "pip", "compile", source, *arguments, "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet",
    ]  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as nowhere:
        nowhere.writelines(f"{package} ; python_version < '3'\n" for package in left_out)
        nowhere.flush()
        command += ["--overrides", nowhere.name]
        text = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True, input=stdin).stdout
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("--")]
    lock.write_text(HEADER + "".join(lines))


def main() -> None:
    LOCKS.mkdir(exist_ok=True)
    # A tokeniser needs no client for a model hub, and a program without a network has none. pyobjc stands for 170
    # packages, of which speaking needs one.
    unneeded = ("huggingface-hub", "pyobjc")
    base = ("--extra", "build", "--no-emit-package", "llama-cpp-python")
    compile_lock("base.txt", *base, left_out=unneeded)
    compile_lock("dist.txt", *base, "--extra", "dist", left_out=unneeded)
    # faster-whisper opens files with PyAV, whose wheels carry encoders under the GPL; it is given samples here.
    compile_lock("dev.txt", *base, "--extra", "dev", "--extra", "ocr", left_out=(*unneeded, "av"))
    same = ("--constraints", str(LOCKS / "dev.txt"))
    # torch brings the triton that fits it.
    compile_lock("torch.txt", *base, "--extra", "torch", *same, left_out=("torch", "triton", "pyobjc"))
    pinned = next(
        line.strip().strip('",')
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if "llama-cpp-python==" in line
    )
    compile_lock("llama.txt", "--no-deps", "--no-binary", "llama-cpp-python", source="-", stdin=pinned + "\n")


if __name__ == "__main__":
    main()
