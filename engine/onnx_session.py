"""Runs ONNX graphs with onnxruntime: on processors only, quietly, without threads that spin between runs.

Imported where onnxruntime is wanted; itself it is loaded with the first session (0.1 s, 40 MB).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from functools import cache
from typing import Any

import numpy as np

from engine.cancel import CancelToken
from engine.onnx_file import CONTRIBUTED, Graph

EIGHT_BITS, SEVEN_BITS = 127, 64
"""Largest weights. Processors without 8-bit dot products add pairs of products in 16 bits, which 64 cannot overflow:
2 x 255 x 64 < 32,768. For a model of embeddings that costs 0.002 of cosine."""
_OPSET = 18


def session(graph: bytes | str, threads: int = 1, entries: Mapping[str, str] | None = None) -> Any:
    """An `InferenceSession` of a file's bytes or path. Raises what onnxruntime does: it has no common class.

    `entries` are configuration entries of the session, by onnxruntime's names.
    """
    import onnxruntime  # noqa: PLC0415  # see above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # A spinning thread would burn a core between runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for name, value in (entries or {}).items():
        options.add_session_config_entry(name, value)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run_until(session: Any, feed: Mapping[str, Any], cancel: CancelToken | None) -> list[Any]:
    """All outputs. Ends in the middle, between two nodes of the graph, with `CancelledError`, when it is cancelled."""
    import onnxruntime  # noqa: PLC0415  # see above

    options = onnxruntime.RunOptions()
    if cancel is not None:
        cancel.on_cancel(lambda: setattr(options, "terminate", True))
    try:
        outputs: list[Any] = session.run(None, feed, options)
    except Exception as error:  # what onnxruntime raises has no common class
        if cancel is not None and cancel.cancelled:
            raise CancelledError from error
        raise
    if cancel is not None and cancel.cancelled:
        raise CancelledError
    return outputs


@cache
def largest_weight() -> int:
    """`EIGHT_BITS`, or `SEVEN_BITS` where this processor's products of those overflow. Raises as `session`."""
    row = np.array([[1, 1, 0, 0]], np.float32)
    overflows = session(_probe()).run(None, {"row": row})[0].item() < 1.9
    return SEVEN_BITS if overflows else EIGHT_BITS


def _probe() -> bytes:
    """A graph whose one number, of row (1, 1, 0, 0), is 2 where 8-bit products are added exactly, else less."""
    graph = Graph(_OPSET)
    row = graph.input("row", "float32", [1, 4])
    product = graph.node(
        "DynamicQuantizeMatMul", row, graph.weight(np.full((4, 1), EIGHT_BITS, np.int8)),
        graph.weight(np.full(1, 1 / EIGHT_BITS, np.float32)), domain=CONTRIBUTED,
    )  # fmt: skip
    graph.output(product, "float32", [1, 1])
    return graph.file()
