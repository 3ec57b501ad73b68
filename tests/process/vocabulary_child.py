"""Runs in a process of its own: loads only the vocabulary of a GGUF file and tries the tokenising rules on it.

`python -m tests.process.vocabulary_child FILE STRINGS` writes one JSON object to standard output.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
from pathlib import Path
from typing import Any

from engine.context.assemble import assemble
from engine.context.chat_template import ChatTemplate
from engine.context.pieces import joined
from engine.context.segments import Origin, PromptMessage, Role, Segment, Trust
from engine.context.templates import choose_template
from engine.context.tokens import PieceTokenizer, TokenCache
from engine.model.gguf import read_header
from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary
from tests.unit.template_conversations import ALTERNATING

INVISIBLE = ("\u200b", "\u200d", "\ufeff", "\u00ad", "\x00", " ", "\n", "\u0301", "\ufe0f")
FILLERS = (
    "",
    "a",
    " ",
    "\n",
    "system",
    "Hello ",
    "<",
    "|",
    ">",
    "[",
    "]",
    "日本",
    "🙂",
    "{",
    "}",
    "\\",
    "&lt;",
    "</",
    "im_start",
)
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)


def load_vocabulary(path: Path) -> Vocabulary:
    """The words without the weights."""
    lib.llama_log_set(_LOG, None)
    lib.llama_backend_init()
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise SystemExit(f"cannot load {path.name}")
    return Vocabulary(model)


def hostile(marks: list[str], draw: random.Random) -> str:
    """A string made of and around the marks: whole, mixed, nested, cut, doubled, with invisible characters inside."""
    parts = []
    for _ in range(draw.randint(1, 4)):
        mark = draw.choice(marks)
        at = draw.randint(0, len(mark))
        shape = draw.randrange(7)
        if shape == 0:
            mark = mark[:at] + draw.choice(INVISIBLE) + mark[at:]
        elif shape == 1:
            mark = mark[:at] + draw.choice(marks) + mark[at:]
        elif shape == 2:
            mark = mark[:at] + mark
        elif shape == 3:
            mark = mark * 2
        elif shape == 4:
            mark = mark.swapcase()
        parts += [draw.choice(FILLERS), mark, draw.choice(FILLERS)]
    return "".join(parts)


def control_tokens(vocabulary: Vocabulary, n_strings: int) -> dict[str, Any]:
    """How many strings yield control tokens as content, and (the control of the test) as literals."""
    marks = [vocabulary.text_of(token) for token in range(vocabulary.size) if vocabulary.is_mark(token)]
    marks = [mark for mark in marks if len(mark.strip()) > 2 and not mark.startswith("[PAD")][:600]
    is_control = {token for token in range(vocabulary.size) if vocabulary.is_control(token)}
    named = {token for token in range(vocabulary.size) if vocabulary.is_mark(token)}
    named = {token for token in named if vocabulary.text_of(token) in marks and vocabulary.text_of(token)[0] in "<["}
    draw = random.Random(7)
    tokenizer = PieceTokenizer(vocabulary, TokenCache(most_characters=0))
    out = as_mark = as_literal = text_differs = 0
    for number in range(n_strings):
        text = hostile(marks, draw)
        (made,) = tokenizer.tokenize([Segment(text, Origin.DOCUMENT, Trust.UNTRUSTED)])
        out += not is_control.isdisjoint(made)
        as_mark += not named.isdisjoint(made)
        if number % 10 == 0:
            as_literal += not is_control.isdisjoint(vocabulary.tokenize(text, special=True))
            spelled = b"".join(vocabulary.piece(token, special=True) for token in made).decode("utf-8", "replace")
            text_differs += spelled not in (text, " " + text)
    return {
        "marks": len(marks), "strings": n_strings, "control": out, "named": as_mark,
        "literal": as_literal, "literal_of": -(-n_strings // 10), "text_differs": text_differs,
    }  # fmt: skip


def whole_string(vocabulary: Vocabulary, template: ChatTemplate) -> dict[str, Any]:
    """Prompts assembled by pieces against the same text tokenised whole, where no content spells a mark."""
    equal = same_text = compared = extra = total = 0
    for conversation in ALTERNATING:
        messages = [PromptMessage(Role(role), (Segment(text, Origin.USER),)) for role, text in conversation]
        text = joined(template.render(messages, thinking=None, continue_last=False))
        marks = sum(
            vocabulary.is_mark(token) for _, said in conversation for token in vocabulary.tokenize(said, special=True)
        )
        if marks:
            continue
        prompt = assemble(messages, template, vocabulary, n_ctx=1_000_000, answer_reserve=0)
        whole = vocabulary.tokenize(text, special=True)
        bos = [vocabulary.bos_token] if prompt.tokens[0] == vocabulary.bos_token != whole[0] else []
        compared += 1
        equal += prompt.tokens == bos + whole
        extra += len(prompt.tokens) - len(whole) - len(bos)
        total += len(whole)
        spelled = [
            b"".join(vocabulary.piece(t, special=True) for t in tokens) for tokens in (prompt.tokens, bos + whole)
        ]
        same_text += spelled[0] == spelled[1]
    return {"compared": compared, "equal": equal, "same_text": same_text, "extra_tokens": extra, "tokens": total}


def main(path: Path, n_strings: int) -> None:
    vocabulary = load_vocabulary(path)
    metadata = read_header(path).metadata
    template = choose_template(
        str(metadata.get("tokenizer.chat_template", "")),
        str(metadata.get("general.architecture", "")),
        bos=vocabulary.bos_text,
        eos=vocabulary.eos_text,
    )
    result = {"family": template.family, **control_tokens(vocabulary, n_strings)}
    result["whole"] = whole_string(vocabulary, template)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
