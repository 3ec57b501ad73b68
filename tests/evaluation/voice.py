"""How well Hearth hears and speaks, with real weights: `python -m tests.evaluation.voice [--out FOLDER]`.

Word error rate (jiwer) after OpenAI's English text normaliser, so that "10" and "ten" are one. Real recordings for
hearing; for speaking, a hundred sentences with numbers, dates, units and names, heard again by Whisper base.en.
Needs the extra "torch", for the normaliser and as one of the backends.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import VoiceError
from tests.voice_weights import FASTER_BASE, Recording, recordings, voice_folder
from voice.speech.choice import Hearing, Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.tts.speakable import speakable
from voice.tts.spoken_words import in_words
from voice.types import RATE, Samples, Sound
from voice.weights import OPENAI_TINY_EN, WHISPER_BASE_EN, WHISPER_TINY

SENTENCES = Path(__file__).with_name("spoken.txt")
LENGTHS_S = (3, 7, 11)
RUNS = 5
Normalise = Callable[[str], str]
_SAME = tuple(
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        (r"\b([ap])\.\s?m\b\.?", r"\1m"),
        (r"\b(\d{1,2})[.:](\d{2})\s?(?=[ap]m\b)", r"\1 \2 "),
        (r"(?<=\d)(?=[ap]m\b)", " "),
        (
            r"\b((?:jan|febr)uary|march|april|may|june|july|august|(?:sept|nov|dec)ember|october)"
            r" (\d+)(?:st|nd|rd|th)",
            r"\1 \2",
        ),
    )
)
"""What a recogniser may write either way, and the normaliser does not know."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One backend's row; times in milliseconds."""

    name: str
    error_rate: float
    clip_ms: float
    by_length_ms: tuple[float, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One synthesizer's row."""

    name: str
    error_rate: float
    sentence_ms: float
    real_time_factor: float
    wrong: tuple[str, ...]


_DIGITS_APART = re.compile(r"(?<=\d) (?=\d)")
"""The normaliser makes one number of "five five", and leaves "5 5"."""


def alike(normalise: Normalise) -> Normalise:
    """The normaliser, with units as words too."""

    def both(text: str) -> str:
        text = in_words(text)
        for pattern, written in _SAME:
            text = pattern.sub(written, text)
        return _DIGITS_APART.sub("", normalise(text))

    return both


def hearing_choices() -> tuple[SpeechChoice, ...]:
    folder = voice_folder()
    return (
        SpeechChoice(folder / WHISPER_TINY.file_name),
        SpeechChoice(folder / WHISPER_BASE_EN.file_name),
        SpeechChoice(folder / OPENAI_TINY_EN.file_name, Hearing.OPENAI_WHISPER),
        SpeechChoice(folder / FASTER_BASE, Hearing.FASTER_WHISPER),
    )


def hear(choice: SpeechChoice, clips: tuple[Recording, ...], normalise: Normalise) -> Heard:
    import jiwer

    client = SpeechClient(choice, limit_s=120)
    try:
        client.prepare(speaking=False)
        client.transcribe(clips[0].samples, language="en")
        times, said, heard, wrong = [], [], [], []
        for clip in clips:
            started = time.perf_counter()
            text = client.transcribe(clip.samples, language="en").text
            times.append(1000 * (time.perf_counter() - started))
            said.append(normalise(clip.words))
            heard.append(normalise(text))
            if said[-1] != heard[-1]:
                wrong.append(f"{clip.name}: “{clip.words}” -> “{text}”")
        by_length = tuple(_median_ms(client, _of_length(clips, seconds)) for seconds in LENGTHS_S)
    finally:
        client.close()
    return Heard(
        f"{choice.hearing}, {choice.model.name}",
        jiwer.wer(said, heard),
        statistics.median(times),
        by_length,
        tuple(wrong),
    )


def read_back(speaking: Speaking, sentences: list[tuple[str, str]], normalise: Normalise) -> Read:
    import jiwer
    import soxr

    choice = SpeechChoice(voice_folder() / WHISPER_BASE_EN.file_name, speaking=speaking, voices=voice_folder())
    client = SpeechClient(choice, limit_s=120)
    try:
        client.prepare()
        times, lengths, said, heard, wrong = [], [], [], [], []
        for written, expected in sentences:
            started = time.perf_counter()
            sound: Sound = client.synthesize(speakable(written))
            times.append(1000 * (time.perf_counter() - started))
            lengths.append(sound.seconds)
            text = client.transcribe(soxr.resample(sound.samples, sound.rate, RATE), language="en").text
            said.append(normalise(expected))
            heard.append(normalise(text))
            if said[-1] != heard[-1]:
                wrong.append(f"“{expected}” -> “{text}”")
    finally:
        client.close()
    factor = sum(times) / 1000 / sum(lengths)
    return Read(str(speaking), jiwer.wer(said, heard), statistics.median(times), factor, tuple(wrong))


def sentences() -> list[tuple[str, str]]:
    """As written, and as said."""
    rows = []
    for line in SENTENCES.read_text("utf-8").splitlines():
        written, _, expected = line.partition(" | ")
        rows.append((written, expected or written))
    return rows


def _of_length(clips: tuple[Recording, ...], seconds: float) -> Samples:
    """Real speech of that length, one clip after the other."""
    longest = sorted(clips, key=lambda clip: -len(clip.samples))
    return np.concatenate([clip.samples for clip in longest])[: int(seconds * RATE)]


def _median_ms(client: SpeechClient, samples: Samples) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        client.transcribe(samples, language="en")
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", choices=("hearing", "speaking"))
    parser.add_argument("--voices", nargs="*", type=Speaking, choices=tuple(Speaking), default=tuple(Speaking))
    options = parser.parse_args()
    from whisper.normalizers import EnglishTextNormalizer

    normalise = alike(EnglishTextNormalizer())
    clips = recordings()
    words = sum(len(clip.words.split()) for clip in clips)
    lines = [f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", ""]
    wrong: list[str] = []
    if options.only != "speaking":
        lines += [f"Hearing: {len(clips)} real recordings, {words} words", ""]
        lines += ["| backend | WER | median ms a clip | " + " | ".join(f"{s} s, ms" for s in LENGTHS_S) + " |"]
        lines += ["|---|---|---|" + "---|" * len(LENGTHS_S)]
        for choice in hearing_choices():
            try:
                row = hear(choice, clips, normalise)
            except VoiceError as error:
                lines.append(f"| {choice.hearing}, {choice.model.name} | {error} |")
                continue
            by_length = " | ".join(f"{value:.0f}" for value in row.by_length_ms)
            lines.append(f"| {row.name} | {100 * row.error_rate:.1f} % | {row.clip_ms:.0f} | {by_length} |")
            wrong += [f"{row.name}: {line}" for line in row.wrong]
            print(lines[-1], *row.wrong, sep="\n", flush=True)
    if options.only != "hearing":
        listed = sentences()
        lines += ["", f"Speaking: {len(listed)} sentences, heard again by Whisper base.en", ""]
        lines += ["| voice | WER | median ms a sentence | real-time factor |", "|---|---|---|---|"]
        for speaking in options.voices:
            try:
                spoken = read_back(speaking, listed, normalise)
            except VoiceError as error:
                lines.append(f"| {speaking} | {error} |")
                continue
            rate = f"{100 * spoken.error_rate:.1f} %"
            lines.append(f"| {spoken.name} | {rate} | {spoken.sentence_ms:.0f} | {spoken.real_time_factor:.3f} |")
            wrong += [f"{spoken.name}: {line}" for line in spoken.wrong]
            print(lines[-1], *spoken.wrong, sep="\n", flush=True)
    report = "\n".join([*lines, "", "What was heard otherwise:", "", *(f"- {line}" for line in wrong), ""])
    print(report)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "voice.md").write_text(report, "utf-8")


if __name__ == "__main__":
    main()
