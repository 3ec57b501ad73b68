"""Has a graph that was quantised dynamically compute with floats: the same weights, no rounding between its layers.

Processors without instructions for 8-bit products are quicker so, and onnxruntime's `ConvInteger` is slow on all. The
weights stay eight bits wide in the file; onnxruntime makes floats of them when a session is made with `FOLDS`.
Knows no model: what it rewrites is what onnxruntime's `quantize_dynamic` writes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

from engine.onnx_file import ELEMENTS, INT
from engine.onnx_messages import Model

FOLDS = {"session.disable_quant_qdq": "1"}
"""For `engine.onnx_session.session`: makes floats of weights when the graph is loaded, not in each run. Without it,
onnxruntime also puts products of matrices back into eight bits."""
_PRODUCTS = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}
"""Of 8-bit integers, and the same of floats."""
_ROUNDING = ("Floor", "Round", "Cast")
_MOVING = ("Reshape", "Identity")


def in_float(file: bytes) -> bytes:
    """The bytes of an ONNX file, rewritten. Raises `ValueError` for 8-bit products that it does not understand."""
    model = Model.FromString(file)
    graph = model.graph
    products = [node for node in graph.node if node.op_type in _PRODUCTS]
    makers = {name: node for node in graph.node for name in node.output}
    _leave_biases_unrounded(graph, {node.output[0] for node in products}, makers)
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    before = Model().graph
    """What makes floats of the weights stands before all that uses them."""
    floats: dict[str, str] = {}
    for node in products:
        values, weights, _their_zero, *zero = node.input
        if weights not in shapes or values not in makers or makers[values].op_type != "DynamicQuantizeLinear":
            raise ValueError(f"{node.op_type} of something else than values quantised as they come, and weights")
        if weights not in floats:
            # Zero points are one, or one for each output: a convolution's first axis, a matrix's last.
            axis = 0 if node.op_type == "ConvInteger" else len(shapes[weights]) - 1
            shape = shapes[zero[0]] if zero else ()
            steps = _ones(graph, f"{weights}_steps", shape)
            floats[weights] = f"{weights}_float"
            made = before.node.add(op_type="DequantizeLinear", input=[weights, steps, *zero], output=[floats[weights]])
            made.attribute.add(name="axis", i=axis, type=INT)
        node.op_type = _PRODUCTS[node.op_type]
        node.input[:] = [values, floats[weights]]
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            _ones(graph, node.output[1], ())
            del node.output[1:]
            _pass_on(node)
    before.node.extend(graph.node)
    del graph.node[:]
    graph.node.extend(before.node)
    del graph.value_info[:]  # they tell of integers
    rewritten: bytes = model.SerializeToString()
    return rewritten


def _leave_biases_unrounded(graph: Any, sums: set[str], makers: Mapping[str, Any]) -> None:
    """A bias was made an integer, to be added to integers: in steps of one, what is behind its point would be lost."""
    for node in graph.node:
        if node.op_type != "Add" or sums.isdisjoint(node.input):
            continue
        maker = next((makers[name] for name in node.input if name not in sums and name in makers), None)
        while maker is not None and maker.op_type in (*_ROUNDING, *_MOVING):
            if maker.op_type in _ROUNDING:
                _pass_on(maker)
            maker = makers.get(maker.input[0])


def _pass_on(node: Any) -> None:
    """What comes in goes out."""
    node.op_type = "Identity"
    del node.attribute[:]


def _ones(graph: Any, name: str, shape: tuple[int, ...]) -> str:
    values = struct.pack("<f", 1.0) * math.prod(shape)
    graph.initializer.add(name=name, dims=shape, data_type=ELEMENTS["float32"], raw_data=values)
    return name
