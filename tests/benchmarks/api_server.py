"""The local API over one model, in a process of its own, for measuring: python -m tests.benchmarks.api_server OPTIONS

OPTIONS are JSON: {"model", "threads", "n_ctx"}. Says its port in a line of JSON; each line it is given is answered by
what it holds then: answers under way, requests in line, sequences in use, bytes of memory with its worker.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import psutil

from app.api.admission import Admission
from engine.types import ModelSpec
from engine.worker.client import EngineClient
from tests.unit.api_bench import serving

LOAD_S = 120
LINE = 256


def main() -> None:
    options = json.loads(sys.argv[1])
    spec = ModelSpec(
        Path(options["model"]), n_ctx=options["n_ctx"], n_threads=options["threads"], n_gpu_layers=0, speculate=False
    )
    with closing(EngineClient()) as engine:
        engine.load(spec).result(LOAD_S)
        with serving(engine, admission=Admission(line=LINE)) as api:
            print(json.dumps({"port": api.port}), flush=True)
            for _line in sys.stdin:
                active = sum(entry.active for entry in engine.cache().result(LOAD_S).entries)
                here = psutil.Process()
                held = sum(each.memory_info().rss for each in (here, *here.children(recursive=True)))
                print(
                    json.dumps(
                        {
                            "running": api.admission.running,
                            "waiting": api.admission.waiting,
                            "active": active,
                            "bytes": held,
                        }
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
