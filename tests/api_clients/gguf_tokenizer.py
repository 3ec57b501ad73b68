"""Run by the clients' own Python: a model file's tokens as a tokenizer that Hugging Face's library loads.

For byte-level BPE as Qwen2 has it. lm-eval counts with it where a prompt ends and an answer begins.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import IO, Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How words are cut before they are put together; llama.cpp has the same for this family."""


_NUMBERS = ("B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d")
"""GGUF's kinds of values as `struct` has them; 8 is text, 9 a list."""


def fields_of(path: Path) -> dict[str, Any]:
    """All that the file says of itself (GGUF 3). The publishers' own reader takes minutes for so many tokens."""
    with path.open("rb") as file:
        assert file.read(4) == b"GGUF"
        _version, _tensors, count = struct.unpack("<IQQ", file.read(20))
        return {_text(file): _value(file, _number(file, "I")) for _field in range(count)}


def _number(file: IO[bytes], kind: str) -> Any:
    return struct.unpack(f"<{kind}", file.read(struct.calcsize(f"<{kind}")))[0]


def _text(file: IO[bytes]) -> str:
    return file.read(_number(file, "Q")).decode("utf-8")


def _value(file: IO[bytes], kind: int) -> Any:
    if kind == 8:
        return _text(file)
    if kind == 9:
        inner, length = _number(file, "I"), _number(file, "Q")
        return [_value(file, inner) for _item in range(length)]
    return _number(file, _NUMBERS[kind])


def main() -> None:
    folder = Path(sys.argv[2])
    fields = fields_of(Path(sys.argv[1]))
    assert fields["tokenizer.ggml.model"] == "gpt2" and fields["tokenizer.ggml.pre"] == "qwen2"
    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    end = tokens[fields["tokenizer.ggml.eos_token_id"]]
    made = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


if __name__ == "__main__":
    main()
