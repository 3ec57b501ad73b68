"""A second, smaller model of the same family that guesses what the first will write.

Follows Leviathan et al., "Fast Inference from Transformers via Speculative Decoding" (2023), with greedy drafts, and
llama.cpp's `common_speculative_are_compatible` for what may draft for what. Its context is its own and holds one
sequence. Knows no target context and no policy; worker process, the thread that evaluates.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from engine.errors import ModelFileError, ModelFitError, ModelLoadError, sentence
from engine.model.description import ModelKind, describe
from engine.model.evaluator import Evaluator, Outcome
from engine.model.llama_library import lib
from engine.model.loading import load_weights
from engine.model.prefix_tree import common_prefix
from engine.model.vocabulary import Vocabulary
from engine.types import ModelSpec

READ_TOKENS = 1_024
"""Of a prompt only its end is read: what is likely to follow hangs mostly on that."""
PADDING = 128
"""By so many unused tokens at their end may the vocabularies of a family differ."""
WINDOW = 2 * READ_TOKENS
"""Tokens of a draft model's own context."""
_SAMPLES = 512
"""Tokens whose texts are compared, spread over the vocabulary, besides its first and last."""
_N_BATCH = 256
_PROBE_READ = 64
_PROBE_TOKENS = 4


def mismatch(draft: Vocabulary, target: Vocabulary) -> bool:
    """Whether the same number may mean another token: kind, marks and samples of the texts are compared."""
    size = min(draft.size, target.size)
    if abs(draft.size - target.size) > PADDING:
        return True
    if lib.llama_vocab_type(draft.pointer) != lib.llama_vocab_type(target.pointer):
        return True
    if (draft.bos_token, draft.adds_bos) != (target.bos_token, target.adds_bos):
        return True
    samples = {*range(min(size, _SAMPLES)), *range(0, size, max(1, size // _SAMPLES)), *range(max(0, size - 16), size)}
    return any(draft.piece(token, special=True) != target.piece(token, special=True) for token in samples)


class DraftModel:
    """The loaded model and its one sequence; `drafter()` gives each answer its own view. `close()` frees it."""

    def __init__(self, model: Any, context: Any, n_common: int) -> None:
        self._model = model
        self.n_common = n_common
        """Tokens below this number are those of the target."""
        self._evaluator = Evaluator(context, min(_N_BATCH, lib.llama_n_batch(context)))
        self._memory = lib.llama_get_memory(context)
        self._sampler = lib.llama_sampler_init_greedy()
        self.n_ctx: int = lib.llama_n_ctx(context)
        self._held: list[int] = []
        """What keys and values are there of, drafts included."""
        self.read_ms, self.cost_ms = self._measure()

    @classmethod
    def load(cls, path: Path, target: Vocabulary, *, threads: int, n_ctx: int = WINDOW, n_gpu_layers: int = 0) -> Self:
        """Load a draft model for a target with this vocabulary.

        Raises `ModelFileError` (also where the vocabularies differ), `ModelLoadError` or `ModelFitError`.
        """
        description = describe(path)
        if description.kind is not ModelKind.TEXT:
            raise ModelFileError(sentence("{name} is not a language model, so it cannot guess ahead."), name=path.name)
        model = load_weights(ModelSpec(path), description, n_gpu_layers, lambda _fraction: None)
        stateful = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
        vocabulary = Vocabulary(model)
        if stateful or mismatch(vocabulary, target):
            lib.llama_model_free(model)
            raise ModelFileError(
                sentence("{name} cannot guess ahead for this model: choose a smaller model of the same family."),
                name=path.name,
            )
        context = lib.llama_init_from_model(model, _context_params(n_ctx, threads, n_gpu_layers))
        if not context:
            lib.llama_model_free(model)
            raise ModelLoadError(sentence("There is not enough memory to guess ahead with {name}."), name=path.name)
        try:
            return cls(model, context, min(vocabulary.size, target.size))
        except ModelFitError:
            lib.llama_free(context)
            lib.llama_model_free(model)
            raise

    def close(self) -> None:
        """Free model and context; once."""
        lib.llama_sampler_free(self._sampler)
        lib.llama_free(self._evaluator.context)
        lib.llama_model_free(self._model)

    def drafter(self) -> ModelDrafter:
        """Guesses for one answer. Several may take turns; each turn then reads its text anew."""
        return ModelDrafter(self)

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Greedy guesses of what follows `tokens`, at most `most`; fewer on a failure. Together they fit the window."""
        guess: list[int] = []
        if most <= 0 or not tokens or not self._catch_up(tokens):
            return guess
        context = self._evaluator.context
        while True:
            token = int(lib.llama_sampler_sample(self._sampler, context, -1))
            if token >= self.n_common:
                return guess
            guess.append(token)
            if len(guess) == most:
                return guess
            if self._evaluator.run_one(0, len(self._held), token) is not Outcome.DONE:
                self._forget(0)
                return guess
            self._held.append(token)

    def unread(self, tokens: Sequence[int]) -> int:
        """How many of them would have to be read first."""
        return len(tokens) - common_prefix(self._held, tokens)

    def _catch_up(self, tokens: Sequence[int]) -> bool:
        """Evaluate what is not in the cache yet, with logits for the last token."""
        self._forget(min(common_prefix(self._held, tokens), len(tokens) - 1))
        evaluator, held = self._evaluator, self._held
        while len(held) < len(tokens):
            part = tokens[len(held) : len(held) + evaluator.n_batch]
            last = len(held) + len(part) == len(tokens)
            evaluator.clear()
            evaluator.add(0, len(held), part, logits=int(last))
            if evaluator.run() is not Outcome.DONE:
                self._forget(0)
                return False
            held.extend(part)
        return True

    def _forget(self, length: int) -> None:
        lib.llama_memory_seq_rm(self._memory, 0, length, -1)
        del self._held[length:]

    def _measure(self) -> tuple[float, float]:
        """Milliseconds to read a token of a prompt, and of one guess. Raises `ModelFitError` where nothing works."""
        tokens = [0] * _PROBE_READ
        times = []
        for _each in range(_PROBE_TOKENS):
            began = time.perf_counter()
            if not self.draft(tokens, 1):
                raise ModelFitError(sentence("There is not enough memory to guess ahead."))
            times.append((time.perf_counter() - began) * 1000)
            tokens.append(0)
        self._forget(0)
        return times[0] / _PROBE_READ, min(times[1:])


class ModelDrafter:
    """A `Drafter` over one answer, by a draft model."""

    foretells = False
    expected: int | None = None
    evidence = 1

    def __init__(self, model: DraftModel) -> None:
        self._model = model
        self._tokens: list[int] = []
        """What is to be continued: the end of the prompt, and the answer."""

    @property
    def cost_ms(self) -> float:
        return self._model.cost_ms

    @property
    def debt_ms(self) -> float:
        # What is guessed costs as much as what is read behind it, so the last tokens do not count twice.
        return self._model.read_ms * max(0, self._model.unread(self._tokens) - 1)

    def begin(self, tokens: Sequence[int]) -> None:
        """Take the prompt. Nothing is computed before the first draft."""
        end = tokens[-min(READ_TOKENS, self._model.n_ctx // 2) :]
        self._tokens = [token for token in end if 0 <= token < self._model.n_common]  # it cannot see images

    def accept(self, token: int) -> None:
        """Take the next token of the answer."""
        if token < self._model.n_common:
            self._tokens.append(token)

    def draft(self, most: int) -> list[int]:
        """Greedy guesses; at the end of the model's window it begins anew with the last half."""
        most = min(most, self._model.n_ctx // 2)
        if len(self._tokens) + most > self._model.n_ctx:
            del self._tokens[: -(self._model.n_ctx // 2)]
        return self._model.draft(self._tokens, most)


def _context_params(n_ctx: int, threads: int, n_gpu_layers: int) -> Any:
    params = lib.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = min(_N_BATCH, n_ctx)
    params.n_seq_max = 1
    params.n_outputs_max = 1
    params.n_threads = params.n_threads_batch = threads
    params.offload_kqv = params.op_offload = n_gpu_layers != 0
    params.no_perf = True
    return params
