"""Does the window stand still while Hearth speaks? The longest time between two turns of its event loop.

python -m tests.benchmarks.voice_window MODEL FOLDER [--questions N]

The whole window with the voice view open; the process that hears and speaks, its models and the language model are
real, the sound card is scripted. On a machine whose cores all work, the system lets the window wait: its own work
between two turns is told beside it. Qt's platform is the environment's.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from app.events import ChatEvent
from app.paths import Paths, resolve_paths
from app.services import Services
from app.settings import Settings
from app.ui.application import Application
from app.ui.main_window import MainWindow
from app.voice_events import VoiceUse
from engine.worker.client import EngineClient
from tests.benchmarks.event_loop import EventLoopWatch, run_until
from tests.benchmarks.voice_booth import PATIENCE_S, load
from tests.process import voice_children
from tests.process.voice_of_window import give_voice, link_weights
from tests.unit.chat_bench import nowhere
from tests.voice_weights import whisper_tiny
from voice.audio.resampling import resample
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE

QUESTIONS = (
    "Please tell me a story about a dog and a cat.",
    "What can one see in a small harbour?",
    "Tell me something about the weather in the mountains.",
)
LONGEST_S = 25.0
"""Of each answer, that is looked at."""


def measure(model: Path, folder: Path, questions: int) -> dict[str, object]:
    """Speak, wait until it speaks, and watch the window until it has done."""
    application = QApplication.instance() or QApplication(["hearth"])
    assert isinstance(application, QApplication)
    with closing(SpeechClient(SpeechChoice(whisper_tiny()))) as speech:
        spoken = [speech.synthesize(words) for words in QUESTIONS[:questions]]
    started = Application(application, _paths(folder), open_services=partial(_services, folder))
    started.start()
    watch = EventLoopWatch()
    try:
        window = started.windows[0]
        run_until(lambda: window.workspace.library.loaded and window.workspace.services is not None, PATIENCE_S)
        _set_up(window, model, folder)
        window.actions_of.action("talk").trigger()
        for sound in spoken:
            run_until(lambda: _is(window, Phase.LISTENING), PATIENCE_S)
            np.save(folder / voice_children.QUESTION, resample(sound.samples, sound.rate, RATE))
            run_until(lambda: _is(window, Phase.SPEAKING), PATIENCE_S)
            watch.start()
            try:
                run_until(lambda: not _is(window, Phase.SPEAKING), LONGEST_S)
            except TimeoutError:
                assert window.workspace.services is not None
                window.workspace.services.voice.stop_answer()
            watch.stop()
    finally:
        started.close()
    return {
        "what": "window's event loop while Hearth speaks, ms",
        "seconds": round(sum(watch.stalls) / 1000, 1),
        "median": round(statistics.median(watch.stalls), 1),
        "p99": round(watch.quantile(0.99), 1),
        "longest": round(max(watch.stalls), 1),
        "over 50": sum(stall > 50 for stall in watch.stalls),
        "longest own work": round(max(watch.work), 1),
        "load": load(),
    }


def _is(window: MainWindow, phase: Phase) -> bool:
    state = window.workspace.voice.state
    return state.use is VoiceUse.CONVERSATION and state.phase is phase


def _paths(folder: Path) -> Paths:
    paths = replace(resolve_paths(folder / "data"), models=folder / "models")
    link_weights(paths)
    return paths


def _services(folder: Path, paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
    for key, value in (
        ("chat.automatic_titles", False), ("voice.language", "en"), ("voice.mode", Mode.HANDS_FREE.value)
    ):  # fmt: skip
        settings.override(key, value)
    return Services.open(paths, publish=publish, settings=settings, engine=EngineClient(), places=nowhere(folder))


def _set_up(window: MainWindow, model: Path, folder: Path) -> None:
    """Load the model, and give the voice a scripted sound card."""
    services = window.workspace.services
    assert services is not None
    loaded = services.models.load(model)
    run_until(loaded.done, PATIENCE_S)
    loaded.result()
    give_voice(services, folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, help="an empty one")
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    options = parser.parse_args()
    print(json.dumps(measure(options.model, options.folder, options.questions)))
