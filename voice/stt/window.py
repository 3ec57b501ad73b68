"""How much of Whisper's window a piece of sound needs, and whether an answer is a loop. Knows no model.

Whisper encodes 30 seconds, however little was said; whisper.cpp can encode less (`audio_ctx`, 50 frames a second), and
below a floor that depends on the model it loops or makes words up. The numbers were measured on real recordings. The
compression ratio is that of OpenAI's own decoder (`whisper.transcribe`).
"""

from __future__ import annotations

import zlib

WINDOW_S = 30.0
FULL_CONTEXT = 1500
TINY_FLOOR, FLOOR = 512, 768
"""Frames: of the tiny models, and of larger ones."""
_FRAMES_A_SECOND = 50
_SPARE_FRAMES = 128
_WORDS_A_SECOND = 6.0
_COMPRESSION = 2.4
_FEW_WORDS = 4
"""So many are believed in any time: a clip may be cut close."""
_REPEATED_WORDS, _DIFFERENT_WORDS = 4, 3
"""Fewer are said twice by people, too ("thank you, thank you"; digits)."""


def audio_context(seconds: float, floor: int) -> int:
    """Frames to encode, 0 for the whole window (which sound of more than one window always needs)."""
    frames = max(floor, int(_FRAMES_A_SECOND * seconds) + _SPARE_FRAMES)
    return frames if frames < FULL_CONTEXT else 0


def contexts(seconds: float) -> tuple[int, ...]:
    """Frames to encode for sound of at most one window, and those to try next where a loop was heard.

    With the tiny model's floor every second clip must be heard twice, which takes longer than to hear more at once.
    """
    return tuple(dict.fromkeys((audio_context(seconds, FLOOR) or FULL_CONTEXT, FULL_CONTEXT)))


def most_tokens(seconds: float) -> int:
    """More than anybody says in that time."""
    return int(8 * seconds) + 16


def is_loop(text: str, seconds: float) -> bool:
    """True where nobody can have said so much, or the words repeat themselves like a broken record."""
    words = len(text.split())
    if words > max(_FEW_WORDS, _WORDS_A_SECOND * seconds):
        return True
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) > _COMPRESSION if raw else False


def said_once(text: str) -> str:
    """The text, or half of it where both halves are the same words: a loop that no measure of compression sees."""
    words = text.split()
    half = len(words) // 2
    bare = ["".join(character for character in word.casefold() if character.isalnum()) for word in words]
    if len(words) % 2 or half < _REPEATED_WORDS or bare[:half] != bare[half:] or len(set(bare)) < _DIFFERENT_WORDS:
        return text
    return " ".join(words[:half])
