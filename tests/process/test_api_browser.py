"""The local API as web pages meet it, in a real browser: a hostile page tries every way it has, and learns nothing.

The browser is Chromium, without a window. Where none is installed there is nothing to be proved: `make clients` brings
one.
"""

from __future__ import annotations

import http.server
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.api.guard import Guard
from tests.process.api_server import GuardedServer, guarded
from tests.process.hostile_requests import CHAT, QUESTION, proper
from tests.process.raw_http import exchange

pytestmark = pytest.mark.beside

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WAIT_S = 60
REBOUND = "rebound.example"
"""A name of the page's owner that leads to this computer."""
_PAGE = Path(__file__).parent.parent / "data" / "hostile_page.html"
HARMLESS = ("refused", "opaque", "closed", "sent", "no")
"""How an attempt may end. `sent` and `closed` tell a page nothing; what came of them the server knows."""


class _Owner(http.server.ThreadingHTTPServer):
    """The hostile page's own server: gives the page, and takes what it learnt."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Giver)
        self.page = b""
        self.learnt: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()


class _Giver(http.server.BaseHTTPRequestHandler):
    server: _Owner

    def do_GET(self) -> None:
        self._answer(self.server.page if self.path == "/" else b"")

    def do_POST(self) -> None:
        self.server.learnt.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def owner() -> Iterator[_Owner]:
    server = _Owner()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


def _learnt_by(owner: _Owner, folder: Path) -> dict[str, str]:
    """What the page learnt in a browser that knows `REBOUND` as a name of this computer."""
    command = [
        _browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={folder}", f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
        "--disable-background-networking", "--remote-debugging-port=0", f"http://127.0.0.1:{owner.server_address[1]}/",
    ]  # fmt: skip
    said = folder / "said.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            return owner.learnt.get(timeout=WAIT_S)
        except queue.Empty:
            raise AssertionError(f"the page told nothing: {said.read_text()[-2000:]}") from None
        finally:
            process.kill()
            process.wait()


def _learnt_from(server: GuardedServer, owner: _Owner, folder: Path) -> dict[str, str]:
    door = server.door
    told = {
        "api": f"http://{door.host}",
        "rebound": f"http://{REBOUND}:{door.port}",
        "token": door.token,
        "path": CHAT,
        "question": QUESTION.decode(),
    }
    page = _PAGE.read_text("utf-8")
    owner.page = page.replace("/* filled in by the test */ null", json.dumps(told)).encode()
    learnt = _learnt_by(owner, folder)
    assert len(learnt) == 20
    return {name: what for name, what in learnt.items() if not what.startswith(HARMLESS)}


def test_a_hostile_page_learns_nothing_and_orders_nothing(owner: _Owner, tmp_path: Path) -> None:
    with guarded() as server:
        assert _learnt_from(server, owner, tmp_path) == {}
        assert server.engine.requests == []
        assert {seen.status for seen in server.seen} <= {401, 403, 404, 405, 415}
        _assert_it_came_as_a_browser_sends_it(server)
        assert exchange(server.door.port, proper(server.door)).statuses == [200], "the same token, and no browser"
        assert len(server.engine.requests) == 1


def test_without_the_guard_it_would(owner: _Owner, tmp_path: Path) -> None:
    def opened(guard: ASGIApp) -> ASGIApp:
        assert isinstance(guard, Guard)
        return CORSMiddleware(guard._app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])

    with guarded(opened) as server:
        learnt = _learnt_from(server, owner, tmp_path)
        assert {"a plain question", "an order with the token", "a worker", "a sandboxed frame"} <= set(learnt)
        assert len(server.engine.requests) >= 5


def _assert_it_came_as_a_browser_sends_it(server: GuardedServer) -> None:
    """So that the page was not refused for nothing: its requests did reach the server."""
    by_page = [seen for seen in server.seen if "sec-fetch-site" in seen.headers or "origin" in seen.headers]
    assert len(by_page) >= 12
    assert {"GET", "POST", "OPTIONS"} <= {seen.method for seen in by_page}
    assert any(seen.headers["host"].startswith(REBOUND) for seen in server.seen)
    assert any(seen.headers.get("origin") == "null" for seen in server.seen)
    assert any(seen.headers.get("content-type") == "text/plain" for seen in server.seen)
