"""How fast one model loads, reads and writes here: alone, several answers at once, and guessing ahead where it quotes.

The model runs in a worker of its own, loaded as the settings say but for a small window. What is measured ahead of
guessing is loaded without it: each token is computed by itself then, and can be held against the memory's speed.
Knows no chat, no store and no words that people read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil

from app.bench.asking import ask, ask_many, never_end, system, user
from app.bench.report import Kind, Measured, ModelFacts, Part
from app.bench.texts import PARAGRAPHS, PROSE, notes, quoting_question
from engine.model.description import describe
from engine.model.gguf import TensorInfo, read_header
from engine.types import LoadedModel, ModelSpec, SamplingParams
from engine.worker.client import EngineClient

ROUNDS = 3
N_CTX = 4096
READ_SENTENCES = 18
"""About 300 tokens."""
WRITTEN_TOKENS = 48
QUOTED_TOKENS = 64
"""Less than a paragraph has."""
AT_ONCE = 4
AT_ONCE_TOKENS = 32
LOAD_S = 300.0
QUIET_SHARE = 0.05
QUIET_AFTER_S, QUIET_WITHIN_S = 0.5, 20.0
_PLAIN = frozenset({Part.PREFILL, Part.DECODE, Part.PARALLEL})
"""What is measured without guessing ahead."""
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"
_EXPERTS = "_exps."

Progress = Callable[[Part], None]


def measure_model(
    spec: ModelSpec, name: str, parts: Collection[Part], begins: Progress
) -> Iterator[Measured | ModelFacts]:
    """The lines of the engine's `parts` as they become known, and before them what was loaded.

    `begins` is told of each part. Blocks. Raises `HearthError`.
    """
    spec = replace(spec, n_ctx=N_CTX, n_cells=None, snapshot_folder=None)
    ends = never_end(spec.path)
    loads: list[float] = []
    plain = not _PLAIN.isdisjoint(parts)
    if plain or Part.MODEL in parts:
        begins(Part.MODEL)
        with closing(EngineClient()) as engine:
            loaded, seconds = _load(engine, replace(spec, speculate=False))
            loads.append(seconds)
            yield facts_of(loaded, name)
            if plain:
                yield from _plain(engine, SamplingParams(seed=1, logit_bias=ends), parts, begins)
    if Part.LOOKUP in parts or Part.MODEL in parts:
        begins(Part.LOOKUP if Part.LOOKUP in parts else Part.MODEL)
        with closing(EngineClient()) as engine:
            loaded, seconds = _load(engine, replace(spec, speculate=True))
            if not loads:
                yield facts_of(loaded, name)
            loads.append(seconds)
            if Part.LOOKUP in parts:
                # As a chat asks: with a seed or at temperature 0 nothing is guessed that could change a word.
                quoted = SamplingParams(max_tokens=QUOTED_TOKENS, logit_bias=ends)
                yield Measured(Kind.LOOKUP, _quoting(engine, quoted))
    if Part.MODEL in parts:
        yield Measured(Kind.MODEL, tuple(loads))


def facts_of(loaded: LoadedModel, name: str) -> ModelFacts:
    """What the report says of a model. Raises `ModelFileError`."""
    cells = max(loaded.n_cells, 1)
    kv = loaded.kv_bytes // cells * WRITTEN_TOKENS
    return ModelFacts(
        name,
        loaded.quantisation,
        loaded.weights_bytes,
        bytes_per_token(loaded.path) + kv,
        loaded.n_threads,
        on_gpu=loaded.n_gpu_layers != 0,
    )


def bytes_per_token(path: Path) -> int:
    """Weights that are read for each token of one answer.

    All of them, but of an embedding that is not the output too one row only, and of a mixture the experts that are
    asked. Raises `ModelFileError`.
    """
    description = describe(path)
    tensors = [tensor for part in description.parts for tensor in read_header(part).tensors]
    tied = not any(tensor.name == _OUTPUT for tensor in tensors)
    share = description.n_expert_used / description.n_expert if description.n_expert else 1.0

    def read(tensor: TensorInfo) -> float:
        if tensor.name == _EMBEDDING and not tied:
            return 0.0
        return tensor.size_bytes * (share if _EXPERTS in tensor.name else 1.0)

    return round(sum(map(read, tensors)))


def _load(engine: EngineClient, spec: ModelSpec) -> tuple[LoadedModel, float]:
    """And the seconds until it can be asked, the start of its process included."""
    began = time.perf_counter()
    loaded = engine.load(spec).result(LOAD_S)
    return loaded, time.perf_counter() - began


def _plain(
    engine: EngineClient, sampling: SamplingParams, parts: Collection[Part], begins: Progress
) -> Iterator[Measured]:
    _wait_until_quiet(engine)
    question = [system(), user(PROSE)]
    ask(engine, question, replace(sampling, max_tokens=2))  # the weights are in memory, the question is read
    if Part.PREFILL in parts:
        begins(Part.PREFILL)
        one = replace(sampling, max_tokens=1)
        texts = [[system(), user(notes(f"Port {number}", READ_SENTENCES))] for number in range(ROUNDS)]
        yield Measured(Kind.PREFILL, tuple(ask(engine, text, one).reading for text in texts))
    if Part.DECODE in parts:
        begins(Part.DECODE)
        written = replace(sampling, max_tokens=WRITTEN_TOKENS)
        yield Measured(Kind.DECODE, tuple(ask(engine, question, written).speed for _ in range(ROUNDS)))
    if Part.PARALLEL in parts:
        begins(Part.PARALLEL)
        written = replace(sampling, max_tokens=AT_ONCE_TOKENS)
        yield Measured(Kind.PARALLEL, tuple(ask_many(engine, question, written, AT_ONCE) for _ in range(ROUNDS)))


def _quoting(engine: EngineClient, sampling: SamplingParams) -> tuple[float, ...]:
    _wait_until_quiet(engine)
    questions = [[system(), user(quoting_question(subject))] for subject in PARAGRAPHS]
    ask(engine, questions[0], replace(sampling, max_tokens=2))  # the document is read
    return tuple(ask(engine, question, sampling).speed for question in questions)


def _wait_until_quiet(engine: EngineClient) -> None:
    """The worker measures the machine in its first idle moments, and guesses only with what it found out."""
    if engine.worker_pid is None:
        return
    try:
        worker = psutil.Process(engine.worker_pid)
        end = time.monotonic() + QUIET_WITHIN_S
        worker.cpu_percent()
        while time.monotonic() < end:
            time.sleep(QUIET_AFTER_S)
            if worker.cpu_percent() < 100 * QUIET_SHARE:
                return
    except psutil.Error:
        return  # it died, or this system does not tell: the next question will say so
