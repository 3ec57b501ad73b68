"""Embeddings by the engine against a reference that shares no code with it, on the real all-MiniLM-L6-v2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.model.description import ModelKind, describe
from engine.types import Failed, ModelSpec
from engine.worker.client import EngineClient
from tests.minilm_weights import VOCABULARY, WEIGHTS, minilm_folder
from tests.process.engine_asking import PATIENCE_S, ask
from tests.process.minilm import Reference, cosine, write_gguf
from tests.unit.gguf_writing import tiny_model

pytestmark = pytest.mark.weights

SENTENCES = [
    "The cat sat on the mat.",
    "A small animal rested on a rug.",
    "Interest rates rose by a quarter of a point in March.",
    "How do I cancel my subscription?",
    "Please tell me how to end my membership.",
    "Die Würde des Menschen ist unantastbar.",
    "L'été dernier, nous sommes allés à la mer.",
    "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
    "Water boils at 100 °C at sea level.",
    "WATER BOILS AT 100 DEGREES!",
    "The mitochondria is the powerhouse of the cell; everybody knows that.",
    "日本語の文章もここにあります。",
    "Привет, мир!",
    "e = mc^2, said Einstein (1905).",
    "https://example.org/a/b?c=d&e=f#g",
    "A [SEP] in the text is only text, as is [CLS].",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism",
    "\tTabs,\nnew lines   and    many spaces\r\n",
    "no",
    "The quick brown fox jumps over the lazy dog, while " + "the dog goes on sleeping and " * 12 + "dreams.",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in (WEIGHTS, VOCABULARY):
        if not (minilm_folder() / name).is_file():
            pytest.fail(f"{name} is missing: `make weights` fetches it")
    path = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2-F16.gguf"
    write_gguf(path)
    return path


def embedded(model: Path, *lists: list[str], n_ctx: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.process.embedding_child", str(model), str(n_ctx)],
        input=json.dumps(lists),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"GOMP_SPINCOUNT": "1000"},  # as in the worker, see `engine.worker.worker`
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def result(model: Path) -> Any:
    """All sentences at once, then backwards, then each alone, then an empty one among others."""
    return embedded(model, SENTENCES, SENTENCES[::-1], *[[text] for text in SENTENCES], ["", "a", ""])


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


def test_it_is_known_as_an_embedding_model(model: Path, result: Any) -> None:
    assert describe(model).kind is ModelKind.EMBEDDING
    loaded = result["loaded"]
    assert (loaded["architecture"], loaded["embedding_size"], loaded["n_ctx"]) == ("bert", 384, 512)
    assert not loaded["can_chat"]
    assert loaded["kv_bytes"] == 0


def test_tokens_are_those_of_the_reference(result: Any, reference: Reference) -> None:
    assert result["counts"] == [len(reference.tokens(text)) for text in SENTENCES]


def test_every_vector_is_the_references(result: Any, reference: Reference) -> None:
    similarities = [cosine(v, reference.embed(text)) for text, v in zip(SENTENCES, result["vectors"][0], strict=True)]
    assert min(similarities) >= 0.999, sorted(zip(similarities, SENTENCES, strict=True))[:3]


def test_the_comparison_would_notice_another_text(result: Any, reference: Reference) -> None:
    """Positive control, and what the vectors are for: like meaning is near, other meaning is far."""
    vectors = result["vectors"][0]
    assert cosine(vectors[0], reference.embed(SENTENCES[2])) < 0.3
    assert cosine(vectors[3], vectors[4]) > cosine(vectors[3], vectors[2]) + 0.3


def test_vectors_have_length_one(result: Any) -> None:
    for vectors in result["vectors"]:
        assert all(abs(sum(x * x for x in vector) - 1) < 1e-5 for vector in vectors)


def test_a_batch_gives_what_each_alone_gives_in_its_place(result: Any) -> None:
    together, backwards, *alone = result["vectors"][: 2 + len(SENTENCES)]
    for place, (vector,) in enumerate(alone):
        for other in (together[place], backwards[-1 - place]):
            assert max(abs(a - b) for a, b in zip(vector, other, strict=True)) < 1e-3


def test_an_empty_text_has_the_vector_of_the_frame_alone(result: Any, reference: Reference) -> None:
    first, other, last = result["vectors"][-1]
    assert cosine(first, reference.embed("")) >= 0.999
    assert first == last != other


def test_a_long_text_is_cut_at_the_window(model: Path, reference: Reference) -> None:
    long = "every word counts " * 1000
    cut, short, same = embedded(model, [long, "every word", "every word counts"], n_ctx=5)["vectors"][0]
    whole = embedded(model, [long])["vectors"][0][0]
    assert cosine(whole, reference.embed(long)) >= 0.999
    assert cut == pytest.approx(same, abs=1e-3)
    assert cut != pytest.approx(short, abs=1e-3)


def test_a_thousand_texts(model: Path, reference: Reference) -> None:
    texts = [f"Note {number}: {SENTENCES[number % len(SENTENCES)]}" for number in range(1000)]
    result = embedded(model, texts)
    vectors = result["vectors"][0]
    assert len(vectors) == 1000
    assert result["beats"] < 200
    for number in (0, 1, 499, 998, 999):
        assert cosine(vectors[number], reference.embed(texts[number])) >= 0.999
    print(f"1,000 texts, {sum(result['counts'])} tokens: {result['seconds'][0]:.1f} s in {result['beats']} batches")


def test_models_that_make_no_vectors_are_refused(tmp_path: Path) -> None:
    talking, ranking = tmp_path / "talking.gguf", tmp_path / "ranking.gguf"
    talking.write_bytes(tiny_model())
    ranking.write_bytes(tiny_model(architecture="bert", bert__pooling_type=4))
    assert "not an embedding model" in embedded(talking, ["a"])["refused"]
    assert "sorts search results" in embedded(ranking, ["a"])["refused"]


def test_the_engine_embeds_and_says_that_it_cannot_talk(model: Path) -> None:
    engine = EngineClient()
    try:
        loaded = engine.load(ModelSpec(model)).result(PATIENCE_S)
        assert (loaded.can_chat, loaded.embedding_size, loaded.backend) == (False, 384, "CPU")
        vectors = engine.embed(SENTENCES).result(PATIENCE_S)
        assert cosine(vectors[3], vectors[4]) > cosine(vectors[3], vectors[2]) + 0.3
        assert engine.count_tokens(["a b c"]).result(PATIENCE_S) == [3]
        assert engine.cache().result(PATIENCE_S).entries == ()
        (failed,) = list(engine.generate(ask("Hello")))
        assert isinstance(failed, Failed)
        assert "One cannot talk to it" in failed.message
        assert engine.embed(["still there"]).result(PATIENCE_S)
    finally:
        engine.close()
