"""How turns are taken: false endings at pauses, hearing oneself, the cost of waiting. Prints a table each.

python -m tests.evaluation.voice_turns [--out FOLDER] [--minutes N]

Pauses are put into recorded sentences where the speaker's voice dips, filled with the recording's own faint noise. The
reducer, the detectors and the canceller are the real ones, driven as fast as they go; a transcription is taken to be
there at once.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from tests.process.conversation import Companion, ScriptedTranscriber, ToneSynthesizer
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, whisper_tiny
from voice.audio.echo import EchoCanceller, NoCanceller, WebRtcCanceller
from voice.audio.resampling import resample
from voice.audio.scripted import RecordingSink, ScriptedSource, SimulatedRoom, room_impulse
from voice.endpoint import SmartTurn
from voice.pipeline import Parts, VoicePipeline
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.tts.sentences import SentenceSplitter
from voice.turn_events import (
    CancelAnswer,
    Command,
    Commit,
    Duck,
    Event,
    Frame,
    Judge,
    Judged,
    Mode,
    PlaybackStarted,
    SentencePlaying,
    Transcribe,
    Transcribed,
    TurnOn,
)
from voice.turn_state import Phase, Rules, TurnState
from voice.turns import step
from voice.types import RATE, Samples
from voice.vad import FRAME, SileroVoiceActivity

PAUSES_S = (0.35, 0.5, 0.65, 0.8, 0.95, 1.1, 1.3)
FIXED_S = (0.5, 0.7, 1.0, 1.5)
_DIP_S = 0.06
_BLOCK = 160
SPOKEN = Path(__file__).with_name("spoken.txt")


@dataclass(frozen=True, slots=True)
class Turn:
    """A sentence with one pause in it; positions of samples."""

    name: str
    samples: Samples
    pause: tuple[int, int]
    end: int
    """Of the speech."""


def turns() -> Iterator[Turn]:
    """Every dip of every recording, each with the next of `PAUSES_S`."""
    number = 0
    for recording in recordings():
        samples = recording.samples
        levels = np.array(
            [np.sqrt(np.mean(np.square(samples[at : at + _BLOCK]))) for at in range(0, len(samples), _BLOCK)]
        )
        soft = levels < 0.12 * np.quantile(levels, 0.95)
        loud = np.flatnonzero(~soft) * _BLOCK
        begin, end = int(loud[0]), int(loud[-1]) + _BLOCK
        floor = float(np.quantile(levels, 0.02)) + 1e-4
        for dip_from, dip_to in _runs(soft):
            start, stop = dip_from * _BLOCK, dip_to * _BLOCK
            if stop - start < _DIP_S * RATE or start < begin + 0.4 * RATE or stop > end - 0.3 * RATE:
                continue
            middle = (start + stop) // 2
            n = int(PAUSES_S[number % len(PAUSES_S)] * RATE)
            random = np.random.default_rng(number)
            pause = random.normal(0, floor, n).astype(np.float32)
            tail = random.normal(0, floor, 2 * RATE).astype(np.float32)
            whole = np.concatenate([samples[:middle], pause, samples[middle:end], tail])
            number += 1
            yield Turn(recording.name, whole, (middle, middle + n), end + n)


def _runs(soft: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], soft.astype(int), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


class Drive:
    """The reducer with its jobs done at once."""

    def __init__(self, rules: Rules, judge: SmartTurn | None, transcriber: SpeechClient | None = None) -> None:
        self.state = TurnState(rules=rules)
        self._judge = judge
        self._transcriber = transcriber
        self.heard = np.zeros(0, np.float32)
        self.commands: list[tuple[int, Command]] = []
        self.do(TurnOn(0.0, Mode.HANDS_FREE))

    def do(self, event: Event) -> None:
        self.state, commands = step(self.state, event)
        for command in commands:
            self.commands.append((self.state.hearing.position, command))
            at_s = self.state.hearing.position / RATE
            if isinstance(command, Judge) and self._judge is not None:
                self.do(Judged(at_s, command.job, self._judge.probability(self.heard[command.start : command.end])))
            elif isinstance(command, Transcribe):
                text = "one two three"
                if self._transcriber is not None:
                    text = self._transcriber.transcribe(self.heard[command.start : command.end], language="en").text
                self.do(Transcribed(at_s, command.job, text))

    def frame(self, position: int, probability: float) -> None:
        self.do(Frame(position / RATE, position, probability))

    def count(self, kind: type) -> int:
        return sum(isinstance(command, kind) for _, command in self.commands)


def probabilities(samples: Samples, vad: SileroVoiceActivity) -> list[float]:
    vad.reset()
    return [vad.probability(samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME, FRAME)]


def endings(rules: Rules, judge: SmartTurn | None, made: list[tuple[Turn, list[float]]]) -> dict[str, float]:
    """False endings, and how long after the speech the turn was over."""
    false = 0
    waits = []
    for turn, heard in made:
        drive = Drive(rules, judge)
        drive.heard = turn.samples
        for number, probability in enumerate(heard, 1):
            drive.frame(number * FRAME, probability)
        commits = [position for position, command in drive.commands if isinstance(command, Commit)]
        # What is heard again within the pause was cut off.
        if any(position <= turn.pause[1] for position in commits):
            false += 1
        waits += [(position - turn.end) / RATE for position in commits if position > turn.end][:1]
    return {"false": false, "of": len(made), "mean wait ms": round(1000 * float(np.mean(waits)))}


def self_hearing(speech: SpeechClient, minutes: float, canceller: EchoCanceller) -> dict[str, float]:
    """Answers without a break, played into the microphone at -10 dB."""
    lines = [line.split("|")[0].strip() for line in SPOKEN.read_text("utf-8").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("#")]
    impulse = room_impulse(RATE, gain_db=-10, delay_s=0.03, tail_s=0.25)
    room, vad = SimulatedRoom(impulse), SileroVoiceActivity(voice_audio_folder())
    drive = Drive(Rules(), None, speech)
    drive.heard = np.zeros(int((minutes + 1) * 60 * RATE), np.float32)
    drive.frame(FRAME, 0.0)
    drive.state = replace(drive.state, phase=Phase.THINKING, answer=1)
    drive.do(PlaybackStarted(0.0, 1))
    sounds = {}
    waiting = np.zeros(0, np.float32)
    voiced = frames = longest = run = number = 0
    position = FRAME
    random = np.random.default_rng(5)
    while position < minutes * 60 * RATE:
        line = lines[number % len(lines)]
        number += 1
        if line not in sounds:
            sound = speech.synthesize(line)
            sounds[line] = resample(sound.samples, sound.rate, RATE)
        drive.do(SentencePlaying(position / RATE, 1, line))
        far = np.concatenate([sounds[line], np.zeros(RATE // 5, np.float32)])
        gain = np.float32(10 ** (-18 / 20) if drive.state.phase is Phase.DUCKED else 1.0)
        for at in range(0, len(far) - _BLOCK, _BLOCK):
            block = far[at : at + _BLOCK] * gain
            canceller.played(block, RATE)
            room.hear(block)
            near = room.take(_BLOCK) + random.normal(0, 3e-4, _BLOCK).astype(np.float32)
            waiting = np.concatenate([waiting, canceller.cancel(near)])
            while len(waiting) >= FRAME:
                frame, waiting = waiting[:FRAME], waiting[FRAME:]
                probability = vad.probability(frame)
                frames += 1
                run = run + 1 if probability >= 0.5 else 0
                voiced += probability >= 0.5
                longest = max(longest, run)
                drive.heard[position : position + FRAME] = frame
                position += FRAME
                drive.frame(position, probability)
                gain = np.float32(10 ** (-18 / 20) if drive.state.phase is Phase.DUCKED else 1.0)
                if drive.state.answer is None:
                    # It stopped itself: count it, and go on speaking.
                    drive.state = replace(drive.state, phase=Phase.SPEAKING, turn=None, answer=1, is_audible=True)
    return {
        "minutes": minutes,
        "voiced %": round(100 * voiced / frames, 1),
        "longest ms": longest * 32,
        "ducked": sum(isinstance(command, Duck) and command.on for _, command in drive.commands),
        "false stops": drive.count(CancelAnswer),
    }


def waiting_cost(seconds: float) -> dict[str, float]:
    """The share of a core that a hands-free pipeline takes while nobody speaks, with everything but transcription."""
    companion = Companion()
    parts = Parts(
        ScriptedSource(48_000),
        RecordingSink(48_000),
        WebRtcCanceller(),
        SileroVoiceActivity(voice_audio_folder()),
        SmartTurn(voice_audio_folder()),
        ScriptedTranscriber(),
        ToneSynthesizer(),
        SentenceSplitter,
    )
    pipeline = VoicePipeline(parts, companion)
    companion.pipeline = pipeline
    pipeline.turn_on(Mode.HANDS_FREE)
    companion.wait("phase", Phase.LISTENING)
    process = psutil.Process()
    before, began = process.cpu_times(), time.monotonic()
    threading.Event().wait(seconds)
    after = process.cpu_times()
    share = (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
    pipeline.close()
    return {"percent of a core": round(100 * share, 1)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    report: dict[str, object] = {}

    def tell(name: str, row: dict[str, float]) -> None:
        report[name] = row
        print(f"{name}: {row}", flush=True)

    vad, judge = SileroVoiceActivity(voice_audio_folder()), SmartTurn(voice_audio_folder())
    made = [(turn, probabilities(turn.samples, vad)) for turn in turns()]
    tell("endings, smart-turn", endings(Rules(), judge, made))
    for fixed in FIXED_S:
        tell(f"endings, {fixed} s of silence", endings(Rules(short_wait=fixed, long_wait=fixed), None, made))
    tell("waiting", waiting_cost(20.0))
    speech = SpeechClient(SpeechChoice(whisper_tiny()))
    try:
        tell("hears itself, with cancellation", self_hearing(speech, options.minutes, WebRtcCanceller()))
        tell("hears itself, without", self_hearing(speech, min(0.3, options.minutes), NoCanceller()))
    finally:
        speech.close()
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "voice_turns.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
