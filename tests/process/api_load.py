"""Many clients of the local API at once: requests of every kind, some of whose senders leave in the middle.

Knows the port and the token, nothing of the server. Deterministic but for what threads make of it.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass

PATIENCE_S = 120.0
WORDS = ("red", "tower", "why", "seven", "rain", "harbour")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and whether its sender leaves before the answer."""

    path: str
    body: dict[str, object]
    leaves: bool


def mixed(count: int, seed: int, leaving: float = 0.1) -> list[Ask]:
    """So many requests: continued and scored texts, chats whole and in pieces, with one answer or two."""
    rng = random.Random(seed)
    asks = []
    for _ in range(count):
        words = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(2, 16)))
        leaves = rng.random() < leaving
        tokens = 400 if leaves else rng.randrange(1, 5)
        kind = rng.randrange(4)
        body: dict[str, object] = {"model": "default", "max_tokens": tokens}
        if kind < 2:
            body["prompt"] = words
            if kind:
                body |= {"max_tokens": 1, "echo": True, "logprobs": 1}
            asks.append(Ask("/v1/completions", body, leaves))
        else:
            body |= {
                "messages": [{"role": "user", "content": words}], "stream": kind == 2, "n": rng.choice([1, 1, 2]),
            }  # fmt: skip
            asks.append(Ask("/v1/chat/completions", body, leaves))
    return asks


def send(port: int, token: str, asks: list[Ask], *, at_once: int = 8) -> Counter[int]:
    """Send all of them; how many were answered with which status."""
    work = list(reversed(asks))
    lock = threading.Lock()
    statuses: Counter[int] = Counter()

    def run() -> None:
        while True:
            with lock:
                if not work:
                    return
                ask = work.pop()
            status = _send(port, token, ask)
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=run) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def _send(port: int, token: str, ask: Ask) -> int:
    """The status; 0 for who left."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", ask.path, json.dumps(ask.body).encode(), headers)
        if ask.leaves:
            if ask.body.get("stream"):
                connection.getresponse().read(20)
            return 0
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
