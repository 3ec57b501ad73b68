"""How turns are taken: false endings at pauses, how long ends are waited for, hearing oneself. Prints a table each.

python -m tests.evaluation.voice_turns [--out FOLDER] [--minutes N] [--only endings|hearing] [--model GGUF]

The reducer, the detectors, the recogniser and the canceller are the real ones, driven as fast as they go; a
transcription is taken to be there at once, and so is what the model (Qwen 0.5B, or `--model`) says of whether the words
are whole. For the turns with pauses see `tests.evaluation.voice_pauses`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.conftest import QWEN_SMALL, weights_path
from tests.evaluation.end_weigher import EndWeigher
from tests.evaluation.voice_pauses import Turn, between_words, in_dips, natural
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import recordings, whisper_tiny
from voice.audio.echo import EchoCanceller, NoCanceller, WebRtcCanceller
from voice.audio.resampling import resample
from voice.audio.scripted import SimulatedRoom, room_impulse
from voice.endpoint import SmartTurn
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_events import (
    Ask,
    CancelAnswer,
    Command,
    Commit,
    Duck,
    EndWeighed,
    Event,
    Frame,
    Judge,
    Judged,
    Mode,
    PlaybackStarted,
    Purpose,
    SentencePlaying,
    Transcribe,
    Transcribed,
    TurnOn,
)
from voice.turn_state import Phase, Rules, TurnState
from voice.turns import step
from voice.types import RATE, Samples
from voice.vad import FRAME, SileroVoiceActivity, VoiceActivity
from voice.word_end import WordEnd

FIXED_S = (0.5, 0.7, 1.0, 1.5)
_BLOCK = 160
SPOKEN = Path(__file__).with_name("spoken.txt")
Made = list[tuple[Turn, list[float]]]
Row = dict[str, float]


class Drive:
    """The reducer with its jobs done at once."""

    def __init__(
        self,
        rules: Rules,
        judge: SmartTurn | None,
        transcriber: SpeechClient | None = None,
        weigher: EndWeigher | None = None,
    ) -> None:
        self.state = TurnState(rules=rules)
        self._judge = judge
        self._transcriber = transcriber
        self._weigher = weigher
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
                text = "One two three."
                if self._transcriber is not None and command.purpose is not Purpose.PARTIAL:
                    text = self._transcriber.transcribe(self.heard[command.start : command.end], language="en").text
                self.do(Transcribed(at_s, command.job, text))
            elif isinstance(command, Ask):
                whole = self._weigher.probability(command.text) if self._weigher is not None else None
                self.do(EndWeighed(at_s, command.question, whole))

    def frame(self, position: int, probability: float) -> None:
        self.do(Frame(position / RATE, position, probability))

    def count(self, kind: type) -> int:
        return sum(isinstance(command, kind) for _, command in self.commands)


def probabilities(samples: Samples, vad: VoiceActivity) -> list[float]:
    vad.reset()
    return [vad.probability(samples[at : at + FRAME]) for at in range(0, len(samples) - FRAME, FRAME)]


def heard_by() -> VoiceActivity:
    """The detector as the voice process has it, but for the gate that spares it."""
    return WordEnd(SileroVoiceActivity(voice_audio_folder()))


def made(turns: Iterable[Turn]) -> Made:
    """With what the detector heard."""
    vad = heard_by()
    return [(turn, probabilities(turn.samples, vad)) for turn in turns]


def endings(
    rules: Rules,
    judge: SmartTurn | None,
    turns: Made,
    transcriber: SpeechClient | None = None,
    weigher: EndWeigher | None = None,
) -> Row:
    """False endings, and how long after the speech the turn was over."""
    false = pauses = 0
    waits = []
    for turn, heard in turns:
        drive = Drive(rules, judge, transcriber, weigher)
        drive.heard = turn.samples
        for number, probability in enumerate(heard, 1):
            drive.frame(number * FRAME, probability)
        commits = [position for position, command in drive.commands if isinstance(command, Commit)]
        pauses += len(turn.pauses)
        false += sum(any(start < position <= stop for position in commits) for start, stop in turn.pauses)
        waits += [(position - turn.end) / RATE for position in commits if position > turn.end][:1]
    return {
        "false": false,
        "of": pauses,
        "mean wait ms": round(1000 * float(np.mean(waits))),
        "median": round(1000 * float(np.median(waits))),
        "p90": round(1000 * float(np.quantile(waits, 0.9))),
        "ends": len(waits),
    }


def self_hearing(speech: SpeechClient, minutes: float, canceller: EchoCanceller) -> Row:
    """Answers without a break, played into the microphone at -10 dB."""
    lines = [line.split("|")[0].strip() for line in SPOKEN.read_text("utf-8").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("#")]
    impulse = room_impulse(RATE, gain_db=-10, delay_s=0.03, tail_s=0.25)
    room, vad = SimulatedRoom(impulse), heard_by()
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
        at = 0
        while at < len(far) - _BLOCK:
            # Who may be interrupted stands still.
            is_still = drive.state.phase is Phase.DUCKED
            block = np.zeros(_BLOCK, np.float32) if is_still else far[at : at + _BLOCK]
            at += 0 if is_still else _BLOCK
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", choices=("endings", "hearing"))
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    report: dict[str, object] = {}

    def tell(name: str, row: Row) -> None:
        report[name] = row
        print(f"{name}: {row}", flush=True)

    speech = SpeechClient(SpeechChoice(whisper_tiny()))
    try:
        if options.only != "hearing":
            judge = SmartTurn(voice_audio_folder())
            weigher = EndWeigher(options.model or weights_path(QWEN_SMALL))
            for kind, turns in (
                ("between words", made(between_words())),
                ("in dips", made(in_dips())),
                ("natural", made(natural(recordings()))),
            ):
                tell(f"pauses {kind}", endings(Rules(), judge, turns, speech, weigher))
                tell(f"pauses {kind}, without the model", endings(Rules(), judge, turns, speech))
                for fixed in FIXED_S:
                    rules = replace(Rules(), short_wait=fixed, long_wait=fixed)
                    tell(f"pauses {kind}, {fixed} s of silence", endings(rules, None, turns))
            weigher.close()
        if options.only != "endings":
            tell("hears itself, with cancellation", self_hearing(speech, options.minutes, WebRtcCanceller()))
            tell("hears itself, without", self_hearing(speech, min(0.3, options.minutes), NoCanceller()))
    finally:
        speech.close()
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "voice_turns.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
