"""Printed text in images, by whichever recogniser this machine has: RapidOCR (an extra), else the program Tesseract.

Neither is needed for anything else. Knows no file format; takes pixels.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import Any, Protocol

from engine.errors import DocumentError, sentence

_THREADS = 2
_TESSERACT_S = 60
_SAME_LINE = 0.6
"""Boxes whose middles differ by less than this part of their height stand on one line."""
_MISSING = sentence(
    "“{name}” is a scan or a picture, and nothing is installed that reads print in pictures. "
    "Install Hearth's “ocr” extra, or the program Tesseract, and read it again."
)


class Recogniser(Protocol):
    """Text of an image: an array of height x width x 3 bytes (red, green, blue), lines from top to bottom."""

    def __call__(self, pixels: Any, /) -> str: ...


def missing(name: str) -> DocumentError:
    """For a file that only recognition could read, where there is none."""
    return DocumentError(_MISSING, name=name)


@cache
def recogniser() -> Recogniser | None:
    """The one that this machine has, loaded once; None where it has none."""
    try:
        import rapidocr  # noqa: PLC0415  # an optional extra, and 0.5 s
    except ImportError:
        return _tesseract if shutil.which("tesseract") else None
    engine: Any = rapidocr.RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.log_level": "error",
        }
    )

    def read(pixels: Any) -> str:
        found = engine(pixels[:, :, ::-1])
        if found is None or found.txts is None:
            return ""
        words = [(box.tolist(), str(text)) for box, text in zip(found.boxes, found.txts, strict=True)]
        return in_lines(words)

    return read


def in_lines(words: list[tuple[list[list[float]], str]]) -> str:
    """Words with their corners (x, y) to lines, from top to bottom and from left to right."""
    placed = []
    for corners, text in words:
        ys = [corner[1] for corner in corners]
        placed.append(((min(ys) + max(ys)) / 2, max(ys) - min(ys), min(corner[0] for corner in corners), text))
    lines: list[tuple[float, list[tuple[float, str]]]] = []
    for middle, height, left, text in sorted(placed):
        if lines and abs(lines[-1][0] - middle) < _SAME_LINE * height:
            lines[-1][1].append((left, text))
        else:
            lines.append((middle, [(left, text)]))
    return "\n".join(" ".join(text for _left, text in sorted(line)) for _middle, line in lines)


def _tesseract(pixels: Any) -> str:
    """By its command line; the picture goes in through a pipe as PPM, and nothing is written to disk."""
    height, width = pixels.shape[:2]
    picture: bytes = b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "stdin", "stdout"], input=picture, capture_output=True, timeout=_TESSERACT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()
