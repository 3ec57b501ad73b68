"""Writes a computation as an ONNX file: nodes, weights, inputs and outputs, in the protobuf wire format.

A dozen fields of `onnx.proto` (IR version 10) are all that a small graph needs, so that neither the onnx package nor a
compiler of protobuf is. Knows no model, checks no graph: onnxruntime does that when it loads one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONTRIBUTED = "com.microsoft"
"""The domain of onnxruntime's own operators (`ContribOperators.md`)."""
_IR_VERSION = 10
ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
"""`TensorProto.DataType` by numpy's names."""
FLOAT, INT, INTS = 1, 2, 7
"""Of `AttributeProto.AttributeType`."""

Attribute = int | float | Sequence[int]


@dataclass
class Graph:
    """A graph in the making: nodes in the order they run in, each result known by its name."""

    opset: int
    _nodes: list[bytes] = field(default_factory=list)
    _weights: list[bytes] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)
    _named: int = 0

    def input(self, name: str, element: str, shape: Sequence[int | str]) -> str:
        """A value that is given at each run; a word in `shape` stands for any number."""
        self._inputs.append(_value_info(name, element, shape))
        return name

    def output(self, name: str, element: str, shape: Sequence[int | str]) -> None:
        """A value that each run returns."""
        self._outputs.append(_value_info(name, element, shape))

    def weight(self, values: NDArray[Any]) -> str:
        """A constant array; returns its name."""
        name = self._name()
        kind = _varint_field(2, ELEMENTS[values.dtype.name])
        dims = b"".join(_varint_field(1, size) for size in values.shape)
        data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        self._weights.append(dims + kind + _bytes_field(8, name.encode()) + _bytes_field(9, data))
        return name

    def node(self, kind: str, *inputs: str, domain: str = "", n_outputs: int = 1, **attributes: Attribute) -> Any:
        """Apply an operator; "" leaves an optional input out. Returns the output's name, or a list of several."""
        outputs = [self._name() for _ in range(n_outputs)]
        parts = [_bytes_field(1, name.encode()) for name in inputs]
        parts += [_bytes_field(2, name.encode()) for name in outputs]
        parts.append(_bytes_field(4, kind.encode()))
        parts += [_bytes_field(5, _attribute(name, value)) for name, value in attributes.items()]
        if domain:
            parts.append(_bytes_field(7, domain.encode()))
        self._nodes.append(b"".join(parts))
        return outputs[0] if n_outputs == 1 else outputs

    def file(self) -> bytes:
        """The whole as the bytes of an ONNX file."""
        graph = b"".join(
            [
                *_messages(1, self._nodes),
                _bytes_field(2, b"graph"),
                *_messages(5, self._weights),
                *_messages(11, self._inputs),
                *_messages(12, self._outputs),
            ]
        )
        operators = [_varint_field(2, self.opset), _bytes_field(1, CONTRIBUTED.encode()) + _varint_field(2, 1)]
        return b"".join([_varint_field(1, _IR_VERSION), _bytes_field(7, graph), *_messages(8, operators)])

    def _name(self) -> str:
        self._named += 1
        return f"v{self._named}"


def _value_info(name: str, element: str, shape: Sequence[int | str]) -> bytes:
    sizes = [_bytes_field(2, size.encode()) if isinstance(size, str) else _varint_field(1, size) for size in shape]
    tensor = _varint_field(1, ELEMENTS[element]) + _bytes_field(2, b"".join(_messages(1, sizes)))
    return _bytes_field(1, name.encode()) + _bytes_field(2, _bytes_field(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        kind, content = FLOAT, _key(2, 5) + struct.pack("<f", value)
    elif isinstance(value, int):
        kind, content = INT, _varint_field(3, value)
    else:
        kind, content = INTS, b"".join(_varint_field(8, one) for one in value)
    return _bytes_field(1, name.encode()) + content + _varint_field(20, kind)


def _messages(number: int, contents: Iterable[bytes]) -> list[bytes]:
    return [_bytes_field(number, content) for content in contents]


def _bytes_field(number: int, content: bytes) -> bytes:
    return _key(number, 2) + _varint(len(content)) + content


def _varint_field(number: int, value: int) -> bytes:
    return _key(number, 0) + _varint(value)


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    """Seven bits a byte, least first; a negative number as its 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
