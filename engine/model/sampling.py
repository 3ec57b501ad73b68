"""Choose the next token with llama.cpp's own sampler chain, in llama.cpp's own order.

Knows tokens and parameters, no text and no stop strings.
"""

from __future__ import annotations

import ctypes
import secrets
from collections import deque
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np

from engine.errors import GrammarError, sentence
from engine.model.grammar import compile_grammar, grammar_text
from engine.model.llama_library import lib
from engine.model.shortlist import LogitRows, Shortlist, lead
from engine.model.vocabulary import Vocabulary
from engine.types import SamplingParams

_NO_PENALTY = 1.0
_MIN_KEEP = 1
_MOST_TOP_K = 256
_MOST_TOUCHED = 1024
"""Beyond these the whole vocabulary is as quick."""
_SEEDS = 0xFFFFFFFF
"""Seeds are below this number, which llama.cpp reads as "draw one"."""


def choose_seed(params: SamplingParams) -> int:
    """The seed to use, drawn if none is given."""
    return secrets.randbelow(_SEEDS) if params.seed is None else params.seed % _SEEDS


class Sampler:
    """One request's chain. Use as a context manager; `accept_prompt` once, then `sample` per token.

    Chooses what llama.cpp's chain over the whole vocabulary would choose, mostly from a shortlist.
    Raises `GrammarError` when made with a grammar that is not valid.
    """

    def __init__(self, params: SamplingParams, vocabulary: Vocabulary, *, n_ctx: int, seed: int) -> None:
        self._vocabulary = vocabulary
        self._grammar: Any = None
        self._candidates: Any = None
        self._penalty_window = 0
        self._touched_always: set[int] = set()
        self._recent: deque[int] = deque(maxlen=0)
        self._exact_only = False
        text = grammar_text(params)
        if text is not None:
            self._grammar = compile_grammar(text, vocabulary)
        # Two chains in one: what changes logits, and what then chooses. Only the second draws random numbers.
        self._adjust, self._choose, self._chain = (_new_chain() for _ in range(3))
        self._add_adjusting(params, n_ctx)
        self._greedy = params.temperature <= 0
        self._add_choosing(params, seed)
        for part in (self._adjust, self._choose):
            lib.llama_sampler_chain_add(self._chain, part)
        self._rows = LogitRows(vocabulary.size)
        self._shortlist = self._make_shortlist(params)
        self._untouched = not lib.llama_sampler_chain_n(self._adjust)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free llama.cpp's objects."""
        lib.llama_sampler_free(self._chain)
        if self._grammar is not None:
            lib.llama_sampler_free(self._grammar)

    def _add_adjusting(self, params: SamplingParams, n_ctx: int) -> None:
        """Add the parts that do something, here and below in the order of llama.cpp's defaults."""
        self._add_bias(params.logit_bias)
        self._add_penalties(params, n_ctx)
        self._add_dry(params, n_ctx)

    def _add_choosing(self, params: SamplingParams, seed: int) -> None:
        add = partial(lib.llama_sampler_chain_add, self._choose)
        if self._greedy:
            add(lib.llama_sampler_init_greedy())
            return
        if params.top_k > 0:
            add(lib.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            add(lib.llama_sampler_init_typical(params.typical_p, _MIN_KEEP))
        if params.top_p < 1:
            add(lib.llama_sampler_init_top_p(params.top_p, _MIN_KEEP))
        if params.min_p > 0:
            add(lib.llama_sampler_init_min_p(params.min_p, _MIN_KEEP))
        add(lib.llama_sampler_init_temp(params.temperature))
        add(lib.llama_sampler_init_dist(seed))

    def _make_shortlist(self, params: SamplingParams) -> Shortlist | None:
        """None where the choice depends on every token, or on more than fit: DRY, and no `top_k`."""
        wanted = 1 if self._greedy else params.top_k + 1
        touched = len(self._touched_always) + (self._recent.maxlen or 0)
        if self._exact_only or not 0 < wanted - (not self._greedy) < _MOST_TOP_K or touched > _MOST_TOUCHED:
            return None
        return Shortlist(self._vocabulary.size, wanted) if wanted + touched < self._vocabulary.size else None

    def _add(self, part: Any) -> None:
        lib.llama_sampler_chain_add(self._adjust, part)

    def _add_bias(self, bias: Sequence[tuple[int, float]]) -> None:
        known = [(token, value) for token, value in bias if 0 <= token < self._vocabulary.size]
        n_suppressed = ctypes.c_int32(0)
        suppressed = lib.llama_vocab_get_suppress_tokens(self._vocabulary.pointer, ctypes.byref(n_suppressed))
        known += [(suppressed[index], float("-inf")) for index in range(n_suppressed.value)]
        if known:
            self._touched_always = {token for token, _ in known}
            self._exact_only |= len(self._touched_always) < len(known)  # llama.cpp may add a token's second bias
            entries = (lib.llama_logit_bias * len(known))(*known)
            self._add(lib.llama_sampler_init_logit_bias(self._vocabulary.size, len(known), entries))

    def _add_penalties(self, params: SamplingParams, n_ctx: int) -> None:
        window = n_ctx if params.repeat_last_n < 0 else min(params.repeat_last_n, n_ctx)
        idle = params.repeat_penalty == _NO_PENALTY and not params.presence_penalty and not params.frequency_penalty
        if idle or not window or params.repeat_penalty <= 0:
            return
        self._penalty_window = max(self._penalty_window, window)
        self._recent = deque(maxlen=window)
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
        self._exact_only = True
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
            self._recent.extend(tokens[-self._penalty_window :])

    def accept(self, token: int) -> None:
        """Take note of a token of the answer that was not sampled here."""
        lib.llama_sampler_accept(self._chain, token)
        self._recent.append(token)
        if self._grammar is not None:
            lib.llama_sampler_accept(self._grammar, token)

    def sample(self, context: Any, row: int = -1) -> int:
        """The next token, from the logits of one row of the last batch (-1: the last); it is accepted."""
        token = self._quick_choice(context, row)
        if self._grammar is not None:
            token = self._obeying(context, row, token)
        elif token is None:
            token = int(lib.llama_sampler_sample(self._chain, context, row))
            self._recent.append(token)
            return token
        self.accept(token)
        return token

    def margin(self, context: Any, row: int = -1) -> float:
        """By how much the row's best raw logit exceeds the second: how firm a greedy choice is."""
        return lead(self._rows.row(context, row))

    def _quick_choice(self, context: Any, row: int) -> int | None:
        """The choice without the whole vocabulary; None, and no random number drawn, where that is not safe."""
        shortlist = self._shortlist
        if shortlist is None:
            return None
        logits = self._rows.row(context, row)
        if self._greedy and self._untouched:
            best = int(logits.argmax())
            return best if logits[best] == logits[best] else None  # not for NaN
        touched = np.fromiter(self._touched_always.union(self._recent), dtype=np.intp)
        if not shortlist.find(logits, touched):
            return None
        array = ctypes.byref(shortlist.array)
        if not self._untouched:
            lib.llama_sampler_apply(self._adjust, array)
        if not self._greedy and shortlist.has_ties():
            return None
        lib.llama_sampler_apply(self._choose, array)
        return shortlist.chosen

    def _obeying(self, context: Any, row: int, token: int | None) -> int:
        """The grammar is asked about the chain's own choice first: over the whole vocabulary it is slow."""
        if token is None:
            token = self._full_choice(context, row, constrained=False)
        if not self._allowed(token):
            token = self._full_choice(context, row, constrained=True)
            if not self._allowed(token):
                raise GrammarError(sentence("The grammar leaves the model nothing that it could write."))
        return token

    def _full_choice(self, context: Any, row: int, *, constrained: bool) -> int:
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
        size = self._vocabulary.size
        if self._candidates is None:
            self._candidates = np.zeros(size, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
        self._candidates["id"] = np.arange(size, dtype=np.int32)
        self._candidates["logit"] = self._rows.row(context, row)
        data = self._candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
        return lib.llama_token_data_array(data, size, -1, False)


def _new_chain() -> Any:
    return lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
