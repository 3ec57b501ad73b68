"""Images in the window: attached by every way, refused, shown small and large, sent, exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.store.images import ImageFolder
from app.store.types import AttachmentPart, Draft, ImagePart, MessageState, StoredMessage, TextPart
from app.ui.attachments import AttachmentChip
from app.ui.bridge import EventBridge
from app.ui.composer import Composer
from app.ui.composer_text import ComposerText
from app.ui.picture_dialog import PictureDialog
from app.ui.picture_tile import PictureTile, tile_size
from app.ui.pictures import Pictures
from app.ui.theme import Theme, ThemeChoice
from app.ui.transcript import Transcript
from engine.context.segments import Role
from engine.engine import EngineState, EngineStatus
from engine.types import LoadedModel
from tests.unit.images import png

READING_MS = 20_000
BLIND = LoadedModel(
    Path("/m.gguf"), "Tiny", "llama", "Q4", 512, 512, 9, 9, 1, 1, 1, "CPU", 0, "", "chatml", False, 0.1
)  # fmt: skip
SEEING = replace(BLIND, can_see=True)


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "images")


@pytest.fixture
def pictures(qtbot: QtBot, folder: ImageFolder) -> Iterator[Pictures]:
    with ThreadPoolExecutor(2) as pool:
        bridge = EventBridge()
        made = Pictures(pool.submit, bridge, folder)
        bridge.setParent(made)
        yield made


@pytest.fixture
def composer(qtbot: QtBot, pictures: Pictures) -> Composer:
    made = Composer(
        Theme(ThemeChoice.LIGHT), {"chat.send_with": "enter"}, run=pictures._run, bridge=pictures._bridge,
        pictures=pictures,
    )  # fmt: skip
    qtbot.addWidget(made)
    made.resize(600, 200)
    made.show()
    qtbot.waitExposed(made)
    made.files_dropped.connect(made.add_files)
    made.set_model_state(EngineState(EngineStatus.READY, SEEING))
    return made


def kept(folder: ImageFolder, name: str = "cat.png", width: int = 32, height: int = 32) -> ImagePart:
    data = png(width, height)
    return ImagePart(name, folder.put(data, "image/png"), len(data), width, height)


def paste(composer: Composer, mime: QMimeData) -> None:
    QApplication.clipboard().setMimeData(mime)
    found = composer.findChild(ComposerText)
    assert found is not None
    found.paste()


def drop(composer: Composer, mime: QMimeData) -> None:
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, mime, left, none)
    composer.dragEnterEvent(enter)
    assert enter.isAccepted()
    composer.dropEvent(QDropEvent(QPointF(5, 5), copy, mime, left, none))


def urls(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def pixels() -> QMimeData:
    mime = QMimeData()
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    mime.setImageData(image)
    return mime


def raw_png() -> QMimeData:
    mime = QMimeData()
    mime.setData("image/png", png())
    return mime


def from_web_page() -> QMimeData:
    mime = raw_png()
    mime.setText("https://example.org/cat.png")
    return mime


def attached(qtbot: QtBot, composer: Composer, count: int = 1) -> tuple[Any, ...]:
    qtbot.waitUntil(lambda: len(composer.draft.attachments) == count, timeout=READING_MS)
    return composer.draft.attachments


def chips_of(composer: Composer) -> list[AttachmentChip]:
    return [chip for chip in composer.findChildren(AttachmentChip) if not chip.isHidden()]


# Attaching


@pytest.mark.parametrize("way", ["file", "dropped", "pasted"])
def test_an_image_file_is_attached_by_every_way(
    qtbot: QtBot, composer: Composer, folder: ImageFolder, tmp_path: Path, way: str
) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(png(60, 30))
    if way == "file":
        composer.add_files([path])
    elif way == "dropped":
        drop(composer, urls(path))
    else:
        paste(composer, urls(path))
    (part,) = attached(qtbot, composer)
    assert (part.name, part.width, part.height) == ("cat.png", 60, 30)
    assert folder.read(part) is not None


@pytest.mark.parametrize("mime", [pixels, raw_png])
def test_an_image_of_the_clipboard_is_attached(
    qtbot: QtBot, composer: Composer, folder: ImageFolder, mime: Callable[[], QMimeData]
) -> None:
    paste(composer, mime())
    paste(composer, mime())
    first, second = attached(qtbot, composer, 2)
    assert (first.name, second.name) == ("Pasted image.png", "Pasted image 2.png")
    assert first.sha256 == second.sha256
    assert folder.read(first) is not None


@pytest.mark.parametrize("mime", [pixels, raw_png, from_web_page])
def test_a_dropped_image_without_a_file_is_attached(
    qtbot: QtBot, composer: Composer, mime: Callable[[], QMimeData]
) -> None:
    drop(composer, mime())
    (part,) = attached(qtbot, composer)
    assert isinstance(part, ImagePart)
    assert composer.draft.text == ""


def test_a_text_file_is_still_a_text(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    composer.add_files([path])
    assert attached(qtbot, composer) == (AttachmentPart("a.txt", "words", 5),)


@pytest.mark.parametrize("mime", [None, pixels, raw_png])
def test_a_model_that_cannot_look_says_so(
    qtbot: QtBot, composer: Composer, tmp_path: Path, mime: Callable[[], QMimeData] | None
) -> None:
    composer.set_model_state(EngineState(EngineStatus.READY, BLIND))
    path = tmp_path / "Pasted image.png"
    path.write_bytes(png())
    with qtbot.waitSignal(composer.attachment_refused, timeout=READING_MS) as refused:
        paste(composer, urls(path) if mime is None else mime())
    [said] = refused.args or []
    assert said.startswith("Tiny cannot look at images")
    assert "Pasted image.png" in said
    assert chips_of(composer) == []
    assert composer.draft == Draft()


def test_before_a_model_is_known_images_are_taken(qtbot: QtBot, composer: Composer) -> None:
    composer.set_model_state(EngineState(EngineStatus.LOADING))
    paste(composer, raw_png())
    attached(qtbot, composer)
    composer.set_model_state(EngineState(EngineStatus.READY, BLIND))
    assert "cannot look at images" in composer._hint.text()
    composer.set_model_state(EngineState(EngineStatus.READY, SEEING))
    assert "cannot look at images" not in composer._hint.text()


def test_a_damaged_image_is_refused_by_name(qtbot: QtBot, composer: Composer, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(png()[:70])
    with qtbot.waitSignal(composer.attachment_refused, timeout=READING_MS) as refused:
        composer.add_files([path])
    assert "broken.png is damaged" in (refused.args or [""])[0]
    assert chips_of(composer) == []


# In the composer


def test_a_chip_shows_the_image_and_enlarges_it(qtbot: QtBot, composer: Composer, folder: ImageFolder) -> None:
    composer.set_draft(Draft("What is it?", (kept(folder),)))
    (chip,) = chips_of(composer)
    qtbot.waitUntil(lambda: chip.shows_picture, timeout=READING_MS)
    assert chip.accessibleName() == "Image cat.png, 32 by 32 pixels"
    assert "Enter" in chip.accessibleDescription()
    chip.setFocus()
    QTest.keyClick(chip, Qt.Key.Key_Return)
    dialog = composer.window().findChild(PictureDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: not dialog.view.image.isNull(), timeout=READING_MS)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: composer.window().findChild(PictureDialog) is None)
    QTest.keyClick(chip, Qt.Key.Key_Delete)
    assert composer.draft == Draft("What is it?")


def test_an_image_alone_can_be_sent(qtbot: QtBot, composer: Composer, folder: ImageFolder) -> None:
    part = kept(folder)
    composer.set_draft(Draft("", (part,)))
    with qtbot.waitSignal(composer.submitted) as sent:
        composer.submit()
    assert sent.args == ["", (part,)]


# In the transcript


def transcript_of(qtbot: QtBot, pictures: Pictures | None, *parts: ImagePart | AttachmentPart | TextPart) -> Transcript:
    transcript = Transcript(Theme(ThemeChoice.LIGHT), pictures=pictures)
    qtbot.addWidget(transcript)
    transcript.resize(800, 600)
    transcript.show()
    qtbot.waitExposed(transcript)
    message = StoredMessage("m", "c", None, Role.USER, parts, MessageState.COMPLETE, 0.0)
    transcript.show_path([message])
    return transcript


def tiles_of(widget: QWidget) -> list[PictureTile]:
    return widget.findChildren(PictureTile)


def test_a_sent_image_is_seen_and_opened(qtbot: QtBot, pictures: Pictures, folder: ImageFolder) -> None:
    part = kept(folder, width=400, height=200)
    transcript = transcript_of(qtbot, pictures, TextPart("What is it?"), part)
    (tile,) = tiles_of(transcript)
    qtbot.waitUntil(lambda: tile.is_shown, timeout=READING_MS)
    assert tile.size() == tile_size(Theme(ThemeChoice.LIGHT), part)
    assert tile.accessibleName() == "Image cat.png, 400 by 200 pixels"
    view = transcript.message_view("m")
    assert view is not None and "Image cat.png" in view.accessibleDescription()
    tile.setFocus()
    QTest.keyClick(tile, Qt.Key.Key_Return)
    dialog = transcript.window().findChild(PictureDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.view.image.size() == QSize(400, 200), timeout=READING_MS)
    dialog.close()


def test_a_lost_image_is_its_name(qtbot: QtBot, pictures: Pictures) -> None:
    transcript = transcript_of(qtbot, pictures, ImagePart("cat.png", "", 0, 300, 200))
    (tile,) = tiles_of(transcript)
    qtbot.waitUntil(lambda: tile.is_lost, timeout=READING_MS)
    assert "not there" in tile.accessibleDescription()
    QTest.keyClick(tile, Qt.Key.Key_Return)
    assert transcript.window().findChild(PictureDialog) is None


def test_tab_reaches_the_image_of_the_current_message_only(
    qtbot: QtBot, pictures: Pictures, folder: ImageFolder
) -> None:
    transcript = transcript_of(qtbot, pictures, TextPart("One"), kept(folder))
    view = transcript.message_view("m")
    (tile,) = tiles_of(transcript)
    assert view is not None
    view.set_current(False)
    assert not tile.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
    view.set_current(True)
    assert tile.focusPolicy().value & Qt.FocusPolicy.TabFocus.value


@pytest.mark.parametrize(("width", "height"), [(4000, 10), (10, 4000), (1, 1), (640, 480), (2048, 2048)])
def test_a_tile_is_never_too_large_or_too_small_to_hit(width: int, height: int) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    size = tile_size(theme, ImagePart("a", "", 0, width, height))
    assert theme.space(12) <= size.width() <= theme.space(70)
    assert theme.space(12) <= size.height() <= theme.space(55)


# Keeping


def test_small_images_are_kept_and_the_oldest_go(
    qtbot: QtBot, pictures: Pictures, folder: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.pictures.KEPT_BYTES", 32 * 32 * 4)
    red = kept(folder)
    data = png(tint=(0, 0, 255))
    blue = ImagePart("sky.png", folder.put(data, "image/png"), len(data), 32, 32)
    box = QSize(100, 100)
    for part in (red, blue):
        with qtbot.waitSignal(pictures.changed, timeout=READING_MS):
            assert pictures.find(part, box) is None
    found = pictures.find(blue, box)
    assert found is not None and found.size() == QSize(32, 32), "never blown up"
    assert pictures.find(red, box) is None


def test_a_file_that_was_exchanged_is_not_decoded(qtbot: QtBot, pictures: Pictures, folder: ImageFolder) -> None:
    part = kept(folder)
    path = folder.path(part)
    assert path is not None
    path.write_bytes(png(tint=(0, 255, 0)))
    with qtbot.waitSignal(pictures.changed, timeout=READING_MS):
        pictures.find(part, QSize(9, 9))
    found = pictures.find(part, QSize(9, 9))
    assert found is not None and found.isNull()


def test_a_copy_can_be_saved(qtbot: QtBot, pictures: Pictures, folder: ImageFolder, tmp_path: Path) -> None:
    part = kept(folder)
    dialog = PictureDialog(Theme(ThemeChoice.DARK), pictures, part)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(dialog.save_button.isEnabled, timeout=READING_MS)
    dialog.save_to(tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == png()
    assert "copy.png" in dialog.facts.text()
    dialog.save_to(tmp_path / "nowhere" / "copy.png")
    assert "could not be used" in dialog.facts.text()
