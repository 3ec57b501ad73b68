"""A loaded model's vocabulary: text to tokens and back to bytes.

Knows no template; whether control tokens may be recognised is the caller's word (`special`).
"""

from __future__ import annotations

import ctypes
from typing import Any

from engine.model.llama_library import lib

_PIECE_BYTES = 256


class Vocabulary:
    """A `Tokenizer` of `engine.context`. Any thread may tokenise; pieces are cached and read by the decoding thread."""

    def __init__(self, model: Any) -> None:
        self._vocab = lib.llama_model_get_vocab(model)
        self.size: int = lib.llama_vocab_n_tokens(self._vocab)
        self._pieces: dict[int, bytes] = {}
        self._special_pieces: dict[int, bytes] = {}

    @property
    def pointer(self) -> Any:
        return self._vocab

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Tokens of `text`, with nothing put before or after. `special` lets control tokens be recognised."""
        if not text:
            return []
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        tokens = (ctypes.c_int32 * room)()
        count = lib.llama_tokenize(self._vocab, raw, len(raw), tokens, room, False, special)
        if count < 0:
            room = -count
            tokens = (ctypes.c_int32 * room)()
            count = lib.llama_tokenize(self._vocab, raw, len(raw), tokens, room, False, special)
        return list(tokens[:count])

    def frame(self) -> tuple[list[int], list[int]]:
        """The tokens that this vocabulary wants before and after a whole text (BOS, EOS, CLS, SEP), if any."""
        content = self.tokenize("a", special=False)
        tokens = (ctypes.c_int32 * 16)()
        count = lib.llama_tokenize(self._vocab, b"a", 1, tokens, len(tokens), True, False)
        framed = list(tokens[: max(0, count)])
        for start in range(len(framed) - len(content) + 1):
            end = start + len(content)
            if framed[start:end] == content:
                return framed[:start], framed[end:]
        return [], []

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The token's bytes; control tokens have none unless `special`."""
        cache = self._special_pieces if special else self._pieces
        found = cache.get(token)
        if found is None:
            found = cache[token] = self._read_piece(token, special)
        return found

    def _read_piece(self, token: int, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        length = lib.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, special)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = lib.llama_token_to_piece(self._vocab, token, buffer, -length, 0, special)
        return buffer.raw[:length]

    def ends_generation(self, token: int) -> bool:
        """True for the tokens with which models end their turn."""
        return bool(lib.llama_vocab_is_eog(self._vocab, token))

    def is_control(self, token: int) -> bool:
        """True for tokens that are no text, such as the marks of a turn."""
        return bool(lib.llama_vocab_is_control(self._vocab, token))

    def is_mark(self, token: int) -> bool:
        """True for tokens that are found by their spelling: control tokens and those the vocabulary's makers added."""
        marks = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_USER_DEFINED
        return bool(lib.llama_vocab_get_attr(self._vocab, token) & marks)

    def end_tokens(self) -> frozenset[int]:
        """Every token of `ends_generation`."""
        is_eog, vocab = lib.llama_vocab_is_eog, self._vocab
        return frozenset(token for token in range(self.size) if is_eog(vocab, token))

    def text_of(self, token: int) -> str:
        """The token as the vocabulary spells it, for template variables; "" for none (-1)."""
        return "" if token < 0 else self.piece(token, special=True).decode("utf-8", "replace")

    @property
    def bos_token(self) -> int | None:
        token: int = lib.llama_vocab_bos(self._vocab)
        return token if token >= 0 else None

    @property
    def filler(self) -> int:
        """A token that stands for nothing: the padding's, failing that the end's, failing that the first one."""
        candidates = (lib.llama_vocab_pad(self._vocab), lib.llama_vocab_eos(self._vocab))
        return next((token for token in candidates if token >= 0), 0)

    @property
    def adds_bos(self) -> bool:
        return bool(lib.llama_vocab_get_add_bos(self._vocab))

    @property
    def bos_text(self) -> str:
        return self.text_of(lib.llama_vocab_bos(self._vocab))

    @property
    def eos_text(self) -> str:
        return self.text_of(lib.llama_vocab_eos(self._vocab))
