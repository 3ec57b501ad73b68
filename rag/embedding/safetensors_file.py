"""Reads the float32 arrays of a safetensors file, which is a JSON table and numbers: nothing in it can run.

Eight bytes of length, the table, then the data (format description of the safetensors project). The file is mapped,
not read: arrays are views, and what is never looked at costs no memory. Knows no model.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import EmbedderError, sentence

MAX_TABLE_BYTES = 1_000_000


def read_float32(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays by name; those of other types are left out. Raises `EmbedderError`."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        (length,) = struct.unpack_from("<Q", mapped)
        if length > MAX_TABLE_BYTES:
            raise ValueError("its table is too long")
        table = json.loads(mapped[8 : 8 + length])
        arrays = {}
        for name, entry in table.items():
            if entry.get("dtype") == "F32":
                shape = tuple(int(size) for size in entry["shape"])
                start, end = entry["data_offsets"]
                if end - start != 4 * math.prod(shape) or start < 0:
                    raise ValueError(f"{name} has another size than its shape")
                flat = np.frombuffer(mapped, "<f4", math.prod(shape), 8 + length + start)
                arrays[name] = flat.reshape(shape)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise EmbedderError(
            sentence("The weights {name} cannot be read ({reason})."), name=path.name, reason=str(error)
        ) from error
    return arrays
