"""What a LoRA adapter is and whether it belongs to a model, from the two headers alone. Knows no llama.cpp.

A GGUF adapter (llama.cpp's `convert_lora_to_gguf.py`) holds two thin matrices for each weight that it changes:
`<weight>.lora_a` of shape (input, rank) and `<weight>.lora_b` of shape (rank, output), GGUF's order of dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelFileError, sentence
from engine.model.description import split_parts
from engine.model.gguf import read_header

A, B = ".lora_a", ".lora_b"
_IGNORED = "_norm.weight"
"""llama.cpp passes these over."""
_EMBEDDING = "token_embd.weight"
_NOT_AN_ADAPTER = sentence("{name} is not a LoRA adapter.")
_DAMAGED = sentence("The adapter {name} is damaged: the part {part} is not whole.")
_OTHER_MODEL = sentence("The adapter {name} was made for another model.")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """`pairs` are the shapes of A and B by the name of the weight they change; `alpha` scales with `rank`."""

    path: Path
    name: str
    architecture: str
    alpha: float
    rank: int
    size_bytes: int
    pairs: Mapping[str, tuple[Shape, Shape]]


def read_adapter(path: Path) -> AdapterFile:
    """Describe an adapter. Raises `ModelFileError` for what is none, or none that can be applied."""
    header = read_header(path)
    alpha = header.metadata.get("adapter.lora.alpha")
    kind = header.text("adapter.type")
    if header.text("general.type") != "adapter" or kind != "lora" or not isinstance(alpha, float):
        raise ModelFileError(_NOT_AN_ADAPTER, name=path.name)
    if header.array_length("adapter.alora.invocation_tokens") is not None:
        raise ModelFileError(
            sentence("The adapter {name} is of a kind that only acts after certain words, which cannot be used here."),
            name=path.name,
        )
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    pairs: dict[str, tuple[Shape, Shape]] = {}
    for name in shapes:
        if name.endswith((A, B)):
            weight = name.removesuffix(A).removesuffix(B)
            if weight + A not in shapes or weight + B not in shapes:
                raise ModelFileError(_DAMAGED, name=path.name, part=weight)
            pairs[weight] = shapes[weight + A], shapes[weight + B]
        elif not name.endswith(_IGNORED):
            raise ModelFileError(_NOT_AN_ADAPTER, name=path.name)
    if not pairs:
        raise ModelFileError(_NOT_AN_ADAPTER, name=path.name)
    return AdapterFile(
        path=path,
        name=header.text("general.name") or path.stem,
        architecture=header.text("general.architecture"),
        alpha=alpha,
        rank=max(b[0] for _a, b in pairs.values()),
        size_bytes=header.file_size,
        pairs=pairs,
    )


def check_belongs(adapter: AdapterFile, model: Path) -> None:
    """Raise `ModelFileError` unless every weight the adapter changes is in the model, with the shape it expects."""
    headers = [read_header(part) for part in split_parts(model)]
    if adapter.architecture != headers[0].text("general.architecture"):
        raise ModelFileError(_OTHER_MODEL, name=adapter.path.name)
    shapes = {tensor.name: tensor.shape for header in headers for tensor in header.tensors}
    for weight, (a, b) in adapter.pairs.items():
        if weight not in shapes or not _fits(weight, shapes[weight], a, b):
            raise ModelFileError(_OTHER_MODEL, name=adapter.path.name)


def _fits(weight: str, shape: Shape, a: Shape, b: Shape) -> bool:
    """As `llama_adapter_lora_init_impl` checks; an embedding has A and B the other way round."""
    if min(len(shape), len(a), len(b)) < 2:
        return False
    if weight.endswith(_EMBEDDING):
        return shape[0] == b[1] and shape[1] == a[1]
    return shape[0] == a[0] and shape[1] == b[1] and a[1] == b[0]
