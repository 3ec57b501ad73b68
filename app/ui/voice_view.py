"""The full-window view of a conversation by speech: a picture, the state in words, captions, and a few controls.

Shows what it is told and says what was asked; knows no service and no conversation.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.ui.icons import IconButton
from app.ui.style import set_kind
from app.ui.theme import Theme
from app.ui.toast import announce
from app.ui.voice_buttons import HoldButton, MuteButton
from app.ui.voice_captions import VoiceCaptions
from app.ui.voice_picture import VoicePicture
from app.ui.voice_words import TALKING, hint_text, mood_of, state_text
from app.voice_events import VoiceLevel, VoiceState, VoiceUse
from voice.turn_events import Mode
from voice.turn_state import Phase

_COLUMN_UNITS = 150


class VoiceView(QWidget):
    """Space talks, M mutes; Esc is the window's."""

    key_changed = Signal(bool)
    """Of push-to-talk: the person speaks, or has spoken."""
    mute_requested = Signal(bool)
    mode_requested = Signal(object)
    """A `Mode`."""
    stop_requested = Signal()
    retry_requested = Signal()
    close_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = VoiceState()
        self.escape_keys = ""
        """The window's keys that stop the answer, and close this."""
        self._space_is_down = False
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Talk to Hearth"))
        self.picture = VoicePicture(theme, self)
        self.words = QLabel(self)
        self.hint = QLabel(self)
        self.hint.setProperty("kind", "muted")
        for label in (self.words, self.hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.retry = QPushButton(tr("Try again"), self)
        stays = self.retry.sizePolicy()
        stays.setRetainSizeWhenHidden(True)
        self.retry.setSizePolicy(stays)
        self.captions = VoiceCaptions(theme, self)
        self.hold = HoldButton(theme, self)
        self.mode = QPushButton(tr("Hands-free"), self)
        self.mode.setCheckable(True)
        self.mute = MuteButton(theme, self)
        self.stop = IconButton(theme, "circle-stop", tr("Stop the answer"), size=20, parent=self)
        self.close_button = IconButton(theme, "x", tr("Close"), size=20, parent=self)
        self._lay_out()
        self.hold.held.connect(self.key_changed)
        self.mute.clicked.connect(lambda: self.mute_requested.emit(not self._state.is_muted))
        self.mode.clicked.connect(self._on_mode)
        self.stop.clicked.connect(self.stop_requested)
        self.retry.clicked.connect(self.retry_requested)
        self.close_button.clicked.connect(self.close_requested)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_state(VoiceState(VoiceUse.CONVERSATION, Phase.OPENING))

    def _lay_out(self) -> None:
        centre = Qt.AlignmentFlag.AlignHCenter
        self._top = QHBoxLayout()
        self._top.addStretch(1)
        self._top.addWidget(self.close_button)
        self._talk = QWidget(self)
        self._column = QVBoxLayout(self._talk)
        self._column.addStretch(1)
        self._column.addWidget(self.picture, 0, centre)
        self._column.addWidget(self.words)
        self._column.addWidget(self.hint)
        self._column.addWidget(self.retry, 0, centre)
        captions = QHBoxLayout()
        captions.addStretch(1)
        captions.addWidget(self.captions, 100)
        captions.addStretch(1)
        self._column.addLayout(captions, 3)
        # Equal wings, so that the big button stands in the middle.
        self._left, self._right = QWidget(self._talk), QWidget(self._talk)
        self._wings = (QHBoxLayout(self._left), QHBoxLayout(self._right))
        for wing in (self._left, self._right):
            wing.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._wings[0].addStretch(1)
        self._wings[0].addWidget(self.mode)
        self._wings[1].addWidget(self.stop)
        self._wings[1].addStretch(1)
        self._row = QHBoxLayout()
        self._row.addWidget(self._left, 1)
        self._row.addWidget(self.hold)
        self._row.addWidget(self.mute)
        self._row.addWidget(self._right, 1)
        self._column.addLayout(self._row)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self._talk)
        self._instead = QWidget(self)
        self._middle = QGridLayout(self._instead)
        self._pages.addWidget(self._instead)
        column = self._outer = QVBoxLayout(self)
        column.addLayout(self._top)
        column.addWidget(self._pages, 1)
        order = (self, self.hold, self.mode, self.mute, self.stop, self.retry, self.captions, self.close_button)
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    @property
    def state(self) -> VoiceState:
        """What is on show."""
        return self._state

    def show_state(self, state: VoiceState) -> None:
        """Where the conversation stands."""
        before = state_text(self._state) if self._state.use is VoiceUse.CONVERSATION else ""
        if state.mode is not self._state.mode or state.phase in (Phase.OFF, Phase.ERROR):
            self.hold.let_go()
        self._state = state
        text = state_text(state)
        self.words.setText(text)
        kind = "large" if state.problem else "title"
        if self.words.property("kind") != kind:
            set_kind(self.words, kind)
        self.show_keys()
        self.picture.show_mood(mood_of(state))
        is_talking = state.phase in TALKING
        self.stop.setEnabled(is_talking)
        is_hands_free = state.mode is Mode.HANDS_FREE
        self.mode.setChecked(is_hands_free)
        self.hold.setVisible(not is_hands_free)
        self.mute.setVisible(is_hands_free or state.is_muted)
        self.retry.setVisible(bool(state.problem))
        if text != before and self.isVisible():
            announce(self, text)

    def show_level(self, level: VoiceLevel) -> None:
        """How loud it is at the moment."""
        self.picture.show_level(level.spoken if self._state.phase in TALKING else level.heard)

    def show_keys(self) -> None:
        """Name the keys where they help."""
        space, mute = _key_text("Space"), _key_text("M")
        self.hint.setText(hint_text(self._state, space, mute))
        self.hold.setToolTip(f"{tr('Hold to talk')}  {space}")
        self.mute.set_muted(self._state.is_muted, shortcut=mute)
        self.stop.set_label(tr("Stop the answer"), shortcut=self.escape_keys)
        self.close_button.set_label(tr("Close"), shortcut=self.escape_keys)
        hands_free = tr("Listen all the time, not only while a key is held")
        self.mode.setToolTip(hands_free)
        self.mode.setAccessibleDescription(hands_free)

    def show_instead(self, page: QWidget) -> None:
        """Show `page`, in the middle, in place of all but the button to close."""
        if self._middle.indexOf(page) < 0:
            self._middle.addWidget(page, 0, 0, Qt.AlignmentFlag.AlignCenter)
        self._pages.setCurrentWidget(self._instead)

    def show_talk(self) -> None:
        """Picture, captions and controls."""
        self._pages.setCurrentWidget(self._talk)

    def _on_mode(self) -> None:
        self.mode_requested.emit(Mode.HANDS_FREE if self.mode.isChecked() else Mode.PUSH_TO_TALK)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._outer.setContentsMargins(space(3), space(2), space(3), space(2))
        self._outer.setSpacing(0)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(space(2))
        self._row.setSpacing(space(4))
        for wing in self._wings:
            wing.setContentsMargins(0, 0, 0, 0)
            wing.setSpacing(space(2))
        # Nothing moves when it goes.
        self.hint.setMinimumHeight(QFontMetrics(self._theme.font()).lineSpacing())
        self.captions.setMaximumWidth(space(_COLUMN_UNITS))
        self.captions.setMinimumHeight(space(16))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or event.key() not in (
            Qt.Key.Key_Space,
            Qt.Key.Key_M,
        ):
            super().keyPressEvent(event)
        elif event.isAutoRepeat() or self._pages.currentWidget() is not self._talk:
            event.accept()
        elif event.key() == Qt.Key.Key_M:
            self.mute.click()
        else:
            self._space_is_down = True
            self.hold.begin()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif self._space_is_down and not event.isAutoRepeat():
            self._space_is_down = False
            self.hold.finish()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._space_is_down:
            self._space_is_down = False
            self.hold.let_go()


def _key_text(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
