"""The engine's value types: what goes in and what comes out. Standard library only, no behaviour.

Every value here is frozen and can travel as JSON (see `engine.worker.protocol`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engine.context.segments import PromptMessage
from engine.pages import PromptPage, RegionUse


class KvType(StrEnum):
    """Element type of the KV cache, in llama.cpp's names."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"


class FlashAttention(StrEnum):
    """Attention that never holds the whole score matrix. A quantised KV cache needs it."""

    AUTO = "auto"
    """As llama.cpp judges the device."""
    ON = "on"
    OFF = "off"


class OverflowPolicy(StrEnum):
    """What to do when a conversation is longer than the context window."""

    DROP_OLDEST = "drop_oldest"
    """Keep system and pinned messages, leave out the oldest whole turns, and name them."""
    SUMMARISE = "summarise"
    """As `DROP_OLDEST` in a prompt; the app has the model summarise older turns when it is idle."""
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
class Adapter:
    """A LoRA adapter (a GGUF file) and its weight: 0 is off, 1 as it was trained."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model that a server on another computer runs: the server's address, and the model's name there."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model to load, and how. None means: choose for this machine.

    `n_ctx` is the window of one conversation in tokens, `n_cells` what the KV cache holds of all conversations
    together (shared prefixes once; None: at least `n_ctx`). `n_gpu_layers` -1 offloads all; `n_threads` counts
    decode threads. `n_sequences` conversations or samples are in the KV cache at once. `adapters` are loaded with
    the model and applied to requests that do not name their own. `projector` is a vision model's second file,
    `draft_path` a small model of the same family that drafts tokens. `snapshot_folder` is where sequences are kept that
    leave the KV cache, up to `snapshot_bytes`; `notes_folder` keeps what was measured of this model on this machine.
    With `remote` nothing is loaded here, nothing else counts, and `path` is only the name.
    """

    path: Path
    n_ctx: int | None = None
    kv_type: KvType = KvType.F16
    n_gpu_layers: int | None = None
    n_threads: int | None = None
    n_batch: int = 512
    n_ubatch: int = 512
    use_mmap: bool = True
    use_mlock: bool = False
    flash_attention: FlashAttention = FlashAttention.AUTO
    n_sequences: int = 32
    n_cells: int | None = None
    adapters: tuple[Adapter, ...] = ()
    projector: Path | None = None
    draft_path: Path | None = None
    speculate: bool = True
    snapshot_folder: Path | None = None
    snapshot_bytes: int = 4_000_000_000
    notes_folder: Path | None = None
    remote: RemoteModel | None = None


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
    n_cells: int = 0
    """Tokens that the KV cache holds of all conversations together."""
    n_sequences: int = 1
    n_threads: int = 1
    kv_type: KvType = KvType.F16
    flash_attention: bool = False
    can_see: bool = False
    """Images can be part of a message."""
    can_chat: bool = True
    """False for embedding models."""
    embedding_size: int = 0
    """Numbers in an embedding; 0 where the model makes none."""
    shares_prefixes: bool = True
    """Prefixes can be copied and cut; False for recurrent and hybrid models, which only go on from the end."""
    remote_host: str = ""
    """Where the model runs, if not on this machine."""
    notes: tuple[str, ...] = ()
    """Sentences about wishes that loading could not fulfil (memory that may not be locked, say)."""


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
class BarePrompt:
    """A prompt without a chat template: `text`, or in its place `tokens` of this very model.

    With `score`, how likely each of its tokens was comes as `PromptLogprobs`, with `SamplingParams.logprobs`
    alternatives. Then all of it is read anew.
    """

    text: str = ""
    tokens: tuple[int, ...] = ()
    score: bool = False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt as typed segments, and how to answer it.

    `continue_last` lets the model go on writing the last message, which must be the assistant's.
    `thinking` is for models that can switch it; None leaves the model's default.
    `background` work (titles) gives way to any other request. `cache_key` names the conversation, "" for none: what
    is in the KV cache under it outlives the worker as a snapshot. `adapters` None are those of the `ModelSpec`.
    `prefill_only` fills the KV cache and ends without an answer. With `weighs_end`, `EndWeighed` comes on the way,
    where that can be; with `scores_question`, `QuestionScored`. A `bare` prompt takes the place of the messages.
    """

    request_id: str
    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams = field(default_factory=SamplingParams)
    overflow: OverflowPolicy = OverflowPolicy.DROP_OLDEST
    answer_reserve: int = 512
    thinking: bool | None = None
    continue_last: bool = False
    background: bool = False
    cache_key: str = ""
    adapters: tuple[Adapter, ...] | None = None
    prefill_only: bool = False
    weighs_end: bool = False
    scores_question: bool = False
    bare: BarePrompt | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is assembled. `dropped` are the ids of messages left out, oldest first.

    `tokens_by_origin` adds up to `prompt_tokens` (template literals count as "app"), as do the tokens of the
    `pages` that are not out of the window. `restored_tokens` of the cached ones were read back from a snapshot.
    """

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    n_ctx: int
    seed: int
    dropped: tuple[str, ...] = ()
    tokens_by_origin: tuple[tuple[str, int], ...] = ()
    restored_tokens: int = 0
    pages: tuple[PromptPage, ...] = ()
    regions: tuple[RegionUse, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """`processed` of `total` prompt tokens are in the KV cache (cached ones count as processed)."""

    request_id: str
    processed: int
    total: int


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token's piece, its natural-log probability, and the top alternatives (piece, logprob).

    Bytes that are no text by themselves (a part of a letter) stand in a piece as Python's "surrogateescape" has them.
    """

    piece: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """Tokens of a prompt that is scored, from the one at index `at` on. The very first has probability 1: nothing was
    there to foresee it. A prompt that had to leave the cache for others begins again.
    """

    request_id: str
    at: int
    logprobs: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class EndWeighed:
    """That the message ends with its last word has this probability, by the model (as Ekstedt and Skantze's TurnGPT,
    2020): it foresees a mark that ends a sentence, or the message's end.
    """

    request_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class QuestionScored:
    """The person's last words had this natural-log probability, given all that stands before them in the prompt."""

    request_id: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next characters of the answer: whole code points. They come of about so many `tokens`; `Usage` is exact."""

    request_id: str
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next characters of the model's reasoning, without its marks. `tokens` as in `TextDelta`."""

    request_id: str
    text: str
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost. Comes once, just before the terminal event; times in seconds.

    Of the `cached_tokens`, `restored_tokens` came from a snapshot. Of `drafted_tokens` guessed ahead,
    `accepted_tokens` were what the model would have written.
    """

    request_id: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    n_ctx: int
    prefill_s: float
    decode_s: float
    restored_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


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


StreamEvent = (
    Started
    | PromptProgress
    | PromptLogprobs
    | EndWeighed
    | QuestionScored
    | TextDelta
    | ReasoningDelta
    | Usage
    | Finished
    | Failed
)  # fmt: skip
"""Each request ends with exactly one `Finished` or `Failed`, also when the worker dies."""
TERMINAL = (Finished, Failed)
