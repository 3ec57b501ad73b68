"""The files of the voice activity detector and the end-of-turn model: where they can be had, sizes, hashes. Fetches
nothing.

Silero VAD 6.2 (snakers4/silero-vad, MIT) and smart-turn v3.2 (pipecat-ai/smart-turn, BSD-2-Clause), both the
publishers' own. A download that differs is thrown away, so that a source need not be trusted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.errors import VoiceError, sentence
from engine.model.catalogue import Source, SourceKind

_MISSING = sentence("A file that voice needs is missing ({name}). Let Hearth fetch it in the settings of voice.")
_DAMAGED = sentence("A file that voice needs is damaged ({name}). Let Hearth fetch it anew in the settings of voice.")


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file, under its name in the folder; `sources` first choice first."""

    file_name: str
    size_bytes: int
    sha256: str
    licence: str
    sources: tuple[Source, ...]

    def verified(self, folder: Path) -> Path:
        """Where it lies in `folder`. Raises `VoiceError` where it is missing or not what was published."""
        path = folder / self.file_name
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise VoiceError(_MISSING, name=self.file_name) from error
        if digest != self.sha256:
            raise VoiceError(_DAMAGED, name=self.file_name)
        return path


VOICE_ACTIVITY = WeightsFile(
    "silero-vad-6.2.onnx",
    1_289_603,
    "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
    "MIT",
    (
        Source(
            SourceKind.PACKAGES, "Python packages", ("silero-vad==6.2.3",), "silero_vad/data/silero_vad_16k_op15.onnx"
        ),
    ),
)
END_OF_TURN = WeightsFile(
    "smart-turn-v3.2-cpu.onnx",
    8_679_182,
    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    "BSD-2-Clause",
    (
        Source(
            SourceKind.URL,
            "Hugging Face",
            ("https://huggingface.co/pipecat-ai/smart-turn-v3/resolve/main/smart-turn-v3.2-cpu.onnx",),
        ),
        Source(
            SourceKind.PACKAGES,
            "Python packages",
            ("pipecat-ai==1.14.0",),
            "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
        ),
    ),
)
FILES = (VOICE_ACTIVITY, END_OF_TURN)
