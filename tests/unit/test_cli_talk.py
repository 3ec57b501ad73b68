"""What `hearth talk` listens and speaks with: the settings, and what the command line says before them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.cli_talk import chosen_for
from app.command_line import Arguments
from app.settings import Settings
from tests.unit.chat_bench import disposable_paths
from voice.types import VoiceChoice


def test_the_settings_count_but_for_what_the_command_line_says(tmp_path: Path) -> None:
    paths = disposable_paths(tmp_path)
    settings = Settings.load(paths.settings_file)
    for key, value in (
        ("voice.microphone", "the one on the desk"),
        ("voice.cancels_echo", False),
        ("voice.voice", "system:gmw/de"),
        ("voice.speed", 1.25),
        ("voice.language", "de"),
    ):
        settings.override(key, value)
    arguments = Arguments(command="talk")
    setup, choice, language = chosen_for(arguments, paths, settings)
    assert (setup.microphone, setup.cancels_echo) == ("the one on the desk", False)
    assert (choice, language) == (VoiceChoice("gmw/de", 1.25), "de")
    said = replace(arguments, speed=0.75, language="fr")
    assert chosen_for(said, paths, settings) == (setup, VoiceChoice("gmw/de", 0.75), "fr")
