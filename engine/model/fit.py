"""Will it fit: how much memory a model will take, told from its header alone, and the largest context that fits.

The terms are llama.cpp's own (`llama-kv-cache.cpp`, `ggml-alloc.c`, `ggml-cpu/repack.cpp`); the constants were
measured on processes that had loaded a model, filled the window, and answered: tests/process/test_fit_process.py
holds them to 10 %. What the worker takes without a model (about 50 MB) is not in them. Knows no machine (`memory`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.errors import sentence
from engine.model.description import ModelDescription
from engine.model.memory import repacked_types
from engine.types import KvType

CONTEXT_STEP = 256
"""llama.cpp rounds the context window up to a multiple of this."""
DEFAULT_CONTEXT_CAP = 32_768
"""Larger windows are chosen on request only: they cost memory from the first moment on."""
USEFUL_CONTEXT = 2_048
"""For a window up to this, memory may get tight; beyond it, it should stay comfortable."""
COMFORTABLE_SHARE = 0.85
"""Of the available memory: up to here a model fits, from here to all of it is tight."""
WINDOWS_KEPT = 4
"""Whole windows that the KV cache holds where memory is comfortable, so that other conversations stay in it."""
MAX_OUTPUTS = 64
"""Rows of logits in one batch: one a sequence, or one a drafted token. More would be memory for nothing."""
STATEFUL_SEQUENCES = 4
"""Recurrent and hybrid models keep a state of fixed size for each sequence, so they get few."""

_KV_BYTES = {KvType.F16: 2.0, KvType.Q8_0: 34 / 32, KvType.Q4_0: 18 / 32}
_TOKEN_BYTES = 150
_MERGE_BYTES = 195
"""llama.cpp's tables: text, score, hash map entries a token and a merge rule, with the allocator's share."""
_FIXED_BYTES = 5_000_000
"""Graphs, buffers' own bookkeeping, the library's pages that only a loaded model touches."""
_CELL_BYTES = 48
"""Position and sequences of a KV cell."""
_EMBD_BUFFERS = 7.3
_FF_BUFFERS = 2
"""Rows of F32 alive at once in a layer (measured; the graph allocator reuses the rest)."""
_WORK_BYTES = 1.14
"""An element of the widest row, quantised for the product (Q8_K)."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a process will take beyond itself, in bytes.

    `mapped_bytes` are pages of the file that lie beside their rearranged copy when the file is mapped. They count
    as the process's, but the system drops them freely when memory is short.
    """

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    tables_bytes: int
    """Vocabulary and bookkeeping."""
    mapped_bytes: int

    @property
    def needed_bytes(self) -> int:
        """What must be there for the model to run well."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.tables_bytes

    @property
    def total_bytes(self) -> int:
        """What the process will show as its own."""
        return self.needed_bytes + self.mapped_bytes

    @property
    def total(self) -> int:
        """Short for `total_bytes`."""
        return self.total_bytes


class FitLevel(StrEnum):
    """How well a model goes into the available memory."""

    FITS = "fits"
    TIGHT = "tight"
    """It runs, but other programs may have to make room."""
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class FitVerdict:
    """A level, and the sentence for the person: a template and its fields, as in `HearthError`."""

    level: FitLevel
    n_ctx: int
    n_cells: int
    estimate: MemoryEstimate
    available_bytes: int
    template: str
    fields: dict[str, str]

    @property
    def sentence(self) -> str:
        """The English sentence."""
        return self.template.format(**self.fields)


def estimate(
    description: ModelDescription,
    n_cells: int,
    kv_type: KvType = KvType.F16,
    *,
    n_ubatch: int = 512,
    n_sequences: int = 32,
    n_outputs: int = 1,
    flash_attention: bool = True,
    offloaded: bool = False,
    use_mmap: bool = True,
    filled: int | None = None,
    repacked: frozenset[str] | None = None,
) -> MemoryEstimate:
    """Estimate for a KV cache of `n_cells` tokens for all sequences together, `filled` of them in use (None: all).

    `n_outputs` tokens of one batch have had logits. `offloaded`: all layers on a GPU, whose memory is then meant.
    `repacked` are the tensor types that the processor keeps rearranged (None: ask `memory`).
    """
    n_cells = _rounded_up(n_cells)
    n_sequences = min(n_sequences, STATEFUL_SEQUENCES) if description.recurrent else n_sequences
    types = frozenset[str]() if offloaded else repacked_types() if repacked is None else repacked
    copied = sum(size for type_name, size in description.matrix_bytes if type_name in types)
    return MemoryEstimate(
        weights_bytes=description.tensor_bytes + _tied_copy(description, types),
        kv_bytes=kv_cache_bytes(description, n_cells, kv_type) + 4 * n_sequences * description.recurrent_state,
        compute_bytes=_compute_bytes(
            description,
            n_cells if offloaded or filled is None else min(n_cells, _rounded_up(filled)),
            min(n_ubatch, n_cells),
            flash_attention=flash_attention or kv_type is not KvType.F16,
            logit_rows=_logit_rows(n_sequences, n_outputs, offloaded=offloaded),
        ),
        tables_bytes=_tables_bytes(description, n_cells),
        mapped_bytes=min(copied, description.tensor_bytes) if use_mmap else 0,
    )


def kv_cache_bytes(description: ModelDescription, n_cells: int, kv_type: KvType) -> int:
    """The KV cache of so many tokens: every cell of every layer that has one, filled or not (llama.cpp clears it)."""
    width = description.key_length + (0 if description.latent_attention else description.value_length)
    return round(sum(description.n_head_kv) * width * _rounded_up(n_cells) * _KV_BYTES[kv_type])


def largest_context(
    description: ModelDescription,
    available_bytes: int,
    kv_type: KvType = KvType.F16,
    *,
    cap: int = DEFAULT_CONTEXT_CAP,
    **how: bool | int,
) -> int:
    """The window to choose by default: the largest that fits comfortably, no larger than trained for or `cap`.

    Where not even `USEFUL_CONTEXT` fits comfortably, the largest up to that which fits at all; 0 if none does.
    `how` is handed to `estimate`.
    """
    limit = max(CONTEXT_STEP, min(description.n_ctx_train or cap, cap) // CONTEXT_STEP * CONTEXT_STEP)
    comfortable = _largest(description, kv_type, limit, available_bytes * COMFORTABLE_SHARE, how)
    useful = min(limit, USEFUL_CONTEXT)
    return comfortable if comfortable >= useful else _largest(description, kv_type, useful, available_bytes, how)


def cells_for(
    description: ModelDescription,
    n_ctx: int,
    available_bytes: int,
    kv_type: KvType = KvType.F16,
    *,
    cap: int = DEFAULT_CONTEXT_CAP,
    **how: bool | int,
) -> int:
    """How many tokens the KV cache should hold of all conversations together, for windows of `n_ctx`.

    At least one window; where memory stays comfortable, up to `WINDOWS_KEPT` of them and `cap` tokens, whichever is
    less. `how` is handed to `estimate`.
    """
    most = min(WINDOWS_KEPT * n_ctx, cap)
    return max(n_ctx, _largest(description, kv_type, most, available_bytes * COMFORTABLE_SHARE, how))


def _largest(
    description: ModelDescription, kv_type: KvType, limit: int, room: float, how: dict[str, bool | int]
) -> int:
    """The largest KV cache up to `limit` tokens with which the model takes no more than `room` bytes; 0 if none."""
    low, high = 0, limit // CONTEXT_STEP
    while low < high:
        middle = (low + high + 1) // 2
        fits = estimate(description, middle * CONTEXT_STEP, kv_type, **how).needed_bytes <= room  # type: ignore[arg-type]
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * CONTEXT_STEP


def judge(
    description: ModelDescription,
    available_bytes: int,
    n_ctx: int | None = None,
    kv_type: KvType = KvType.F16,
    **how: bool | int,
) -> FitVerdict:
    """Say whether a model fits, with `n_ctx` (None: the window chosen by default, or the least useful one).

    The estimate is of what loading would take: with the cells that `cells_for` gives other conversations.
    """
    if n_ctx is None:
        least = min(description.n_ctx_train or USEFUL_CONTEXT, USEFUL_CONTEXT)
        n_ctx = largest_context(description, available_bytes, kv_type, **how) or least
    n_cells = cells_for(description, n_ctx, available_bytes, kv_type, **how)
    need = estimate(description, n_cells, kv_type, **how)  # type: ignore[arg-type]
    if need.needed_bytes <= available_bytes * COMFORTABLE_SHARE:
        level, template = FitLevel.FITS, sentence("Needs {needed} of {available} free.")
    elif need.needed_bytes <= available_bytes:
        level, template = FitLevel.TIGHT, sentence("Needs {needed} of {available} free: other programs may slow down.")
    else:
        level, template = FitLevel.TOO_LARGE, sentence("Needs {needed}, but only {available} are free.")
    fields = {"needed": gigabytes(need.needed_bytes), "available": gigabytes(available_bytes)}
    return FitVerdict(level, n_ctx, n_cells, need, available_bytes, template, fields)


def gigabytes(n_bytes: int) -> str:
    """A size as people read it on a box: "1.4 GB"."""
    return f"{n_bytes / 1e9:.1f} GB"


def _compute_bytes(
    description: ModelDescription, n_kv: int, n_ubatch: int, *, flash_attention: bool, logit_rows: int
) -> int:
    """The part of the compute buffer that a prompt touches; on a GPU all of it, as nothing is taken lazily there."""
    heads = max(description.n_head, default=0)
    width = max(description.n_embd, heads * description.key_length)
    experts = description.n_expert_used
    n_ff = max(max(description.n_ff, default=0), experts * description.n_ff_expert)
    rows = 4 * (_FF_BUFFERS * n_ff + _EMBD_BUFFERS * width + 2 * experts * description.n_embd)
    work = _WORK_BYTES * max(n_ff, width)
    attention = n_kv * (2 if flash_attention else 4 + 4 * heads)
    return round(n_ubatch * (rows + work + attention) + 4 * description.n_vocab * logit_rows)


def _logit_rows(n_sequences: int, n_outputs: int, *, offloaded: bool) -> int:
    """A GPU reserves the rows of a whole batch. The processor touches those it computes, and their copies.

    llama.cpp clears a copy for each sequence at the start (`llama_context::output_reserve`), so that much is taken.
    """
    return MAX_OUTPUTS if offloaded else n_outputs + max(n_sequences, n_outputs)


def _tables_bytes(description: ModelDescription, n_cells: int) -> int:
    cells = n_cells * _CELL_BYTES
    return description.n_vocab * _TOKEN_BYTES + description.n_merges * _MERGE_BYTES + cells + _FIXED_BYTES


def _tied_copy(description: ModelDescription, types: frozenset[str]) -> int:
    """A shared embedding that is repacked for the output is there twice."""
    return description.tied_bytes if description.tied_type in types else 0


def _rounded_up(n_ctx: int) -> int:
    return max(1, -(-n_ctx // CONTEXT_STEP)) * CONTEXT_STEP
