"""Read the header of a GGUF file: metadata and tensor list, never a byte of tensor data. Knows no model.

Follows the GGUF specification, versions 2 and 3, little endian (`docs/gguf.md` of ggml-org/ggml). A file is
untrusted: everything is capped by the constants below, every tensor must lie within the file, and whatever
is wrong is a `ModelFileError`. What llama.cpp's own reader refuses (arrays within arrays, gaps between
tensors, doubled names) is refused here as well, with a sentence and before a process is risked on it.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from engine.errors import ModelFileError, sentence
from engine.model.gguf_types import SCALAR_FORMATS, TENSOR_TYPES, ValueType

MAX_HEADER_BYTES = 64 * 1024 * 1024
"""All of metadata and tensor list. The largest vocabularies in use (260,000 words with merges) need about 20 MiB."""
MAX_METADATA_ENTRIES = 8_192
"""Key-value pairs. Real files have 20 to 100."""
MAX_TENSORS = 65_536
"""Entries of the tensor list. Real files have 150 to 3,000."""
MAX_KEY_BYTES = 1_024
"""A metadata key. Real ones stay under 80."""
MAX_STRING_BYTES = 4 * 1024 * 1024
"""One string value, chat templates included. Real ones stay under 50 KB."""
MAX_ARRAY_ELEMENTS = 4 * 1024 * 1024
"""Elements of all arrays together; this bounds the time to walk over them."""
MAX_TENSOR_NAME_BYTES = 63
"""ggml keeps names in 64 bytes."""
MAX_DIMENSIONS = 4
"""ggml's own limit."""
MAX_TENSOR_ELEMENTS = 2**63 - 1
"""ggml counts in signed 64 bits."""
KEPT_ARRAY_ELEMENTS = 1_024
"""Of a longer array only the length is kept, unless its key is asked for."""
DEFAULT_ALIGNMENT = 32
_FIRST_READ = 64 * 1024

ArrayValues = tuple[int, ...] | tuple[float, ...] | tuple[bool, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GgufArray:
    """An array of the metadata. `values` is None where only the length was kept."""

    element_type: ValueType
    length: int
    values: ArrayValues | None


MetadataValue = int | float | bool | str | GgufArray


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: `shape` with the fastest dimension first, `offset` in bytes from the start of the data."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    n_elements: int
    size_bytes: int
    offset: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says of itself. `data_offset` is where the tensor data starts."""

    path: Path
    version: int
    metadata: MappingProxyType[str, MetadataValue]
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    file_size: int

    def integer(self, key: str) -> int | None:
        """The value of `key` if it is a whole number."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, key: str) -> str:
        """The value of `key` if it is text, else ""."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def integers(self, key: str) -> tuple[int, ...]:
        """The value of `key` as whole numbers: a kept array's, or a single one's; () if it is neither."""
        value = self.metadata.get(key)
        if isinstance(value, GgufArray) and value.values is not None:
            return tuple(int(item) for item in value.values if isinstance(item, int))
        single = self.integer(key)
        return () if single is None else (single,)

    def array_length(self, key: str) -> int | None:
        """How many elements the array `key` has."""
        value = self.metadata.get(key)
        return value.length if isinstance(value, GgufArray) else None


def read_header(path: Path, *, keep_arrays: Collection[str] = ()) -> GgufHeader:
    """Read and check the header of the GGUF file at `path`.

    Arrays named in `keep_arrays` are kept whole. Takes about 50 ms for a vocabulary of 150,000 words.
    Raises `ModelFileError` for everything that is wrong with the file, and nothing else.
    """
    with _opened(path, keep_arrays) as reader:
        return reader.header()


def read_width(path: Path) -> int:
    """The embedding length of the model at `path`, 0 where it says none. Checks nothing that comes after it.

    It stands before the vocabulary, so this takes less than a millisecond. Raises `ModelFileError`.
    """
    with _opened(path, ()) as reader:
        architecture = ""
        for key, value in reader.entries():
            if key == "general.architecture":
                architecture = str(value)
            elif key == f"{architecture}.embedding_length":
                return value if isinstance(value, int) else 0
        return 0


@contextmanager
def _opened(path: Path, keep_arrays: Collection[str]) -> Iterator[_Reader]:
    try:
        # A FIFO would block `open`, a folder would raise something less clear.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(sentence("{name} is not a file."), name=path.name)
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, 2)
            file.seek(0)
            yield _Reader(path, file, size, keep_arrays)
    except OSError as error:
        raise ModelFileError(
            sentence("{name} cannot be read: {reason}."), name=path.name, reason=error.strerror or str(error)
        ) from error
    except ValueError as error:  # an embedded NUL in the path
        raise ModelFileError(sentence("{name} cannot be read: {reason}."), name=str(path), reason=error) from error


class _Reader:
    """A cursor over the file's first bytes, which are fetched in growing pieces as they are needed."""

    def __init__(self, path: Path, file: BinaryIO, file_size: int, keep_arrays: Collection[str]) -> None:
        self._path = path
        self._file = file
        self._size = file_size
        self._keep = frozenset(keep_arrays)
        self._buffer = bytearray()
        self._position = 0
        self._array_elements = 0
        self._version = 0
        self._n_tensors = 0

    def header(self) -> GgufHeader:
        metadata: dict[str, MetadataValue] = {}
        for key, value in self.entries():
            if key in metadata:
                raise self._damaged(sentence("{name} is damaged: it describes one thing twice. Download it again."))
            metadata[key] = value
        alignment = self._alignment(metadata)
        tensors, data_offset = self._tensors(self._n_tensors, alignment)
        return GgufHeader(
            self._path, self._version, MappingProxyType(metadata), tensors, alignment, data_offset, self._size
        )

    def entries(self) -> Iterator[tuple[str, MetadataValue]]:
        """The metadata in the order of the file, read as far as they are asked for."""
        self._version = self._preamble()
        self._n_tensors = self._count(MAX_TENSORS)
        for _ in range(self._count(MAX_METADATA_ENTRIES)):
            key = self._key()
            yield key, self._value(self._scalar("<I"), key)

    def _preamble(self) -> int:
        """Check the magic number; return the version."""
        if self._size == 0:
            raise ModelFileError(sentence("{name} is empty."), name=self._path.name)
        magic = bytes(self._peek(min(4, self._size)))
        if magic != b"GGUF":
            raise ModelFileError(
                sentence("{name} is not a GGUF model file. Hearth runs models in the GGUF format only."),
                name=self._path.name,
            )
        self._position = 4
        version = self._scalar("<I")
        if version & 0xFFFF == 0 and version:
            raise ModelFileError(
                sentence("{name} was made for big-endian computers and cannot be used on this one."),
                name=self._path.name,
            )
        if version not in (2, 3):
            raise ModelFileError(
                sentence("{name} is in version {version} of the GGUF format; Hearth reads versions 2 and 3."),
                name=self._path.name,
                version=version,
            )
        return version

    def _key(self) -> str:
        key = self._string(MAX_KEY_BYTES, strict=True)
        if not key:
            raise self._damaged(sentence("{name} is damaged: an entry has no name. Download it again."))
        return key

    def _value(self, type_number: int, key: str) -> MetadataValue:
        if type_number == ValueType.STRING:
            return self._string(MAX_STRING_BYTES)
        if type_number == ValueType.ARRAY:
            return self._array(key)
        if type_number not in SCALAR_FORMATS:
            raise self._damaged(sentence("{name} is damaged: it holds an unknown kind of value. Download it again."))
        value: int | float | bool = struct.unpack_from(
            SCALAR_FORMATS[type_number], *self._take(struct.calcsize(SCALAR_FORMATS[type_number]))
        )[0]
        return value

    def _array(self, key: str) -> GgufArray:
        element = self._scalar("<I")
        length = self._count(MAX_ARRAY_ELEMENTS)
        self._array_elements += length
        if self._array_elements > MAX_ARRAY_ELEMENTS:
            raise self._too_much()
        kept = length <= KEPT_ARRAY_ELEMENTS or key in self._keep
        if element == ValueType.STRING:
            if kept:
                return GgufArray(ValueType.STRING, length, self._strings(length))
            self._skip_strings(length)
            return GgufArray(ValueType.STRING, length, None)
        if element not in SCALAR_FORMATS:
            raise self._damaged(sentence("{name} is damaged: it holds an unknown kind of list. Download it again."))
        code = SCALAR_FORMATS[element][1]
        buffer, start = self._take(length * struct.calcsize(f"<{code}"))
        return GgufArray(
            ValueType(element), length, struct.unpack_from(f"<{length}{code}", buffer, start) if kept else None
        )

    def _strings(self, length: int) -> tuple[str, ...]:
        return tuple(self._string(MAX_STRING_BYTES) for _ in range(length))

    def _skip_strings(self, length: int) -> None:
        """Step over `length` strings: the one loop that counts, up to millions of rounds."""
        unpack = struct.Struct("<Q").unpack_from
        buffer, position = self._buffer, self._position
        available = len(buffer)
        for _ in range(length):
            if position + 8 > available:
                self._position = position
                available = self._fetch(8)
            position += 8 + unpack(buffer, position)[0]
            if position > MAX_HEADER_BYTES:
                break
        self._position = position
        self._fetch(0)

    def _tensors(self, n_tensors: int, alignment: int) -> tuple[tuple[TensorInfo, ...], int]:
        """Read the tensor list, and check it against itself and against the file's size."""
        tensors: list[TensorInfo] = []
        names: set[str] = set()
        expected = 0
        for _ in range(n_tensors):
            tensor = self._tensor()
            if tensor.name in names:
                raise self._damaged(sentence("{name} is damaged: it lists one part twice. Download it again."))
            if tensor.offset != expected:
                raise self._damaged(
                    sentence("{name} is damaged: its parts are not where they should be. Download it again.")
                )
            names.add(tensor.name)
            expected += _padded(tensor.size_bytes, alignment)
            tensors.append(tensor)
        data_offset = _padded(self._position, alignment)
        if tensors:
            end = data_offset + max(tensor.offset + tensor.size_bytes for tensor in tensors)
            if end > self._size:
                raise ModelFileError(
                    sentence("{name} is incomplete: {missing} of {expected} bytes are missing. Download it again."),
                    name=self._path.name,
                    missing=end - self._size,
                    expected=end,
                )
        return tuple(tensors), data_offset

    def _tensor(self) -> TensorInfo:
        name = self._string(MAX_TENSOR_NAME_BYTES, strict=True)
        n_dimensions = self._scalar("<I")
        if n_dimensions > MAX_DIMENSIONS:
            raise self._damaged(sentence("{name} is damaged: a part has an impossible shape. Download it again."))
        shape: tuple[int, ...] = struct.unpack_from(f"<{n_dimensions}Q", *self._take(8 * n_dimensions))
        type_number, offset = struct.unpack_from("<IQ", *self._take(12))
        kind = TENSOR_TYPES.get(type_number)
        if kind is None:
            raise ModelFileError(
                sentence("{name} uses a number format (type {type}) that this version of Hearth does not know."),
                name=self._path.name,
                type=type_number,
            )
        n_elements = 1
        for dimension in shape:
            n_elements *= dimension
            if n_elements > MAX_TENSOR_ELEMENTS or dimension > MAX_TENSOR_ELEMENTS:
                raise self._damaged(sentence("{name} is damaged: a part has an impossible size. Download it again."))
        if (shape[0] if shape else 1) % kind.block_elements:
            raise self._damaged(sentence("{name} is damaged: a part has an impossible shape. Download it again."))
        size_bytes = n_elements // kind.block_elements * kind.block_bytes
        return TensorInfo(name, shape, kind.name, n_elements, size_bytes, offset)

    def _alignment(self, metadata: dict[str, MetadataValue]) -> int:
        alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if (
            isinstance(alignment, bool)
            or not isinstance(alignment, int)
            or alignment <= 0
            or alignment & (alignment - 1)
        ):
            raise self._damaged(sentence("{name} is damaged: its alignment is impossible. Download it again."))
        return alignment

    def _count(self, limit: int) -> int:
        count = self._scalar("<Q")
        if count > limit:
            raise self._too_much()
        return count

    def _string(self, limit: int, *, strict: bool = False) -> str:
        length = self._scalar("<Q")
        if length > limit:
            raise self._too_much()
        buffer, start = self._take(length)
        try:
            return buffer[start : start + length].decode(errors="strict" if strict else "replace")
        except UnicodeDecodeError as error:
            raise self._damaged(sentence("{name} is damaged: a name is not text. Download it again.")) from error

    def _scalar(self, code: str) -> int:
        value: int = struct.unpack_from(code, *self._take(struct.calcsize(code)))[0]
        return value

    def _take(self, n_bytes: int) -> tuple[bytearray, int]:
        """The buffer, and where in it the next `n_bytes` start; the cursor moves behind them."""
        self._fetch(n_bytes)
        start = self._position
        self._position += n_bytes
        return self._buffer, start

    def _peek(self, n_bytes: int) -> bytearray:
        self._fetch(n_bytes)
        return self._buffer[self._position : self._position + n_bytes]

    def _fetch(self, n_bytes: int) -> int:
        """Make `n_bytes` from the cursor on available; return the length of the buffer."""
        end = self._position + n_bytes
        if end > self._size:
            raise ModelFileError(
                sentence("{name} is incomplete: it ends within its own description. Download it again."),
                name=self._path.name,
            )
        if end > MAX_HEADER_BYTES:
            raise self._too_much()
        while len(self._buffer) < end:
            wanted = max(end - len(self._buffer), len(self._buffer), _FIRST_READ)
            piece = self._file.read(min(wanted, MAX_HEADER_BYTES - len(self._buffer)))
            if not piece:
                raise ModelFileError(sentence("{name} changed while it was read. Try again."), name=self._path.name)
            self._buffer += piece
        return len(self._buffer)

    def _damaged(self, template: str) -> ModelFileError:
        return ModelFileError(template, name=self._path.name)

    def _too_much(self) -> ModelFileError:
        return ModelFileError(
            sentence("{name} is damaged or not safe to open: its description is far larger than any real model's."),
            name=self._path.name,
        )


def _padded(size: int, alignment: int) -> int:
    return (size + alignment - 1) // alignment * alignment
