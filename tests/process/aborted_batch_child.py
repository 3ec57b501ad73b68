"""Runs in a process of its own: aborts a batch of two sequences of a hybrid model, and looks at those that rest.

`python -m tests.process.aborted_batch_child FILE` writes one JSON object to standard output.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

from engine.model.evaluator import Evaluator
from engine.model.llama_library import LlamaLog, lib, start_library
from engine.model.loading import load
from engine.model.sequences import Lane, Lanes
from engine.types import ModelSpec


def resting_states(path: Path, *, to_the_end: bool) -> dict[str, Any]:
    """How a batch of two ended that was to be aborted, and whether what rests is what it was."""
    spec = ModelSpec(path, n_ctx=512, n_cells=1024, n_batch=64, n_ubatch=64, n_threads=1)
    handles = load(spec, LlamaLog(), lambda _share: None)
    lanes, evaluator = Lanes(handles.context, handles.model), Evaluator(handles.context, 64)

    def read(parts: list[tuple[Lane, int]], **how: bool) -> str:
        evaluator.clear()
        for lane, token in parts:
            evaluator.add(lane.id, len(lane.tokens), [token], logits=1)
        outcome = evaluator.run(**how)
        for lane, token in parts:
            lane.tokens.append(token)
        return outcome.value

    def state(lane: Lane) -> bytes:
        size = lib.llama_state_seq_get_size(handles.context, lane.id)
        buffer = (ctypes.c_uint8 * size)()
        lib.llama_state_seq_get_data(handles.context, buffer, size, lane.id)
        return bytes(buffer)

    opened = [lanes.open([50, 51], key=key) for key in "ab"]
    writing = [each.lane for each in opened if each is not None]
    for number, lane in enumerate(writing):
        read([(lane, 60 + number)])
        lanes.checkpoint(lane)
        read([(lane, 70 + number)])
    read([(lane, 80) for lane in writing])
    for lane in writing:
        lanes.checkpoint(lane)
    resting = [lane for lane in lanes._lanes if not lane.active]
    before = [state(lane) for lane in resting]
    evaluator.abort.set()
    outcome = read([(lane, 90) for lane in writing], to_the_end=to_the_end)
    same = [state(lane) for lane in resting] == before
    handles.free()
    return {"outcome": outcome, "resting": len(resting), "same": same}


def main() -> None:
    start_library(LlamaLog(), lambda _line: None)
    path = Path(sys.argv[1])
    report = {name: resting_states(path, to_the_end=name == "kept") for name in ("kept", "aborted")}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
