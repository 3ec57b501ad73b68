"""Load an embedding model, and answer for it as the worker asks: what is loaded, token counts, vectors.

Knows files, devices and sizes; the computing is `engine.model.embedding`'s. Runs in the worker process only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from engine.errors import ModelFileError, ModelFitError, ModelLoadError, sentence
from engine.model.backend import Offload, backend_name, choose_offload, gpu_room, gpus, thread_count
from engine.model.buffers import read_buffers
from engine.model.description import ModelDescription, ModelKind, describe
from engine.model.embedding import MAX_SEQUENCES, Embedder
from engine.model.gguf import read_header
from engine.model.llama_library import LlamaLog, lib
from engine.model.loading import Handles, Progress, load_weights, loaded_model
from engine.model.memory import machine_memory
from engine.model.vocabulary import Vocabulary
from engine.pages import CacheReport, PromptPlan
from engine.types import GenerationRequest, LoadedModel, ModelSpec

if TYPE_CHECKING:
    from engine.model.generation import Generation
    from engine.model.scheduler import Ended
    from engine.model.text_pipeline import Hooks

WINDOW = 2048
"""Tokens of the longest text, where nobody asks for more and the model can do so much: memory grows with it."""
BATCH_TOKENS = 512
"""Tokens of a batch, where the window is no longer."""
_COMPUTE_SHARE = 0.25
"""Of the weights' size, to judge what a computation takes beside them."""


class EmbeddingRunner:
    """A loaded embedding model as the worker asks of it (`engine.worker.answering.Answers`).

    `embed` belongs to one thread, the rest to any.
    """

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._vocabulary = Vocabulary(handles.model)
        self._embedder = Embedder(handles.context, handles.model, self._vocabulary, n_window=handles.n_ctx)

    @classmethod
    def load(cls, spec: ModelSpec, log: LlamaLog, progress: Progress) -> Self:
        """Load the model of `spec`; raises as `load_embedding_model`."""
        return cls(load_embedding_model(spec, log, progress))

    def close(self) -> None:
        """Free the model."""
        self._handles.free()

    @property
    def loaded(self) -> LoadedModel:
        """What is loaded, as llama.cpp reports it."""
        return replace(
            loaded_model(self._handles, self._vocabulary.size),
            can_chat=False,
            embedding_size=self._embedder.size,
            shares_prefixes=False,
        )

    @property
    def beats(self) -> int:
        """Moves whenever llama.cpp finished a piece of work."""
        return self._embedder.beats

    def abort(self) -> None:
        """Nothing to interrupt: a batch takes less than a second."""

    def clear_abort(self) -> None:
        """As `abort`."""

    def count(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Tokens of each text, as content. Any thread."""
        return self._embedder.count(texts)

    def embed(self, texts: Sequence[str], cancelled: Callable[[], bool] = lambda: False) -> list[tuple[float, ...]]:
        """As `Embedder.embed`."""
        return self._embedder.embed(texts, cancelled)

    def plan(self, request: GenerationRequest) -> PromptPlan:
        """Refuses, as `begin`."""
        raise self._refusal()

    def cache(self) -> CacheReport:
        """Nothing is kept from one text to the next."""
        return CacheReport((), 0, 0, 0, 0)

    @property
    def busy(self) -> bool:
        return False

    def begin(self, request: GenerationRequest, hooks: Hooks) -> Generation:
        """Refuses with a `ModelFileError`."""
        raise self._refusal()

    def step(self) -> list[Ended]:
        return []

    def idle(self) -> bool:
        return False

    def forget(self, key: str) -> None:
        """Nothing is kept."""

    def save(self, within_s: float) -> None:
        """Nothing is kept."""

    def _refusal(self) -> ModelFileError:
        return ModelFileError(
            sentence("{name} is made for searching documents. One cannot talk to it: choose another model."),
            name=self._handles.description.name,
        )


def is_embedding_model(spec: ModelSpec) -> bool:
    """Whether `spec` needs an `EmbeddingRunner`. Raises `ModelFileError`."""
    return describe(spec.path).kind is ModelKind.EMBEDDING


def load_embedding_model(spec: ModelSpec, log: LlamaLog, progress: Progress) -> Handles:
    """Load `spec` with a context for embeddings. Raises `ModelFileError`, `ModelFitError` or `ModelLoadError`.

    Of `spec` count the path, window, threads, memory mapping and offload. There is a KV cache only where the model
    reads from left to right.
    """
    began = time.perf_counter()
    description = describe(spec.path)
    if description.kind is not ModelKind.EMBEDDING:
        raise ModelFileError(sentence("{name} is not an embedding model."), name=description.path.name)
    offload = _plan(spec, description)
    log.start_recording()
    try:
        try:
            model, context = _load_once(spec, description, offload.n_gpu_layers, progress)
        except (ModelLoadError, ModelFitError):
            if not offload.n_gpu_layers:
                raise
            offload = Offload(0, sentence("The graphics card could not hold the model, so the processor runs it."))
            model, context = _load_once(spec, description, 0, progress)
    finally:
        lines = log.stop_recording()
    buffers = read_buffers(lines)
    return Handles(
        model=model,
        context=context,
        description=description,
        buffers=buffers,
        n_ctx=_window(spec, model),
        n_cells=lib.llama_n_ctx(context) if lib.llama_get_memory(context) else 0,
        n_sequences=lib.llama_n_seq_max(context),
        n_threads=lib.llama_n_threads(context),
        n_gpu_layers=buffers.offloaded_layers if buffers.devices else 0,
        backend=backend_name(buffers.devices[0]) if buffers.devices else "CPU",
        note=offload.note,
        load_s=time.perf_counter() - began,
    )


def _plan(spec: ModelSpec, description: ModelDescription) -> Offload:
    """The layers for the GPU. Raises `ModelFitError` where there is no room at all."""
    needed = round(description.tensor_bytes * (1 + _COMPUTE_SHARE))
    devices = [] if spec.n_gpu_layers == 0 else gpus()
    if devices:
        return choose_offload(spec.n_gpu_layers, needed, gpu_room(devices), description.n_layer)
    if needed > machine_memory().available_bytes:
        raise ModelFitError(
            sentence("There is not enough free memory for {name}. Close other programs, or choose a smaller model."),
            name=description.name,
        )
    return Offload(0)


def _load_once(
    spec: ModelSpec, description: ModelDescription, n_gpu_layers: int, progress: Progress
) -> tuple[Any, Any]:
    pooling = _pooling(description)
    model = load_weights(spec, description, n_gpu_layers, progress)
    context = lib.llama_init_from_model(model, _context_params(spec, model, pooling, n_gpu_layers))
    if not context:
        lib.llama_model_free(model)
        raise ModelFitError(
            sentence("There is not enough free memory for {name}. Close other programs, or choose a smaller model."),
            name=description.name,
        )
    return model, context


def _window(spec: ModelSpec, model: Any) -> int:
    trained: int = lib.llama_model_n_ctx_train(model)
    return min(spec.n_ctx or WINDOW, trained)


def _context_params(spec: ModelSpec, model: Any, pooling: int, n_gpu_layers: int) -> Any:
    params = lib.llama_context_default_params()
    # A pooled text must lie within one evaluation, and an encoder computes a batch in one go: no micro-batches.
    params.n_ctx = params.n_batch = params.n_ubatch = max(BATCH_TOKENS, _window(spec, model))
    params.n_seq_max = MAX_SEQUENCES
    params.kv_unified = True
    params.embeddings = True
    params.pooling_type = pooling
    params.n_threads = params.n_threads_batch = thread_count(spec.n_threads)
    params.offload_kqv = params.op_offload = n_gpu_layers != 0
    params.no_perf = True
    return params


def _pooling(description: ModelDescription) -> int:
    """As the file says: the mean of all tokens' vectors (also where it says nothing), the first's or the last's."""
    declared = read_header(description.path).integer(f"{description.architecture}.pooling_type")
    if declared == lib.LLAMA_POOLING_TYPE_RANK:
        raise ModelFileError(
            sentence("{name} sorts search results. It does not turn texts into vectors."), name=description.path.name
        )
    if declared == lib.LLAMA_POOLING_TYPE_CLS:
        return int(lib.LLAMA_POOLING_TYPE_CLS)
    return int(lib.LLAMA_POOLING_TYPE_LAST if declared == lib.LLAMA_POOLING_TYPE_LAST else lib.LLAMA_POOLING_TYPE_MEAN)
