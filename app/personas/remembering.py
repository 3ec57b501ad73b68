"""Which of a person's words ask to have something remembered, in English and German. Pure.

Only sentences that begin with the request: "Do you remember ...?" and "I cannot remember that" ask for nothing. Call
it with what the person typed, never with a file, a quotation or an answer.
"""

from __future__ import annotations

import re

MOST = 5
"""Of one message."""
_REQUEST = re.compile(
    r"""^(?:(?:please|ok(?:ay)?|and|also|bitte|und|hey)[,:]?\s+)*
    (?:
      (?:always\s+)?remember(?:\s+(?:please|for\s+me))?(?:\s*[:,]\s*|\s+)(?:that\s+)?
        (?!(?:me|when|how|the\s+time|what|who|where|why)\b)
    | keep\s+in\s+mind\s*,?\s*(?:that\b|:)\s*
    | (?:do\s+not|don['\u2019]t|never)\s+forget\s*,?\s*(?:that\b|:)\s*
    | merke?\s+dir(?:\s*[:,]\s*|\s+)(?:bitte\s*[:,]?\s*)?(?!(?:wann|wie|was|wer|wo)\b)
    | merken\s+sie\s+sich(?:\s+bitte)?\s*[:,]\s*
    | denke?(?:\s+bitte)?\s+da?ran\s*[:,]\s*
    | vergiss(?:\s+bitte)?\s+nicht\s*[:,]\s*
    | behalte?(?:\s+bitte)?\s*[:,]\s*
    )(?P<fact>\S.*)$""",
    re.IGNORECASE | re.VERBOSE,
)
"""What follows the German words keeps its "dass", without which its verb would stand in the wrong place."""
_FENCE = re.compile(r"(?ms)^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1|\Z)")
_SENTENCE_END = re.compile(r"(?<=[!?])\s+|(?<=\.)(?<!\b\w\.)(?<!\b[A-Z]\w\.)(?<!\bMrs\.)(?<!\busw\.)(?<!\bbzw\.)\s+")
"""Not behind an initial or a short title."""
_LEAST = 3


def asked_to_remember(text: str) -> tuple[str, ...]:
    """What is to be remembered, in the person's words; () where nothing is."""
    found: list[str] = []
    for line in _FENCE.sub("\n", text).splitlines():
        if line.lstrip().startswith(">"):
            continue
        for each in _SENTENCE_END.split(line.strip()):
            match = _REQUEST.match(each)
            fact = match["fact"].strip().rstrip(".!").strip() if match is not None else ""
            if len(fact) >= _LEAST and not each.rstrip().endswith("?"):
                found.append(fact)
    return tuple(dict.fromkeys(found))[:MOST]
