"""Choose the next token with llama.cpp's own sampler chain, in llama.cpp's own order.

Knows tokens and parameters, no text and no stop strings.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from engine.errors import GrammarError, sentence
from engine.model.grammar import compile_grammar, grammar_text
from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary
from engine.types import SamplingParams

_NO_PENALTY = 1.0
_MIN_KEEP = 1
_SEEDS = 0xFFFFFFFF
"""Seeds are below this number, which llama.cpp reads as "draw one"."""


def choose_seed(params: SamplingParams) -> int:
    """The seed to use, drawn if none is given."""
    return secrets.randbelow(_SEEDS) if params.seed is None else params.seed % _SEEDS


class Sampler:
    """One request's chain. Use as a context manager; `accept_prompt` once, then `sample` per token.

    Raises `GrammarError` when made with a grammar that is not valid.
    """

    def __init__(self, params: SamplingParams, vocabulary: Vocabulary, *, n_ctx: int, seed: int) -> None:
        self._vocabulary = vocabulary
        self._grammar: Any = None
        self._candidates: Any = None
        self._penalty_window = 0
        text = grammar_text(params)
        if text is not None:
            self._grammar = compile_grammar(text, vocabulary)
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        self._build(params, n_ctx, seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free llama.cpp's objects."""
        lib.llama_sampler_free(self._chain)
        if self._grammar is not None:
            lib.llama_sampler_free(self._grammar)

    def _build(self, params: SamplingParams, n_ctx: int, seed: int) -> None:
        """Add the parts that do something, in the order of llama.cpp's defaults."""
        self._add_bias(params.logit_bias)
        self._add_penalties(params, n_ctx)
        self._add_dry(params, n_ctx)
        if params.temperature <= 0:
            self._add(lib.llama_sampler_init_greedy())
            return
        if params.top_k > 0:
            self._add(lib.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            self._add(lib.llama_sampler_init_typical(params.typical_p, _MIN_KEEP))
        if params.top_p < 1:
            self._add(lib.llama_sampler_init_top_p(params.top_p, _MIN_KEEP))
        if params.min_p > 0:
            self._add(lib.llama_sampler_init_min_p(params.min_p, _MIN_KEEP))
        self._add(lib.llama_sampler_init_temp(params.temperature))
        self._add(lib.llama_sampler_init_dist(seed))

    def _add(self, part: Any) -> None:
        lib.llama_sampler_chain_add(self._chain, part)

    def _add_bias(self, bias: Sequence[tuple[int, float]]) -> None:
        known = [(token, value) for token, value in bias if 0 <= token < self._vocabulary.size]
        n_suppressed = ctypes.c_int32(0)
        suppressed = lib.llama_vocab_get_suppress_tokens(self._vocabulary.pointer, ctypes.byref(n_suppressed))
        known += [(suppressed[index], float("-inf")) for index in range(n_suppressed.value)]
        if known:
            entries = (lib.llama_logit_bias * len(known))(*known)
            self._add(lib.llama_sampler_init_logit_bias(self._vocabulary.size, len(known), entries))

    def _add_penalties(self, params: SamplingParams, n_ctx: int) -> None:
        window = n_ctx if params.repeat_last_n < 0 else min(params.repeat_last_n, n_ctx)
        idle = params.repeat_penalty == _NO_PENALTY and not params.presence_penalty and not params.frequency_penalty
        if idle or not window or params.repeat_penalty <= 0:
            return
        self._penalty_window = max(self._penalty_window, window)
        self._add(
            lib.llama_sampler_init_penalties(
                self._vocabulary.size, window, params.repeat_penalty, params.frequency_penalty, params.presence_penalty
            )
        )

    def _add_dry(self, params: SamplingParams, n_ctx: int) -> None:
        # llama.cpp takes -1 for "off" here, whatever its front ends write for "the whole context".
        window = n_ctx if params.dry_penalty_last_n < 0 else min(params.dry_penalty_last_n, n_ctx)
        if params.dry_multiplier <= 0 or params.dry_base < 1 or not window:
            return
        self._penalty_window = max(self._penalty_window, window)
        breakers = [breaker.encode("utf-8", "replace") for breaker in params.dry_sequence_breakers if breaker]
        self._add(
            lib.llama_sampler_init_dry(
                self._vocabulary.pointer,
                params.dry_multiplier,
                params.dry_base,
                params.dry_allowed_length,
                window,
                (ctypes.c_char_p * len(breakers))(*breakers),
                len(breakers),
            )
        )

    def accept_prompt(self, tokens: Sequence[int]) -> None:
        """Let the penalties see the end of the prompt, as llama.cpp's server does."""
        if self._penalty_window:
            for token in tokens[-self._penalty_window :]:
                lib.llama_sampler_accept(self._chain, token)

    def sample(self, context: Any, row: int = -1) -> int:
        """The next token, from the logits of one row of the last batch (-1: the last); it is accepted."""
        if self._grammar is None:
            token: int = lib.llama_sampler_sample(self._chain, context, row)
            return token
        return self._sample_grammar(context, row)

    def _sample_grammar(self, context: Any, row: int) -> int:
        """Try the chain's own choice first: a grammar over the whole vocabulary is slow."""
        token = self._choose(context, row, constrained=False)
        if not self._allowed(token):
            token = self._choose(context, row, constrained=True)
            if not self._allowed(token):
                raise GrammarError(sentence("The grammar leaves the model nothing that it could write."))
        lib.llama_sampler_accept(self._chain, token)
        lib.llama_sampler_accept(self._grammar, token)
        return token

    def _choose(self, context: Any, row: int, *, constrained: bool) -> int:
        candidates = self._fresh_candidates(context, row)
        if constrained:
            lib.llama_sampler_apply(self._grammar, ctypes.byref(candidates))
        lib.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        chosen: int = candidates.data[candidates.selected].id
        return chosen

    def _allowed(self, token: int) -> bool:
        """Ask the grammar about one token (it sets the logits of what it refuses to minus infinity)."""
        single = (lib.llama_token_data * 1)((token, 1.0, 0.0))
        array = lib.llama_token_data_array(single, 1, -1, False)
        lib.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return bool(single[0].logit != float("-inf"))

    def _fresh_candidates(self, context: Any, row: int) -> Any:
        import numpy as np  # noqa: PLC0415 - only grammars and log-probabilities need it in a worker

        size = self._vocabulary.size
        if self._candidates is None:
            self._candidates = np.zeros(size, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, row), shape=(size,))
        self._candidates["id"] = np.arange(size, dtype=np.int32)
        self._candidates["logit"] = logits
        data = self._candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        return lib.llama_token_data_array(data, size, -1, False)
