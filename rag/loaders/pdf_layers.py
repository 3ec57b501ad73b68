"""Whether forms of a PDF may belong to layers that are off: asked of the file's bytes, as PDFium does not tell.

A form is a stream, and streams never lie within compressed objects, so its key `/OC` (ISO 32000-1, 8.11.3.3) stands in
the file as it is, encrypted or not. A chance hit within packed bytes costs a look at the page's picture, no more.
"""

from __future__ import annotations

import re
from typing import BinaryIO

_KEY = re.compile(rb"/(?:O|#4[Ff])(?:C|#43)[\s/<%]")
"""Any letter of a name may be written by its number (7.3.5)."""
_LONGEST = 9
_BLOCK = 1 << 20


def may_have_layered_forms(file: BinaryIO) -> bool:
    """Reads all of the file; where it stands afterwards is not told."""
    file.seek(0)
    before = b""
    while block := file.read(_BLOCK):
        if _KEY.search(before + block):
            return True
        before = block[-_LONGEST:]
    return False
