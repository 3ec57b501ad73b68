"""Runs in a process of its own: draft models and exact batches on real weights. Writes one JSON object.

`python -m tests.process.guessing_child exact FILE KV_TYPE` or `... draft TARGET DRAFT` or `... refuse TARGET DRAFT`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import ModelFileError
from engine.model.draft_model import DraftModel
from engine.model.evaluator import Evaluator, Outcome
from engine.model.exactness import SIZES, largest_exact
from engine.model.llama_library import LlamaLog, lib, start_library
from engine.model.loading import load
from engine.model.vocabulary import Vocabulary
from engine.types import FlashAttention, KvType, ModelSpec

TEXT = "The lighthouse on the rock was built in the year 1869, and its lamp can be seen from far away. " * 16
ANSWER_TOKENS = 48


class Writing:
    """Greedy writing in one sequence, alone or with guesses."""

    def __init__(self, context: Any, n_vocab: int, evaluator: Evaluator, sequence: int, prompt: Sequence[int]) -> None:
        self.context, self.n_vocab, self.evaluator, self.sequence = context, n_vocab, evaluator, sequence
        self.memory = lib.llama_get_memory(context)
        self.greedy = lib.llama_sampler_init_greedy()
        self.tokens = list(prompt)
        self.run(0, self.tokens[:-1], logits=0)

    def run(self, position: int, tokens: Sequence[int], *, logits: int) -> int:
        self.evaluator.clear()
        row = self.evaluator.add(self.sequence, position, tokens, logits=logits)
        assert self.evaluator.run() is Outcome.DONE
        return row

    def choose(self, row: int) -> int:
        return int(lib.llama_sampler_sample(self.greedy, self.context, row))

    def write(self, count: int, guesses: Sequence[int] = (), *, batch: int = 1) -> tuple[list[int], str]:
        """`count` tokens, and the last one's logits. Of `guesses` (a whole answer) every seventh is made wrong."""
        answer: list[int] = []
        held, row = len(self.tokens) - 1, 0
        while len(answer) < count:
            pending = self.tokens[held]
            ahead = list(guesses[len(answer) : len(answer) + batch - 1])
            wrong = [token if (len(answer) + index) % 7 else token + 1 for index, token in enumerate(ahead)]
            first = self.run(held, [pending, *wrong], logits=1 + len(wrong))
            for index in range(1 + len(wrong)):
                row = first + index
                token = self.choose(row)
                answer.append(token)
                self.tokens.append(token)
                held += 1
                if index == len(wrong) or token != wrong[index] or len(answer) == count:
                    break
            lib.llama_memory_seq_rm(self.memory, self.sequence, held, -1)
        logits = ctypes.string_at(lib.llama_get_logits_ith(self.context, row), self.n_vocab * 4)
        return answer, logits.hex()


def exact(path: Path, kv_type: KvType) -> dict[str, object]:
    spec = ModelSpec(
        path, n_ctx=2048, kv_type=kv_type, flash_attention=FlashAttention.ON, n_gpu_layers=0, n_threads=2, n_sequences=4
    )
    handles = load(spec, LlamaLog(), lambda _fraction: None)
    vocabulary = Vocabulary(handles.model)
    evaluator = Evaluator(handles.context, 512)
    prompt = vocabulary.tokenize(TEXT, special=False)
    plain = Writing(handles.context, vocabulary.size, evaluator, 1, prompt)
    alone, alone_logits = plain.write(ANSWER_TOKENS)
    lib.llama_memory_seq_rm(plain.memory, 1, 0, -1)
    guessed, guessed_logits = Writing(handles.context, vocabulary.size, evaluator, 1, prompt).write(
        ANSWER_TOKENS, alone, batch=16
    )
    lib.llama_memory_seq_rm(plain.memory, 1, 0, -1)
    found = largest_exact(evaluator, 2, vocabulary.size)
    report = {
        "exact": found,
        "largest": SIZES[-1],
        "interrupted": largest_exact(evaluator, 2, vocabulary.size, waiting=lambda: True),
        "cells_left": lib.llama_memory_seq_pos_max(lib.llama_get_memory(handles.context), 2),
        "same_tokens": alone == guessed,
        "same_bits": alone_logits == guessed_logits,
    }
    handles.free()
    return report


def vocabulary_of(path: Path) -> Vocabulary:
    params = lib.llama_model_default_params()
    params.vocab_only = True
    return Vocabulary(lib.llama_model_load_from_file(os.fsencode(path), params))


def draft(target_path: Path, draft_path: Path) -> dict[str, object]:
    target = vocabulary_of(target_path)
    model = DraftModel.load(draft_path, target, n_ctx=256, threads=2)
    prompt = target.tokenize("one two three four one two three four one two three", special=False)
    drafter = model.drafter()
    drafter.begin(prompt)
    debt_ms = drafter.debt_ms
    at_once = drafter.draft(6)
    paid_ms = drafter.debt_ms
    again = drafter.draft(6)
    one_by_one = []
    for _each in range(6):
        (token,) = drafter.draft(1)
        one_by_one.append(token)
        drafter.accept(token)
    other = target.tokenize(" 1, 2, 3, 4, 5, 6, 7,", special=False)
    for token in other:  # not what was guessed
        drafter.accept(token)
    neighbour = model.drafter()
    neighbour.begin(target.tokenize("red green blue red green blue red green", special=False))
    beside = neighbour.draft(2)
    counted = drafter.draft(3)
    for token in other * 20:  # more than its window
        drafter.accept(token)
    late = drafter.draft(40)
    drafter.begin([])
    report = {
        "text": b"".join(target.piece(token) for token in at_once).decode(),
        "repeated": at_once == again == one_by_one,
        "counted": b"".join(target.piece(token) for token in counted).decode(),
        "late": len(late),
        "nothing": drafter.draft(3) + drafter.draft(0),
        "beside": b"".join(target.piece(token) for token in beside).decode(),
        "debt_ms": debt_ms,
        "paid_ms": paid_ms,
        "cost_ms": model.cost_ms,
    }
    model.close()
    return report


def refuse(target_path: Path, draft_path: Path) -> dict[str, object]:
    try:
        DraftModel.load(draft_path, vocabulary_of(target_path), n_ctx=256, threads=2)
    except ModelFileError as error:
        return {"refused": str(error)}
    return {"refused": ""}


def print_fault(message: str) -> None:
    sys.stderr.write(message)


def main(what: str, first: str, second: str) -> None:
    start_library(LlamaLog(), print_fault)
    if what == "exact":
        report = exact(Path(first), KvType(second))
    else:
        report = {"draft": draft, "refuse": refuse}[what](Path(first), Path(second))
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
