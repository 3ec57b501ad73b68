"""Is Hearth called by its name? Judged by the words, as a small Whisper writes them down. Knows no sound and no state.

The name is rare, so that it is heard as words that sound like it: behind a greeting all of those count, by itself only
what is hardly anything else.
"""

from __future__ import annotations

import re

_GREETINGS = "hey|hay|hei|hi|hello|okay|ok|heya|he|hallo|ey|eh"
_LIKE_IT = r"h(?:ea|a|e|u)r(?:th|[tszfc])\w{0,2}|earth|hath"
"""As in "hearth", "heart", "hars", "harsh"."""
_ITSELF = "hearth|harth|herth|hurth"
_CALL = re.compile(
    rf"\W*(?:(?:{_GREETINGS})\b[\s,.!-]*(?:{_LIKE_IT})|(?:{_ITSELF}))\b(?!['’])[\s,.!?:;…–-]*", re.IGNORECASE
)
NAME_LANGUAGE = "en"
"""Whatever is spoken besides: it is an English word."""


def is_called(text: str) -> bool:
    """Whether `text` begins with the name."""
    return _CALL.match(text) is not None


def after_name(text: str) -> str:
    """What is said to Hearth: without its name in front; "" where it was only called."""
    called = _CALL.match(text)
    if called is None:
        return text
    rest = text[called.end() :]
    return rest[:1].upper() + rest[1:]
