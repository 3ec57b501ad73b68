"""Speech to text by Whisper on onnxruntime, for what is said in one breath: three times as fast as whisper.cpp.

The weights are those of whisper.cpp's file. Decoding is greedy and without time stamps; what sounds like a loop, or is
hardly believed, is heard once more with more of the window. Knows no process and no microphone.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from engine.onnx_session import largest_weight, run_until, session
from voice.log_mel import HOP, log_mel
from voice.stt.ggml_weights import read_weights
from voice.stt.whisper_graph import FIRST, MASK, MEL, TOKENS, hearing_graph, saying_graph
from voice.stt.whisper_words import LANGUAGES, WhisperWords
from voice.stt.window import contexts, is_loop, most_tokens, said_once
from voice.types import RATE, Samples, Segment, Transcript

_NEVER = np.float32(-1e9)
_DOUBTED = -1.0
"""A mean logarithm of the tokens' probabilities below which a text is not believed."""
_SILENT = 0.6
"""A probability that nobody speaks."""
_WONT_LOAD = sentence("The speech recognition model “{name}” could not be loaded. Fetch it again.")
Arrays = list[NDArray[np.float32]]


class WhisperOnnx:
    """A `Transcriber` of sound up to a window (30 s) long. Raises `VoiceError` where the file cannot be loaded.

    Loading takes about a second. A quarter of a second of one core for three seconds of sound with the tiny model.
    """

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        self._path = model
        weights = read_weights(model)
        self._n_layers = weights.n_layers
        self._words = WhisperWords(weights.words, weights.n_vocabulary)
        try:
            self._hearing = session(hearing_graph(weights), threads)
            self._saying = session(saying_graph(weights, largest=largest_weight()))
        except Exception as error:  # what onnxruntime raises has no common class
            raise VoiceError(_WONT_LOAD, name=model.name) from error
        self._nothing = [np.zeros((1, weights.n_heads, 0, weights.n_width // weights.n_heads), np.float32)]
        self._nothing *= 2 * weights.n_layers

    @property
    def name(self) -> str:
        return f"Whisper on onnxruntime, {self._path.stem}"

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        if not len(samples):
            return Transcript("")
        seconds = len(samples) / RATE
        text, spoken = "", language
        for context in contexts(seconds):
            text, spoken, is_sure = self._decode(samples, context, language, cancel)
            if is_sure and not is_loop(text, seconds) and said_once(text) == text:
                break
        else:
            text = "" if is_loop(text, seconds) else said_once(text)
        segments = (Segment(0.0, seconds, text),) if text else ()
        return Transcript(text, segments, spoken)

    def close(self) -> None:
        self._hearing = self._saying = None

    def _decode(
        self, samples: Samples, context: int, language: str, cancel: CancelToken | None
    ) -> tuple[str, str, bool]:
        """Text, language, and whether to believe it."""
        sound = np.zeros(2 * context * HOP, np.float32)
        sound[: len(samples)] = samples[: len(sound)]
        heard = run_until(self._hearing, {MEL: log_mel(sound)[np.newaxis]}, cancel)
        words = self._words
        scores, kept = self._said([words.start], 0, self._nothing, heard)
        silence = np.exp(_logarithms(scores)[words.silence])
        if not words.is_multilingual:
            language = "en"
        elif language not in LANGUAGES:
            first = words.first_language
            language = LANGUAGES[int(scores[first : first + len(LANGUAGES)].argmax())]
        tokens, said, total, place = words.prompt(language), list[int](), 0.0, 1
        while len(said) < most_tokens(len(samples) / RATE):
            _go_on(cancel)
            scores, kept = self._said(tokens, place, kept, heard)
            place += len(tokens)
            scores = scores[: words.end + 1]
            scores[list(words.never)] = _NEVER
            if not said:
                scores[list(words.never_first)] = _NEVER
            token = int(scores.argmax())
            total += float(_logarithms(scores)[token])
            if token == words.end:
                break
            said.append(token)
            tokens = [token]
        believed = total / (len(said) + 1) >= _DOUBTED
        return ("" if silence > _SILENT and not believed else words.text(said)), language, believed or silence > _SILENT

    def _said(self, tokens: list[int], place: int, kept: Arrays, heard: Arrays) -> tuple[NDArray[np.float32], Arrays]:
        """Scores of the token behind `tokens`, which stand at `place`, and what to keep of all tokens so far."""
        mask = np.triu(np.full((len(tokens), place + len(tokens)), _NEVER), place + 1)
        feed: dict[str, Any] = {TOKENS: np.array([tokens], np.int64), FIRST: np.array([place], np.int64), MASK: mask}
        for layer in range(self._n_layers):
            feed[f"keys {layer}"], feed[f"values {layer}"] = kept[2 * layer : 2 * layer + 2]
            feed[f"heard keys {layer}"], feed[f"heard values {layer}"] = heard[2 * layer : 2 * layer + 2]
        scores, *kept = self._saying.run(None, feed)
        return scores[0], kept


def _logarithms(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of the probabilities that scores stand for."""
    lowered = scores - scores.max()
    out: NDArray[np.float32] = lowered - np.log(np.exp(lowered).sum())
    return out


def _go_on(cancel: CancelToken | None) -> None:
    if cancel is not None and cancel.cancelled:
        raise CancelledError
