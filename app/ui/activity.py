"""What Hearth is doing as a whole, in one word. Main thread only. Knows no window and no icon."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.ui.live_answers import LiveAnswers
from app.ui.model_flow import ModelFlow
from app.ui.voice_desk import VoiceDesk
from app.ui.weights_fetch import WeightsFetch
from app.voice_events import VoiceUse


class Doing(StrEnum):
    """The most telling of what goes on, in this order."""

    LISTENING = "listening"
    ANSWERING = "answering"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    """A download waits to be gone on with."""
    READY = "ready"


def doing_text(doing: Doing) -> str:
    """For a person."""
    match doing:
        case Doing.LISTENING:
            return tr("Listening to you")
        case Doing.ANSWERING:
            return tr("Answering")
        case Doing.DOWNLOADING:
            return tr("Downloading")
        case Doing.PAUSED:
            return tr("Download paused")
        case Doing.READY:
            return tr("Ready")


class Activity(QObject):
    """Follows answers, voice and downloads."""

    changed = Signal()

    def __init__(
        self,
        answers: LiveAnswers,
        voice: VoiceDesk,
        models: ModelFlow,
        weights: WeightsFetch,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._answers, self._voice, self._models, self._weights = answers, voice, models, weights
        self._paused: set[str] = set()
        self._weights_paused = False
        self.doing = Doing.READY
        answers.changed.connect(self._look)
        voice.changed.connect(self._look)
        models.download_progressed.connect(self._on_model_goes_on)
        models.download_paused.connect(self._on_model_paused)
        models.download_failed.connect(self._on_model_goes_on)
        models.downloaded.connect(self._on_model_goes_on)
        weights.progressed.connect(self._on_weights_go_on)
        weights.paused.connect(self._on_weights_paused)
        weights.failed.connect(self._on_weights_go_on)
        weights.fetched.connect(self._on_weights_go_on)

    def _on_model_goes_on(self, key: str, *_more: object) -> None:
        self._paused.discard(key)
        self._look()

    def _on_model_paused(self, key: str) -> None:
        self._paused.add(key)
        self._look()

    def _on_weights_go_on(self, *_more: object) -> None:
        self._weights_paused = False
        self._look()

    def _on_weights_paused(self) -> None:
        self._weights_paused = True
        self._look()

    def _look(self) -> None:
        if self._voice.state.use in (VoiceUse.CONVERSATION, VoiceUse.DICTATION):
            doing = Doing.LISTENING
        elif self._answers.generating:
            doing = Doing.ANSWERING
        elif self._models.progress or self._weights.progress is not None:
            doing = Doing.DOWNLOADING
        elif self._paused or self._weights_paused:
            doing = Doing.PAUSED
        else:
            doing = Doing.READY
        if doing is not self.doing:
            self.doing = doing
            self.changed.emit()
