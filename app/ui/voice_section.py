"""The voice page of the settings beyond its plain rows: what hears, the devices and voices there are, and trying them.

Nothing is opened before the page is looked at, and nothing is heard before a click.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import QLocale
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.settings_options import OPTIONS
from app.ui.amounts import reader_locale
from app.ui.found_choice import FoundChoice
from app.ui.library import sentence_of
from app.ui.plain_label import plain_label
from app.ui.sound_level import loudness
from app.ui.voice_weights_row import VoiceWeightsRow, WeightsWords
from app.ui.workspace import Workspace
from app.voice_events import VoiceUse
from app.voice_samples import sample_sentence
from app.weights_bundle import KOKORO, VOICE
from voice.tts.kokoro_files import STYLES
from voice.turn_state import Phase

if TYPE_CHECKING:
    from voice.audio.devices import AudioDevice
    from voice.types import VoiceName

T = TypeVar("T")
_SAMPLE = "a voice that is tried"
"""Stands for a message's id."""


class Row(Protocol):
    """What is needed of the settings dialog's row."""

    control: QWidget

    def add_beneath(self, widget: QWidget) -> None: ...


class VoiceSection(QWidget):
    """Stands above the rows, whose controls it fills (`rows` by their settings)."""

    def __init__(self, workspace: Workspace, rows: Mapping[str, Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._languages: dict[str, str] = {}
        """Of the voices, by their values."""
        self._looking: set[str] = set()
        space = workspace.theme.space
        self.weights = VoiceWeightsRow(workspace.theme, workspace.voice_weights, _hearing_words())
        self.more_voices = VoiceWeightsRow(workspace.theme, workspace.kokoro_weights, _more_voices_words())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.weights)
        column.addWidget(self.more_voices)
        self._choices = {key: control for key, row in rows.items() if isinstance(control := row.control, FoundChoice)}
        self.problem = _caption()
        self.try_button = _small_button(tr("Try it"), tr("Speaks a sentence with this voice and speed."))
        rows["voice.voice"].add_beneath(_beneath(self.try_button, space=space))
        self.test_button = _small_button(tr("Test"), tr("Listens, and shows how loud it is and what was understood."))
        self.level = QProgressBar()
        self.level.setRange(0, 100)
        self.level.setTextVisible(False)
        self.level.setFixedWidth(space(50))
        self.level.setAccessibleName(tr("How loud the microphone hears"))
        self.heard = _caption()
        rows["voice.microphone"].add_beneath(_beneath(self.level, self.test_button, space=space))
        rows["voice.microphone"].add_beneath(self.heard)
        rows["voice.microphone"].add_beneath(self.problem)
        self._connect()
        self.weights.refresh()
        self._show_use()

    def _connect(self) -> None:
        desk = self._workspace.voice
        self.weights.changed.connect(self.test_button.setEnabled)
        self._workspace.kokoro_weights.fetched.connect(self.look)
        desk.changed.connect(self._show_use)
        desk.level_changed.connect(self._on_level)
        desk.heard_so_far.connect(self._on_heard_so_far)
        desk.heard.connect(self._on_heard)
        self.try_button.clicked.connect(self._on_try)
        self.test_button.clicked.connect(self._on_test)
        for choice in self._choices.values():
            choice.wanted.connect(self.look)

    def look(self) -> None:
        """Ask what devices and voices there are now."""
        desk = self._workspace.voice
        if desk.is_attached:
            self._ask("devices", desk.devices, self._on_devices, self._on_no_devices)
            self._ask("voices", desk.voices, self._on_voices, lambda _error: None)

    def _ask(
        self,
        what: str,
        ask: Callable[[], Future[T]],
        done: Callable[[T], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        if what in self._looking:
            return
        self._looking.add(what)

        def ended(tell: Callable[[], None]) -> None:
            self._looking.discard(what)
            tell()

        self._workspace.bridge.then(
            ask(), lambda found: ended(lambda: done(found)), lambda error: ended(lambda: failed(error)), owner=self
        )

    def _on_devices(self, devices: tuple[AudioDevice, ...]) -> None:
        self.problem.hide()
        self._show_devices("voice.microphone", [each for each in devices if each.inputs], inputs=True)
        self._show_devices("voice.loudspeaker", [each for each in devices if each.outputs], inputs=False)

    def _show_devices(self, key: str, devices: Sequence[AudioDevice], *, inputs: bool) -> None:
        names = [each.name for each in devices]
        # Windows lists a device once for each of its sound systems: only their names tell them apart.
        found = [(each.id, each.name if names.count(each.name) == 1 else each.id) for each in devices]
        default = next(
            (each for each in devices if (each.is_default_input if inputs else each.is_default_output)), None
        )
        first = tr("The system's ({name})", name=default.name) if default is not None else tr("The system's")
        self._choices[key].set_found(found, default=first, gone=tr("(not connected)"))

    def _on_no_devices(self, error: BaseException) -> None:
        self.problem.setText(sentence_of(error))
        self.problem.show()

    def _on_voices(self, voices: tuple[tuple[str, VoiceName], ...]) -> None:
        self._languages = {value: voice.language for value, voice in voices}
        own = next(((value, voice) for value, voice in voices if value.startswith("hibari:")), None)
        others = [each for each in voices if own is None or each[0] != own[0]]
        here = [self._workspace.settings.text("voice.language"), reader_locale().name()[:2], "en"]

        def order(each: tuple[str, VoiceName]) -> tuple[int, str, str]:
            language = each[1].language
            return (here.index(language) if language in here else len(here), language_name(language), each[1].name)

        found = [(value, _voice_label(voice)) for value, voice in sorted(others, key=order)]
        default = tr("Hearth's own ({name})", name=_voice_label(own[1])) if own is not None else ""
        self._choices["voice.voice"].set_found(found, default=default, gone=tr("(not on this computer)"))

    # Trying

    def _on_try(self) -> None:
        desk = self._workspace.voice
        if desk.read_message == _SAMPLE:
            desk.stop_reading()
        elif desk.is_attached:
            language = self._languages.get(self._workspace.settings.text("voice.voice"), "en")
            desk.read_aloud(_SAMPLE, sample_sentence(language))

    def _on_test(self) -> None:
        desk = self._workspace.voice
        if desk.is_dictating(self):
            desk.end_dictation()
        elif desk.is_attached:
            self.heard.hide()
            desk.dictate(self)

    def _show_use(self) -> None:
        desk = self._workspace.voice
        self.try_button.setText(tr("Stop") if desk.read_message == _SAMPLE else tr("Try it"))
        tests = desk.is_dictating(self)
        self.test_button.setText(tr("Stop") if tests else tr("Test"))
        self.level.setVisible(tests)
        if not tests:
            self.level.setValue(0)
        elif desk.state.phase is Phase.OPENING:
            self._say(tr("Opening the microphone…"))
        elif desk.state.phase is Phase.LISTENING and not self._has_heard():
            self._say(tr("Say something."))
        if not tests and desk.state.use is not VoiceUse.DICTATION and not self._has_heard():
            self.heard.hide()

    def _has_heard(self) -> bool:
        return self.heard.property("words") is True and not self.heard.isHidden()

    def _say(self, text: str, *, words: bool = False) -> None:
        self.heard.setText(text)
        self.heard.setProperty("words", words)
        self.heard.show()

    def _on_level(self, level: float) -> None:
        if self._workspace.voice.is_dictating(self):
            self.level.setValue(round(100 * max(loudness(level), self.level.value() / 100 * 0.7)))

    def _on_heard_so_far(self, stable: str, tail: str) -> None:
        self._on_heard(f"{stable} {tail}".strip())

    def _on_heard(self, words: str) -> None:
        if self._workspace.voice.is_dictating(self):
            self._say(tr("Understood: “{words}”", words=words), words=True)

    # Qt

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        desk = self._workspace.voice
        if desk.is_dictating(self):
            desk.end_dictation()
        if desk.read_message == _SAMPLE:
            desk.stop_reading()


def _hearing_words() -> WeightsWords:
    name = VOICE.name
    return WeightsWords(
        tr("Models that hear"),
        tr("{name}. Needed for dictation and conversation; not on this computer yet.", name=name),
        tr("{name}. On this computer; nothing that is said leaves it.", name=name),
    )


def _more_voices_words() -> WeightsWords:
    name, count = KOKORO.name, len(STYLES)
    return WeightsWords(
        tr("More voices"),
        tr(
            "{name}: {count} English voices of a much larger network, which takes more of the processor. "
            "Not on this computer yet.",
            name=name,
            count=count,
        ),
        tr("{name}. On this computer: choose one of its {count} voices below.", name=name, count=count),
    )


def language_name(language: str) -> str:
    """What those who speak a language call it; `language` is ISO 639-1."""
    spoken = dict(next(option.choices for option in OPTIONS if option.key == "voice.language"))
    return spoken.get(language) or QLocale(language).nativeLanguageName() if language else ""


def _voice_label(voice: VoiceName) -> str:
    language = language_name(voice.language)
    return f"{voice.name}, {language}" if language and language not in voice.name else voice.name


def _caption() -> QLabel:
    label = plain_label("", "caption")
    label.hide()
    return label


def _small_button(text: str, description: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setAccessibleDescription(description)
    button.setToolTip(description)
    return button


def _beneath(*widgets: QWidget, space: Callable[[float], int]) -> QWidget:
    """A line below a row's control, at the right."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(space(3))
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    return whole
