"""Hostile documents end soon, take little, are named, and the files after them are read."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from engine.errors import DocumentError
from rag.parsing.client import Parser
from rag.types import Page
from tests.process.hostile_documents import make_all

SECONDS = 30.0
BYTES = 1024 * 1024 * 1024


class Watch:
    """Looks all the time how much memory the parser's process has."""

    def __init__(self, parser: Parser) -> None:
        self.most = 0
        self._parser = parser
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            try:
                if pid := self._parser.pid:
                    self.most = max(self.most, psutil.Process(pid).memory_info().rss)
            except (psutil.Error, ValueError):
                pass  # it has just ended


@pytest.mark.timeout(900)
def test_hostile_documents_stay_harmless(tmp_path: Path) -> None:
    (tmp_path / "hostile").mkdir()
    hostile = make_all(tmp_path / "hostile")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo.txt")
        (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
        hostile += [tmp_path / "fifo.txt", tmp_path / "loop.txt", Path("/dev/zero")]
    assert len(hostile) >= 40
    good = tmp_path / "good.txt"
    good.write_text("The meeting is on Tuesday.")
    parser = Parser()
    watch = Watch(parser)
    bad: list[str] = []
    try:
        for path in hostile:
            started = time.monotonic()
            outcome = "read"
            try:
                for report in parser.read(path):
                    assert not isinstance(report, Page) or "root:" not in report.text
            except DocumentError as error:
                outcome = str(error)
                if path.name not in outcome and path.name != "zero":
                    bad.append(f"{path.name} is not named: {outcome}")
            seconds = time.monotonic() - started
            print(f"{path.name:20} {seconds:5.1f} s {watch.most >> 20:5} MB  {outcome}")
            if seconds > SECONDS or watch.most > BYTES:
                bad.append(f"{path.name}: {seconds:.1f} s, {watch.most >> 20} MB")
            watch.most = 0
            pages = [report for report in parser.read(good) if isinstance(report, Page)]
            if [page.text for page in pages] != ["The meeting is on Tuesday."]:
                bad.append(f"{path.name}: what came after was not read")
    finally:
        watch.close()
        parser.close()
    assert not bad
