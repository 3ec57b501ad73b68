"""Starts the downloader process and hands its progress home. Holds no network code itself."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from app.downloader import process
from app.downloader.order import DownloadOrder, Progress, Stage
from engine.cancel import CancelToken
from engine.errors import ChecksumError, DownloadError, NoSourceError, sentence

SPEED_WINDOW_S = 5.0
POLL_S = 1.0
_ERRORS = {error.code: error for error in (DownloadError, NoSourceError, ChecksumError)}


def fetch(
    order: DownloadOrder, folder: Path, *, on_progress: Callable[[Progress], None], cancel: CancelToken
) -> Future[Path]:
    """Download one file into `folder`. The future gives its path, or fails with a `DownloadError`.

    `on_progress` is called from a thread of this module. After `cancel` the future ends as cancelled
    (`CancelledError`); what has come stays on disk, and the next call goes on from there.
    """
    future: Future[Path] = Future()
    target = folder / order.file_name
    if target.is_file() and target.stat().st_size == order.size_bytes:
        future.set_result(target)
        return future
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        future.set_exception(
            DownloadError(sentence("The models folder cannot be used ({reason})."), reason=error.strerror)
        )
        return future
    if free < order.size_bytes:
        future.set_exception(
            DownloadError(
                sentence("There is not enough room on the disk: {name} needs {needed:.1f} GB, {free:.1f} GB are free."),
                name=order.file_name,
                needed=order.size_bytes / 1e9,
                free=free / 1e9,
            )
        )
        return future
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(
        target=process.main, args=(theirs, order.to_json(), str(folder)), name="hearth-downloader", daemon=True
    )
    child.start()
    theirs.close()
    cancel.on_cancel(lambda: _stop(ours))
    threading.Thread(
        target=_watch, args=(child, ours, future, on_progress, cancel), name="downloader-watch", daemon=True
    ).start()
    return future


def _stop(connection: Connection) -> None:
    try:
        connection.send_bytes(b"stop")
    except OSError:
        pass  # It has ended already.


def _watch(
    child: BaseProcess,
    connection: Connection,
    future: Future[Path],
    on_progress: Callable[[Progress], None],
    cancel: CancelToken,
) -> None:
    speed = _Speed()
    try:
        while True:
            while not connection.poll(POLL_S):
                if cancel.cancelled and child.is_alive():
                    # It waits for a silent source and cannot hear; the partial file is whole up to its end.
                    child.kill()
            kind, payload = json.loads(connection.recv_bytes())
            if kind == "progress":
                payload["stage"] = Stage(payload["stage"])
                on_progress(speed.measured(Progress(**payload)))
            elif kind == "done":
                future.set_result(Path(payload))
                return
            elif kind == "stopped":
                future.set_exception(CancelledError())
                return
            else:
                kind_of_error = _ERRORS.get(payload["code"], DownloadError)
                future.set_exception(kind_of_error(payload["template"], **payload["fields"]))
                return
    except (EOFError, OSError):
        future.set_exception(
            CancelledError()
            if cancel.cancelled
            else DownloadError(sentence("The downloader ended unexpectedly. Try again: it goes on where it stopped."))
        )
    finally:
        connection.close()
        child.join(timeout=5)


class _Speed:
    """Bytes a second over the last seconds, and the time left at that speed."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def measured(self, progress: Progress) -> Progress:
        now = time.monotonic()
        if progress.stage is not Stage.DOWNLOADING:
            self._marks.clear()
            return progress
        self._marks.append((now, progress.received_bytes))
        while now - self._marks[0][0] > SPEED_WINDOW_S:
            self._marks.popleft()
        seconds = now - self._marks[0][0]
        speed = (progress.received_bytes - self._marks[0][1]) / seconds if seconds > 0.2 else 0.0
        left = (progress.total_bytes - progress.received_bytes) / speed if speed > 0 else None
        return Progress(progress.stage, progress.source, progress.received_bytes, progress.total_bytes, speed, left)
