"""Every embedder with real weights; sentence-transformers is the reference that the light one is measured against."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EmbedderError
from engine.onnx_session import EIGHT_BITS, SEVEN_BITS
from rag.chunking import SIZE, Chunker
from rag.embedding import minilm
from rag.embedding.embedder import Embedder
from rag.embedding.engine_backend import BATCH, EngineEmbedder
from rag.embedding.fake import FakeEmbedder
from rag.embedding.onnx import OnnxEmbedder, piece_counter
from rag.embedding.safetensors_file import read_float32
from rag.embedding.sentence_transformers_backend import SentenceTransformersEmbedder
from rag.embedding.weights import FILES, WEIGHTS
from rag.types import Page
from tests.minilm_weights import minilm_folder, reference_folder

pytestmark = pytest.mark.weights

ROOT = Path(__file__).parents[2]
QUESTIONS = [
    "How do I cancel my subscription?",
    "no",
    "Die Würde des Menschen ist unantastbar.",
    "日本語の文章もここにあります。",
    "Привет, мир!",
    "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)",
]


@pytest.fixture(scope="module")
def folder() -> Path:
    for file in FILES:
        if not (minilm_folder() / file.file_name).is_file():
            pytest.fail(f"{file.file_name} is missing: `make weights` fetches it")
    return minilm_folder()


@pytest.fixture(scope="module")
def light(folder: Path) -> Iterator[OnnxEmbedder]:
    embedder = OnnxEmbedder(folder, n_threads=2)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def reference() -> Iterator[Embedder]:
    pytest.importorskip("sentence_transformers")
    embedder = SentenceTransformersEmbedder(str(reference_folder()), n_threads=2)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def passages(folder: Path) -> list[str]:
    """Of the project's own documents and code, as the library cuts them."""
    chunker = Chunker(piece_counter(folder))
    found = []
    for path in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "engine").glob("*.py"))]:
        page = Page(1, path.read_text("utf-8"))
        chunker.begin()
        found += [page.text[chunk.start : chunk.end] for chunk in chunker.chunks_of(page)]
    return found[:: max(1, len(found) // 60)]


def test_the_light_one_agrees_with_the_reference(light: OnnxEmbedder, reference: Embedder, passages: list[str]) -> None:
    texts = passages + QUESTIONS
    cosines = (light.embed_passages(texts) * reference.embed_passages(texts)).sum(axis=1)
    assert cosines.min() >= 0.99, texts[int(cosines.argmin())]
    assert cosines.mean() >= 0.995
    shifted = (light.embed_passages(texts) * reference.embed_passages(texts[1:] + texts[:1])).sum(axis=1)
    assert shifted.max() < 0.99  # positive control: other texts are further away


def test_seven_bits_agree_too(folder: Path, light: OnnxEmbedder, reference: Embedder, passages: list[str]) -> None:
    """What processors get whose 8-bit products could overflow."""
    import onnxruntime

    graph = minilm.graph_of(read_float32(folder / WEIGHTS.file_name), largest=SEVEN_BITS)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    expected = reference.embed_passages(passages)
    for text, vector in zip(passages, expected, strict=True):
        ids = np.array([light._tokenizer.encode(text).ids], np.int64)
        assert session.run(None, {minilm.IDS: ids})[0][0] @ vector >= 0.985


def test_a_vector_depends_on_its_text_alone(light: OnnxEmbedder, passages: list[str]) -> None:
    together = light.embed_passages(passages)
    backwards = light.embed_passages(passages[::-1])[::-1]
    assert np.array_equal(together, backwards)
    assert np.array_equal(together[3], light.embed_question(passages[3]))
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert light.embed_passages([]).shape == (0, 384)
    assert light.embed_question("").shape == (384,)


def test_a_long_text_is_cut_where_the_reference_cuts(light: OnnxEmbedder, reference: Embedder) -> None:
    long = "every word of these counts " * 200
    assert light.max_tokens == reference.max_tokens == 256
    assert light.embed_question(long) @ reference.embed_question(long) >= 0.99


def test_pieces_are_counted_alike_and_fit(light: OnnxEmbedder, reference: Embedder, passages: list[str]) -> None:
    counts = light.count_pieces(passages + QUESTIONS)
    assert counts == reference.count_pieces(passages + QUESTIONS)
    assert max(counts) <= SIZE


def test_questions_are_answered_while_passages_are_read(light: OnnxEmbedder, passages: list[str]) -> None:
    expected = light.embed_question("Where are the models?")
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(light.embed_passages, passages)
        assert np.array_equal(light.embed_question("Where are the models?"), expected)
        assert not reading.done()
        reading.result(120)


def test_like_meaning_is_near(light: OnnxEmbedder) -> None:
    question = light.embed_question("How do I cancel my subscription?")
    near, far = light.embed_passages(["Please tell me how to end my membership.", "Interest rates rose in March."])
    assert question @ near > question @ far + 0.3


def test_names_tell_models_apart(light: OnnxEmbedder, reference: Embedder) -> None:
    assert light.model_id in {"all-MiniLM-L6-v2 int8 1", "all-MiniLM-L6-v2 int7 1"}
    assert reference.model_id.startswith("sentence-transformers all-MiniLM-L6-v2 ")
    assert len({light.model_id, reference.model_id, FakeEmbedder().model_id}) == 3


def test_missing_and_damaged_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="missing"):
        OnnxEmbedder(tmp_path, n_threads=1)
    for file in FILES:
        shutil.copy(folder / file.file_name, tmp_path)
    with (tmp_path / WEIGHTS.file_name).open("r+b") as weights:
        weights.seek(50_000_000)
        weights.write(b"\x00\x00\x00\x00")
    with pytest.raises(EmbedderError, match="damaged"):
        OnnxEmbedder(tmp_path, n_threads=1)


def test_what_is_no_table_of_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    table = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}).encode()
    for content in (b"", b"123", b"\xff" * 16, len(table).to_bytes(8, "little") + table + b"12345678"):
        path.write_bytes(content)
        with pytest.raises(EmbedderError, match="cannot be read"):
            read_float32(path)
    with pytest.raises(EmbedderError, match="not the weights"):
        minilm.graph_of({}, largest=EIGHT_BITS)


def test_a_closed_one_says_so(folder: Path) -> None:
    embedder = OnnxEmbedder(folder, n_threads=1)
    embedder.close()
    with pytest.raises(EmbedderError, match="closed"):
        embedder.embed_passages(["a"])
    with pytest.raises(EmbedderError, match="closed"):
        embedder.embed_question("a")


def test_the_light_one_loads_no_torch(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from rag.embedding.onnx import OnnxEmbedder\n"
        f"embedder = OnnxEmbedder(Path({str(folder)!r}), n_threads=1); embedder.embed_question('a'); embedder.close()\n"
        "print(sorted({'torch', 'transformers', 'onnx', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_a_model_that_is_not_here_is_refused() -> None:
    with pytest.raises(EmbedderError, match="not on this computer"):
        SentenceTransformersEmbedder("nobody/has-this-model", n_threads=1)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="cannot be used"):
        SentenceTransformersEmbedder(str(tmp_path), n_threads=1)


class _Engine:
    """Makes vectors of length 2 by word counts, as a pipe to an engine would."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails: Exception | None = None

    def embed(self, texts: object) -> Future[list[tuple[float, ...]]]:
        assert isinstance(texts, list)
        self.asked.append(texts)
        future: Future[list[tuple[float, ...]]] = Future()
        if self.fails is not None:
            future.set_exception(self.fails)
        else:
            future.set_result([(float(len(text.split())), 1.0) for text in texts])
        return future

    def count(self, texts: object) -> Future[list[int]]:
        assert isinstance(texts, list)
        future: Future[list[int]] = Future()
        future.set_result([len(text.split()) for text in texts])
        return future


def test_the_engines_vectors_get_length_one_in_batches() -> None:
    engine = _Engine()
    embedder = EngineEmbedder(
        engine.embed, engine.count, model_id="x", dimensions=2, max_tokens=512,
        passage_prefix="passage: ", question_prefix="query: ",
    )  # fmt: skip
    vectors = embedder.embed_passages(["a b"] * (BATCH + 1))
    assert [len(asked) for asked in engine.asked] == [BATCH, 1]
    assert vectors[0] == pytest.approx(np.array([3, 1]) / np.sqrt(10))
    embedder.embed_question("why")
    assert engine.asked[-1] == ["query: why"]
    assert embedder.count_pieces(["a b c"]) == [3]


def test_the_engines_faults_are_sentences() -> None:
    engine = _Engine()
    embedder = EngineEmbedder(engine.embed, engine.count, model_id="x", dimensions=3, max_tokens=512)
    with pytest.raises(EmbedderError, match="no usable"):
        embedder.embed_question("a")
    engine.fails = RuntimeError("gone")
    with pytest.raises(EmbedderError, match="gone"):
        embedder.embed_question("a")


def test_the_fake_one_knows_shared_words() -> None:
    fake: Embedder = FakeEmbedder()
    near, far = fake.embed_passages(["The warranty lasts two years.", "Cats sleep."])
    question = fake.embed_question("How long is the warranty?")
    assert question @ near > question @ far
    assert fake.embed_passages([""])[0] @ fake.embed_question("") == pytest.approx(1)
