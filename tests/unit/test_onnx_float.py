"""Graphs that were quantised dynamically, computed with floats: they say the same, and nearer to what is right."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.onnx_file import Graph
from engine.onnx_float import FOLDS, in_float
from engine.onnx_messages import Model
from engine.onnx_session import session

_OPSET = 20
_FLOAT, _INT32 = 1, 6
_CHANNELS, _KERNEL, _LENGTH = 6, 5, 40
Array = NDArray[np.float32]


def quantised(weights: Array, axis: int | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Array]:
    """Eight-bit weights, their zero point and step; for the whole, or for each place on an axis."""
    others = None if axis is None else tuple(each for each in range(weights.ndim) if each != axis)
    low = np.minimum(weights.min(others, keepdims=True), 0)
    step = (np.maximum(weights.max(others, keepdims=True), 0) - low) / 255
    zero = np.round(-low / step)
    eight = np.clip(np.round(weights / step) + zero, 0, 255).astype(np.uint8)
    shape = () if axis is None else (-1,)
    return eight, zero.astype(np.uint8).reshape(shape), step.astype(np.float32).reshape(shape)


@pytest.fixture
def given() -> dict[str, Array]:
    random = np.random.default_rng(3)
    return {
        "sound": random.standard_normal((1, _CHANNELS, _LENGTH)).astype(np.float32),
        "kernels": random.standard_normal((_CHANNELS, _CHANNELS, _KERNEL)).astype(np.float32),
        "bias": random.standard_normal(_CHANNELS).astype(np.float32) / 50,
        "matrix": random.standard_normal((_LENGTH, 8)).astype(np.float32) + 0.5,
    }


def eight_bit_graph(given: dict[str, Array]) -> bytes:
    """A convolution with a bias, and a product with a matrix whose columns have zero points of their own."""
    graph = Graph(_OPSET)
    sound = graph.input("sound", "float32", list(given["sound"].shape))
    eight, zero, step = quantised(given["kernels"], None)
    values, scale, offset = graph.node("DynamicQuantizeLinear", sound, n_outputs=3)
    both = graph.node("Mul", scale, graph.weight(step))
    bias = graph.node("Floor", graph.node("Div", graph.weight(given["bias"]), both))
    bias = graph.node("Cast", bias, to=_INT32)
    bias = graph.node("Reshape", bias, graph.weight(np.array([1, -1, 1], np.int64)))
    sums = graph.node(
        "ConvInteger", values, graph.weight(eight), offset, graph.weight(zero), kernel_shape=[_KERNEL], pads=[2, 2]
    )
    heard = graph.node("Mul", graph.node("Cast", graph.node("Add", sums, bias), to=_FLOAT), both)
    eight, zero, step = quantised(given["matrix"], 1)
    values, scale, offset = graph.node("DynamicQuantizeLinear", heard, n_outputs=3)
    sums = graph.node("MatMulInteger", values, graph.weight(eight), offset, graph.weight(zero))
    both = graph.node("Mul", scale, graph.weight(step))
    result = graph.node("Mul", graph.node("Cast", sums, to=_FLOAT), both)
    graph.output(result, "float32", [1, _CHANNELS, 8])
    return graph.file()


def right(given: dict[str, Array]) -> Array:
    padded = np.pad(given["sound"], ((0, 0), (0, 0), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _KERNEL, axis=2)
    heard = np.einsum("bclk,ock->bol", windows, given["kernels"]) + given["bias"][:, None]
    product: Array = heard @ given["matrix"]
    return product


def error(graph: bytes, given: dict[str, Array], entries: dict[str, str] | None = None) -> float:
    """Mean, of the largest value that is right."""
    said = session(graph, entries=entries).run(None, {"sound": given["sound"]})[0]
    wanted = right(given)
    return float(np.abs(said - wanted).mean() / np.abs(wanted).max())


def test_with_floats_a_graph_says_the_same_and_more_exactly(given: dict[str, Array]) -> None:
    before = eight_bit_graph(given)
    after = in_float(before)
    assert error(before, given) < 0.01
    assert error(after, given, FOLDS) < 0.8 * error(before, given)
    kinds = {node.op_type for node in Model.FromString(after).graph.node}
    assert {"Conv", "MatMul"} <= kinds
    assert kinds.isdisjoint({"ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "Floor"})


def test_a_bias_keeps_what_is_behind_its_point(given: dict[str, Array]) -> None:
    given["bias"][:] = 0.004  # less than a step of the weights
    quiet = {**given, "sound": np.zeros_like(given["sound"])}
    said = session(in_float(eight_bit_graph(given)), entries=FOLDS).run(None, {"sound": quiet["sound"]})[0]
    np.testing.assert_allclose(said, right(quiet), rtol=0.03)


def test_weights_that_two_products_share_are_made_floats_once(given: dict[str, Array]) -> None:
    graph = Graph(_OPSET)
    sound = graph.input("sound", "float32", list(given["sound"].shape))
    eight, _zero, _step = quantised(given["matrix"], None)
    values, _scale, offset = graph.node("DynamicQuantizeLinear", sound, n_outputs=3)
    weights = graph.weight(eight)
    parts = [graph.node("MatMulInteger", values, weights, offset) for _ in range(2)]
    graph.output(graph.node("Sub", *(graph.node("Cast", part, to=_FLOAT) for part in parts)), "float32", [1, 6, 8])
    after = in_float(graph.file())
    assert [node.op_type for node in Model.FromString(after).graph.node].count("DequantizeLinear") == 1
    assert not session(after, entries=FOLDS).run(None, {"sound": given["sound"]})[0].any()


def test_what_was_not_quantised_dynamically_is_refused() -> None:
    graph = Graph(_OPSET)
    numbers = graph.input("numbers", "uint8", [2, 2])
    eye = graph.weight(np.eye(2, dtype=np.uint8))
    graph.output(graph.node("MatMulInteger", numbers, eye, graph.weight(np.uint8(3))), "int32", [2, 2])
    with pytest.raises(ValueError, match="MatMulInteger"):
        in_float(graph.file())


def test_what_a_file_holds_beside_is_kept(given: dict[str, Array]) -> None:
    producer = b"\x12\x05tests"  # field 2 of ModelProto, which is not declared
    assert producer in in_float(eight_bit_graph(given) + producer)
