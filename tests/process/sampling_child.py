"""Runs in a process of its own: samples from random logits with and without the shortlist, and compares.

`python -m tests.process.sampling_child FILE CASES` writes one JSON object to standard output.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from engine.model.llama_library import lib
from engine.model.sampling import Sampler
from engine.model.shortlist import Ids, LogitRows, Logits, Shortlist, lead
from engine.model.vocabulary import Vocabulary
from engine.types import SamplingParams

N_CTX = 256
STEPS = 12
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)


class WholeVocabulary(Sampler):
    """What llama.cpp's own chain chooses."""

    def _quick_choice(self, context: Any, row: int) -> int | None:
        return None


class Counting(Sampler):
    """Counts how often the shortlist was enough."""

    quick = 0
    asked = 0

    def _quick_choice(self, context: Any, row: int) -> int | None:
        choice = super()._quick_choice(context, row)
        Counting.asked += self._shortlist is not None
        Counting.quick += choice is not None
        return choice


class Blind(Shortlist):
    """The positive control: overlooks the tokens whose logits are changed."""

    def find(self, logits: Logits, touched: Ids) -> bool:
        return super().find(logits, touched[:0])


class BlindSampler(Sampler):
    def _make_shortlist(self, params: SamplingParams) -> Shortlist | None:
        made = super()._make_shortlist(params)
        return None if made is None else Blind(self._vocabulary.size, 1 if self._greedy else params.top_k + 1)


def open_context(path: Path) -> tuple[Any, Vocabulary]:
    """A context that has evaluated one token, so that it has a row of logits to write into."""
    lib.llama_log_set(_LOG, None)
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(str(path).encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx = N_CTX
    context = lib.llama_init_from_model(model, params)
    token = (ctypes.c_int32 * 1)(5)
    if not context or lib.llama_decode(context, lib.llama_batch_get_one(token, 1)):
        raise SystemExit(f"cannot use {path.name}")
    return context, Vocabulary(model)


def random_params(chance: random.Random, rng: np.random.Generator, best: Ids) -> SamplingParams:
    """Every sampler on or off; the tokens that are likely anyway are the ones with a bias."""
    pick = chance.choice
    bias = [(int(token), pick((-1e9, -100.0, -2.5, 0.0, 1.0, 7.0, 1e9))) for token in best[: pick((0, 0, 1, 3, 30))]]
    if pick((False, False, False, True)):
        bias += [(int(token), 5.0) for token in rng.integers(0, 49000, 5)]
    return SamplingParams(
        temperature=pick((0.0, 0.0, 0.3, 0.7, 1.0, 2.0)),
        top_k=pick((0, 1, 2, 40, 40, 40, 100, 200, 10**6)),
        top_p=pick((1.0, 0.95, 0.5, 0.0)),
        min_p=pick((0.0, 0.05, 0.5)),
        typical_p=pick((1.0, 1.0, 0.9, 0.2)),
        repeat_penalty=pick((1.0, 1.0, 1.1, 2.0, 0.5)),
        repeat_last_n=pick((64, 0, 3, -1)),
        presence_penalty=pick((0.0, 0.0, 0.5, -3.0)),
        frequency_penalty=pick((0.0, 0.0, 0.7, -2.0)),
        dry_multiplier=pick((0.0, 0.0, 0.0, 0.0, 0.0, 0.8)),
        logit_bias=tuple(bias),
    )


def random_row(chance: random.Random, rng: np.random.Generator, size: int) -> Logits:
    """Logits with and without ties, peaked and flat, with infinities and without numbers."""
    spread = chance.choice((0.01, 1.0, 3.0, 30.0))
    row = rng.normal(chance.choice((-5.0, 0.0, 12.0)), spread, size)
    kind = chance.choice(("plain", "plain", "plain", "coarse", "tied top", "infinite", "flat", "nan"))
    if kind == "coarse":
        row = np.round(row * 2) / 2
    elif kind == "tied top":
        row[rng.integers(0, size, 5)] = row.max() + chance.choice((0.0, 1.0))
    elif kind == "infinite":
        row[rng.random(size) < chance.choice((0.1, 0.99, 0.9999))] = -np.inf
    elif kind == "flat":
        row[:] = 1.5
    elif kind == "nan" and chance.random() < 0.2:
        row[rng.integers(0, size)] = np.nan
    return row.astype(np.float32)


def compare(context: Any, vocabulary: Vocabulary, cases: int, kind: type[Sampler]) -> int:
    """How many of the cases differ from the whole vocabulary's choices, over some tokens one after another."""
    target = LogitRows(vocabulary.size).row(context)
    differing = 0
    for case in range(cases):
        chance, rng = random.Random(case), np.random.default_rng(case)
        base = random_row(chance, rng, vocabulary.size)
        best = np.argsort(-base, kind="stable")[:30]
        params = random_params(chance, rng, best)
        prompt = [int(token) for token in (*rng.integers(0, vocabulary.size, 40), *best[:10], *best[:3])]
        make = {"n_ctx": N_CTX, "seed": case}
        with kind(params, vocabulary, **make) as ours, WholeVocabulary(params, vocabulary, **make) as theirs:
            for sampler in (ours, theirs):
                sampler.accept_prompt(prompt)
            for _ in range(STEPS):
                target[:] = base
                target[rng.integers(0, vocabulary.size, 200)] += np.float32(1.25)
                if ours.sample(context) != theirs.sample(context):
                    differing += 1
                    break
    return differing


def main() -> None:
    context, vocabulary = open_context(Path(sys.argv[1]))
    cases = int(sys.argv[2])
    rows = [np.array(row, dtype=np.float32) for row in ([1, 4, 2, 4], [1, -2, 3, 2.5], [9, 0, 0, 0], [0, 0, 1, 8])]
    report = {
        "differing": compare(context, vocabulary, cases, Counting),
        "quick_share": Counting.quick / Counting.asked,
        "differing_when_blind": compare(context, vocabulary, cases, BlindSampler),
        "leads": [lead(row) for row in rows],
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
