"""Log-probabilities of a token and its top alternatives, from the raw logits (before any sampling); how likely a
text ends.

Only requests that ask for them come here; NumPy is imported on the first one.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from engine.context.last_word import SENTENCE_ENDS
from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary
from engine.types import TokenLogprob

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_ALTERNATIVES = 20


def token_logprob(context: Any, vocabulary: Vocabulary, token: int, alternatives: int, row: int = -1) -> TokenLogprob:
    """`token` under the softmax of one row of the last batch's logits (-1: the last), natural logarithm."""
    logprobs = _logprobs(context, vocabulary.size, row)
    return TokenLogprob(
        shown(vocabulary, token),
        float(logprobs[token]),
        tuple((shown(vocabulary, other), float(logprobs[other])) for other in _likeliest(logprobs, alternatives)),
    )


def end_probability(context: Any, vocabulary: Vocabulary, ends: AbstractSet[int], row: int) -> float:
    """Of one of `ends` or a mark that ends a sentence, among the likeliest tokens; see `EndWeighed`."""
    import numpy as np  # noqa: PLC0415 - see the module's docstring

    logprobs = _logprobs(context, vocabulary.size, row)
    found = [
        token
        for token in _likeliest(logprobs, MOST_ALTERNATIVES)
        if token in ends or shown(vocabulary, token).lstrip().startswith(tuple(SENTENCE_ENDS))
    ]
    return float(np.exp(logprobs[found]).sum())


def _logprobs(context: Any, size: int, row: int) -> NDArray[np.float64]:
    """Of every token, shape (`size`,)."""
    import numpy as np  # noqa: PLC0415 - see the module's docstring

    logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, row), shape=(size,)).astype(np.float64)
    peak = float(logits.max())
    return logits - (peak + float(np.log(np.exp(logits - peak).sum())))


def _likeliest(logprobs: NDArray[np.float64], count: int) -> list[int]:
    """Tokens, the likeliest first."""
    import numpy as np  # noqa: PLC0415 - see the module's docstring

    count = min(count, MOST_ALTERNATIVES, len(logprobs))
    best = np.argpartition(logprobs, len(logprobs) - count)[len(logprobs) - count :] if count else np.empty(0, int)
    return [int(token) for token in best[np.argsort(-logprobs[best], kind="stable")]]


def shown(vocabulary: Vocabulary, token: int) -> str:
    """As `TokenLogprob.piece` has it; control tokens by their names."""
    return vocabulary.piece(token, special=True).decode("utf-8", "surrogateescape")
