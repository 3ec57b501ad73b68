"""Another embedder for a library that has one, with real weights: llama.cpp, torch, a kill on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.embedder_choice import KEY, EmbedderFollower
from app.events import Notice
from app.settings import Settings
from engine.errors import EmbedderError, HearthError
from rag.client import LIGHT
from rag.embedding.gguf import GgufEmbedder, prefixes
from rag.events import EmbeddingProgress
from rag.learning_report import LearningReport
from tests.minilm_weights import VOCABULARY, WEIGHTS, minilm_folder, reference_folder
from tests.process.minilm import write_gguf
from tests.process.test_library_process import PATIENCE_S, WHALES, Desk
from tests.unit.foreign_documents import pdf
from tests.unit.gguf_writing import tiny_model

pytestmark = [pytest.mark.weights, pytest.mark.beside]
N_NOTES = 100


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in (WEIGHTS, VOCABULARY):
        if not (minilm_folder() / name).is_file():
            pytest.fail(f"{name} is missing: `make weights` fetches it")
    path = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2-F16.gguf"
    write_gguf(path)
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, LIGHT)
    pdf(made.docs / "whales.pdf", *WHALES)
    made.add(made.docs)
    made.settle()
    yield made
    made.client.close()


def test_from_the_light_one_to_a_gguf_file_and_to_torch(desk: Desk, gguf: Path) -> None:
    pytest.importorskip("sentence_transformers")
    pid = desk.client.pid
    assert pid is not None
    for choice in (str(gguf), str(reference_folder()), LIGHT):
        desk.client.use_embedder(choice).result(PATIENCE_S)
        desk.settle()
        assert desk.client.learning().result(PATIENCE_S) == LearningReport(choice, "", 0, 3)
        assert desk.files()["whales.pdf"].n_unembedded == 0
        assert desk.found("guarantee period")[0] == ("whales.pdf", 2), "no word of it stands there"
    children = psutil.Process(pid).children()
    assert len(children) == 1, "the parser's process; llama.cpp's is gone"


def test_a_choice_that_cannot_be_loaded_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    talking = tmp_path / "talking.gguf"
    talking.write_bytes(tiny_model())
    for choice, said in (
        (str(tmp_path / "none.gguf"), "none.gguf"),
        (str(talking), "not an embedding model"),
        ("nobody/no-such-model", "is not on this computer"),
    ):
        with pytest.raises(HearthError, match=said):
            desk.client.use_embedder(choice).result(PATIENCE_S)
    assert desk.client.learning().result(PATIENCE_S) == LearningReport(LIGHT, "", 0, 3)
    assert desk.found("guarantee period")[0] == ("whales.pdf", 2)


def test_killed_on_the_way_it_goes_on(desk: Desk, gguf: Path) -> None:
    note = "Note {number}: the ferry number {number} leaves the harbour at noon and comes back at night. " * 8
    for number in range(N_NOTES):
        (desk.docs / f"{number}.txt").write_text(note.format(number=number))
    desk.client.look_again().result(PATIENCE_S)
    desk.settle()
    n_all = desk.client.learning().result(PATIENCE_S).n_all
    assert n_all >= N_NOTES
    desk.client.use_embedder(str(gguf)).result(PATIENCE_S)
    desk.telling.wait_for(
        lambda: any(
            isinstance(event, EmbeddingProgress) and event.anew and event.n_left < event.n_all - 8
            for event in desk.telling.events
        )
    )
    pid = desk.client.pid
    assert pid is not None
    children = psutil.Process(pid).children()
    assert len(children) == 2
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(children, PATIENCE_S)
    desk.telling.wait_for(lambda: desk.client.pid != pid)
    report = desk.client.learning().result(PATIENCE_S)
    assert (report.serving, report.coming) == (LIGHT, str(gguf))
    assert 0 < report.n_left < n_all - 8, "what was learned is kept"
    desk.settle()
    assert desk.client.learning().result(PATIENCE_S) == LearningReport(str(gguf), "", 0, n_all)
    assert desk.found("guarantee period")[0] == ("whales.pdf", 2)


def test_a_gguf_embedder_by_itself(gguf: Path, tmp_path: Path) -> None:
    embedder = GgufEmbedder(gguf)
    try:
        assert (embedder.dimensions, embedder.max_tokens) == (384, 512)
        near, far = embedder.embed_passages(["The guarantee lasts two years.", "Bread needs flour."])
        question = embedder.embed_question("How long is the warranty?")
        assert question @ near > question @ far + 0.2
        assert embedder.count_pieces(["a b c"]) == [3]
    finally:
        embedder.close()
    with pytest.raises(HearthError):
        embedder.embed_question("Is anybody there?")
    with pytest.raises((HearthError, EmbedderError)):
        GgufEmbedder(tmp_path / "none.gguf")


def test_what_stands_before_a_text_goes_by_the_models_name(gguf: Path, tmp_path: Path) -> None:
    from engine.model.description import describe

    assert prefixes(describe(gguf)) == ("", "")
    other = tmp_path / "nomic-embed-text-v1.5.Q8_0.gguf"
    other.write_bytes(gguf.read_bytes())
    assert prefixes(describe(other)) == ("search_document: ", "search_query: ")


def test_the_setting_leads_and_goes_back_where_it_cannot(desk: Desk, gguf: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.toml")
    notices: list[object] = []
    told, complained = threading.Event(), threading.Event()

    def publish(event: object) -> None:
        notices.append((event, settings.text(KEY)))
        complained.set()

    follower = EmbedderFollower(settings, desk.client, desk.place.folder / "library.db", publish)
    settings.subscribe(lambda _key: told.set() if settings.text(KEY) == LIGHT else None)
    settings.set(KEY, "nobody/no-such-model")
    assert complained.wait(PATIENCE_S)
    notice = Notice("The model nobody/no-such-model is not on this computer.", "warning", setting=KEY)
    assert notices == [(notice, LIGHT)], "it is back already when that is said"
    settings.set(KEY, str(gguf))
    desk.telling.wait_for(lambda: desk.client.learning().result(PATIENCE_S).serving == str(gguf))
    # Another program on the same library.
    second = Desk(tmp_path, str(gguf))
    try:
        second.client.use_embedder(LIGHT).result(PATIENCE_S)
        told.clear()
        desk.telling.wait_for(lambda: [follower.on_event(event) for event in desk.telling.events] and told.is_set())
        second.settle()
        assert second.client.learning().result(PATIENCE_S).serving == LIGHT
        assert second.found("guarantee period")[0] == ("whales.pdf", 2)
    finally:
        second.client.close()
        follower.unfollow()


def hearth(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "main.py", "--data-dir", str(folder), *arguments],
        capture_output=True, check=False, timeout=240, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_on_the_terminal(gguf: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "notes.md").write_text("# Fees\n\nThe warranty of the boat lasts two years.\n", "utf-8")
    assert hearth(data, "docs", "add", str(tmp_path / "notes.md")).returncode == 0
    refused = hearth(data, "docs", "embedder", "nobody/no-such-model")
    assert refused.returncode == 1
    assert b"is not on this computer" in refused.stderr
    chosen = hearth(data, "docs", "embedder", str(gguf))
    assert chosen.returncode == 0, chosen.stderr
    assert gguf.name.encode() in chosen.stdout
    told = json.loads(hearth(data, "--json", "docs", "embedder").stdout)
    assert (told["wanted"], told["serving"], told["coming"], told["left"]) == (str(gguf), str(gguf), "", 0)
    found = json.loads(hearth(data, "--json", "docs", "search", "guarantee", "period").stdout.splitlines()[0])
    assert "two years" in found["text"]
