"""Runs in a process of its own: loads an embedding model, and embeds what standard input lists.

`python -m tests.process.embedding_child MODEL N_CTX` reads a JSON list of lists of texts, and writes one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path

from engine.errors import HearthError
from engine.model.embedding_runner import EmbeddingRunner
from engine.model.llama_library import LlamaLog, start_library
from engine.types import ModelSpec

if __name__ == "__main__":
    path, n_ctx = sys.argv[1:]
    lists: list[list[str]] = json.load(sys.stdin)
    log = LlamaLog()
    start_library(log, lambda line: None)
    try:
        runner = EmbeddingRunner.load(ModelSpec(Path(path), n_ctx=int(n_ctx) or None), log, lambda fraction: None)
    except HearthError as error:
        print(json.dumps({"refused": str(error)}))
        sys.exit()
    loaded = dataclasses.asdict(runner.loaded) | {"path": path}
    counts = runner.count(lists[0])
    vectors, seconds = [], []
    for texts in lists:
        began = time.perf_counter()
        vectors.append(runner.embed(texts))
        seconds.append(time.perf_counter() - began)
    result = {"loaded": loaded, "counts": counts, "vectors": vectors, "seconds": seconds, "beats": runner.beats}
    runner.close()
    print(json.dumps(result))
