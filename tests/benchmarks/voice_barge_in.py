"""Interrupting: from the user's first word to Hearth's silence, to the model's end; and which words of it were lost.

A real model speaks without end; the loudspeaker is heard by the microphone at -10 dB, and the canceller is the real
one. Real recordings interrupt. Softer, silent and stopped are told apart: who interrupts hears when Hearth is silent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.types import SamplingParams
from tests.benchmarks.asking import never_end
from tests.benchmarks.voice_booth import PATIENCE_S, Block, load
from tests.benchmarks.voice_latency import Office, Row
from tests.evaluation.voice_interruptions import differences, spelt
from tests.evaluation.voice_pauses import speech_of, spoken
from tests.voice_weights import Recording, recordings, whisper_tiny
from tests.waiting import until
from voice.audio.resampling import resample
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_state import Phase
from voice.types import RATE, Samples

QUESTION = "Please tell me a very long story about a dog and a cat."
INTO_S = 2.0
"""Of the answer, before somebody interrupts."""
LONGEST = 600
_SILENT_S = 0.3
"""So much without a sound is silence, and no gap between two words."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Milliseconds after the first word; `dead` after the decision to stop. `lost` words of `said` were not heard."""

    ducked: float
    silent: float
    stopped: float
    dead: float
    lost: int
    said: int
    heard: str


def measure(model: Path, clips: tuple[Recording, ...] | None = None) -> Row:
    clips = clips if clips is not None else tuple(clip for clip in recordings() if len(clip.words.split()) > 3)
    speech = SpeechClient(SpeechChoice(whisper_tiny()))
    with closing(speech):
        sound = speech.synthesize(QUESTION)
    question = resample(sound.samples, sound.rate, RATE)
    question = question[: speech_of(question)[1]]
    found: list[Interrupted] = []
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        office = Office(
            Path(folder),
            model,
            echo=True,
            sampling=SamplingParams(temperature=0.0, max_tokens=LONGEST, logit_bias=never_end(model)),
        )
        with closing(office):
            office.booth.listen()
            for clip in clips:
                try:
                    found.append(interrupt(office, question, clip))
                    print(f"{clip.words} -> {found[-1]}", flush=True)
                except (AssertionError, TimeoutError) as error:
                    failed += 1
                    print(f"{clip.name}: {error}", flush=True)
                office.booth.voice.stop()
                threading.Event().wait(1.0)
    return {
        "what": "barge-in, ms after the first word",
        "ducked": statistics.median(each.ducked for each in found),
        "silent": statistics.median(each.silent for each in found),
        "silent p90": sorted(each.silent for each in found)[int(0.9 * (len(found) - 1))],
        "stopped": statistics.median(each.stopped for each in found),
        "model dead after": statistics.median(each.dead for each in found),
        "model dead at most": max(each.dead for each in found),
        "words lost": f"{sum(each.lost for each in found)} of {sum(each.said for each in found)}",
        "n": len(found),
        "missed": failed,
        "load": load(),
    }


def interrupt(office: Office, question: Samples, clip: Recording) -> Interrupted:
    """Ask, let it speak, speak against it."""
    ear, booth = office.ear, office.booth
    n_commits, n_ends = len(ear.all("commit")), len(office.ends_s)
    n_interrupted = len(ear.all("interrupted"))
    booth.say(question)
    ear.wait("commit", count=n_commits + 1, timeout_s=PATIENCE_S)
    first = booth.first_sound(ear.last("commit"))
    until(lambda: bool(booth.sounded(first.at_s + INTO_S)), PATIENCE_S)
    print(f"fell silent by itself: {sum(at > first.at_s and told == (Phase.DUCKED,) for at, _, told in ear.told)}")
    samples = spoken(clip)
    end_s = booth.say(samples)
    began_s = end_s - (len(samples) - speech_of(samples)[0]) / RATE
    ear.wait("interrupted", count=n_interrupted + 1, timeout_s=PATIENCE_S / 4)
    stopped_s = ear.last("interrupted")
    # Where it had fallen silent already, because of its own echo, it had done so in no time.
    ducked_s = max([began_s, *(at for at, kind, told in ear.told if kind == "phase" and told == (Phase.DUCKED,))])
    until(lambda: len(office.ends_s) > n_ends, PATIENCE_S / 4)
    ear.wait("commit", count=n_commits + 2, timeout_s=PATIENCE_S / 4)
    until(lambda: len(ear.all("commit")) >= n_commits + 2, PATIENCE_S)
    heard = str(ear.all("commit")[n_commits + 1][1])
    booth.voice.stop()
    lost, _wrong, _added = differences(clip.words, heard)
    return Interrupted(
        1000 * (ducked_s - began_s),
        1000 * (_silent_from(booth.sounded(first.at_s), began_s, stopped_s) - began_s),
        1000 * (stopped_s - began_s),
        1000 * (office.ends_s[n_ends] - stopped_s),
        lost,
        len(spelt(clip.words)),
        heard,
    )


def _silent_from(blocks: list[Block], began_s: float, stopped_s: float) -> float:
    """The end of the last sound before the silence that the interruption made."""
    times = [block.at_s for block in blocks if block.at_s < stopped_s + 1.0]
    for at_s, later_s in itertools.pairwise([*times, float("inf")]):
        if at_s >= began_s and later_s - at_s > _SILENT_S:
            return at_s + 0.02
    return began_s  # it happened to be silent already


if __name__ == "__main__":
    from tests.conftest import QWEN_SMALL, weights_path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    print(json.dumps(measure(weights_path(QWEN_SMALL)), indent=1))
