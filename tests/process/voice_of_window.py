"""The voice of a window, real but for its sound card: see `tests.process.voice_children`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from app.paths import Paths
from app.read_ahead import ReadAhead
from app.services import Services
from app.spoken_languages import SpokenLanguages
from app.voice import VoiceService
from app.weights_bundle import VOICE
from tests.process import voice_children
from tests.voice_audio_weights import voice_audio_folder
from voice.client import VoiceClient
from voice.listener import Listener
from voice.protocol import VoiceSetup


def link_weights(paths: Paths) -> None:
    """Put the real ones where the program looks for them."""
    paths.voice.mkdir(parents=True)
    for file in VOICE.files:
        (paths.voice / file.file_name).symlink_to(voice_audio_folder() / file.file_name)


def give_voice(services: Services, folder: Path) -> None:
    """In place of the one that opens devices; `folder` is that of the scripted ones."""

    def make_client(setup: VoiceSetup, listener: Listener) -> VoiceClient:
        entry_point = partial(voice_children.scripted, folder=folder, languages=SpokenLanguages())
        return VoiceClient(setup, listener, entry_point=entry_point)

    services._voice = VoiceService(
        services.paths,
        services.settings,
        services.chat,
        ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool),
        services._publish,
        pool=services.pool,
        make_client=make_client,
    )
