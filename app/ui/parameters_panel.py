"""How answers of one conversation are made: its instructions and its sampling parameters.

Rows come from the settings' declaration. Shows one conversation's values and says how they were changed; keeps none.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.prompting import sampling_of
from app.settings import Settings
from app.settings_options import ANSWERS, OPTIONS, Option
from app.store.types import Conversation
from app.ui.icons import themed_icon
from app.ui.parameter_row import ParameterRow
from app.ui.theme import Theme
from engine.errors import sentence
from engine.types import SamplingParams

_PAUSE_MS = 400
_RANDOM = -1
_SEED = Option(
    "seed",
    _RANDOM,
    sentence("Seed"),
    sentence("The same seed and settings give the same answer again."),
    ANSWERS,
    minimum=_RANDOM,
    maximum=2**31 - 1,
    special=(_RANDOM, sentence("Random")),
)
_SLIDER_TO: dict[str, float] = {"chat.top_k": 200, "chat.max_tokens": 0, "seed": 0}
_SHOWN = ("chat.temperature", "chat.max_tokens")
_FOLDED = ("chat.top_p", "chat.top_k", "chat.min_p", "chat.repeat_penalty")


class ParametersPanel(QScrollArea):
    """Feed it the conversation in view; it waits a moment after the last change before it speaks."""

    changed = Signal(str, object, str)
    """A conversation's id ("" for a chat not begun), its `SamplingParams` or None for the settings' own, and its
    instructions."""
    setting_requested = Signal(str)
    """An option's key: lead to it in the settings."""

    def __init__(self, theme: Theme, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._settings = theme, settings
        self._conversation_id = ""
        self._base: SamplingParams | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Parameters"))

        self._prompt_title = _titled(tr("Instructions"))
        self._prompt = _field(tr("Instructions"), tr("What the model should know or keep to in this chat."))
        self._prompt_help = _captioned(tr("What the model should know or keep to in this chat."))
        self._answers_title = _titled(tr("Answers"))
        declared = {option.key: option for option in OPTIONS} | {_SEED.key: _SEED}
        self._rows = {
            key: ParameterRow(theme, declared[key], slider_to=_SLIDER_TO.get(key))
            for key in (*_SHOWN, *_FOLDED, _SEED.key)
        }
        self._thinking = QPushButton(tr("Thinking: as in settings"))
        self._thinking.setProperty("kind", "link")
        self._thinking.setToolTip(tr("Open this setting"))
        self._more = QToolButton()
        self._more.setText(tr("More"))
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._stop_title = QLabel(tr("Stop at"))
        self._stop = _field(tr("Stop at"), tr("One text a line. The answer ends before any of them."))
        self._stop_help = _captioned(tr("One text a line. The answer ends before any of them."))
        self._folded = QWidget()
        self._reset = QPushButton(tr("Reset to defaults"))
        self._lay_out()

        self._timer = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._emit)
        for row in self._rows.values():
            row.changed.connect(self._on_edited)
        for field in (self._prompt, self._stop):
            field.textChanged.connect(self._on_edited)
        self._thinking.clicked.connect(lambda: self.setting_requested.emit("chat.thinking"))
        self._more.clicked.connect(self._on_more)
        self._reset.clicked.connect(self._on_reset)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_conversation(None)

    def show_conversation(self, conversation: Conversation | None) -> None:
        """Show a conversation's values; None is a chat that has not begun. A change that waits is said first."""
        conversation_id = conversation.id if conversation is not None else ""
        if self._timer.isActive():
            if conversation_id == self._conversation_id:
                return  # what is being changed here is newer than what the store says
            self.flush()
        self._conversation_id = conversation_id
        self._base = conversation.sampling if conversation is not None else None
        self._set_text(self._prompt, conversation.system_prompt if conversation is not None else "")
        general = self._settings.text("chat.system_prompt")
        self._prompt.setPlaceholderText(general or tr("For example: answer briefly, in simple words."))
        self._show_sampling(self._base)

    def flush(self) -> None:
        """Say now what is waiting to be said (the window closes)."""
        if self._timer.isActive():
            self._timer.stop()
            self._emit()

    @property
    def sampling(self) -> SamplingParams | None:
        """What the rows say; None where all is as in the settings."""
        defaults = sampling_of(self._settings)
        seed = int(self._rows[_SEED.key].value)
        chosen = replace(
            self._base or defaults,
            temperature=self._rows["chat.temperature"].value,
            top_k=int(self._rows["chat.top_k"].value),
            top_p=self._rows["chat.top_p"].value,
            min_p=self._rows["chat.min_p"].value,
            repeat_penalty=self._rows["chat.repeat_penalty"].value,
            max_tokens=int(self._rows["chat.max_tokens"].value) or None,
            seed=None if seed == _RANDOM else seed,
            stop=tuple(line for line in self._stop.toPlainText().split("\n") if line),
        )
        return None if chosen == defaults else chosen

    def _lay_out(self) -> None:
        self._inside = QVBoxLayout(self._folded)
        self._inside.setContentsMargins(0, 0, 0, 0)
        for key in (*_FOLDED, _SEED.key):
            self._inside.addWidget(self._rows[key])
        for stop_widget in (self._stop_title, self._stop, self._stop_help):
            self._inside.addWidget(stop_widget)
        page = QWidget()
        page.setProperty("kind", "window")
        self._column = QVBoxLayout(page)
        for widget in (self._prompt_title, self._prompt, self._prompt_help, self._answers_title):
            self._column.addWidget(widget)
        for key in _SHOWN:
            self._column.addWidget(self._rows[key])
        self._column.addWidget(self._thinking, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self._folded)
        self._column.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch(1)
        self._folded.hide()
        self.setWidget(page)

    def _show_sampling(self, sampling: SamplingParams | None) -> None:
        defaults = sampling_of(self._settings)
        for params, put in ((defaults, ParameterRow.set_default), (sampling or defaults, ParameterRow.set_value)):
            for key, value in _numbers(params).items():
                put(self._rows[key], value)
        self._set_text(self._stop, "\n".join((sampling or defaults).stop))
        self._show_reset()

    @staticmethod
    def _set_text(field: QPlainTextEdit, text: str) -> None:
        if field.toPlainText() != text:
            field.blockSignals(True)
            field.setPlainText(text)
            field.blockSignals(False)

    def _show_reset(self) -> None:
        self._reset.setEnabled(self.sampling is not None)

    def _emit(self) -> None:
        self._base = self.sampling
        self.changed.emit(self._conversation_id, self._base, self._prompt.toPlainText())

    def _on_edited(self) -> None:
        self._show_reset()
        self._timer.start()

    def _on_more(self) -> None:
        self._folded.setVisible(self._folded.isHidden())
        self._show_more()

    def _on_reset(self) -> None:
        self._base = None
        self._show_sampling(None)
        self._timer.stop()
        self._emit()

    def _show_more(self) -> None:
        opened = not self._folded.isHidden()
        side = round(16 * self._theme.zoom)
        self._more.setIcon(themed_icon(self._theme, "chevron-down" if opened else "chevron-right", size=side))
        self._more.setText(tr("Less") if opened else tr("More"))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(4), space(3), space(4), space(5))
        self._column.setSpacing(space(3))
        self._inside.setSpacing(space(4))
        self._prompt.setFixedHeight(space(26))
        self._stop.setFixedHeight(space(16))
        self._show_more()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide:
            self.flush()
        return super().event(event)


def _numbers(params: SamplingParams) -> dict[str, float]:
    return {
        "chat.temperature": params.temperature,
        "chat.max_tokens": params.max_tokens or 0,
        "chat.top_p": params.top_p,
        "chat.top_k": params.top_k,
        "chat.min_p": params.min_p,
        "chat.repeat_penalty": params.repeat_penalty,
        _SEED.key: _RANDOM if params.seed is None else params.seed,
    }


def _titled(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", "large")
    return label


def _captioned(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", "caption")
    label.setWordWrap(True)
    return label


def _field(name: str, description: str) -> QPlainTextEdit:
    field = QPlainTextEdit()
    field.setProperty("kind", "field")
    field.setTabChangesFocus(True)
    field.setAccessibleName(name)
    field.setAccessibleDescription(description)
    return field
