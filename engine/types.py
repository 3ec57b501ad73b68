"""The engine's value types: what goes in and what comes out. Standard library only, no behaviour.

Every value here is frozen and can travel as JSON (see `engine.worker.protocol`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.context.segments import PromptMessage


class KvType(StrEnum):
    """Element type of the KV cache, in llama.cpp's names."""

    F16 = "f16"
    Q8_0 = "q8_0"


class OverflowPolicy(StrEnum):
    """What to do when a conversation is longer than the context window."""

    DROP_OLDEST = "drop_oldest"
    """Keep system and pinned messages, leave out the oldest whole turns, and name them."""
    STOP = "stop"
    """Refuse with `PromptTooLongError`."""


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    """The model ended its turn, or a stop string was met."""
    LENGTH = "length"
    """`max_tokens` was reached."""
    CONTEXT = "context"
    """The context window is full."""
    CANCELLED = "cancelled"
    """The request's token was cancelled."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model to load, and how. None means: choose for this machine.

    `n_ctx` is in tokens; `n_gpu_layers` -1 offloads all; `n_threads` counts decode threads.
    """

    path: Path
    n_ctx: int | None = None
    kv_type: KvType = KvType.F16
    n_gpu_layers: int | None = None
    n_threads: int | None = None
    n_batch: int = 512
    n_ubatch: int = 512
    use_mmap: bool = True


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What is loaded, as llama.cpp reports it. Sizes in bytes, `load_s` in seconds."""

    path: Path
    name: str
    architecture: str
    quantisation: str
    n_ctx: int
    n_ctx_train: int
    n_vocab: int
    n_params: int
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    backend: str
    """"CPU", "Metal", "CUDA" or "Vulkan"."""
    n_gpu_layers: int
    backend_note: str
    """Why the GPU is not used, or "" if it is or none is there."""
    template: str
    """The family of the reviewed chat template, or "jinja" for the model's own."""
    can_think: bool
    load_s: float


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Sampling parameters under llama.cpp's names, applied by its own sampler chain.

    `temperature` 0 is greedy. `seed` None draws one. `max_tokens` None ends at the context window.
    `logprobs` is the number of alternatives to report a token (0: none). `json_schema` is JSON text.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    json_schema: str | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int = 0


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt as typed segments, and how to answer it.

    `continue_last` lets the model go on writing the last message, which must be the assistant's.
    `thinking` is for models that can switch it; None leaves the model's default.
    `background` work (titles) gives way to any other request.
    """

    request_id: str
    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams = field(default_factory=SamplingParams)
    overflow: OverflowPolicy = OverflowPolicy.DROP_OLDEST
    answer_reserve: int = 512
    thinking: bool | None = None
    continue_last: bool = False
    background: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is assembled. `dropped` are the ids of messages left out, oldest first.

    `tokens_by_origin` adds up to `prompt_tokens` (template literals count as "app").
    """

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    n_ctx: int
    seed: int
    dropped: tuple[str, ...] = ()
    tokens_by_origin: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """`processed` of `total` prompt tokens are in the KV cache (cached ones count as processed)."""

    request_id: str
    processed: int
    total: int


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token's piece, its natural-log probability, and the top alternatives (piece, logprob)."""

    piece: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next characters of the answer: whole code points, one or more tokens."""

    request_id: str
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next characters of the model's reasoning, without its marks."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost. Comes once, just before the terminal event; times in seconds."""

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    n_ctx: int
    prefill_s: float
    decode_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """Terminal: the answer is whole, or ended early for `reason`."""

    request_id: str
    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: there is no (further) answer. `template` and `fields` as in `HearthError`."""

    request_id: str
    code: str
    template: str
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def message(self) -> str:
        """The English sentence."""
        return self.template.format(**dict(self.fields)) if self.fields else self.template


StreamEvent = Started | PromptProgress | TextDelta | ReasoningDelta | Usage | Finished | Failed
"""Each request ends with exactly one `Finished` or `Failed`, also when the worker dies."""
TERMINAL = (Finished, Failed)
