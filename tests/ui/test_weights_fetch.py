"""The download of a bundle as the window follows it: one progress over all files, pause, failure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress, Stage
from app.ui.bridge import EventBridge
from app.ui.weights_fetch import WeightsFetch
from app.weights_bundle import WeightsBundle
from engine.cancel import CancelToken
from engine.errors import DownloadError
from engine.model.weights_file import WeightsFile

FILES = tuple(
    WeightsFile(name, size, hashlib.sha256(b"").hexdigest(), "MIT", ()) for name, size in (("a", 300), ("b", 700))
)


@dataclass(frozen=True, slots=True)
class _Scripted(WeightsBundle):
    """Comes by itself, or does not."""

    error: Exception | None = None

    def fetch(self, folder: Path, on_progress: Callable[[Progress], None], cancel: CancelToken) -> None:
        for file in self.missing(folder):
            for stage, received in ((Stage.CONNECTING, 0), (Stage.DOWNLOADING, file.size_bytes // 2)):
                on_progress(Progress(stage, "", received, file.size_bytes, 100.0))
            if self.error is not None:
                raise self.error
            on_progress(Progress(Stage.CHECKING, "", file.size_bytes, file.size_bytes))
            (folder / file.file_name).write_bytes(bytes(file.size_bytes))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def fetch_of(pool: ThreadPoolExecutor, folder: Path, error: Exception | None = None) -> WeightsFetch:
    bridge = EventBridge()
    made = WeightsFetch(_Scripted("x", "X", FILES, error), folder, pool.submit, bridge)
    bridge.setParent(made)
    return made


def test_progress_is_of_all_files(qtbot: QtBot, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    fetch = fetch_of(pool, tmp_path)
    told: list[Progress] = []
    fetch.progressed.connect(told.append)
    assert fetch.missing_bytes == 1000
    with qtbot.waitSignal(fetch.fetched):
        fetch.start()
        assert fetch.is_running
    assert {each.total_bytes for each in told} == {1000}
    received = [each.received_bytes for each in told]
    assert received == sorted(received) and received[-1] == 1000 and 650 in received
    assert not fetch.is_running and fetch.progress is None and fetch.missing_bytes == 0


@pytest.mark.parametrize(
    ("error", "signal"), [(CancelledError(), "paused"), (DownloadError("The network is gone."), "failed")]
)
def test_it_can_be_gone_on_with(
    qtbot: QtBot, pool: ThreadPoolExecutor, tmp_path: Path, error: Exception, signal: str
) -> None:
    fetch = fetch_of(pool, tmp_path, error)
    with qtbot.waitSignal(getattr(fetch, signal)) as told:
        fetch.start()
    assert told.args == (["The network is gone."] if signal == "failed" else [])
    assert not fetch.is_running and fetch.missing_bytes == 1000
