"""Interruptions without a clock: how soon Hearth falls silent, and which words are lost by what way of hearing them.

python -m tests.evaluation.voice_interruptions [--places N] [--out FOLDER]

A long answer sounds in a simulated room, real recordings speak against it. The reducer, detector, canceller and
recogniser are the real ones, in samples instead of seconds; a transcription takes a quarter of a second. Each
interruption is then heard in other ways, too: from the microphone itself, from the canceller, and without any echo.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import statistics
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.evaluation.voice_pauses import speech_of, spoken
from tests.evaluation.voice_turns import heard_by
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import Recording, recordings, whisper_tiny
from voice.audio.echo import WebRtcCanceller
from voice.audio.resampling import resample
from voice.audio.scripted import FLOOR, SimulatedRoom, room_impulse
from voice.barge_in import words
from voice.capture import SOFT
from voice.endpoint import SmartTurn
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.turn_events import (
    CancelAnswer,
    Commit,
    Duck,
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
from voice.vad import FRAME

BLOCK = RATE // 50
LATE = 2
"""Blocks that wait for the loudspeaker."""
RECENT = 15
HEARING_S = 0.25
INTO_S = (2.0, 2.7, 3.4)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PREROLLS_S = (0.3, 0.5, 0.8, 1.2)
ANSWER = (
    "The library opens at nine in the morning, and it stays open until the evening.",
    "On Sundays it is closed, but you can always bring books back through the box beside the door.",
    "Please remember your card, because the door only opens with one.",
    "The reading room is on the second floor, next to the stairs, and it is quiet all day.",
    "If you need help, ask the people at the desk, who know where everything is.",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One interruption as it was heard, sample by sample; positions of samples."""

    clip: Recording
    near: Samples
    cancelled: Samples
    recorded: Samples
    began: int
    ducked: int | None
    stopped: int | None
    start: int
    """Of the turn that was transcribed."""
    end: int
    heard: str
    n_ducked_before: int


class Talk:
    """The reducer; what it asks for comes a while later."""

    def __init__(self, rules: Rules, judge: SmartTurn, speech: SpeechClient) -> None:
        self.state = TurnState(rules=rules)
        self.log: list[tuple[int, object]] = []
        self.recorded = np.zeros(0, np.float32)
        self._judge = judge
        self._speech = speech
        self._due: deque[tuple[int, Event]] = deque()
        self.do(TurnOn(0.0, Mode.HANDS_FREE))

    @property
    def now_s(self) -> float:
        return self.state.hearing.position / RATE

    def do(self, event: Event) -> None:
        self.state, commands = step(self.state, event)
        position = self.state.hearing.position
        for command in commands:
            self.log.append((position, command))
            later = position + round(HEARING_S * RATE)
            if isinstance(command, Judge):
                done = self._judge.probability(self.recorded[command.start : command.end])
                self._due.append((later, Judged(later / RATE, command.job, done)))
            elif isinstance(command, Transcribe) and command.purpose is not Purpose.PARTIAL:
                text = self._speech.transcribe(self.recorded[command.start : command.end], language="en").text
                self._due.append((later, Transcribed(later / RATE, command.job, text)))

    def frame(self, position: int, probability: float) -> None:
        while self._due and self._due[0][0] <= position:
            self.do(self._due.popleft()[1])
        self.do(Frame(position / RATE, position, probability))


def scene(
    rules: Rules, clip: Recording, into_s: float, *, answer: Samples, judge: SmartTurn, speech: SpeechClient
) -> Scene:
    """Play it through."""
    random = np.random.default_rng(1)
    said = spoken(clip)
    at = round(into_s * RATE)
    total = (at + len(said) + 3 * RATE) // BLOCK * BLOCK
    voice = np.pad(said, (at, total - at - len(said)))
    near, cancelled, recorded = (np.zeros(total, np.float32) for _ in range(3))
    room, canceller, activity = SimulatedRoom(_impulse()), WebRtcCanceller(), heard_by()
    activity.reset()
    talk = Talk(rules, judge, speech)
    talk.recorded = recorded
    talk.frame(FRAME, 0.0)
    talk.state = replace(talk.state, phase=Phase.THINKING, answer=1)
    talk.do(PlaybackStarted(0.0, 1))
    for line in ANSWER:
        talk.do(SentencePlaying(0.0, 1, line))
    queue = deque([np.zeros(BLOCK, np.float32)] * LATE)
    levels: deque[float] = deque([0.0], maxlen=RECENT)
    place, position = 0, FRAME
    for begin in range(0, total, BLOCK):
        speaks = talk.state.answer is not None and talk.state.phase is not Phase.DUCKED
        block = answer[place : place + BLOCK] if speaks else np.zeros(BLOCK, np.float32)
        place += BLOCK if speaks else 0
        canceller.played(block, RATE)
        levels.append(float(np.sqrt(np.mean(np.square(block)))))
        queue.append(block)
        room.hear(queue.popleft())
        here = slice(begin, begin + BLOCK)
        near[here] = voice[here] + room.take(BLOCK) + random.normal(0, FLOOR, BLOCK).astype(np.float32)
        cancelled[here] = canceller.cancel(near[here])
        recorded[here] = near[here] if max(levels) < SOFT else cancelled[here]
        while position + FRAME <= begin + BLOCK:
            probability = activity.probability(cancelled[position : position + FRAME])
            position += FRAME
            talk.frame(position, probability)
    commits = [(when, command) for when, command in talk.log if isinstance(command, Commit)]
    heard = commits[0][1].text if commits else ""
    last = commits[0][0] if commits else len(near)
    asked = [
        command
        for when, command in talk.log
        if isinstance(command, Transcribe) and command.purpose is Purpose.TURN and when <= last
    ]
    ducks = [when for when, command in talk.log if isinstance(command, Duck) and command.on]
    began = at + speech_of(said)[0]
    return Scene(
        clip, near, cancelled, recorded, began,
        next((when for when in ducks if when > began), None),
        next((when for when, command in talk.log if isinstance(command, CancelAnswer)), None),
        asked[-1].start if asked else began,
        asked[-1].end if asked else at + len(said),
        heard,
        sum(when <= began for when in ducks),
    )  # fmt: skip


WAYS = {"recorded": "recorded", "microphone": "near", "canceller": "cancelled"}
"""Of hearing an interruption: the attribute of its `Scene`."""


def spelt(text: str) -> list[str]:
    """The words of a text as they are said: Whisper writes "two nine three" as "293"."""
    apart = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", text.replace("10", " ten ").replace("-", " "))
    return words(apart)


def differences(text: str, heard_text: str) -> tuple[int, int, int]:
    """Words lost, heard wrongly, and heard though nobody said them."""
    said, heard = spelt(text), spelt(heard_text)
    lost = wrong = added = 0
    for kind, a, b, c, d in difflib.SequenceMatcher(None, said, heard, autojunk=False).get_opcodes():
        if kind != "equal":
            wrong += min(b - a, d - c)
            lost += max(0, (b - a) - (d - c))
            added += max(0, (d - c) - (b - a))
    return lost, wrong, added


def scenes(rules: Rules, places: int, speech: SpeechClient) -> Iterator[Scene]:
    judge = SmartTurn(voice_audio_folder())
    sounds = [speech.synthesize(line) for line in ANSWER]
    answer = np.concatenate([resample(sound.samples, sound.rate, RATE) for sound in sounds])
    for clip in _clips():
        for into_s in INTO_S[:places]:
            yield scene(rules, clip, into_s, answer=answer, judge=judge, speech=speech)


def _clips() -> list[Recording]:
    return [clip for clip in recordings() if len(clip.words.split()) > 3]


def _impulse() -> Samples:
    return room_impulse(RATE, gain_db=-10, delay_s=0.03, tail_s=0.25)


def measure(places: int, rules: Rules | None = None) -> dict[str, object]:
    with closing(SpeechClient(SpeechChoice(whisper_tiny()))) as speech:
        found = []
        for each in scenes(rules or Rules(), places, speech):
            found.append(each)
            print(
                f"{each.clip.words} -> {each.heard} {differences(each.clip.words, each.heard)}",
                flush=True,
            )
        report: dict[str, object] = _summary(found)
        alone = [differences(clip.words, speech.transcribe(spoken(clip), language="en").text) for clip in _clips()]
        report["without any echo"] = np.sum(alone, axis=0).tolist()
        for name, attribute in WAYS.items():
            for preroll_s in PREROLLS_S:
                counts = np.zeros(3, int)
                for each in found:
                    if each.stopped is None or each.ducked is None:
                        continue
                    # `start` lies before what was detected by the rules' own preroll.
                    first = each.start + round((Rules().interruption_preroll - preroll_s) * RATE)
                    samples: Samples = getattr(each, attribute)[max(0, first) : each.end]
                    text = speech.transcribe(samples, language="en").text
                    counts += differences(each.clip.words, text)
                report[f"{name}, {preroll_s} s before"] = counts.tolist()
                print(name, preroll_s, counts.tolist(), flush=True)
    return report


def _summary(found: list[Scene]) -> dict[str, object]:
    counts = np.sum([differences(each.clip.words, each.heard) for each in found], axis=0)
    ducked = [1000 * (each.ducked - each.began) / RATE for each in found if each.ducked is not None]
    return {
        "interruptions": len(found),
        "words": sum(len(spelt(each.clip.words)) for each in found),
        "lost, wrong, added": counts.tolist(),
        "not noticed": sum(each.stopped is None for each in found),
        "silent before": sum(each.n_ducked_before for each in found),
        "ducked ms after the first word, median": round(statistics.median(ducked)) if ducked else None,
        "p90": round(float(np.quantile(ducked, 0.9))) if ducked else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=len(INTO_S))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    report = measure(options.places)
    print(json.dumps(report, indent=1))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "voice_interruptions.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
