"""Do the words of a turn ask for more? "I would like to" does, and so does what has no end. Knows no sound.

By the last word: only those that hardly ever end what somebody wants to say; "for" and "is" may ("what is it for",
"tell me what it is"). And by the mark behind it: Whisper puts a full stop behind half a sentence, too, but only where
it hears the silence that follows. What is transcribed as soon as a silence begins has one where the voice said so.
"""

from __future__ import annotations

from voice.barge_in import words

_OPEN = frozenset(
    word
    for line in (
        "a an the and or but because if although though unless whether whose than of to with into by as my your our",
        "his their its very every each which be been being am might must shall would should could um uh er erm",
        "i'm i'd i'll i've you're you'll we're we'll they're it's let's mr mrs ms dr prof",
        "und oder aber weil wenn dass ob den dem des ein eine einen einem einer eines mein meine meinen dein deine",
        "deinen von für zum zur beim vom sehr als ähm äh",
        "et ou mais le la les un une du de au aux que parce pour avec mes tes ses notre votre leur très euh",
        "y o pero el los las una unos unas del porque con mi tu su por muy",
        "e il lo gli uno di della che per",
    )
    for word in line.split()
)


_ELLIPSES = ("...", "…")
_GOES_ON = frozenset(",;:-–—、，；：")
_CLOSERS = "\"'”“’»«)] "


def leads_on(word: str) -> bool:
    """Whether hardly anybody ends with this word, in small letters."""
    return word in _OPEN


def asks_for_more(text: str) -> bool:
    """Whether `text`, written down as soon as a silence began, ends in the middle of a sentence."""
    said = words(text)
    bare = text.rstrip(_CLOSERS)
    return bool(said) and (leads_on(said[-1]) or bare.endswith(_ELLIPSES) or not _has_end(bare[-1:]))


def _has_end(last: str) -> bool:
    # Scripts without capitals are often transcribed without marks: there, none says nothing.
    is_written_with_marks = last.isdigit() or last.lower() != last.upper()
    return not is_written_with_marks and last not in _GOES_ON
