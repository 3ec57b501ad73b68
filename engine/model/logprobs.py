"""Log-probabilities of a token and its top alternatives, from the raw logits (before any sampling).

Only requests that ask for them come here; NumPy is imported on the first one.
"""

from __future__ import annotations

from typing import Any

from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary
from engine.types import TokenLogprob

MOST_ALTERNATIVES = 20


def token_logprob(context: Any, vocabulary: Vocabulary, token: int, alternatives: int, row: int = -1) -> TokenLogprob:
    """`token` under the softmax of one row of the last batch's logits (-1: the last), natural logarithm."""
    import numpy as np  # noqa: PLC0415 - see the module's docstring

    size = vocabulary.size
    logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, row), shape=(size,)).astype(np.float64)
    peak = float(logits.max())
    logprobs = logits - (peak + float(np.log(np.exp(logits - peak).sum())))
    count = min(alternatives, MOST_ALTERNATIVES, size)
    best = np.argpartition(logprobs, size - count)[size - count :] if count else np.empty(0, dtype=np.intp)
    best = best[np.argsort(-logprobs[best], kind="stable")]
    return TokenLogprob(
        shown(vocabulary, token),
        float(logprobs[token]),
        tuple((shown(vocabulary, int(other)), float(logprobs[other])) for other in best),
    )


def shown(vocabulary: Vocabulary, token: int) -> str:
    """As `TokenLogprob.piece` has it; control tokens by their names."""
    return vocabulary.piece(token, special=True).decode("utf-8", "surrogateescape")
