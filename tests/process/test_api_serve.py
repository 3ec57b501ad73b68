"""`hearth serve` as a person starts it: a process that says where it listens, answers by its tokens, and ends well."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90


@contextmanager
def hearth(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--data-dir", str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    value: dict[str, Any] = json.loads(line)
    return value


def ask(port: int, token: str, body: object | None = None, path: str = "/v1/chat/completions") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    connection.request("POST" if data else "GET", path, data, headers)
    response = connection.getresponse()
    value = json.loads(response.read())
    connection.close()
    return response.status, value


def run_once(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "app", "--data-dir", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    ).stdout


def ask_the_persona(port: int, token: str, folder: Path) -> None:
    """Its file is in the prompt, is cited without its path, and is processed once."""
    fees = [{"role": "user", "content": "How much does the rowing club of Norrholm ask a year?"}]
    asked = {"model": "persona:boat-keeper", "messages": fees, "max_tokens": 30, "temperature": 0}
    status, value = ask(port, token, asked)
    assert status == 200, value
    # What so small a model writes of its own differs between processors: here it may write one sentence only.
    sentence = "The rowing club of Norrholm asks 240 crowns a year [1]."
    schema = {"name": "fee", "schema": {"const": sentence}}
    cited = {**asked, "max_tokens": 60, "response_format": {"type": "json_schema", "json_schema": schema}}
    status, told = ask(port, token, cited)
    assert status == 200, told
    assert [each["document"] for each in told["hearth"]["citations"]] == ["handbook.md"]
    assert str(folder) not in json.dumps([value, told])
    prompt = value["usage"]["prompt_tokens"]
    plain = ask(port, token, {**asked, "model": "default", "max_tokens": 1})[1]["usage"]["prompt_tokens"]
    assert prompt > plain + 40, "the passage is in the prompt"
    again = ask(port, token, asked)[1]["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert again >= prompt - 1, "a question asked again is the same prompt"


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM is POSIX's")
def test_serve_answers_by_its_tokens_and_ends_when_it_is_told(tmp_path: Path, smollm2: Path) -> None:
    # One thread: two that wait for each other crawl on a busy machine.
    (tmp_path / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")
    handbook = tmp_path / "handbook.md"
    handbook.write_text("# Fees\n\nThe rowing club of Norrholm asks 240 crowns a year.\n", "utf-8")
    run_once(tmp_path, "persona", "new", "Boat keeper", "-f", str(handbook))
    with hearth(tmp_path, "serve", "--port", "0", "--json", "--model", str(smollm2)) as process:
        said = ready(process)
        port = int(said["address"].split(":")[2].split("/")[0])
        token_file = Path(said["token_file"])
        assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
        token = json.loads(token_file.read_text())["tokens"]["hearth"]
        status, models = ask(port, token, path="/v1/models")
        names = [each["id"] for each in models["data"]]
        assert status == 200
        assert "default" in names
        assert smollm2.stem in names
        assert "persona:boat-keeper" in names
        question = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
        for model in ("default", smollm2.stem):
            status, value = ask(port, token, {"model": model, **question})
            assert status == 200, value
            assert value["usage"]["completion_tokens"] >= 1
        ask_the_persona(port, token, tmp_path)
        assert ask(port, "wrong" * 8, {"model": "default", **question})[0] == 401
        editor = run_once(tmp_path, "tokens", "add", "editor").strip()
        assert ask(port, editor, path="/v1/models")[0] == 200
        run_once(tmp_path, "tokens", "revoke", "editor")
        assert ask(port, editor, path="/v1/models")[0] == 401
        with hearth(tmp_path, "serve", "--port", str(port)) as second:
            _out, err = second.communicate(timeout=PATIENCE_S)
            assert second.returncode == 1
            assert str(port) in err
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < end:  # somebody impatient interrupts the end
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        _out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        assert "Traceback" not in err
