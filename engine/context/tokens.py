"""Pieces to tokens: literals may become control tokens, content never does. Knows no template.

Some vocabularies (SentencePiece) put a space before every text they are given. Pieces that go on where text
ended must not get one; pieces at the beginning or after a mark must, as the model learned it so.

A space before content ("[INST] ", "User: ") is tokenised with it: vocabularies have words with the space in front,
and models learned those.

Some vocabularies declare their marks as ordinary additions (Command-R's <|USER_TOKEN|>), which llama.cpp finds in
any text. In content such a mark is cut behind its first character and so stays letters.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

from engine.context.pieces import Literal, Piece
from engine.context.segments import ImageRef, Segment

_MARK = re.compile(r"[^\w\s].+[^\w\s]", re.DOTALL)
"""How marks look: <|user|>, [INST], ◁think▷. Runs of spaces or accented letters may be additions too, but no marks."""
_GUARDS = ("\n", "|", ".")
"""Texts put before a piece, whose tokens are then taken away again. The first that merges with nothing serves."""


See = Callable[[ImageRef], tuple[int, ...]]
"""What stands in a list of tokens for an image, for a model that can see. May raise `HearthError`."""


class Tokenizer(Protocol):
    """A model's vocabulary. `special` lets control tokens be recognised; nothing is put before or after."""

    def tokenize(self, text: str, *, special: bool) -> list[int]: ...

    def is_mark(self, token: int) -> bool:
        """True for tokens that are found by their spelling: control tokens and those a vocabulary's makers added."""
        ...

    def text_of(self, token: int) -> str:
        """How a token is spelled, control tokens included."""
        ...

    @property
    def bos_token(self) -> int | None:
        """The token that begins a text, None if the vocabulary has none."""
        ...

    @property
    def adds_bos(self) -> bool:
        """Whether the model's metadata wants it at the beginning of every prompt."""
        ...


class TokenCache:
    """Tokens of the pieces used last, at most `most_characters` of text, so that a turn tokenises its news only."""

    def __init__(self, most_characters: int = 4_000_000) -> None:
        self._most = most_characters
        self._characters = 0
        self._tokens: OrderedDict[tuple[str, bool, bool], tuple[int, ...]] = OrderedDict()

    def get(self, key: tuple[str, bool, bool]) -> tuple[int, ...] | None:
        found = self._tokens.get(key)
        if found is not None:
            self._tokens.move_to_end(key)
        return found

    def put(self, key: tuple[str, bool, bool], tokens: tuple[int, ...]) -> None:
        self._tokens[key] = tokens
        self._characters += len(key[0])
        while self._characters > self._most and len(self._tokens) > 1:
            (text, _, _), _ = self._tokens.popitem(last=False)
            self._characters -= len(text)


class PieceTokenizer:
    """Tokenises a row of pieces with one vocabulary. Keep one for as long as the model is loaded."""

    def __init__(self, tokenizer: Tokenizer, cache: TokenCache | None = None, see: See | None = None) -> None:
        self._tokenizer = tokenizer
        self._see = see
        self._cache = cache or TokenCache()
        guard = tokenizer.tokenize("\n", special=False)
        alone = tokenizer.tokenize("a", special=False)
        self._adds_space = tokenizer.tokenize("\na", special=False)[len(guard) :] != alone

    def tokenize(self, pieces: Sequence[Piece]) -> list[tuple[int, ...]]:
        """The tokens of each piece, without a beginning-of-text token of our own."""
        made: list[tuple[int, ...]] = []
        after_text = False
        for piece, text in zip(pieces, _with_spaces_moved(pieces), strict=True):
            if self._see is not None and isinstance(piece, Segment) and piece.image is not None:
                made.append(self._see(piece.image))
                after_text = False
                continue
            tokens = self._tokens(text, special=isinstance(piece, Literal), after_text=after_text)
            if tokens:
                after_text = not self._tokenizer.is_mark(tokens[-1])
            made.append(tokens)
        return made

    def bos_before(self, made: list[tuple[int, ...]]) -> tuple[int, ...]:
        """What must come before them: the beginning-of-text token if it is wanted and not there."""
        bos = self._tokenizer.bos_token
        if bos is None or not self._tokenizer.adds_bos:
            return ()
        first = next((tokens[0] for tokens in made if tokens), None)
        return () if first == bos else (bos,)

    def _tokens(self, text: str, *, special: bool, after_text: bool) -> tuple[int, ...]:
        if not text:
            return ()
        guarded = after_text and self._adds_space
        key = (text, special, guarded)
        tokens = self._cache.get(key)
        if tokens is None:
            tokens = tuple(self._make(text, special, guarded) if special else self._content(text, guarded))
            self._cache.put(key, tokens)
        return tokens

    def _make(self, text: str, special: bool, guarded: bool) -> list[int]:
        if guarded:
            for guard in _GUARDS:
                before = self._tokenizer.tokenize(guard, special=False)
                tokens = self._tokenizer.tokenize(guard + text, special=special)
                if tokens[: len(before)] == before:
                    return tokens[len(before) :]
        return self._tokenizer.tokenize(text, special=special)

    def _content(self, text: str, guarded: bool) -> list[int]:
        made: list[int] = []
        waiting = [(text, guarded)]
        while waiting:
            part, guarded = waiting.pop()
            tokens = self._make(part, False, guarded)
            cuts = self._cuts(part, tokens)
            if not cuts:
                made += tokens
                continue
            ends = [0, *cuts, len(part)]
            parts = [part[low:high] for low, high in pairwise(ends)]
            waiting += reversed([(parts[0], guarded), *((later, self._adds_space) for later in parts[1:])])
        return made

    def _cuts(self, text: str, tokens: Sequence[int]) -> list[int]:
        """Where to cut a text so that it has no marks: behind the first character of each."""
        spelled = {self._tokenizer.text_of(token) for token in set(tokens) if self._tokenizer.is_mark(token)}
        marks = [mark for mark in spelled if _MARK.fullmatch(mark)]
        return sorted({match.start() + 1 for mark in marks for match in re.finditer(re.escape(mark), text)})


def _with_spaces_moved(pieces: Sequence[Piece]) -> list[str]:
    """The pieces' texts, the spaces at the end of a literal given to the content that follows it."""
    texts = [piece.text for piece in pieces]
    for index, (piece, following) in enumerate(pairwise(pieces)):
        if isinstance(piece, Literal) and not isinstance(following, Literal):
            kept = texts[index].rstrip(" ")
            texts[index + 1] = texts[index][len(kept) :] + texts[index + 1]
            texts[index] = kept
    return texts
