"""The voice page of the settings, with a scripted voice: devices and voices as they are now, trying them, fetching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress
from app.downloader.order import Stage as DownloadStage
from app.paths import resolve_paths
from app.ui.found_choice import FoundChoice
from app.ui.main_window import MainWindow
from app.ui.settings_dialog import SettingsDialog
from app.ui.voice_section import VoiceSection
from app.voice_samples import sample_sentence
from app.weights_bundle import KOKORO
from tests.ui.test_shell import WAIT_MS, Shell
from tests.ui.voice_posing import NO_SOUND, PosingVoice, pose, put_weights
from voice.turn_state import Phase
from voice.types import VoiceName


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    paths = replace(resolve_paths(tmp_path), models=tmp_path / "models")
    put_weights(paths)
    shell = Shell(qtbot, qapp, paths)
    made = shell.start()
    qtbot.waitUntil(lambda: made.workspace.services is not None, timeout=WAIT_MS)
    yield made
    shell.stop()


@pytest.fixture
def voice(window: MainWindow) -> PosingVoice:
    services = window.workspace.services
    assert services is not None
    return pose(services)


@pytest.fixture
def dialog(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> SettingsDialog:
    made = SettingsDialog(window.workspace)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    return made


def shown(dialog: SettingsDialog) -> VoiceSection:
    dialog.open_group("Voice")
    dialog.show()
    section = dialog.findChild(VoiceSection)
    assert section is not None
    QApplication.processEvents()
    return section


def choice(dialog: SettingsDialog, key: str) -> FoundChoice:
    control = dialog.row(key).control
    assert isinstance(control, FoundChoice)
    return control


def lines(dialog: SettingsDialog, key: str) -> list[str]:
    combo = choice(dialog, key)
    return [combo.itemText(index) for index in range(combo.count())]


def test_devices_and_voices_are_looked_for_when_the_page_is_shown(dialog: SettingsDialog) -> None:
    assert lines(dialog, "voice.microphone") == ["The system's"]
    shown(dialog)
    assert lines(dialog, "voice.microphone") == [
        "The system's (Built-in Microphone)",
        "Built-in Microphone",
        "Desk Microphone",
    ]
    assert lines(dialog, "voice.loudspeaker") == ["The system's (Speakers)", "Speakers"]
    assert lines(dialog, "voice.voice") == [
        "Hearth's own (Heart, English)",
        "Daniel, English",
        "Anna, Deutsch",
        "Amélie, Français",
    ]


def test_a_choice_is_kept_at_once(dialog: SettingsDialog, window: MainWindow) -> None:
    shown(dialog)
    combo = choice(dialog, "voice.microphone")
    combo.setCurrentIndex(2)
    combo.activated.emit(2)
    assert window.workspace.settings.text("voice.microphone") == "ALSA: Desk Microphone"
    dialog.row("voice.microphone").reset_button.click()
    assert window.workspace.settings.text("voice.microphone") == ""


def test_a_device_that_is_gone_stays_listed(dialog: SettingsDialog, window: MainWindow, qtbot: QtBot) -> None:
    window.workspace.settings.set("voice.microphone", "ALSA: Headset")
    window.workspace.settings.set("voice.voice", "system:zoe")
    qtbot.waitUntil(lambda: choice(dialog, "voice.microphone").value == "ALSA: Headset")
    assert choice(dialog, "voice.microphone").currentText() == "Headset", "nobody has looked yet"
    shown(dialog)
    assert choice(dialog, "voice.microphone").currentText() == "Headset (not connected)"
    assert choice(dialog, "voice.voice").currentText() == "zoe (not on this computer)"


def test_a_computer_without_sound_says_so(dialog: SettingsDialog, voice: PosingVoice) -> None:
    voice.sound_fault = NO_SOUND
    section = shown(dialog)
    assert section.problem.isVisible() and "sound of this computer" in section.problem.text()
    voice.sound_fault = None
    section.look()
    QApplication.processEvents()
    assert not section.problem.isVisible()


def test_a_voice_is_tried_in_its_language(dialog: SettingsDialog, window: MainWindow, voice: PosingVoice) -> None:
    section = shown(dialog)
    section.try_button.click()
    assert voice.asked[-1][2] == sample_sentence("en") and section.try_button.text() == "Stop"
    section.try_button.click()
    assert voice.asked[-1] == ("end",) and section.try_button.text() == "Try it"
    window.workspace.settings.set("voice.voice", "system:anna")
    section.try_button.click()
    assert voice.asked[-1][2].startswith("Hallo.")
    dialog.close()
    assert voice.asked[-1] == ("end",), "whoever leaves the page hears no more"


def test_the_microphone_is_tested(dialog: SettingsDialog, window: MainWindow, voice: PosingVoice) -> None:
    section = shown(dialog)
    assert not section.level.isVisible()
    section.test_button.click()
    assert voice.asked == [("dictate",)] and section.test_button.text() == "Stop" and section.level.isVisible()
    voice.phase(Phase.LISTENING)
    assert "Say something" in section.heard.text()
    voice.level(0.1)
    assert section.level.value() > 50
    voice.phase(Phase.USER_SPEAKING)
    voice.so_far("Hello", "wor")
    assert "Hello wor" in section.heard.text()
    voice.text("Hello world.")
    voice.phase(Phase.LISTENING)
    assert "Hello world." in section.heard.text()
    assert window.page.composer.draft.text == "", "it is a test"
    section.test_button.click()
    assert voice.asked[-1] == ("end_dictation",)
    voice.phase(Phase.OFF)
    assert not section.level.isVisible() and "Hello world." in section.heard.text()


def test_weights_are_offered_and_followed(dialog: SettingsDialog, window: MainWindow) -> None:
    paths, fetch = window.workspace.paths, window.workspace.voice_weights
    section = shown(dialog)
    assert "On this computer" in section.weights.about.text() and not section.weights.fetch_button.isVisible()
    assert section.test_button.isEnabled()
    for file in paths.voice.iterdir():
        file.unlink()
    dialog.open_group("Chat")
    dialog.open_group("Voice")
    assert section.weights.fetch_button.isVisible() and "88 MB" in section.weights.fetch_button.text()
    assert not section.test_button.isEnabled()
    fetch.progressed.emit(Progress(DownloadStage.DOWNLOADING, "", 22_000_000, 88_000_000))
    put_weights(paths)
    fetch.fetched.emit()
    assert "On this computer" in section.weights.about.text() and section.test_button.isEnabled()


def test_more_voices_are_offered_and_looked_for_when_they_came(
    dialog: SettingsDialog, window: MainWindow, voice: PosingVoice, qtbot: QtBot
) -> None:
    section, fetch = shown(dialog), window.workspace.kokoro_weights
    row = section.more_voices
    assert "7 English voices" in row.about.text() and "Not on this computer yet" in row.about.text()
    assert row.fetch_button.isVisible() and "96 MB" in row.fetch_button.text()
    folder = window.workspace.paths.voice
    for file in KOKORO.files:
        with (folder / file.file_name).open("wb") as made:
            made.truncate(file.size_bytes)
    voice.known = (*voice.known, ("kokoro:bf_emma", VoiceName("bf_emma", "Kokoro Emma (UK)", "en")))
    fetch.fetched.emit()
    assert "On this computer: choose one of its 7 voices" in row.about.text()
    assert not row.fetch_button.isVisible()
    qtbot.waitUntil(lambda: "Kokoro Emma (UK), English" in lines(dialog, "voice.voice"), timeout=WAIT_MS)


def test_a_closed_page_is_not_told_of_devices(window: MainWindow, voice: PosingVoice, qtbot: QtBot) -> None:
    gone = SettingsDialog(window.workspace)
    gone.open_group("Voice")
    gone.show()
    with qtbot.waitSignal(gone.destroyed):
        gone.close()
    QApplication.processEvents()
