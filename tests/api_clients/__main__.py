"""`make clients`: each client in turn, what it did, and whether that was right.

python -m tests.api_clients [--only llm,lm-eval,schemathesis,pages]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.api_clients import evaluation, prompts, schema
from tests.api_clients.clients_environment import install_browser, make_environment
from tests.api_clients.pages import run_pages
from tests.conftest import QWEN_SMALL, weights_path
from tests.process.served import Served, served

Client = Callable[[Path, Served, Path], str]
"""Given the clients' programs, the server, and a folder of its own; tells what was seen, or raises `AssertionError`."""
CLIENTS: dict[str, Client] = {"llm": prompts.run, "lm-eval": evaluation.run, "schemathesis": schema.run}
PAGES = "pages"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join((*CLIENTS, PAGES)))
    chosen = parser.parse_args(arguments).only.split(",")
    failed = 0
    if clients := [name for name in CLIENTS if name in chosen]:
        programs = make_environment()
        with tempfile.TemporaryDirectory() as name, served(Path(name) / "served", weights_path(QWEN_SMALL)) as server:
            for client in clients:
                folder = Path(name) / client
                folder.mkdir()
                failed += _tried(client, lambda client=client, folder=folder: CLIENTS[client](programs, server, folder))
    if PAGES in chosen:
        print(install_browser(), flush=True)
        failed += _tried(PAGES, run_pages)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _tried(name: str, run: Callable[[], str]) -> int:
    try:
        seen = run()
    except AssertionError as error:
        print(f"{name}: FAILED\n{error}", flush=True)
        return 1
    print(f"{name}: {seen}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
