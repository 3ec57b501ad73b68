"""Guessing ahead in the real worker: answers at temperature 0 are the same with and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.model.cores import look_at_cores
from engine.model.cost_curve import CostCurve, CostNotes
from engine.model.guessing import NOT_USED
from engine.model.threads import notes_key
from engine.types import FlashAttention, KvType, LoadedModel, ModelSpec
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S
from tests.process.test_kernel import answer, keyed

CHEAP = CostCurve((1, 2, 4, 8, 16), (10.0, 10.1, 10.2, 10.4, 10.8), exact=16)
"""Of a machine that computes sixteen tokens as fast as one: there guessing always pays."""
TALE = "The lamp of the old lighthouse turned, and the keeper wrote the names of the ships into his book. "
PROMPT = "Repeat the following text word for word: " + TALE * 3

Start = Callable[..., tuple[EngineClient, LoadedModel]]


@pytest.fixture
def start(smollm2: Path, tmp_path: Path) -> Iterator[Start]:
    """Engines whose batches give each token the bits that it gets alone, one at a time."""
    made: list[EngineClient] = []

    def start(**how: object) -> tuple[EngineClient, LoadedModel]:
        while made:
            made.pop().close()
        spec = ModelSpec(
            smollm2,
            n_ctx=1024,
            n_threads=2,
            n_gpu_layers=0,
            kv_type=KvType.Q8_0,
            flash_attention=FlashAttention.ON,
            notes_folder=tmp_path,
        )
        made.append(EngineClient())
        return made[0], made[0].load(replace(spec, **how)).result(PATIENCE_S)  # type: ignore[arg-type]

    yield start
    for engine in made:
        engine.close()


def note_costs(loaded: LoadedModel, folder: Path, curve: CostCurve) -> None:
    key = notes_key(loaded.path, loaded.backend, look_at_cores())
    CostNotes(folder, key, loaded.kv_type, loaded.flash_attention, loaded.n_gpu_layers, 2, 2).write(curve)


def test_a_quoted_text_is_guessed_and_stays_the_same(start: Start, tmp_path: Path) -> None:
    engine, loaded = start(speculate=False)
    alone = answer(engine, keyed("a", PROMPT, max_tokens=96))
    assert (alone.usage.drafted_tokens, alone.usage.accepted_tokens) == (0, 0)
    note_costs(loaded, tmp_path, CHEAP)
    engine, _loaded = start(speculate=True)
    guessed = answer(engine, keyed("a", PROMPT, max_tokens=96))
    assert guessed.usage.accepted_tokens > 24
    assert guessed.usage.drafted_tokens >= guessed.usage.accepted_tokens
    assert guessed.text == alone.text
    # What was guessed wrongly is no longer in the cache: the next turn starts from the answer as it is.
    again = answer(engine, keyed("a", PROMPT, max_tokens=96))
    assert again.started.cached_tokens == again.started.prompt_tokens - 1
    assert again.text == alone.text


def test_where_batches_are_rounded_otherwise_nothing_is_guessed_for_who_wants_the_same_again(
    start: Start, tmp_path: Path
) -> None:
    _engine, loaded = start(speculate=False)
    note_costs(loaded, tmp_path, replace(CHEAP, exact=1))
    engine, _loaded = start(speculate=True)
    assert answer(engine, keyed("a", PROMPT, max_tokens=96)).usage.drafted_tokens == 0
    assert answer(engine, keyed("a", PROMPT, max_tokens=96, temperature=0.01, seed=1)).usage.drafted_tokens == 0
    warm = answer(engine, keyed("a", PROMPT, max_tokens=96, temperature=0.01))
    assert warm.usage.accepted_tokens > 24


def test_a_draft_model_guesses_what_was_never_said(start: Start, smollm2: Path, tmp_path: Path) -> None:
    prompt = "Write about the sea."
    engine, loaded = start(speculate=False)
    alone = answer(engine, keyed("a", prompt, max_tokens=64))
    # The model is its own draft model: its guesses are right, and pay where a token of the model is far slower than
    # what a guess was measured to cost, whatever else this machine does just now.
    slow = CostCurve(CHEAP.sizes, tuple(each * 5_000 for each in CHEAP.ms), exact=16)
    note_costs(loaded, tmp_path, slow)
    engine, loaded = start(speculate=True, draft_path=smollm2)
    assert loaded.notes == ()
    guessed = answer(engine, keyed("a", prompt, max_tokens=64))
    assert guessed.usage.accepted_tokens > 32
    assert guessed.text == alone.text


def test_a_draft_model_of_another_family_is_named_and_left_out(start: Start, qwen_small: Path) -> None:
    engine, loaded = start(speculate=True, draft_path=qwen_small)
    assert loaded.notes == (NOT_USED,)
    assert answer(engine, keyed("a", "Hello.")).text
