"""Images in a list of tokens: numbers that no vocabulary has, the same for the same image. Knows no llama.cpp.

A cache that compares token lists can so compare prompts with images. An image stands there as a run of negative
numbers, one a position: drawn from its id, so that two images share no run, and the same image always matches. What
it takes of the KV cache may be more (models with two-dimensional positions give many cells one position).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence


def pseudo_tokens(image_id: str, n: int) -> tuple[int, ...]:
    """`n` numbers from -2**31 to -1 that stand for the image of that id; the same ones in every process.

    They are the SHAKE-128 stream of the id: that two different images agree in a run of k positions has a chance of
    2**(-31 k). A longer run begins with the shorter one of the same id.
    """
    stream = hashlib.shake_128(image_id.encode("utf-8")).digest(4 * n)
    return tuple(-1 - (number & 0x7FFFFFFF) for number in struct.unpack(f"<{n}I", stream))


def has_images(tokens: Sequence[int]) -> bool:
    """Whether any of them stands for an image."""
    return any(token < 0 for token in tokens)


def whole_images(tokens: Sequence[int], end: int) -> int:
    """The longest beginning of at most `end` tokens that cuts no image in two: an image is computed in one go."""
    if not 0 < end < len(tokens) or tokens[end] >= 0 or tokens[end - 1] >= 0:
        return end
    while end > 0 and tokens[end - 1] < 0:
        end -= 1
    return end


def text_run(tokens: Sequence[int], start: int) -> int:
    """Where the run of ordinary tokens that begins at `start` ends; `start` itself if an image stands there."""
    return next((index for index in range(start, len(tokens)) if tokens[index] < 0), len(tokens))
