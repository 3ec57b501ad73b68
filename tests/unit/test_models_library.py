"""ModelLibrary on real model files and a FakeEngine: the list, the default, loading, and what failures say."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.model_choice import choose_default, find_entry
from app.model_entry import Availability, Fit, ModelEntry
from app.model_judge import judge
from app.models import ModelLibrary
from app.settings import Settings
from engine.engine import Engine
from engine.errors import ModelFileError, ModelFitError, ModelLoadError, WorkerError, sentence
from engine.fake import FakeAnswer, FakeEngine
from engine.model.description import describe
from engine.model.memory import MachineMemory
from engine.types import KvType
from tests.unit.chat_bench import WAIT_S, nowhere

GIB = 1024**3


class Shelf:
    """A library over a temporary models folder."""

    def __init__(self, root: Path, engine: Engine | None = None) -> None:
        self.folder = root / "models"
        self.folder.mkdir(exist_ok=True)
        self.settings = Settings.load(root / "settings.toml")
        self.engine = engine or FakeEngine(loaded=False)
        self.pool = ThreadPoolExecutor(2)
        self.library = ModelLibrary(
            self.engine, self.settings, self.folder, self.pool, memory_file=root / "models.json", places=nowhere(root)
        )

    def close(self) -> None:
        self.library.close()
        self.engine.close()
        self.pool.shutdown()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.close()


def put(folder: Path, model: Path, name: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (name or model.name)
    target.symlink_to(model)
    return target


def test_an_empty_machine_is_offered_the_catalogue(shelf: Shelf) -> None:
    entries = shelf.library.refresh().result(WAIT_S)
    assert {entry.availability for entry in entries} == {Availability.TO_FETCH}
    assert [entry.catalogue for entry in entries if entry.recommended] == [shelf.library.starter()]
    assert shelf.library.default() is None
    with pytest.raises(ModelFileError, match="hearth fetch"):
        shelf.library.ensure_loaded().result(WAIT_S)


def test_what_is_here_is_not_offered_again(shelf: Shelf, smollm2: Path) -> None:
    path = put(shelf.folder, smollm2)
    shelf.library.refresh().result(WAIT_S)
    (here,) = [entry for entry in shelf.library.entries if entry.availability is Availability.HERE]
    assert (here.name, here.quantisation, here.path, here.is_default) == ("SmolLM2 135M", "Q4_1", path, True)
    assert here.fit is Fit.FITS and here.fit_sentence
    assert 256 <= here.n_ctx <= here.n_ctx_train
    ids = [entry.catalogue.id for entry in shelf.library.entries if entry.catalogue is not None]
    assert ids.count("smollm2-135m-instruct") == 1


def test_a_broken_file_is_listed_with_its_reason(shelf: Shelf) -> None:
    (shelf.folder / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    shelf.library.refresh().result(WAIT_S)
    (broken,) = [entry for entry in shelf.library.entries if entry.availability is Availability.BROKEN]
    assert broken.name == "broken.gguf" and broken.problem
    assert shelf.library.default() is None


def test_loading_remembers_the_model_and_marks_it(shelf: Shelf, smollm2: Path, qwen_small: Path) -> None:
    small, large = put(shelf.folder, smollm2), put(shelf.folder, qwen_small)
    shelf.library.refresh().result(WAIT_S)
    default = shelf.library.default()
    assert default is not None and default.path == large, "of ours the largest that fits"
    heard = threading.Event()
    shelf.library.subscribe(heard.set)
    loaded = shelf.library.load(small).result(WAIT_S)
    assert loaded.path == small
    assert heard.wait(WAIT_S)
    assert [entry.path for entry in shelf.library.entries if entry.loaded] == [small]
    assert shelf.library.expected_name() == "SmolLM2 135M"
    assert shelf.settings.text("model.path") == str(small)
    shelf.library.refresh().result(WAIT_S)
    default = shelf.library.default()
    assert default is not None and default.path == small, "the last one used"


def test_the_settings_say_how_a_model_is_loaded(shelf: Shelf, smollm2: Path) -> None:
    put(shelf.folder, smollm2)
    shelf.library.refresh().result(WAIT_S)
    entry = shelf.library.resolve("smollm2")
    spec = shelf.library.spec(entry)
    assert (spec.n_gpu_layers, spec.n_threads, spec.kv_type) == (None, None, KvType.F16)
    for key, value in {"n_ctx": 1024, "n_gpu_layers": -1, "n_threads": 3, "kv_type": "q8_0"}.items():
        shelf.settings.set(f"model.{key}", value)
    spec = shelf.library.spec(entry)
    assert (spec.n_ctx, spec.n_gpu_layers, spec.n_threads, spec.kv_type) == (1024, -1, 3, KvType.Q8_0)
    assert shelf.library.spec(entry, n_ctx=512).n_ctx == 512


def test_an_added_folder_is_searched_and_forgotten(shelf: Shelf, smollm2: Path, tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    path = put(extra, smollm2, "mine.gguf")
    entries = shelf.library.add_folder(extra).result(WAIT_S)
    assert [entry.path for entry in entries if entry.availability is Availability.HERE] == [path]
    assert Settings.load(tmp_path / "settings.toml").texts("model.folders") == (str(extra),)
    entries = shelf.library.remove_folder(extra).result(WAIT_S)
    assert not [entry for entry in entries if entry.availability is Availability.HERE]
    assert path.exists()


def test_a_file_anywhere_can_be_named(shelf: Shelf, smollm2: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "elsewhere", smollm2)
    assert shelf.library.resolve(str(path)).name == "SmolLM2 135M"
    with pytest.raises(ModelFileError, match="nonsense"):
        shelf.library.resolve("nonsense")


def test_a_file_that_is_no_model_fails_the_load(shelf: Shelf, tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("not a model")
    with pytest.raises(ModelFileError):
        shelf.library.load(text).result(WAIT_S)


def test_a_failed_load_fails_the_future_and_is_not_remembered(tmp_path: Path, smollm2: Path) -> None:
    error = ModelLoadError(sentence("no"))
    shelf = Shelf(tmp_path, FakeEngine(loaded=False, load_error=error))
    path = put(shelf.folder, smollm2)
    with pytest.raises(ModelLoadError):
        shelf.library.load(path).result(WAIT_S)
    assert shelf.settings.text("model.path") == ""
    shelf.close()


def test_two_wishes_for_a_model_are_one_load(tmp_path: Path, smollm2: Path) -> None:
    shelf = Shelf(tmp_path)
    put(shelf.folder, smollm2)
    first, second = shelf.library.ensure_loaded(), shelf.library.ensure_loaded()
    assert first is second
    model = first.result(WAIT_S)
    assert shelf.library.ensure_loaded().result(WAIT_S) == model
    shelf.close()


def test_who_waits_for_a_reload_after_a_crash_is_told(tmp_path: Path) -> None:
    from engine.engine import EngineState, EngineStatus

    engine = FakeEngine([FakeAnswer("x")])
    shelf = Shelf(tmp_path, engine)
    model = engine.state.model
    engine._set_state(EngineState(EngineStatus.LOADING))
    waiting = shelf.library.ensure_loaded()
    assert not waiting.done()
    engine._set_state(EngineState(EngineStatus.READY, model, 1.0))
    assert waiting.result(WAIT_S) is model
    engine._set_state(EngineState(EngineStatus.LOADING))
    lost = shelf.library.ensure_loaded()
    engine._set_state(EngineState(EngineStatus.CRASHED, message="It crashed {again}."))
    with pytest.raises(WorkerError, match=r"crashed \{again\}"):
        lost.result(WAIT_S)
    shelf.close()


def test_after_a_crash_the_engine_is_left_to_come_back(tmp_path: Path) -> None:
    from engine.engine import EngineState, EngineStatus

    engine = FakeEngine()
    shelf = Shelf(tmp_path, engine)
    model = engine.state.model
    engine._set_state(EngineState(EngineStatus.READY, model, 1.0))
    engine._set_state(EngineState(EngineStatus.CRASHED, message="It crashed."))
    assert shelf.library.ensure_loaded().result(WAIT_S) is model
    assert engine.state.status is EngineStatus.CRASHED, "nothing was loaded over the restart"
    shelf.close()


def test_a_file_opened_by_itself_is_the_default_next_time(tmp_path: Path, smollm2: Path, qwen_small: Path) -> None:
    shelf = Shelf(tmp_path)
    put(shelf.folder, qwen_small)
    lone = put(tmp_path / "elsewhere", smollm2)
    shelf.library.load(lone).result(WAIT_S)
    shelf.close()
    again = Shelf(tmp_path)
    default = again.library.default()
    assert default is not None and default.path == lone
    lone.unlink()
    again.library.refresh().result(WAIT_S)
    default = again.library.default()
    assert default is not None and default.path == again.folder / qwen_small.name
    again.close()


def test_nothing_fits_is_another_sentence_than_nothing_there(
    shelf: Shelf, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shelf.folder, smollm2)
    monkeypatch.setattr("app.models.machine_memory", lambda: MachineMemory(1024, 1024))
    with pytest.raises(ModelFitError, match="memory"):
        shelf.library.ensure_loaded().result(WAIT_S)


def test_the_verdict_follows_the_memory(shelf: Shelf, smollm2: Path) -> None:
    description = describe(smollm2)
    plenty = judge(description, shelf.settings, 16 * GIB)
    little = judge(description, shelf.settings, GIB // 4)
    none = judge(description, shelf.settings, 1024)
    assert (plenty.fit, none.fit) == (Fit.FITS, Fit.TOO_LARGE)
    assert little.n_ctx < plenty.n_ctx == description.n_ctx_train
    shelf.settings.set("model.n_ctx", 1024)
    assert judge(description, shelf.settings, 16 * GIB).n_ctx == 1024


def test_a_finished_download_is_in_the_list(shelf: Shelf, smollm2: Path) -> None:
    model = shelf.library.catalogue.by_id("smollm2-135m-instruct")
    assert model is not None
    from engine.cancel import CancelToken

    # A copy that is there already is all that the downloader has to see: no network in this test.
    shutil.copyfile(smollm2, shelf.folder / model.file_name)
    changed = threading.Event()
    shelf.library.subscribe(changed.set)
    path = shelf.library.fetch(model, lambda _progress: None, CancelToken()).result(WAIT_S)
    assert path == shelf.folder / model.file_name
    assert changed.wait(WAIT_S)
    assert [entry.path for entry in shelf.library.entries if entry.availability is Availability.HERE] == [path]


def entry(name: str, size: int, fit: Fit = Fit.FITS, *, ours: bool = False) -> ModelEntry:
    from engine.model.catalogue import load_catalogue

    catalogue = load_catalogue().models[0] if ours else None
    return ModelEntry(
        name, name, Availability.HERE, Path(f"/{name}.gguf"), size_bytes=size, fit=fit, catalogue=catalogue
    )


@pytest.mark.parametrize(
    ("here", "chosen"),
    [
        ([entry("small", 1), entry("large", 9)], "large"),
        ([entry("ours", 1, ours=True), entry("large", 9)], "ours"),
        ([entry("ours", 1, Fit.TIGHT, ours=True), entry("large", 9)], "large"),
        ([entry("tight", 1, Fit.TIGHT), entry("huge", 9, Fit.TOO_LARGE)], "tight"),
        ([entry("huge", 9, Fit.TOO_LARGE)], None),
        ([], None),
    ],
)
def test_choose_default(here: list[ModelEntry], chosen: str | None) -> None:
    default = choose_default(here, None)
    assert (default.name if default is not None else None) == chosen


def test_the_last_used_wins_even_if_tight() -> None:
    here = [entry("large", 9), entry("last", 1, Fit.TIGHT)]
    default = choose_default(here, Path("/last.gguf"))
    assert default is here[1]


@pytest.mark.parametrize("wanted", ["Alpha One", "alpha-one", "ALPHA_ONE", "pha"])
def test_find_entry_is_lenient(wanted: str) -> None:
    entries = [entry("Alpha One", 1), entry("Beta", 1)]
    assert find_entry(entries, wanted).name == "Alpha One"


def test_find_entry_names_the_choices() -> None:
    with pytest.raises(ModelFileError, match=r"Alpha One, Alpha Two"):
        find_entry([entry("Alpha One", 1), entry("Alpha Two", 1)], "alpha")
    assert find_entry([entry("Alpha", 1), entry("Alpha Two", 1)], "alpha").name == "Alpha"
