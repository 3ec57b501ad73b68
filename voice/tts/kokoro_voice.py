"""Text to speech by Kokoro-82M: voices of a larger network, in English only, which cost most of a core.

Phonemes come from hibari's dictionaries and rules: both networks read the same alphabet (misaki's). Nothing is loaded
before the first sentence; the same sentence always sounds the same. Knows no process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cancel import CancelToken
from engine.errors import VoiceWeightsError, sentence
from engine.onnx_float import FOLDS, in_float
from engine.onnx_session import session
from voice.audio_weights import verified
from voice.tts.kokoro_files import NETWORK, STYLES, is_british, voices_in
from voice.tts.trim import trimmed
from voice.types import Samples, Sound, VoiceName

RATE = 24_000
"""Hertz."""
MOST_PHONEMES = 510
"""At a time: the network has places for 512, two of which are its pauses around them."""
_STYLE = 256
"""Numbers in each row of a voice's table, which has a row for each count of phonemes."""
_SLOWEST, _FASTEST = 0.5, 2.0
_BREAKS = (re.compile(r".*[.!?…;:—,](?=\s)", re.DOTALL), re.compile(r".*(?=\s)", re.DOTALL))
"""Where too long a sentence is divided, the best places first."""
_MISSING = sentence(
    "A file of the voice that was chosen is missing ({name}). Hearth's own speaks instead. "
    "Fetch it with: hearth fetch kokoro"
)
_DAMAGED = sentence(
    "A file of the voice that was chosen is damaged ({name}). Hearth's own speaks instead. "
    "Remove it, then fetch it again: hearth fetch kokoro"
)


class KokoroVoice:
    """A `Synthesizer`. Raises `VoiceWeightsError` where a file in `folder` is not the one that was published."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._network: Any = None
        self._styles: dict[str, NDArray[np.float32]] = {}
        self._readers: dict[bool, _Reader] = {}

    @property
    def name(self) -> str:
        return "Kokoro"

    def voices(self) -> Sequence[VoiceName]:
        found = voices_in(self._folder)
        if not found:
            raise VoiceWeightsError(_MISSING, name=NETWORK.file_name)
        return found

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        from onnxruntime import RunOptions  # noqa: PLC0415  # loads it

        voice = voice or next(iter(STYLES))
        styles, network = self._styles_of(voice), self._loaded()
        options = RunOptions()
        cancel = cancel or CancelToken()
        cancel.on_cancel(lambda: setattr(options, "terminate", True))
        pieces: list[Samples] = []
        for tokens in self._reader(british=is_british(voice)).tokens(text):
            # The first and the last place are pauses, and the rows count from one phoneme on.
            given = {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": styles[len(tokens) - 1],
                "speed": np.array([min(max(speed, _SLOWEST), _FASTEST)], np.float32),
            }
            try:
                pieces.append(network.run(None, given, options)[0].reshape(-1))
            except Exception:  # onnxruntime has no class of its own for what was ended
                if cancel.cancelled:
                    raise CancelledError from None
                raise
        samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        return trimmed(Sound(np.clip(samples, -1.0, 1.0).astype(np.float32), RATE))

    def close(self) -> None:
        self._network = None

    def _loaded(self) -> Any:
        if self._network is None:
            path = verified(NETWORK, self._folder, missing=_MISSING, damaged=_DAMAGED)
            self._network = session(in_float(path.read_bytes()), self._threads, FOLDS)
        return self._network

    def _styles_of(self, voice: str) -> NDArray[np.float32]:
        """Shape (510, 1, 256)."""
        if voice not in self._styles:
            if voice not in STYLES:
                raise VoiceWeightsError(_MISSING, name=voice)
            path = verified(STYLES[voice], self._folder, missing=_MISSING, damaged=_DAMAGED)
            self._styles[voice] = np.fromfile(path, "<f4").astype(np.float32).reshape(-1, 1, _STYLE)
        return self._styles[voice]

    def _reader(self, *, british: bool) -> _Reader:
        if british not in self._readers:
            self._readers[british] = _Reader(british=british)
        return self._readers[british]


class _Reader:
    """From a text to what the network reads, in one accent. Loads hibari's dictionaries (half a second)."""

    def __init__(self, *, british: bool) -> None:
        from hibari import Hibari  # noqa: PLC0415  # loads onnxruntime
        from hibari.g2p import G2P  # noqa: PLC0415  # as above
        from hibari.voices import ASSETS  # noqa: PLC0415  # as above

        self._sentences = Hibari.split_sentences
        self._phonemes: Any = G2P(british=british)
        # Of hibari 0.2.1, which pyproject.toml pins: Kokoro's own table, symbol for symbol.
        self._numbers: dict[str, int] = json.loads(Path(ASSETS, "vocab.json").read_text("utf-8"))

    def tokens(self, text: str) -> Iterator[list[int]]:
        """Of each sentence, at most `MOST_PHONEMES` at a time, never none."""
        for each in self._sentences(text):
            for piece in divided(self._phonemes(each)):
                if numbers := [self._numbers[symbol] for symbol in piece if symbol in self._numbers]:
                    yield numbers


def divided(phonemes: str, most: int = MOST_PHONEMES) -> Iterator[str]:
    """Pieces of at most so many symbols: up to a mark where there is one, else a word's end, else anywhere."""
    while len(phonemes) > most:
        found = (each.match(phonemes, 0, most + 1) for each in _BREAKS)
        end = next((match.end() for match in found if match and match.end()), most)
        yield phonemes[:end].rstrip()
        phonemes = phonemes[end:].lstrip()
    if phonemes:
        yield phonemes
