"""The download of a bundle of weights, for all windows: begun at a click, followed, paused. Main thread only."""

from __future__ import annotations

from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.downloader.order import Progress, Stage
from app.ui.attachments_reader import Runner
from app.ui.bridge import EventBridge
from app.ui.library import sentence_of
from app.weights_bundle import WeightsBundle
from engine.cancel import CancelToken


class WeightsFetch(QObject):
    """One bundle in one folder. What has come stays on disk, so going on after a pause is cheap."""

    progressed = Signal(object)
    """A `Progress`, over all files of the bundle."""
    paused = Signal()
    failed = Signal(str)
    """A sentence."""
    fetched = Signal()
    _told = Signal(object)
    """From the downloader's thread: `Progress` of one file."""

    def __init__(
        self, bundle: WeightsBundle, folder: Path, run: Runner, bridge: EventBridge, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.bundle = bundle
        self._folder, self._run, self._bridge = folder, run, bridge
        self._cancel: CancelToken | None = None
        self._total = self._before = 0
        """Bytes to fetch in all, and of the files that have come."""
        self._file: Progress | None = None
        self.progress: Progress | None = None
        """None while nothing is fetched."""
        self._told.connect(self._on_told)

    @property
    def is_running(self) -> bool:
        return self._cancel is not None

    @property
    def missing_bytes(self) -> int:
        """0: all is here. Looks at the disk."""
        return sum(file.size_bytes for file in self.bundle.missing(self._folder))

    def start(self) -> None:
        """Begin, or go on."""
        if self._cancel is not None:
            return
        cancel = self._cancel = CancelToken()
        self._total, self._before, self._file = self.missing_bytes, 0, None
        bundle, folder = self.bundle, self._folder
        future = self._run(lambda: bundle.fetch(folder, self._told.emit, cancel))
        self._on_told(Progress(Stage.CONNECTING, "", 0, 0))
        self._bridge.then(future, lambda _nothing: self._end(None), self._end)

    def pause(self) -> None:
        """What has come is kept."""
        if self._cancel is not None:
            self._cancel.cancel()

    def _end(self, error: BaseException | None) -> None:
        self._cancel = self.progress = None
        if error is None:
            self.fetched.emit()
        elif isinstance(error, CancelledError):
            self.paused.emit()
        else:
            self.failed.emit(sentence_of(error))

    def _on_told(self, told: Progress) -> None:
        if self._cancel is None:
            return
        last, self._file = self._file, told
        if last is not None and last.stage is Stage.CHECKING and told.stage is not Stage.CHECKING:
            self._before += last.total_bytes
        received = self._before + told.received_bytes
        left_s = (self._total - received) / told.bytes_per_s if told.bytes_per_s else None
        # Between two files nothing new is connected to, as far as a person is concerned.
        stage = Stage.DOWNLOADING if told.stage is Stage.CONNECTING and received else told.stage
        self.progress = replace(
            told, stage=stage, received_bytes=received, total_bytes=self._total, seconds_left=left_s
        )
        self.progressed.emit(self.progress)
