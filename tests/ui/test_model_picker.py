"""The model picker: search, keyboard, memory at a context length, downloads, files that cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress, Stage
from app.model_entry import Availability, Fit, ModelEntry
from app.ui.amounts import bytes_text, count_text, progress_text
from app.ui.download_row import DownloadRow
from app.ui.icons import IconButton
from app.ui.model_adapters import ModelAdapters
from app.ui.model_details import KeptChoices
from app.ui.model_draft import ModelDraft
from app.ui.model_memory import LoadChoice, MemoryUse, context_stops
from app.ui.model_picker import ModelPicker
from app.ui.theme import Theme, ThemeChoice
from engine.fake import fake_model
from engine.model.description import describe
from engine.types import Adapter, KvType
from tests.unit.gguf_writing import tiny_model

MIB = 1 << 20
FREE = 4096 * MIB


class Judge:
    """40 KiB of KV cache a token (half with q8_0), 100 MiB to compute, 4 GiB free."""

    def memory(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> MemoryUse | None:
        kv = n_ctx * 40 * 1024 // (2 if kv_type is KvType.Q8_0 else 1)
        total = row.size_bytes + kv + 100 * MIB
        fit = Fit.FITS if total <= FREE else Fit.TOO_LARGE
        return MemoryUse(row.size_bytes, kv, 100 * MIB, FREE, fit, "It fits." if fit is Fit.FITS else "Too large.")

    def kv_bytes(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> int:
        return n_ctx * 1024 * {KvType.F16: 40, KvType.Q8_0: 20, KvType.Q4_0: 10}[kv_type]

    def largest_context(self, row: ModelEntry, kv_type: KvType) -> int:
        return 24_576 if kv_type is KvType.F16 else 32_768


QWEN = ModelEntry(
    "qwen",
    "Qwen2.5 Coder 1.5B",
    Availability.HERE,
    Path("qwen.gguf"),
    ("Hearth",),
    size_bytes=1000 * MIB,
    quantisation="Q4_K_M",
    architecture="qwen2",
    n_params=1_540_000_000,
    n_ctx_train=32_768,
    fit=Fit.FITS,
    fit_sentence="It fits.",
    loaded=True,
)
LLAMA = ModelEntry(
    "llama",
    "llama3.2:3b",
    Availability.HERE,
    Path("llama.gguf"),
    ("Ollama", "LM Studio"),
    size_bytes=1900 * MIB,
    quantisation="Q4_K_M",
    architecture="llama",
    n_ctx_train=131_072,
    fit=Fit.TIGHT,
    fit_sentence="It just fits.",
)
GEMMA = ModelEntry("gemma", "Gemma 3 4B", Availability.TO_FETCH, size_bytes=2500 * MIB, licence="Gemma")
BROKEN = ModelEntry("broken", "half.gguf", Availability.BROKEN, Path("half.gguf"), problem="half.gguf is cut off.")
HALF = Progress(Stage.DOWNLOADING, "the hub", 1250 * MIB, 2500 * MIB, 10.0 * MIB, 125.0)


@pytest.fixture
def picker(qtbot: QtBot) -> ModelPicker:
    picker = ModelPicker(Theme(ThemeChoice.LIGHT), Judge())
    qtbot.addWidget(picker)
    picker.set_rows([QWEN, LLAMA, GEMMA, BROKEN])
    picker.show()
    qtbot.waitExposed(picker)
    return picker


def search(picker: ModelPicker) -> QLineEdit:
    found = picker.findChild(QLineEdit)
    assert found is not None
    return found


def lines(picker: ModelPicker) -> list[str]:
    model = listed(picker).model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def listed(picker: ModelPicker) -> QListView:
    found = picker.findChild(QListView, "model_list")
    assert found is not None
    return found


def shown_texts(picker: QWidget) -> list[str]:
    return [label.text() for label in picker.findChildren(QLabel) if label.isVisible() and label.text()]


def button(picker: ModelPicker, text: str) -> QPushButton:
    return next(each for each in picker.findChildren(QPushButton) if each.text() == text and each.isVisible())


def slider(picker: ModelPicker) -> QSlider:
    found = picker.findChild(QSlider)
    assert found is not None
    return found


def test_models_are_grouped_and_the_loaded_one_is_chosen(picker: ModelPicker) -> None:
    assert lines(picker) == [
        "On this computer",
        "Qwen2.5 Coder 1.5B",
        "llama3.2:3b",
        "Ready to download",
        "Gemma 3 4B",
        "Cannot be used (1)",
    ]
    assert picker.current == QWEN


def test_a_row_says_everything_to_a_screen_reader(picker: ModelPicker) -> None:
    index = listed(picker).model().index(1, 0)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    for word in ("Qwen2.5 Coder 1.5B", "Q4_K_M", bytes_text(1000 * MIB), "32k context", "Hearth", "Fits", "in use"):
        assert word in spoken
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "It fits."


def test_type_arrow_enter(qtbot: QtBot, picker: ModelPicker) -> None:
    asked: list[tuple[ModelEntry, LoadChoice]] = []
    picker.load_requested.connect(lambda row, choice: asked.append((row, choice)))
    QTest.keyClick(search(picker), Qt.Key.Key_Down)
    assert picker.current == LLAMA
    QTest.keyClick(search(picker), Qt.Key.Key_Return)
    assert asked == [(LLAMA, LoadChoice(24_576, KvType.F16))]
    assert not picker.isVisible()


def test_search_looks_at_everything_that_is_shown(picker: ModelPicker) -> None:
    QTest.keyClicks(search(picker), "q4_k ollama")
    assert lines(picker) == ["On this computer", "llama3.2:3b"]
    chosen = [picker.current]
    search(picker).setText("nothing like it")
    assert lines(picker) == []
    chosen.append(picker.current)
    assert "No model matches the search." in shown_texts(picker)
    search(picker).clear()
    assert [*chosen, picker.current] == [LLAMA, None, QWEN]


def test_arrows_skip_the_headings(picker: ModelPicker) -> None:
    visited = []
    for _ in range(4):
        visited.append(picker.current)
        QTest.keyClick(search(picker), Qt.Key.Key_Down)
    assert visited == [QWEN, LLAMA, GEMMA, None]


def test_what_cannot_be_used_is_folded_and_says_why(picker: ModelPicker) -> None:
    assert "half.gguf" not in lines(picker)
    for _ in range(3):
        QTest.keyClick(search(picker), Qt.Key.Key_Down)
    QTest.keyClick(search(picker), Qt.Key.Key_Return)
    assert lines(picker)[-1] == "half.gguf"
    QTest.keyClick(search(picker), Qt.Key.Key_Down)
    assert picker.current == BROKEN
    assert "half.gguf is cut off." in shown_texts(picker)
    asked: list[object] = []
    picker.load_requested.connect(lambda row, _choice: asked.append(row))
    QTest.keyClick(search(picker), Qt.Key.Key_Return)
    assert asked == []


def test_memory_follows_the_context_length(picker: ModelPicker) -> None:
    texts = shown_texts(picker)
    total = 1000 * MIB + 24_576 * 40 * 1024 + 100 * MIB
    assert f"{bytes_text(total)} of {bytes_text(FREE)}" in texts
    assert any("the most that fits" in text for text in texts)
    QTest.keyClick(slider(picker), Qt.Key.Key_Left)
    smaller = 1000 * MIB + 16_384 * 40 * 1024 + 100 * MIB
    assert f"{bytes_text(smaller)} of {bytes_text(FREE)}" in shown_texts(picker)
    assert not any("the most that fits" in text for text in shown_texts(picker))
    asked: list[LoadChoice] = []
    picker.load_requested.connect(lambda _row, choice: asked.append(choice))
    QTest.mouseClick(button(picker, "Load again"), Qt.MouseButton.LeftButton)
    assert asked == [LoadChoice(16_384, KvType.F16)]


def test_another_kv_type_lets_more_fit(picker: ModelPicker) -> None:
    combo = picker.findChild(QComboBox)
    assert combo is not None
    combo.setCurrentIndex(1)
    asked: list[LoadChoice] = []
    picker.load_requested.connect(lambda _row, choice: asked.append(choice))
    QTest.keyClick(search(picker), Qt.Key.Key_Return)
    assert asked == [LoadChoice(32_768, KvType.Q8_0)]


def test_a_refresh_keeps_what_was_chosen(picker: ModelPicker) -> None:
    QTest.keyClick(search(picker), Qt.Key.Key_Down)
    QTest.keyClick(slider(picker), Qt.Key.Key_Left)
    before = slider(picker).value()
    picker.set_rows([GEMMA, LLAMA, QWEN])
    assert picker.current == LLAMA
    assert slider(picker).value() == before


def test_a_download_from_start_to_end(qtbot: QtBot, picker: ModelPicker) -> None:
    search(picker).setText("gemma")
    with qtbot.waitSignal(picker.fetch_requested) as asked:
        QTest.keyClick(search(picker), Qt.Key.Key_Return)
    assert asked.args == [GEMMA]
    assert picker.isVisible()
    picker.set_progress("gemma", HALF)
    assert progress_text(HALF) in shown_texts(picker)
    with qtbot.waitSignal(picker.fetch_cancel_requested):
        QTest.mouseClick(button(picker, "Pause"), Qt.MouseButton.LeftButton)
    picker.set_paused("gemma")
    with qtbot.waitSignal(picker.fetch_requested):
        QTest.mouseClick(button(picker, "Go on"), Qt.MouseButton.LeftButton)
    picker.set_progress("gemma", HALF)
    picker.set_failed("gemma", "No source answered.")
    assert "No source answered." in shown_texts(picker)
    with qtbot.waitSignal(picker.fetch_requested):
        QTest.mouseClick(button(picker, "Try again"), Qt.MouseButton.LeftButton)
    picker.set_fetched("gemma")
    assert button(picker, f"Download {bytes_text(2500 * MIB)}")


def test_a_download_goes_on_behind_another_row(picker: ModelPicker) -> None:
    picker.set_progress("gemma", HALF)
    assert progress_text(HALF) not in shown_texts(picker)
    search(picker).setText("gemma")
    assert progress_text(HALF) in shown_texts(picker)
    picker.set_rows([QWEN, LLAMA, GEMMA])
    assert progress_text(HALF) in shown_texts(picker)


def test_progress_in_words() -> None:
    assert progress_text(Progress(Stage.CONNECTING, "the hub", 0, 10)) == "Connecting to the hub…"
    text = progress_text(HALF)
    for piece in (bytes_text(1250 * MIB), bytes_text(2500 * MIB), f"{bytes_text(10 * MIB)}/s", "about 2 minutes left"):
        assert piece in text


def test_a_download_row_names_its_controls(qtbot: QtBot) -> None:
    row = DownloadRow(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(row)
    row.show()
    row.show_progress(HALF)
    with qtbot.waitSignal(row.cancel_requested):
        QTest.keyClick(next(each for each in row.findChildren(QPushButton) if each.isVisible()), Qt.Key.Key_Space)


def test_a_file_and_a_folder_can_be_chosen(
    qtbot: QtBot, picker: ModelPicker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "mine.gguf"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(file), ""))
    with qtbot.waitSignal(picker.folder_added) as added:
        QTest.mouseClick(button(picker, "Add a folder…"), Qt.MouseButton.LeftButton)
    assert added.args == [tmp_path]
    assert picker.isVisible()
    with qtbot.waitSignal(picker.file_chosen) as chosen:
        QTest.mouseClick(button(picker, "Open a GGUF file…"), Qt.MouseButton.LeftButton)
    assert chosen.args == [file]
    assert not picker.isVisible()


def test_a_file_can_be_dropped(qtbot: QtBot, picker: ModelPicker, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / "mine.gguf"))])
    action, mouse, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(picker, QDragEnterEvent(QPoint(5, 5), action, mime, mouse, keys))
    with qtbot.waitSignal(picker.file_chosen) as chosen:
        QApplication.sendEvent(picker, QDropEvent(QPointF(5, 5), action, mime, mouse, keys))
    assert chosen.args == [tmp_path / "mine.gguf"]


@pytest.mark.parametrize(
    ("largest", "trained", "stops"),
    [
        (24_576, 32_768, [2048, 4096, 8192, 16384, 24576, 32768]),
        (8192, 8192, [2048, 4096, 8192]),
        (1000, 2048, [1000, 2048]),
        (1000, 0, [1000, 2048]),
    ],
)
def test_the_context_lengths_on_offer(largest: int, trained: int, stops: list[int]) -> None:
    assert context_stops(largest, trained) == stops


def test_the_list_opens_with_its_first_heading_in_sight(picker: ModelPicker) -> None:
    picker.set_rows([replace(QWEN, loaded=False), *(replace(LLAMA, key=str(n), name=str(n)) for n in range(40))])
    assert picker.current is not None and picker.current.key == "qwen"
    assert listed(picker).indexAt(QPoint(20, 5)).row() == 0
    QTest.keyClick(search(picker), Qt.Key.Key_PageDown)
    QTest.keyClick(search(picker), Qt.Key.Key_PageDown)
    QTest.keyClick(search(picker), Qt.Key.Key_PageDown)
    assert listed(picker).indexAt(QPoint(20, 5)).row() > 0, "there is something to scroll"
    for _ in range(3):
        QTest.keyClick(search(picker), Qt.Key.Key_PageUp)
    assert listed(picker).indexAt(QPoint(20, 5)).row() == 0


def test_the_details_tell_the_chat_format_of_the_loaded_model(picker: ModelPicker, qtbot: QtBot) -> None:
    for family, text in (
        ("qwen2.5", "Qwen 2.5 (built in)"),
        ("jinja", "From the model file"),
        ("a family of tomorrow", "a family of tomorrow (built in)"),
    ):
        picker.set_loaded(replace(fake_model(Path("qwen.gguf")), template=family))
        qtbot.waitUntil(lambda expected=text: expected in shown_texts(picker))  # type: ignore[misc]
    QTest.keyClick(search(picker), Qt.Key.Key_Down)
    assert picker.current == LLAMA
    assert "Chat format" not in shown_texts(picker), "known only once a model is loaded"


def test_sizes_of_the_chats_memory_stand_beside_the_choice(picker: ModelPicker) -> None:
    combo = picker.findChild(QComboBox)
    assert combo is not None
    kib = 24_576 * 1024
    assert [combo.itemText(index) for index in range(combo.count())] == [
        f"Full: {bytes_text(40 * kib)}",
        f"Half the size: {bytes_text(20 * kib)}",
        f"A quarter of the size: {bytes_text(10 * kib)}",
    ]


def test_adapters_are_added_weighed_and_removed(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept: dict[Path, tuple[Adapter, ...]] = {}
    picker = ModelPicker(
        Theme(ThemeChoice.LIGHT), Judge(), kept=KeptChoices(KvType.Q8_0, lambda model: kept.get(model, ()))
    )
    qtbot.addWidget(picker)
    picker.set_rows([QWEN, GEMMA])
    picker.show()
    qtbot.waitExposed(picker)
    assert picker.current == QWEN
    combo = picker.findChild(QComboBox)
    assert combo is not None
    assert combo.currentData() == KvType.Q8_0
    section = picker.findChild(ModelAdapters)
    assert section is not None
    file = tmp_path / "pirate.gguf"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(file), ""))
    with qtbot.waitSignal(picker.adapter_wanted) as wanted:
        button(picker, "Add an adapter…").click()
    assert wanted.args == [QWEN, file]
    picker.show_adapters("qwen", "It was made for another model.")
    assert "It was made for another model." in shown_texts(section)
    assert not section.findChildren(QSlider)

    assert QWEN.path is not None
    kept[QWEN.path] = (Adapter(file), Adapter(tmp_path / "brief.gguf", 0.5))
    picker.show_adapters("qwen")
    assert section.adapters == kept[QWEN.path]
    weight = next(each for each in section.findChildren(QSlider) if each.accessibleName() == "Weight of pirate")
    changes: list[tuple[Adapter, ...]] = []
    picker.adapters_changed.connect(lambda _row, adapters: changes.append(adapters))
    QTest.keyClick(weight, Qt.Key.Key_Right)
    assert changes[-1] == (Adapter(file, 1.05), Adapter(tmp_path / "brief.gguf", 0.5))
    remove = next(
        each for each in section.findChildren(IconButton) if each.accessibleName() == "Take pirate off the list"
    )
    remove.click()
    assert changes[-1] == section.adapters == (Adapter(tmp_path / "brief.gguf", 0.5),)


def test_what_can_only_be_fetched_has_no_adapters(picker: ModelPicker) -> None:
    section = picker.findChild(ModelAdapters)
    assert section is not None
    assert section.isVisible()
    picker.set_rows([GEMMA])
    assert section.isHidden()


def test_the_loaded_model_tells_how_it_runs(picker: ModelPicker, qtbot: QtBot) -> None:
    model = replace(fake_model(Path("qwen.gguf")), n_threads=2, n_cells=16_384, flash_attention=True)
    picker.set_loaded(replace(model, notes=("The model's smaller memory needs flash attention, so it is on.",)))
    for text in ("CPU, 2 threads", f"{count_text(16_384)} tokens of all chats", "Full", "On"):
        qtbot.waitUntil(lambda expected=text: expected in shown_texts(picker))  # type: ignore[misc]
    assert any("needs flash attention" in text for text in shown_texts(picker))
    picker.set_loaded(replace(model, backend="CUDA", n_gpu_layers=24))
    qtbot.waitUntil(lambda: "CUDA, 24 layers on the card, 2 threads" in shown_texts(picker))
    QTest.keyClick(search(picker), Qt.Key.Key_Down)
    assert "Runs on" not in shown_texts(picker), "known only of the loaded model"


def written(folder: Path, name: str, kilobytes: int) -> ModelEntry:
    """A model file of about that size, and its row."""
    path = folder / f"{name}.gguf"
    path.write_bytes(tiny_model(name, general__description="x" * (kilobytes * 1000)))
    description = describe(path)
    return ModelEntry(name, name, Availability.HERE, path, size_bytes=description.size_bytes, description=description)


def test_a_small_model_is_chosen_to_guess_ahead(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept: list[Path | None] = [None]
    picker = ModelPicker(Theme(ThemeChoice.LIGHT), Judge(), kept=KeptChoices(draft=lambda: kept[-1]))
    qtbot.addWidget(picker)
    large, middle, small = (written(tmp_path, *each) for each in (("large", 1000), ("middle", 800), ("small", 10)))
    picker.set_rows([large, middle, small, replace(QWEN, loaded=False)])
    picker.show()
    qtbot.waitExposed(picker)
    section = picker.findChild(ModelDraft)
    assert section is not None
    combo = section.combo
    assert [combo.itemText(index) for index in range(combo.count())] == ["No model", "small", "", "Another file…"]
    assert combo.currentText() == "No model"
    with qtbot.waitSignal(picker.draft_chosen) as chosen:
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_Down)
    assert chosen.args == [large, small.path]

    file = tmp_path / "elsewhere.gguf"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(file), ""))
    with qtbot.waitSignal(picker.draft_chosen) as chosen:
        QTest.keyClick(combo, Qt.Key.Key_End)
    assert chosen.args == [large, file]
    kept.append(file)
    picker.show_draft(large.key, "elsewhere.gguf knows other words than this model.")
    assert combo.currentText() == "elsewhere.gguf"
    assert "elsewhere.gguf knows other words than this model." in shown_texts(section)
    picker.show_draft("some other row", "")
    assert "elsewhere.gguf knows other words than this model." in shown_texts(section)


def test_another_computers_model_is_marked(picker: ModelPicker, qtbot: QtBot) -> None:
    there = ModelEntry("elsewhere", "qwen3:8b", Availability.ELSEWHERE, host="192.168.1.20", loaded=True)
    picker.set_rows([there, replace(QWEN, loaded=False), GEMMA])
    assert lines(picker)[:3] == ["On another computer", "qwen3:8b", "On this computer"]
    QTest.keyClick(search(picker), Qt.Key.Key_Up)
    assert "Answers come from 192.168.1.20: your messages leave this computer." in shown_texts(picker)
    assert not [each for each in picker.findChildren(QPushButton) if each.isVisible() and "onnect" in each.text()]
    picker.set_rows([replace(there, loaded=False), QWEN])
    index = listed(picker).model().index(1, 0)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "on 192.168.1.20" in spoken
    assert "your messages leave this computer" in spoken
    assert picker.current is not None
    assert picker.current.key == "elsewhere"
    texts = shown_texts(picker)
    assert "It runs on 192.168.1.20: your messages would leave this computer." in texts
    assert not any("Adapters" in text or "Guess ahead" in text for text in texts)
    with qtbot.waitSignal(picker.load_requested) as asked:
        button(picker, "Connect").click()
    assert asked.args[0].key == "elsewhere"


def test_what_a_smaller_memory_saves_and_costs_stands_below_the_choice(picker: ModelPicker) -> None:
    combo = next(each for each in picker.findChildren(QComboBox) if each.count() == 3)
    assert not any("Saves" in text for text in shown_texts(picker))
    QTest.keyClick(combo, Qt.Key.Key_Down)
    [note] = [text for text in shown_texts(picker) if text.startswith("Saves")]
    assert note.startswith(f"Saves {bytes_text(20 * 32_768 * 1024)}.")
    assert combo.accessibleDescription() == note
    QTest.keyClick(combo, Qt.Key.Key_Down)
    [smaller] = [text for text in shown_texts(picker) if text.startswith("Saves")]
    assert smaller.startswith(f"Saves {bytes_text(30 * 32_768 * 1024)}.")
    assert "answers got worse" in smaller
