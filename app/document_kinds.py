"""Which files that a person gives are documents to be looked into, and which go into the message whole. Reads none."""

from __future__ import annotations

from pathlib import Path

from app.limits import KIB
from rag.recording_kinds import RECORDING_SUFFIXES

WHOLE_BYTES = 32 * KIB
"""A longer text file is looked into as a document; a shorter one is read whole with the message."""
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"})
_DOCUMENTS = RECORDING_SUFFIXES.union(
    """
    .pdf .docx .odt .odp .pptx .xlsx .xls .ods .epub .html .htm .mhtml .mht .rtf .eml .mbox .ipynb .srt .vtt .ass
    """.split()  # noqa: SIM905  # easier to read than a list
)


def is_document(path: Path) -> bool:
    """True for folders, formats that must be taken apart or heard, and long texts. Looks at name and size only."""
    try:
        if path.is_dir():
            return True
        size = path.stat().st_size
    except OSError:
        return False
    suffix = path.suffix.lower()
    return suffix not in _IMAGES and (suffix in _DOCUMENTS or size > WHOLE_BYTES)
