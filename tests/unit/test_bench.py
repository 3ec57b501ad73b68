"""What a benchmark makes of its numbers: medians, the memory's limit, what is left out and why."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.bench import answers, words
from app.bench.answers import bytes_per_token, measure_model
from app.bench.asking import ask, user
from app.bench.memory import probe_memory
from app.bench.report import Kind, Measured, ModelFacts, Part
from app.bench.run import Subject, run_benchmark
from app.command_line import BENCH_PARTS, parse
from app.paths import resolve_paths
from engine.errors import ModelFileError, sentence
from engine.fake import FakeEngine
from engine.types import ModelSpec, SamplingParams
from tests.unit.bench_reports import BUSY, FULL, ON_GPU, WITHOUT_VOICE
from tests.unit.gguf_writing import gguf
from tests.unit.mark_engine import MarkEngine

WIDTH, WORDS, LAYERS = 256, 64, 2
Q4_K = 12


def model_file(path: Path, *, apart: bool = False, experts: int = 0) -> Path:
    """A network of two matrices a layer, with the output apart from the embedding, and with experts."""
    metadata = {
        "general.architecture": "llama", "llama.block_count": LAYERS, "llama.context_length": 2048,
        "llama.embedding_length": WIDTH, "llama.feed_forward_length": 512, "llama.attention.head_count": 4,
    }  # fmt: skip
    if experts:
        metadata |= {"llama.expert_count": experts, "llama.expert_used_count": 2}
    tensors = [("token_embd.weight", (WIDTH, WORDS), Q4_K)]
    if apart:
        tensors.append(("output.weight", (WIDTH, WORDS), Q4_K))
    for layer in range(LAYERS):
        tensors.append((f"blk.{layer}.attn_q.weight", (WIDTH, WIDTH), Q4_K))
        if experts:
            tensors.append((f"blk.{layer}.ffn_up_exps.weight", (WIDTH, 512, experts), Q4_K))
    path.write_bytes(gguf(metadata, tensors))
    return path


def stored(*elements: int) -> int:
    """Bytes of so many elements in Q4_K: 144 for 256."""
    return sum(elements) * 144 // 256


def test_what_a_token_reads_of_a_model(tmp_path: Path) -> None:
    embedding, attention = WIDTH * WORDS, LAYERS * WIDTH * WIDTH
    assert bytes_per_token(model_file(tmp_path / "tied.gguf")) == stored(embedding, attention)
    assert bytes_per_token(model_file(tmp_path / "apart.gguf", apart=True)) == stored(embedding, attention)
    all_experts = LAYERS * WIDTH * 512 * 8
    mixture = bytes_per_token(model_file(tmp_path / "mixture.gguf", experts=8))
    assert mixture == stored(embedding, attention, all_experts // 4), "two of eight experts are asked"


def test_the_limit_is_the_memorys_speed_over_what_a_token_reads() -> None:
    assert FULL.limit == pytest.approx(16.0)
    assert ON_GPU.limit is None, "the probe knows nothing of a graphics card's memory"
    assert replace(FULL, model=None).limit is None
    assert "16.0 tokens a second" in words.limit_text(FULL)
    assert "graphics card" in words.limit_text(ON_GPU)


def test_numbers_and_what_they_are_held_against() -> None:
    decode = FULL.of(Kind.DECODE)
    assert decode is not None
    assert (words.value_text(decode), words.range_text(decode)) == ("12.0 tokens/s", "11.0 – 12.5")
    assert words.held_against(decode, FULL) == "75 % of what the memory allows"
    assert words.held_against(decode, ON_GPU) == ""
    held = {each.kind: words.held_against(each, FULL) for each in FULL.measured}
    assert held[Kind.PARALLEL] == "2.0 times one answer"
    assert held[Kind.SPEAKING] == "keeps up"
    assert words.held_against(Measured(Kind.HEARING, (0.5,)), FULL) == "slower than people talk"
    assert words.range_text(Measured(Kind.MODEL, (2.0,))) == ""


def test_a_busy_machine_is_said() -> None:
    assert words.busy_text(FULL) == ""
    assert "80 %" in words.busy_text(BUSY)


def test_every_line_and_part_has_words() -> None:
    assert all(words.label(kind) for kind in Kind)
    assert [part.value for part in Part] == list(BENCH_PARTS)
    assert all(words.part_label(part) for part in Part)


def test_json_holds_everything() -> None:
    report = json.loads(json.dumps(WITHOUT_VOICE.as_json()))
    assert report["decode_limit_tokens_per_s"] == 16.0
    (decode,) = (line for line in report["measured"] if line["what"] == "decode")
    assert (decode["median"], decode["lowest"], decode["values"]) == (12.0, 11.0, [12.0, 11.0, 12.5])
    assert report["skipped"] == [{"what": "speech", "reason": "The models that hear are not on this computer yet."}]


def test_the_probe_touches_every_element() -> None:
    speed = probe_memory(2, array_bytes=1 << 20, rounds=1)
    assert 1e8 < speed.read < 1e13
    assert 1e8 < speed.triad < 1e13


def test_a_token_that_shows_nothing_ends_the_reading() -> None:
    with closing(MarkEngine()) as engine:
        answer = ask(engine, [user("How deep is the harbour?")], SamplingParams(max_tokens=1))
    assert answer.text == "" and answer.reading > 0


def test_how_long_loading_takes_is_measured_without_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = _engines(monkeypatch)
    found = list(measure_model(ModelSpec(model_file(tmp_path / "a.gguf")), "A", [Part.MODEL], lambda _part: None))
    assert [type(each) for each in found] == [ModelFacts, Measured]
    assert [engine.requests for engine in begun] == [[], []]


def test_facts_are_those_of_the_first_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _engines(monkeypatch)
    spec = ModelSpec(model_file(tmp_path / "a.gguf"))
    for parts in ([Part.MODEL, Part.LOOKUP], [Part.LOOKUP]):
        found = list(measure_model(spec, "A", parts, lambda _part: None))
        assert [isinstance(each, ModelFacts) for each in found] == [True, *[False] * len(parts)]


def test_what_cannot_be_measured_is_left_out_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_MODELS_DIR", str(tmp_path / "none" / "models"))

    def no_model() -> Subject:
        raise ModelFileError(sentence("There is no model."))

    begun: list[Part] = []
    report = run_benchmark(
        [Part.SPEECH, Part.DECODE, Part.QUERY], resolve_paths(tmp_path), no_model, begins=begun.append
    )
    assert not report.measured
    assert [each.part for each in report.skipped] == [Part.DECODE, Part.QUERY, Part.SPEECH]
    assert report.skipped[0].reason == "There is no model."
    assert "hearth fetch embedder" in report.skipped[1].reason
    assert "hearth fetch voice" in report.skipped[2].reason
    assert not begun


def _engines(monkeypatch: pytest.MonkeyPatch) -> list[FakeEngine]:
    """Workers are fakes from now on; those that were begun."""
    begun: list[FakeEngine] = []

    class Worker(FakeEngine):
        worker_pid = None

        def __init__(self) -> None:
            super().__init__(loaded=False)
            begun.append(self)

    monkeypatch.setattr(answers, "EngineClient", Worker)
    return begun


def test_the_command_line_knows_the_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data-dir", str(tmp_path)]
    arguments, _start = parse([*data, "bench", "--only", "decode,speech", "--out", "a.png"])
    assert (arguments.only, arguments.output) == (("decode", "speech"), Path("a.png"))
    with pytest.raises(SystemExit):
        parse([*data, "bench", "--only", "decode,dancing"])
    assert "dancing" in capsys.readouterr().err
