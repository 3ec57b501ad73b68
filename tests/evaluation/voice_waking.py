"""The name, as two voices say it: how often Hearth does not wake, how often other speech wakes it, and what that costs.

python -m tests.evaluation.voice_waking [--minutes N] [--out FOLDER]

The reducer, the detector and the recogniser are the real ones, driven as fast as they go. Ten calls by hibari, ten by
the system's voice; then real recordings, and texts read by hibari, none of which is meant for Hearth.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.evaluation.voice_turns import SPOKEN, Drive, heard_by, probabilities
from tests.voice_weights import recordings, whisper_tiny
from voice.audio.resampling import resample
from voice.audio.scripted import FLOOR
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_events import Purpose, Transcribe
from voice.turn_state import Phase, Rules
from voice.turn_waking import asleep
from voice.types import RATE, Samples
from voice.vad import FRAME, VoiceActivity

CALLS = (
    "Hey Hearth, what time is it?",
    "Hey Hearth. Tell me a story.",
    "Hey Hearth, how is the weather today?",
    "Hey Hearth!",
    "Hearth, stop the music.",
    "Hello Hearth, can you hear me?",
    "Okay Hearth, remind me to call my mother.",
    "Hey Hearth, who wrote Faust?",
    "Hey Hearth, what is seven times eight?",
    "Hey Hearth, are you awake?",
)
SPEEDS = {Speaking.HIBARI: 1.0, Speaking.SYSTEM: 0.8}
"""The system's voice is in a hurry."""


def heard(samples: Samples, vad: VoiceActivity, speech: SpeechClient) -> Drive:
    """Asleep, it hears this."""
    drive = Drive(Rules(), None, speech)
    drive.heard = samples
    drive.frame(FRAME, 0.0)
    drive.state = asleep(replace(drive.state, waits_for_name=True))
    for number, probability in enumerate(probabilities(samples, vad)[1:], 2):
        drive.frame(number * FRAME, probability)
        if drive.state.phase is not Phase.ASLEEP:
            break
    return drive


def calls(speech: SpeechClient, speaking: Speaking, vad: VoiceActivity) -> dict[str, object]:
    missed = []
    with closing(SpeechClient(SpeechChoice(whisper_tiny(), speaking=speaking))) as voice:
        for call in CALLS:
            sound = voice.synthesize(call, speed=SPEEDS[speaking])
            drive = heard(_quiet(resample(sound.samples, sound.rate, RATE)), vad, speech)
            if drive.state.phase is Phase.ASLEEP:
                looked = [command for _, command in drive.commands if isinstance(command, Transcribe)]
                missed += [
                    f"{call} -> {speech.transcribe(drive.heard[each.start : each.end], language='en').text}"
                    for each in looked
                ]
                missed += [f"{call} -> nothing"] * (not looked)
    return {"voice": speaking.value, "missed": len(missed), "of": len(CALLS), "as": missed}


def others(minutes: float, speech: SpeechClient, vad: VoiceActivity) -> dict[str, object]:
    woke, looks, seconds = [], 0, 0.0
    began_s = time.monotonic()
    for samples in _talks(speech):
        if seconds >= 60 * minutes:
            break
        seconds += len(samples) / RATE
        drive = heard(samples, vad, speech)
        looked = [
            command
            for _, command in drive.commands
            if isinstance(command, Transcribe) and command.purpose is Purpose.NAME
        ]
        looks += len(looked)
        if drive.state.phase is not Phase.ASLEEP:
            last = looked[-1]
            woke.append(speech.transcribe(samples[last.start : last.end], language="en").text)
    return {
        "minutes": round(seconds / 60, 1),
        "woken": len(woke),
        "by": woke,
        "looks a minute": round(60 * looks / seconds, 1),
        "seconds it took": round(time.monotonic() - began_s),
    }


def _talks(speech: SpeechClient) -> Iterator[Samples]:
    for recording in recordings():
        yield _quiet(recording.samples)
    for line in SPOKEN.read_text("utf-8").splitlines():
        text = line.split("|")[0].strip()
        if text and not text.startswith("#"):
            sound = speech.synthesize(text)
            yield _quiet(resample(sound.samples, sound.rate, RATE))
    for text in _sentences():
        sound = speech.synthesize(text)
        yield _quiet(resample(sound.samples, sound.rate, RATE))


def _sentences() -> Iterator[str]:
    """Of the project's own pages."""
    for page in ("ARCHITECTURE.md", "README.md"):
        for line in (Path(__file__).parents[2] / page).read_text("utf-8").splitlines():
            for sentence in line.replace("*", "").replace("`", "").split(". "):
                if 40 < len(sentence) < 200 and "|" not in sentence and "http" not in sentence:
                    yield sentence


def _quiet(samples: Samples) -> Samples:
    """With a faint noise, and a pause on either side."""
    padded = np.pad(samples, (RATE // 2, RATE))
    return padded + np.random.default_rng(2).normal(0, FLOOR, len(padded)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    vad = heard_by()
    with closing(SpeechClient(SpeechChoice(whisper_tiny()))) as speech:
        report: dict[str, object] = {each.value: calls(speech, each, vad) for each in SPEEDS}
        print(json.dumps(report, indent=1), flush=True)
        report["others"] = others(options.minutes, speech, vad)
    print(json.dumps(report["others"], indent=1))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "voice_waking.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
