"""The files of the voice activity detector and the end-of-turn model: where they can be had, sizes, hashes. Fetches
nothing.

Silero VAD 6.2 (snakers4/silero-vad, MIT) and smart-turn v3.2 (pipecat-ai/smart-turn, BSD-2-Clause), both the
publishers' own.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import VoiceWeightsError, sentence
from engine.model.catalogue import Source, SourceKind
from engine.model.weights_file import WeightsFile

_MISSING = sentence("A file that voice needs is missing ({name}). Fetch it with: hearth fetch voice")
_DAMAGED = sentence("A file that voice needs is damaged ({name}). Remove it, then fetch it again: hearth fetch voice")


def verified(file: WeightsFile, folder: Path, *, missing: str = _MISSING, damaged: str = _DAMAGED) -> Path:
    """Where it lies in `folder`. Raises `VoiceWeightsError` where it is missing or not what was published.

    `missing` and `damaged` are what that says then, of the file's `{name}`.
    """
    try:
        right = file.is_as_published(folder)
    except OSError as error:
        raise VoiceWeightsError(missing, name=file.file_name) from error
    if not right:
        raise VoiceWeightsError(damaged, name=file.file_name)
    return folder / file.file_name


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
