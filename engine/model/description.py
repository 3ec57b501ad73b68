"""What a model file is, from its header alone: kind, size, shape, quantisation, chat template.

Joins the parts of a split file. Knows no llama.cpp and no other program's folders; judges no memory (`fit`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.errors import ModelFileError, sentence
from engine.model.gguf import GgufHeader, TensorInfo, read_header
from engine.model.gguf_types import FILE_TYPES, GUESSED_FILE_TYPE

MAX_PARTS = 999
"""Parts of a split file. Real ones have 2 to 60."""
MAX_LAYERS = 512
"""llama.cpp aborts the process above this."""
MAX_DIMENSION = 2**31 - 1
"""llama.cpp keeps sizes in 32 bits."""

_SPLIT_NAME = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})(?P<suffix>\.gguf)", re.IGNORECASE)
_EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3",
        "eurobert", "gemma-embedding", "llama-embed", "t5encoder",
    }
)  # fmt: skip
_HELPER_ARCHITECTURES = frozenset({"eagle3", "dflash", "gemma4-assistant", "wavtokenizer-dec", "qwen3tts", "pockettts"})
"""Drafting heads and parts of speech models: real networks, but nothing to talk to."""
_RECURRENT_ARCHITECTURES = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7", "minimax-01"})
_PARALLEL_ARCHITECTURES = frozenset({"falcon-h1"})
"""Every layer has both attention and a recurrent state."""
_INTERVAL_ARCHITECTURES = frozenset({"qwen3next", "qwen35", "qwen35moe", "qwen4exp"})
"""Every fourth layer has attention, the others a recurrent state, unless the header says otherwise."""
_THINKING_MARKS = ("<think>", "enable_thinking", "<|channel|>", "[THINK]", "<seed:think>", "thinking")


class ModelKind(StrEnum):
    """What a file is good for. Only TEXT can be talked to."""

    TEXT = "text"
    PROJECTOR = "projector"
    """The eyes or ears of a text model (`mmproj`)."""
    EMBEDDING = "embedding"
    ADAPTER = "adapter"
    VOCABULARY = "vocabulary"
    """Words without weights."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model file, all parts together, as its header describes it.

    `path` is what llama.cpp is given (the first part), `parts` all of them in order. `n_head`, `n_head_kv` and
    `n_ff` have one number a layer; lengths are in elements, sizes in bytes. A number that the header does not
    give is 0, a text "". `n_head_kv` is 0 for a layer without attention.
    """

    path: Path
    parts: tuple[Path, ...]
    kind: ModelKind
    name: str
    architecture: str
    quantisation: str
    """As people know it: "Q4_K_M"."""
    size_bytes: int
    n_params: int
    n_ctx_train: int
    n_vocab: int
    n_embd: int
    """Of a projector: the width of the text model it belongs to."""
    n_layer: int
    n_head: tuple[int, ...]
    n_head_kv: tuple[int, ...]
    n_ff: tuple[int, ...]
    key_length: int
    value_length: int
    n_expert: int
    n_expert_used: int
    n_ff_expert: int
    sliding_window: int
    """In tokens; 0: every layer sees the whole window."""
    recurrent: bool
    """All or (hybrid) some layers keep a state of fixed size instead of a KV cache."""
    recurrent_state: int
    """Elements (F32) of that state for one sequence, all layers together."""
    latent_attention: bool
    """Keys and values are kept as one compressed vector (MLA)."""
    n_merges: int
    """Merge rules of the tokeniser."""
    tensor_bytes: int
    """All weights as stored."""
    matrix_bytes: tuple[tuple[str, int], ...]
    """Of those, what is multiplied with, by tensor type: a CPU may keep these rearranged ("repacked")."""
    tied_type: str
    """The type of an embedding that serves as output too, "" if the two are apart; `tied_bytes` is its size."""
    tied_bytes: int
    template: str
    """The chat template's text (Jinja), "" if there is none."""
    languages: tuple[str, ...]
    licence: str
    projector: Path | None = None
    """The `mmproj` file that belongs to it, where one lies beside it."""

    @property
    def can_think(self) -> bool:
        """A hint: its template speaks of reasoning."""
        return any(mark in self.template for mark in _THINKING_MARKS)

    @property
    def hybrid(self) -> bool:
        """Recurrent, but some layers have attention."""
        return self.recurrent and any(self.n_head_kv)


def describe(path: Path) -> ModelDescription:
    """Describe the model whose file, or any part of it, is `path`. Raises `ModelFileError`."""
    paths = split_parts(path)
    headers = [read_header(part) for part in paths]
    first = headers[0]
    _check_split(first, len(paths))
    tensors = [tensor for header in headers for tensor in header.tensors]
    kind = _kind(first, tensors)
    if kind in (ModelKind.TEXT, ModelKind.EMBEDDING):
        _check_network(first)
    return _description(paths, headers, tensors, kind)


def split_parts(path: Path) -> tuple[Path, ...]:
    """All parts of the split model that `path` belongs to, in order; `path` alone if it is not split.

    Raises `ModelFileError` that names the first missing part.
    """
    match = _SPLIT_NAME.fullmatch(path.name)
    if match is None:
        return (path,)
    n_parts = int(match["parts"])
    if not 1 <= int(match["part"]) <= n_parts <= MAX_PARTS:
        return (path,)
    names = [f"{match['stem']}-{number:05d}-of-{n_parts:05d}{match['suffix']}" for number in range(1, n_parts + 1)]
    for name in names:
        if not path.with_name(name).is_file():
            raise ModelFileError(
                sentence("{name} is in {parts} parts, and {missing} is missing."),
                name=match["stem"],
                parts=n_parts,
                missing=name,
            )
    return tuple(path.with_name(name) for name in names)


def is_later_part(path: Path) -> bool:
    """True for the second and later parts of a split model, which are never opened by themselves."""
    match = _SPLIT_NAME.fullmatch(path.name)
    return match is not None and int(match["part"]) > 1


def _check_split(first: GgufHeader, n_parts: int) -> None:
    declared = first.integer("split.count") or 1
    if declared not in (1, n_parts):
        raise ModelFileError(
            sentence("{name} is one of {parts} parts, and the others are not beside it."),
            name=first.path.name,
            parts=declared,
        )


def _kind(header: GgufHeader, tensors: list[TensorInfo]) -> ModelKind:
    architecture = header.text("general.architecture")
    declared = header.text("general.type")
    if declared == "adapter":
        return ModelKind.ADAPTER
    if architecture == "clip" or declared in ("mmproj", "projector"):
        return ModelKind.PROJECTOR
    if declared == "imatrix" or architecture in _HELPER_ARCHITECTURES or not architecture:
        return ModelKind.OTHER
    if not tensors:
        return ModelKind.VOCABULARY
    # Converters write a pooling type for embedding and reranking models only.
    if architecture in _EMBEDDING_ARCHITECTURES or header.integer(f"{architecture}.pooling_type"):
        return ModelKind.EMBEDDING
    if header.integer(f"{architecture}.block_count") is None:
        return ModelKind.OTHER
    return ModelKind.TEXT


def _check_network(header: GgufHeader) -> None:
    """Refuse what would make llama.cpp end its process."""
    architecture = header.text("general.architecture")
    n_layer = header.integer(f"{architecture}.block_count") or 0
    if not 1 <= n_layer <= MAX_LAYERS:
        raise ModelFileError(
            sentence("{name} is damaged or not safe to open: it claims to have {layers} layers."),
            name=header.path.name,
            layers=n_layer,
        )
    for key in ("embedding_length", "context_length"):
        if not 1 <= (header.integer(f"{architecture}.{key}") or 0) <= MAX_DIMENSION:
            raise ModelFileError(
                sentence("{name} is damaged or not a complete model: it does not say its {key}."),
                name=header.path.name,
                key=key.replace("_", " "),
            )


def _description(
    paths: tuple[Path, ...], headers: list[GgufHeader], tensors: list[TensorInfo], kind: ModelKind
) -> ModelDescription:
    first = headers[0]
    architecture = first.text("general.architecture")

    def integer(key: str) -> int:
        return min(max(first.integer(f"{architecture}.{key}") or 0, 0), MAX_DIMENSION)

    n_layer = min(integer("block_count"), MAX_LAYERS)
    n_embd = integer("embedding_length")
    if kind is ModelKind.PROJECTOR:
        n_embd = integer("vision.projection_dim") or integer("audio.projection_dim")
    n_head = _per_layer(first, f"{architecture}.attention.head_count", n_layer)
    n_head_kv = _heads_with_cache(first, architecture, n_head)
    tied = _tied_embedding(tensors)
    head_length = n_embd // max(n_head, default=0) if any(n_head) else 0
    return ModelDescription(
        path=paths[0],
        parts=paths,
        kind=kind,
        name=first.text("general.name") or _plain_name(paths[0]),
        architecture=architecture,
        quantisation=_quantisation(first, tensors),
        size_bytes=sum(header.file_size for header in headers),
        n_params=sum(tensor.n_elements for tensor in tensors),
        n_ctx_train=integer("context_length"),
        n_vocab=first.array_length("tokenizer.ggml.tokens") or integer("vocab_size"),
        n_embd=n_embd,
        n_layer=n_layer,
        n_head=n_head,
        n_head_kv=n_head_kv,
        n_ff=_per_layer(first, f"{architecture}.feed_forward_length", n_layer),
        key_length=integer("attention.key_length") or head_length,
        value_length=integer("attention.value_length") or head_length,
        n_expert=integer("expert_count"),
        n_expert_used=integer("expert_used_count"),
        n_ff_expert=integer("expert_feed_forward_length"),
        sliding_window=integer("attention.sliding_window"),
        recurrent=architecture in _RECURRENT_ARCHITECTURES or integer("ssm.state_size") > 0,
        recurrent_state=_state_per_layer(first, architecture) * _recurrent_layers(architecture, n_layer, n_head_kv),
        latent_attention=integer("attention.key_length_mla") > 0,
        n_merges=first.array_length("tokenizer.ggml.merges") or 0,
        tensor_bytes=sum(tensor.size_bytes for tensor in tensors),
        matrix_bytes=_matrix_bytes(tensors),
        tied_type=tied.type_name if tied else "",
        tied_bytes=tied.size_bytes if tied else 0,
        template=first.text("tokenizer.chat_template"),
        languages=_texts(first, "general.languages"),
        licence=first.text("general.license"),
    )


def _heads_with_cache(header: GgufHeader, architecture: str, n_head: tuple[int, ...]) -> tuple[int, ...]:
    """Key-value heads a layer, 0 where the layer keeps no KV cache of its own."""
    n_layer = len(n_head)
    heads = _per_layer(header, f"{architecture}.attention.head_count_kv", n_layer) or n_head
    if architecture in _RECURRENT_ARCHITECTURES:
        return (0,) * n_layer
    interval = header.integer(f"{architecture}.full_attention_interval") or 0
    if architecture in _INTERVAL_ARCHITECTURES:
        interval = interval or 4
    if interval > 0:
        heads = tuple(heads[layer] if (layer + 1) % interval == 0 else 0 for layer in range(n_layer))
    n_shared = min(max(header.integer(f"{architecture}.attention.shared_kv_layers") or 0, 0), n_layer)
    return heads[: n_layer - n_shared] + (0,) * n_shared


def _state_per_layer(header: GgufHeader, architecture: str) -> int:
    """Elements of a recurrent layer's state for one sequence: convolution window and state (Mamba and its kin)."""

    def integer(key: str) -> int:
        return min(max(header.integer(f"{architecture}.{key}") or 0, 0), MAX_DIMENSION)

    inner, state, groups = integer("ssm.inner_size"), integer("ssm.state_size"), integer("ssm.group_count")
    window = max(integer("ssm.conv_kernel") - 1, 0) * (inner + 2 * groups * state)
    wkv = integer("embedding_length") * (integer("wkv.head_size") + 2)
    return window + state * inner + (wkv if integer("wkv.head_size") else 0)


def _recurrent_layers(architecture: str, n_layer: int, n_head_kv: tuple[int, ...]) -> int:
    if architecture in _PARALLEL_ARCHITECTURES:
        return n_layer
    return n_layer - sum(1 for heads in n_head_kv if heads)


def _matrix_bytes(tensors: list[TensorInfo]) -> tuple[tuple[str, int], ...]:
    """Sizes by type of the matrices that layers and the output multiply with, rows in eights as repacking wants."""
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        multiplied = tensor.name.startswith("blk.") or tensor.name == "output.weight"
        if multiplied and len(tensor.shape) in (2, 3) and tensor.shape[1] % 8 == 0:
            sizes[tensor.type_name] += tensor.size_bytes
    return tuple(sorted(sizes.items()))


def _tied_embedding(tensors: list[TensorInfo]) -> TensorInfo | None:
    by_name = {tensor.name: tensor for tensor in tensors}
    return None if "output.weight" in by_name else by_name.get("token_embd.weight")


def _per_layer(header: GgufHeader, key: str, n_layer: int) -> tuple[int, ...]:
    """A number a layer: the array's, or the single one repeated; () if the header has neither."""
    numbers = tuple(min(max(number, 0), MAX_DIMENSION) for number in header.integers(key))
    if not numbers:
        return ()
    if header.array_length(key) is None:
        return numbers * n_layer
    return (numbers + (0,) * n_layer)[:n_layer]


def _quantisation(header: GgufHeader, tensors: list[TensorInfo]) -> str:
    """The declared file type's label; failing that, the type most weights are in."""
    file_type = header.integer("general.file_type")
    if file_type is not None and not file_type & GUESSED_FILE_TYPE and file_type in FILE_TYPES:
        return FILE_TYPES[file_type]
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.type_name] += tensor.n_elements
    return weights.most_common(1)[0][0] if weights else ""


def _texts(header: GgufHeader, key: str) -> tuple[str, ...]:
    value = header.metadata.get(key)
    if value is None or isinstance(value, int | float | str) or value.values is None:
        return ()
    return tuple(item for item in value.values if isinstance(item, str))


def _plain_name(path: Path) -> str:
    match = _SPLIT_NAME.fullmatch(path.name)
    return match["stem"] if match else path.stem if path.suffix.lower() == ".gguf" else path.name
