"""What `hearth talk` listens and speaks with: the settings, and what the command line says before them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.cli_talk import chosen_for
from app.command_line import Arguments
from app.paths import Paths
from app.personas.persona import SpeechStyle
from app.settings import Settings
from app.voice_choice import KnownVoices, all_voices
from engine.errors import VoiceError
from tests.unit.chat_bench import disposable_paths
from voice.types import VoiceChoice


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return disposable_paths(tmp_path)


@pytest.fixture
def settings(paths: Paths) -> Settings:
    settings = Settings.load(paths.settings_file)
    for key, value in (
        ("voice.microphone", "the one on the desk"),
        ("voice.cancels_echo", False),
        ("voice.voice", "system:gmw/de"),
        ("voice.speed", 1.25),
        ("voice.language", "de"),
    ):
        settings.override(key, value)
    return settings


def test_the_settings_count_but_for_what_the_command_line_says(paths: Paths, settings: Settings) -> None:
    arguments = Arguments(command="talk")
    setup, choice, language = chosen_for(arguments, paths, settings)
    assert (setup.microphone, setup.cancels_echo) == ("the one on the desk", False)
    assert (choice, language) == (VoiceChoice("gmw/de", 1.25), "de")
    said = replace(arguments, speed=0.75, language="fr")
    assert chosen_for(said, paths, settings) == (setup, VoiceChoice("gmw/de", 0.75), "fr")


def test_a_persona_is_heard_as_it_says_unless_the_command_line_says_otherwise(paths: Paths, settings: Settings) -> None:
    arguments, style = Arguments(command="talk"), SpeechStyle("system:gmw/en", "es", 1.5)
    setup, choice, language = chosen_for(arguments, paths, settings, style)
    assert setup == chosen_for(arguments, paths, settings)[0]
    assert (choice, language) == (VoiceChoice("gmw/en", 1.5), "es")
    said = replace(arguments, speed=1.0, language="fr")
    assert chosen_for(said, paths, settings, style)[1:] == (VoiceChoice("gmw/en", 1.0), "fr")


def test_a_voice_that_this_computer_does_not_have_is_left_out(paths: Paths) -> None:
    style = SpeechStyle("system:nobody/has-this", "es", 1.5)
    missed: list[VoiceError] = []
    known = KnownVoices(paths, missed.append)
    for _ in range(2):
        assert known.usable(style) == SpeechStyle("", "es", 1.5)
    assert ["nobody/has-this" in str(error) for error in missed] == [True], "it is told once"
    here = SpeechStyle(all_voices(paths)[0][0], "", 2.0)
    assert known.usable(here) == here
    assert known.usable(SpeechStyle()) == SpeechStyle()
    assert len(missed) == 1
