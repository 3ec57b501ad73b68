"""A long recording heard in pieces: segments with their times in the whole, and subtitles made of them.

Pieces are cut where it is quietest, so that no word is cut in two. Knows no format (`voice.sound_reader`) and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from engine.cancel import CancelToken
from voice.sound_reader import SoundReader
from voice.types import RATE, Samples, Segment, Transcriber

SHORTEST_S, LONGEST_S = 12.0, 28.0
"""Of a piece: below Whisper's window of 30 s. The cut lies between the two."""
_FRAME_S = 0.02
_PAUSE_S = 0.3
"""Loudness is averaged over so much: a pause between words, rather than within one."""
_SILENT = 10 ** (-55 / 20)
"""Peak of a piece that holds nothing: recognisers make words up for those."""


def transcribe_file(
    path: Path,
    transcriber: Transcriber,
    *,
    language: str = "",
    on_progress: Callable[[float, float | None], None] = lambda _heard_s, _all_s: None,
    cancel: CancelToken | None = None,
) -> Iterator[Segment]:
    """What is said in the file, in order. Times are seconds from its beginning.

    `on_progress` gets how many seconds have been heard, and of how many, where the file says so.
    `language` "" takes that of the first words throughout.
    Raises `VoiceError`, `CancelledError`.
    """
    start_s = 0.0
    with SoundReader(path, cancel) as reader:
        for piece in pieces(reader):
            length_s = len(piece) / RATE
            if np.abs(piece).max() > _SILENT:
                heard = transcriber.transcribe(piece, language=language, cancel=cancel)
                language = language or (heard.language if heard.text else "")
                for segment in heard.segments:
                    end_s = min(segment.end_s, length_s)
                    yield Segment(start_s + min(segment.start_s, end_s), start_s + end_s, segment.text)
            start_s += length_s
            on_progress(start_s, reader.seconds)


def pieces(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The same sound, cut in pauses into pieces of at most `LONGEST_S`; all but the last at least `SHORTEST_S`."""
    held: list[Samples] = []
    longest = int(LONGEST_S * RATE)
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) < longest:
            continue
        sound = np.concatenate(held)
        while len(sound) >= longest:
            cut = _quietest(sound[:longest])
            yield sound[:cut]
            sound = sound[cut:]
        held = [sound]
    rest = np.concatenate(held) if held else np.zeros(0, np.float32)
    if len(rest):
        yield rest


def srt(segments: Iterable[Segment]) -> str:
    """The segments as a SubRip file's text."""
    return _subtitles(segments, "srt")


def vtt(segments: Iterable[Segment]) -> str:
    """The segments as a WebVTT file's text."""
    return _subtitles(segments, "vtt")


def _subtitles(segments: Iterable[Segment], form: str) -> str:
    import pysubs2  # noqa: PLC0415  # only here

    subtitles = pysubs2.SSAFile()
    for segment in segments:
        event = pysubs2.SSAEvent(start=round(1000 * segment.start_s), end=round(1000 * segment.end_s))
        # pysubs2 takes braces for formatting, and drops what is in them.
        event.plaintext = segment.text.replace("{", "(").replace("}", ")")
        subtitles.append(event)
    text: str = subtitles.to_string(form)
    return text


def _quietest(sound: Samples) -> int:
    """The middle of the quietest pause behind `SHORTEST_S`, in samples."""
    frame = int(_FRAME_S * RATE)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    energy = (frames.astype(np.float64) ** 2).mean(axis=1)
    width = int(_PAUSE_S / _FRAME_S)
    first = int(SHORTEST_S / _FRAME_S)
    smooth = np.convolve(energy[first:], np.ones(width), mode="valid")
    # The last of equals: longer pieces are heard better.
    quietest = len(smooth) - 1 - int(np.argmin(smooth[::-1]))
    return (first + quietest + width // 2) * frame
