"""Finding models in the folders of other programs: fake homes, real (tiny) GGUF files."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from engine.cancel import CancelToken
from engine.model import discovery_stores
from engine.model.description import ModelKind
from engine.model.discovery import DiscoveryResult, discover
from engine.model.discovery_memory import ScanMemory
from engine.model.discovery_stores import Places
from tests.unit.gguf_writing import gguf, projector, tiny_model


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def ollama_model(root: Path, parts: tuple[str, ...], content: bytes, extra: dict[str, bytes] | None = None) -> Path:
    """An Ollama model as its own `pull` leaves it; returns the blob."""
    layers = []
    blob = Path()
    for kind, data in {"model": content, "license": b"words", **(extra or {})}.items():
        digest = hashlib.sha256(data).hexdigest()
        stored = put(root / "blobs" / f"sha256-{digest}", data)
        blob = stored if kind == "model" else blob
        layers.append({"mediaType": f"application/vnd.ollama.image.{kind}", "digest": f"sha256:{digest}", "size": 1})
    put(root.joinpath("manifests", *parts), json.dumps({"schemaVersion": 2, "layers": layers}).encode())
    return blob


def hugging_face_model(hub: Path, repository: str, file: str, content: bytes) -> Path:
    """A file of a repository as the hub's client caches it: a link to a blob; returns the link."""
    folder = hub / ("models--" + repository.replace("/", "--"))
    blob = put(folder / "blobs" / hashlib.sha256(content).hexdigest(), content)
    link = folder / "snapshots" / ("a" * 40) / file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return link


class Home:
    """A person's home folder, and a search in it."""

    def __init__(self, root: Path) -> None:
        self.path = root / "home"
        self.own = root / "own"
        self.environment: dict[str, str] = {}
        self.platform = "linux"
        self.system = root / "system"
        self.path.mkdir()

    def discover(self, *extra: Path, memory: ScanMemory | None = None) -> DiscoveryResult:
        places = Places(self.path, self.environment, self.platform, self.system)
        return discover(self.own, extra, places=places, memory=memory)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def names(result: DiscoveryResult) -> list[str]:
    assert result.problems == ()
    return sorted(model.name for model in result.models)


def test_nothing_there(home: Home) -> None:
    assert home.discover() == DiscoveryResult((), ())


def test_ollama_names_and_files(home: Home) -> None:
    root = home.path / ".ollama" / "models"
    blob = ollama_model(root, ("registry.ollama.ai", "library", "llama3.2", "3b"), tiny_model("A"))
    ollama_model(root, ("registry.ollama.ai", "jane", "own", "latest"), tiny_model("B"))
    ollama_model(root, ("hf.co", "org", "repo-GGUF", "Q4_K_M"), tiny_model("C"))
    ollama_model(
        home.system / "usr/share/ollama/.ollama/models", ("registry.ollama.ai", "library", "x", "y"), tiny_model("D")
    )
    result = home.discover()
    assert names(result) == ["hf.co/org/repo-GGUF:Q4_K_M", "jane/own:latest", "llama3.2:3b", "x:y"]
    found = next(model for model in result.models if model.name == "llama3.2:3b")
    assert found.description.path == blob
    assert [(source.app, source.path) for source in found.sources] == [("Ollama", blob)]


def test_two_ollama_tags_of_one_blob_are_one_model(home: Home) -> None:
    for tag in ("3b", "latest"):
        ollama_model(home.path / ".ollama/models", ("registry.ollama.ai", "library", "m", tag), tiny_model())
    assert names(home.discover()) == ["m:3b"]


def test_ollama_projector_is_paired(home: Home) -> None:
    extra = {"projector": projector()}
    ollama_model(home.path / ".ollama/models", ("registry.ollama.ai", "library", "eyes", "1"), tiny_model(), extra)
    (model,) = home.discover().models
    assert model.description.projector is not None
    assert model.description.projector.read_bytes() == projector()


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"{", b"[]", b'{"layers": 3}', b'{"layers": [3]}', b"\xff\xfe", b"[" * 100_000,
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../etc/passwd"}]}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:' + b"a" * 64 + b'"}]}',
    ],
)  # fmt: skip
def test_broken_ollama_manifest_is_named(home: Home, manifest: bytes) -> None:
    put(home.path / ".ollama/models/manifests/registry.ollama.ai/library/broken/1", manifest)
    result = home.discover()
    assert result.models == ()
    (problem,) = result.problems
    assert problem.app == "Ollama"
    assert "broken:1" in str(problem.error)


def test_lm_studio(home: Home) -> None:
    put(home.path / ".lmstudio/models/org/repo/a.gguf", tiny_model("A"))
    put(home.path / ".cache/lm-studio/models/org/repo/b.gguf", tiny_model("B"))
    put(home.path / "moved/models/org/repo/c.gguf", tiny_model("C"))
    put(home.path / ".lmstudio-home-pointer", str(home.path / "moved").encode())
    put(home.path / "elsewhere/d.gguf", tiny_model("D"))
    put(home.path / "moved/settings.json", json.dumps({"downloadsFolder": str(home.path / "elsewhere")}).encode())
    assert names(home.discover()) == ["A", "B", "C", "D"]


def test_hugging_face_cache(home: Home) -> None:
    link = hugging_face_model(home.path / ".cache/huggingface/hub", "org/repo-GGUF", "sub/m-Q4.gguf", tiny_model())
    result = home.discover()
    assert names(result) == ["org/repo-GGUF/m-Q4"]
    assert result.models[0].description.path == link


def test_other_stores(home: Home) -> None:
    put(home.path / ".cache/llama.cpp/org_repo_m.gguf", tiny_model("llama.cpp"))
    put(home.path / "jan/models/old/old.gguf", tiny_model("jan old"))
    put(home.path / ".local/share/Jan/data/llamacpp/models/new-id/model.gguf", tiny_model("jan new"))
    put(home.path / ".local/share/Jan/data/llamacpp/models/new-id/model.yml", b"name: ignored")
    put(home.path / ".local/share/nomic.ai/GPT4All/g.gguf", tiny_model("gpt4all"))
    assert names(home.discover()) == ["gpt4all", "jan old", "llama.cpp", "new-id"]


def test_macos_and_windows_folders(home: Home) -> None:
    home.platform = "darwin"
    put(home.path / "Library/Application Support/nomic.ai/GPT4All/g.gguf", tiny_model("mac gpt4all"))
    put(home.path / "Library/Application Support/Jan/data/llamacpp/models/j/model.gguf", tiny_model("x"))
    put(home.path / "Library/Caches/llama.cpp/l.gguf", tiny_model("mac llama.cpp"))
    assert names(home.discover()) == ["j", "mac gpt4all", "mac llama.cpp"]
    home.platform = "win32"
    home.environment = {"APPDATA": str(home.path / "Roaming"), "LOCALAPPDATA": str(home.path / "Local")}
    put(home.path / "Local/nomic.ai/GPT4All/g.gguf", tiny_model("windows gpt4all"))
    put(home.path / "Roaming/Jan/data/models/j/model.gguf", tiny_model("y"))
    assert {"windows gpt4all", "j"} <= set(names(home.discover()))


def test_environment_is_honoured(home: Home) -> None:
    ollama_model(home.path / "o", ("registry.ollama.ai", "library", "moved", "1"), tiny_model("A"))
    hugging_face_model(home.path / "h/hub", "org/one", "b.gguf", tiny_model("B"))
    hugging_face_model(home.path / "hub2", "org/two", "c.gguf", tiny_model("C"))
    put(home.path / "l/d.gguf", tiny_model("D"))
    assert names(home.discover()) == []
    home.environment = {"OLLAMA_MODELS": "~/o", "HF_HOME": str(home.path / "h"), "LLAMA_CACHE": str(home.path / "l")}
    assert names(home.discover()) == ["D", "moved:1", "org/one/b"]
    home.environment["HF_HUB_CACHE"] = str(home.path / "hub2")
    assert names(home.discover()) == ["D", "moved:1", "org/two/c"]


def test_copies_and_links_are_one_model(home: Home) -> None:
    content = tiny_model("Copied")
    own = put(home.own / "m.gguf", content)
    ollama_model(home.path / ".ollama/models", ("registry.ollama.ai", "library", "m", "1"), content)
    hugging_face_model(home.path / ".cache/huggingface/hub", "org/repo", "m.gguf", content)
    put(home.path / ".lmstudio/models/org/repo/m.gguf", content)
    hard = home.path / ".cache/llama.cpp/m.gguf"
    hard.parent.mkdir()
    hard.hardlink_to(own)
    put(home.own / "other.gguf", tiny_model("Copied", fill=1))  # as long, and another model
    result = home.discover(home.own)
    assert len(result.models) == 2
    merged = result.models[0]
    assert [source.app for source in merged.sources] == ["Hearth", "Ollama", "LM Studio", "Hugging Face", "llama.cpp"]
    assert merged.description.path == own
    assert merged.name == "m:1"


def test_copies_that_differ_between_the_samples_are_two(home: Home) -> None:
    large = bytearray(gguf({"general.architecture": "x"}, [("t", (1_500_000,), 0)]))
    put(home.own / "a.gguf", bytes(large))
    large[200_000] = 1  # between two samples
    put(home.own / "b.gguf", bytes(large))
    assert len(home.discover().models) == 2


def test_digests_are_kept_and_reused(home: Home, tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(home.own / f"{name}.gguf", tiny_model())
    kept = tmp_path / "not yet there" / "digests.json"
    memory = ScanMemory(kept)
    assert len(home.discover(memory=memory).models) == 1
    memory.save()
    content = json.loads(kept.read_text())
    assert {row[3] for row in content["digests"]} == {hashlib.sha256(tiny_model()).hexdigest()}
    for row in content["digests"]:
        row[3] = row[0]  # two digests that differ: if they are believed, the copies are two models
    kept.write_text(json.dumps(content))
    assert len(home.discover(memory=ScanMemory(kept)).models) == 2
    (home.own / "a.gguf").write_bytes(tiny_model())  # changed since: not believed any more
    os.utime(home.own / "a.gguf", ns=(1, 1))
    os.utime(home.own / "b.gguf", ns=(1, 1))
    assert len(home.discover(memory=ScanMemory(kept)).models) == 1
    kept.write_text('{"version": 1, "digests": [[1]]}')
    assert len(home.discover(memory=ScanMemory(kept)).models) == 1


def test_digests_that_cannot_be_kept_are_no_failure(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        put(home.own / f"{name}.gguf", tiny_model())
    memory = ScanMemory(put(tmp_path / "a file", b"") / "digests.json")
    assert len(home.discover(memory=memory).models) == 1
    memory.save()
    assert "could not be kept" in caplog.text


def test_split_models_and_missing_parts(home: Home) -> None:
    rest = gguf({"split.count": 2}, [("blk.1.attn_k.weight", (256, 256), 12)])
    put(home.own / "whole-00001-of-00002.gguf", tiny_model("Whole", split__count=2))
    put(home.own / "whole-00002-of-00002.gguf", rest)
    put(home.own / "headless-00002-of-00003.gguf", rest)
    put(home.own / "headless-00003-of-00003.gguf", rest)
    result = home.discover()
    assert [(model.name, len(model.description.parts)) for model in result.models] == [("Whole", 2)]
    (problem,) = result.problems
    assert "headless-00001-of-00003.gguf is missing" in str(problem.error)


def test_projector_beside_a_model_is_paired_by_width(home: Home) -> None:
    put(home.own / "seeing/model.gguf", tiny_model("Seeing"))
    eyes = put(home.own / "seeing/mmproj-model.gguf", projector(256))
    put(home.own / "seeing/other.gguf", tiny_model("Other width", llama__embedding_length=512))
    put(home.own / "apart/model.gguf", tiny_model("Apart"))
    result = home.discover()
    paired = {model.name: model.description.projector for model in result.models}
    assert paired["Seeing"] == eyes
    assert paired["Other width"] is paired["Apart"] is None
    assert ModelKind.PROJECTOR in {model.description.kind for model in result.models}


def test_broken_files_are_named_and_the_rest_is_found(home: Home) -> None:
    put(home.own / "good.gguf", tiny_model("Good"))
    put(home.own / "short.gguf", tiny_model()[:-9_000])
    put(home.own / "page.gguf", b"<html>")
    (home.own / "nowhere.gguf").symlink_to(home.own / "absent")
    (home.own / "itself.gguf").symlink_to(home.own / "itself.gguf")
    os.mkfifo(home.own / "pipe.gguf")
    result = home.discover(home.path / "not there")
    assert [model.name for model in result.models] == ["Good"]
    reasons = {problem.path.name: str(problem.error) for problem in result.problems}
    assert set(reasons) == {"short.gguf", "page.gguf", "nowhere.gguf", "itself.gguf", "pipe.gguf", "not there"}
    assert "incomplete" in reasons["short.gguf"]
    assert "not a GGUF model file" in reasons["page.gguf"]


def test_loops_end(home: Home) -> None:
    put(home.own / "deep/m.gguf", tiny_model())
    (home.own / "deep/up").symlink_to(home.own)
    (home.own / "down").symlink_to(home.own / "deep")
    result = home.discover()
    assert len(result.models) == 1
    assert len(result.models[0].sources) == 1


def test_caps(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        put(home.own / f"{number}.gguf", tiny_model(str(number)))
    monkeypatch.setattr(discovery_stores, "MAX_ENTRIES", 6)
    assert len(home.discover().models) == 6
    monkeypatch.setattr(discovery_stores, "MAX_ENTRIES", 5)
    result = home.discover()
    assert len(result.models) == 5
    assert "very many files" in str(result.problems[0].error)
    monkeypatch.setattr(discovery_stores, "MAX_ENTRIES", 50)
    nested = home.path / "nested"
    put(nested.joinpath(*"abcdefgh", "m.gguf"), tiny_model("at the depth"))
    put(nested.joinpath(*"abcdefgh", "i", "n.gguf"), tiny_model("below it"))
    assert len(home.discover(nested).models) == 7


def test_nothing_is_written(home: Home) -> None:
    ollama_model(home.path / ".ollama/models", ("registry.ollama.ai", "library", "m", "1"), tiny_model("A"))
    put(home.path / ".lmstudio/models/o/r/m.gguf", tiny_model("B"))
    put(home.path / ".lmstudio/models/o/r/copy.gguf", tiny_model("B"))

    def state() -> dict[str, tuple[int, int]]:
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in home.path.rglob("*")}

    before = state()
    assert len(home.discover().models) == 2
    assert state() == before


def test_hundreds_of_models_quickly_and_again_at_once(home: Home) -> None:
    for number in range(300):
        put(home.own / f"{number % 10}/{number}.gguf", tiny_model(f"Model {number}"))
    memory = ScanMemory()
    begun = time.perf_counter()
    assert len(home.discover(memory=memory).models) == 300
    assert time.perf_counter() - begun < 3.0
    (home.own / "0/0.gguf").write_bytes(tiny_model("Changed since"))
    begun = time.perf_counter()
    again = home.discover(memory=memory)
    assert time.perf_counter() - begun < 1.0
    assert "Changed since" in names(again)


def test_cancelled_search_returns(home: Home) -> None:
    put(home.own / "a.gguf", tiny_model())
    cancel = CancelToken()
    cancel.cancel()
    places = Places(home.path, {}, "linux", home.system)
    assert discover(home.own, places=places, cancel=cancel).models == ()
