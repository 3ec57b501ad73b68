"""Dictation into the composer of one window: pressed and held, words as they come, and where the last of them go.

Nothing is ever sent. Whoever turns to another chat meanwhile finds the words in the draft of the one they were said
in. Knows no device and no recogniser: `VoiceDesk` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QKeySequence

from app.dictated_words import seamed
from app.downloader.order import Progress
from app.i18n import tr
from app.store.types import Draft
from app.ui.amounts import bytes_text
from app.ui.composer import Composer
from app.ui.composer_microphone import Stage
from app.ui.held_key import HeldKey
from app.ui.toast import Toasts, announce
from app.ui.workspace import Workspace
from voice.turn_state import Phase

HOLD_MS = 300
"""Whoever presses longer means to speak while it is held."""


@dataclass(frozen=True, slots=True)
class _Left:
    """What was being written in a chat when another one was opened."""

    conversation_id: str
    draft: Draft
    after: str
    """The part of its text that stands behind the place of dictation."""

    def with_words(self, words: str, language: str) -> _Left:
        before = self.draft.text[: len(self.draft.text) - len(self.after)]
        text = before + seamed(before, words, self.after, language=language) + self.after
        return replace(self, draft=replace(self.draft, text=text))


class Dictation(QObject):
    """Main thread only. `keep_draft` puts a draft away for a chat that is not on show."""

    changed = Signal()
    """It is on or off now."""

    def __init__(
        self,
        workspace: Workspace,
        composer: Composer,
        toasts: Toasts,
        keep_draft: Callable[[str, Draft], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._composer, self._toasts, self._keep = workspace, composer, toasts, keep_draft
        self._was_on = False
        self._phase = Phase.OFF
        self._began_by_press = False
        self._left: _Left | None = None
        self._stable = ""
        """Words that stay of what is being said."""
        self._hold = QTimer(self, singleShot=True, interval=HOLD_MS)
        self._held_key = HeldKey(self)
        self._held_key.let_go.connect(self.let_go)
        composer.microphone.pressed_down.connect(self.press)
        composer.microphone.let_go.connect(self.let_go)
        composer.dictation_end_requested.connect(self.end)
        desk, fetch = workspace.voice, workspace.voice_weights
        desk.changed.connect(self._on_voice)
        desk.level_changed.connect(self._on_level)
        desk.heard_so_far.connect(self._on_heard_so_far)
        desk.heard.connect(self._on_heard)
        fetch.progressed.connect(self._on_fetching)
        fetch.fetched.connect(self._on_fetched)
        fetch.paused.connect(self._on_fetch_paused)
        fetch.failed.connect(self._on_fetch_failed)
        if fetch.progress is not None:
            self._on_fetching(fetch.progress)

    @property
    def is_on(self) -> bool:
        """It listens, or the last words are still on their way."""
        return self._workspace.voice.is_dictating(self)

    def press_key(self, sequences: Iterable[QKeySequence]) -> None:
        """The command was given, by its keys (these) or in a menu."""
        if self._held_key.is_held:
            return
        self._held_key.press(sequences)
        self.press()
        if not self._held_key.is_held:
            self.let_go()

    def press(self) -> None:
        """Begin, or end what was begun by a click."""
        if self.is_on:
            self._began_by_press = False
            self.end()
        else:
            self._began_by_press = self.begin()
            self._hold.start()

    def let_go(self) -> None:
        """After a short press it goes on."""
        was_click = self._hold.isActive()
        self._hold.stop()
        if self._began_by_press and not was_click:
            self.end()
        self._began_by_press = False

    def begin(self) -> bool:
        """Listen; False where something is missing first, which is said."""
        workspace = self._workspace
        if not workspace.voice.is_attached:
            return False
        if workspace.voice_weights.missing_bytes:
            self._offer_weights()
            return False
        self._left, self._stable = None, ""
        self._composer.begin_dictation()
        if not self._composer.microphone.hasFocus():  # else its key may be held
            self._composer.setFocus()
        workspace.voice.dictate(self)
        return True

    def end(self) -> None:
        """What has been said is still written down."""
        self._workspace.voice.end_dictation()

    def leave(self, conversation_id: str) -> None:
        """The window turns away from this chat: what was said belongs to it."""
        if not self.is_on:
            return
        self.end()
        if not self._workspace.voice.is_dictating(self):
            return  # nothing more will come
        _before, after = self._composer.around_dictation()
        self._left = _Left(conversation_id, self._composer.draft, after)
        self._composer.end_dictation()

    def close(self) -> None:
        """The window goes, and nobody will be there for the last words: those that are known are written."""
        if self.is_on:
            self.end()
            self._write(self._composer.provisional_words if self._left is None else self._stable)
            self._composer.end_dictation()

    # What the voice tells

    def _on_voice(self) -> None:
        is_on = self.is_on
        self._composer.microphone.set_stage(self._stage())
        self._composer.show_dictation(self._hint())
        before, self._phase = self._phase, self._workspace.voice.state.phase
        came_back = self._phase is Phase.LISTENING and before not in (Phase.LISTENING, Phase.OPENING)
        if is_on and came_back and self._stable:
            self._write(self._stable)  # the turn ended without its words: those that were sure are kept
        if is_on == self._was_on:
            return
        self._was_on = is_on
        if is_on:
            announce(self._composer, tr("Dictation is on"))
        else:
            self._write(self._stable)
            self._composer.end_dictation()
            self._left = None
            announce(self._composer, tr("Dictation is off"))
        self.changed.emit()

    def _stage(self) -> Stage:
        if not self.is_on:
            return Stage.OFF
        if self._workspace.voice.is_ending:
            return Stage.ENDING
        opening = self._workspace.voice.state.phase in (Phase.OFF, Phase.OPENING, Phase.ERROR)
        return Stage.OPENING if opening else Stage.LISTENING

    def _hint(self) -> str:
        if self._left is not None:
            return ""
        return {
            Stage.OFF: "",
            Stage.OPENING: tr("Opening the microphone…"),
            Stage.LISTENING: tr("Listening…"),
            Stage.ENDING: tr("Writing down…"),
        }[self._stage()]

    def _on_level(self, level: float) -> None:
        if self.is_on:
            self._composer.microphone.show_level(level)

    def _on_heard_so_far(self, stable: str, tail: str) -> None:
        if self.is_on:
            self._stable = stable
            if self._left is None:
                self._composer.show_provisional(stable, tail)

    def _on_heard(self, words: str) -> None:
        if self.is_on:
            self._write(words)

    def _write(self, words: str) -> None:
        self._stable = ""
        left = self._left
        if left is None:
            self._composer.write_dictated(words)
        elif words:
            self._left = left.with_words(words, self._workspace.settings.text("voice.language"))
            self._keep(left.conversation_id, self._left.draft)

    # The weights

    def _offer_weights(self) -> None:
        fetch = self._workspace.voice_weights
        if fetch.progress is not None:
            self._toasts.show(self._composer.microphone.accessibleDescription(), action=tr("Pause"), run=fetch.pause)
            return
        size = bytes_text(fetch.missing_bytes)
        self._toasts.show(
            tr("The models that hear are not on this computer yet ({size}). They work without the network.", size=size),
            action=tr("Fetch them"),
            run=fetch.start,
        )

    def _on_fetching(self, progress: Progress) -> None:
        self._composer.microphone.show_fraction(progress.fraction)

    def _on_fetched(self) -> None:
        self._composer.microphone.show_fraction(None)
        if self._composer.isVisible():
            self._toasts.show(tr("You can dictate now."), action=tr("Dictate"), run=self._on_begin)

    def _on_begin(self) -> None:
        self.begin()

    def _on_fetch_paused(self) -> None:
        self._composer.microphone.show_fraction(None)

    def _on_fetch_failed(self, why: str) -> None:
        self._composer.microphone.show_fraction(None)
        if self._composer.isVisible():
            self._toasts.show(why, action=tr("Try again"), run=self._workspace.voice_weights.start)
