"""A person drops a real PDF and a folder on a chat, asks, and follows a citation to its page; in a real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from fpdf import FPDF
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.amounts import clock_text
from app.answer_citations import cited_places
from app.events import ChatEvent
from app.paths import Paths, resolve_paths
from app.services import Services
from app.settings import Settings
from app.source_names import place_name
from app.store.types import SourcePassage
from app.ui.application import Application
from app.ui.documents_preview import PagePreview
from app.ui.main_window import MainWindow
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places
from rag.client import LibraryPlace
from tests.process.recorded_talk import talk
from tests.voice_weights import whisper_tiny
from voice.types import RATE

WAIT_MS = 60_000
FACTS = {
    3: "The lighthouse of Norrholm was built in 1847 by the engineer Ada Lindqvist.",
    7: "The ferry to the mainland sails twice a day, at 7:15 and at 18:40.",
}


def handbook(path: Path, n_pages: int = 12, password: str = "") -> None:
    """A PDF with a fact on some of its pages."""
    pdf = FPDF()
    if password:
        pdf.set_encryption(owner_password=password, user_password=password)
    pdf.set_font("helvetica", size=12)
    pdf.set_title("Norrholm handbook")
    for number in range(1, n_pages + 1):
        pdf.add_page()
        filler = f"Chapter {number} speaks of walking, of weather and of the stones along the shore. " * 12
        pdf.multi_cell(0, 7, f"{filler}\n\n{FACTS.get(number, '')}")
    pdf.output(str(path))


class Shell:
    def __init__(self, qtbot: QtBot, application: Application, window: MainWindow) -> None:
        self.qtbot, self.application, self.window = qtbot, application, window

    def ask(self, words: str) -> None:
        composer = self.window.page.composer
        QTest.keyClicks(composer.focusProxy() or composer, words)
        QTest.keyClick(composer.focusProxy() or composer, Qt.Key.Key_Return)
        page = self.window.page
        self.qtbot.waitUntil(lambda: bool(page.conversation_id), timeout=WAIT_MS)

        def answered() -> bool:
            done = len(page.path) >= 2 and not page.is_generating and bool(page.path[-1].text)
            return done and page.path[0].sources is not None

        self.qtbot.waitUntil(answered, timeout=WAIT_MS)


@pytest.fixture
def shell(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[FakeEngine], Shell]]:
    opened: list[Application] = []

    def start(engine: FakeEngine) -> Shell:
        paths = replace(resolve_paths(tmp_path / "data"), models=tmp_path / "models")
        nowhere = Places(home=tmp_path / "nobody", environment={}, system=tmp_path / "nowhere")

        def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
            settings.override("chat.automatic_titles", False)
            # By words alone: what the model of meanings adds is measured elsewhere.
            return Services.open(
                paths, publish=publish, settings=settings, engine=engine, places=nowhere,
                documents=LibraryPlace(paths.library, voice_folder=whisper_tiny().parent),
            )  # fmt: skip

        application = Application(qapp, paths, open_services=open_services)
        opened.append(application)
        application.start()
        window = application.windows[0]
        qtbot.waitUntil(lambda: window.workspace.library.loaded, timeout=WAIT_MS)
        return Shell(qtbot, application, window)

    yield start
    for application in opened:
        application.close()
    qapp.setStyleSheet("")


def test_why_a_dropped_document_cannot_be_read_is_said_where_it_was_dropped(
    shell: Callable[[FakeEngine], Shell], tmp_path: Path
) -> None:
    handbook(tmp_path / "handbook.pdf", password="tide")
    opened = shell(FakeEngine())
    page = opened.window.page
    page.composer.add_files([tmp_path / "handbook.pdf"])
    opened.qtbot.waitUntil(
        lambda: [chip.state for chip in page.documents.chips] == ["could not be read"], timeout=WAIT_MS
    )
    (chip,) = page.documents.chips
    assert "password" in chip.reason
    assert chip.reason in chip.toolTip()
    assert chip.reason in chip.accessibleDescription()
    assert opened.window.toasts.current is not None
    assert opened.window.toasts.current.label.text() == chip.reason


def test_a_dropped_document_is_asked_and_its_page_opens(
    shell: Callable[[FakeEngine], Shell], tmp_path: Path, qapp: QApplication
) -> None:
    handbook(tmp_path / "handbook.pdf")
    engine = FakeEngine(
        ["The lighthouse was built in 1847 by the engineer Ada Lindqvist [1]. It was built in 1912 [1]."]
    )
    opened = shell(engine)
    page = opened.window.page
    page.composer.add_files([tmp_path / "handbook.pdf"])
    opened.qtbot.waitUntil(lambda: [chip.state for chip in page.documents.chips] == ["12 pages"], timeout=WAIT_MS)
    assert page.documents.chips[0].name == "handbook.pdf", "it is read before the chat has begun"
    opened.ask("Who built the lighthouse of Norrholm?")

    question, answer = page.path
    assert question.sources is not None
    assert question.sources.passages[0].page == 3, "the best passage is the one that says it"
    library = opened.window.workspace.library

    def is_known() -> bool:
        conversation = library.conversation(page.conversation_id)
        return conversation is not None and bool(conversation.collections)

    opened.qtbot.waitUntil(is_known, timeout=WAIT_MS)
    (own,) = library.conversation(page.conversation_id).collections  # type: ignore[union-attr]
    assert library.asking(own) is not None, "the library window calls its collection as the chat is called"
    prompt = engine.requests[-1].messages[-1].text
    assert "built in 1847" in prompt
    assert "[1] handbook.pdf, page 3" in prompt
    view = page.transcript.message_view(answer.id)
    assert view is not None
    shown = view.body.findChildren(type(view.body.views[0]))[0].toPlainText()
    assert "handbook.pdf, page 3" in shown.replace("\u00a0", " "), "a chip names file and page"

    chosen: list[SourcePassage] = []
    page.citation_activated.connect(chosen.append)
    view.body.link_activated.emit("cite:0")
    assert [each.page for each in chosen] == [3]
    opened.qtbot.waitUntil(lambda: bool(opened.window.findChildren(PagePreview)), timeout=WAIT_MS)
    preview = opened.window.findChildren(PagePreview)[0]
    assert "handbook.pdf" in preview.windowTitle()
    preview.close()


@pytest.mark.weights
def test_a_dropped_recording_is_asked_and_its_second_opens(
    shell: Callable[[FakeEngine], Shell], tmp_path: Path
) -> None:
    if not whisper_tiny().is_file():
        pytest.skip("weights are missing: python -m tests.voice_weights")
    sound, second = talk()
    soundfile.write(tmp_path / "talk.wav", sound, RATE)
    engine = FakeEngine(["The robot was told to go forward 10 meters [1]."])
    opened = shell(engine)
    page = opened.window.page
    page.composer.add_files([tmp_path / "talk.wav"])
    opened.qtbot.waitUntil(lambda: [chip.state for chip in page.documents.chips] == ["transcript"], timeout=3 * WAIT_MS)
    opened.ask("How many meters shall it go forward?")
    answer = page.path[-1]
    assert "[1] talk.wav, 0:0" in engine.requests[-1].messages[-1].text, "the whole of it went in"
    view = page.transcript.message_view(answer.id)
    assert view is not None
    chosen: list[SourcePassage] = []
    page.citation_activated.connect(chosen.append)
    view.body.link_activated.emit("cite:0")
    (moment,) = chosen
    assert "forward" in moment.text.lower()
    assert abs(moment.first_line - second) < 2.5, "the second in which it is said, not that of the passage"
    shown = view.body.findChildren(type(view.body.views[0]))[0].toPlainText().replace("\u00a0", " ")
    assert f"talk.wav, {clock_text(moment.first_line)}" in shown
    opened.qtbot.waitUntil(lambda: bool(opened.window.findChildren(PagePreview)), timeout=WAIT_MS)
    preview = opened.window.findChildren(PagePreview)[0]
    opened.qtbot.waitUntil(lambda: preview.text.marked_text() == moment.text, timeout=WAIT_MS)
    assert preview.open_button.text() == f"Play from {clock_text(moment.first_line)}"
    preview.close()


def test_what_the_documents_do_not_say_is_said_without_the_model(
    shell: Callable[[FakeEngine], Shell], tmp_path: Path
) -> None:
    handbook(tmp_path / "handbook.pdf", n_pages=60)
    engine = FakeEngine(["I make something up."])
    opened = shell(engine)
    opened.window.page.composer.add_files([tmp_path / "handbook.pdf"])
    opened.ask("Which quantum computer won the chess championship in Buenos Aires?")
    assert opened.window.page.path[-1].text == "Your documents do not say."
    assert not engine.requests, "the model was not asked"


def test_a_folder_is_asked_by_its_collection(shell: Callable[[FakeEngine], Shell], tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "fees.md").write_text("# Fees\n\nThe annual fee of the rowing club is 240 crowns.\n", "utf-8")
    (folder / "people.txt").write_text("The treasurer of the rowing club is Nils Berg.\n", "utf-8")
    engine = FakeEngine(["It is 240 crowns a year [1]."])
    opened = shell(engine)
    opened.window.page.composer.add_files([folder])
    opened.ask("What is the annual fee of the rowing club?")
    sources = opened.window.page.path[0].sources
    assert sources is not None
    assert sources.way == "whole", "short documents go in whole"
    assert {Path(each.path).name for each in sources.passages} == {"fees.md", "people.txt"}


def conversations(opened: Shell, count: int) -> list[str]:
    """So many chats without a word in them, on show in the list."""
    services = opened.window.workspace.services
    assert services is not None
    made = [services.store_call(lambda store: store.create_conversation().id).result() for _ in range(count)]
    opened.window.workspace.library.refresh()
    model = opened.window.sidebar.model
    opened.qtbot.waitUntil(lambda: set(model.conversation_ids()) == set(made), timeout=WAIT_MS)
    return made


def held(target: QWidget, at: QPoint, paths: list[Path], *, drop: bool) -> bool:
    """Hold files over a widget, and let go of them; whether they would be taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, button = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(target, QDragEnterEvent(at, actions, mime, button, keys))
    move = QDragMoveEvent(at, actions, mime, button, keys)
    QApplication.sendEvent(target, move)
    if drop:
        let_go = QDropEvent(QPointF(at), actions, mime, button, keys)
        QApplication.sendEvent(target, let_go)
        assert let_go.dropAction() is Qt.DropAction.CopyAction, "the files stay where they are"
    else:
        QApplication.sendEvent(target, QDragLeaveEvent())
    return move.isAccepted()


def test_files_dropped_on_the_list_go_to_that_conversation(
    shell: Callable[[FakeEngine], Shell], tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "fees.md").write_text("# Fees\n\nThe fee is 240 crowns.\n", "utf-8")
    handbook(tmp_path / "handbook.pdf")
    opened = shell(FakeEngine([]))
    window, page, sidebar = opened.window, opened.window.page, opened.window.sidebar
    first, second = conversations(opened, 2)
    page.open(second)

    viewport = sidebar.list.viewport()
    row = sidebar.list.visualRect(sidebar.model.index_of(first)).center()
    empty = QPoint(row.x(), viewport.height() - 5)
    assert not sidebar.list.indexAt(empty).isValid()
    assert held(viewport, row, [tmp_path / "notes"], drop=False)
    assert page.conversation_id == second, "held over it is not dropped"

    held(viewport, row, [tmp_path / "notes", tmp_path / "handbook.pdf"], drop=True)
    assert page.conversation_id == first
    names = {"notes", "handbook.pdf"}
    opened.qtbot.waitUntil(lambda: {chip.name for chip in page.documents.chips} == names, timeout=WAIT_MS)
    asked = window.workspace.library.conversation
    opened.qtbot.waitUntil(lambda: bool((it := asked(first)) and it.collections), timeout=WAIT_MS)
    assert (it := asked(second)) and not it.collections

    aims: list[bool] = []
    sidebar.list.new_aimed_at.connect(aims.append)
    held(viewport, empty, [tmp_path / "handbook.pdf"], drop=True)
    assert aims == [True, False]
    assert not sidebar.new_button.isDown()
    assert page.conversation_id == ""
    opened.qtbot.waitUntil(lambda: [chip.name for chip in page.documents.chips] == ["handbook.pdf"], timeout=WAIT_MS)
    # Beside the list too; and what is no file is not taken.
    page.open(second)
    held(sidebar, QPoint(5, 5), [tmp_path / "notes"], drop=True)
    assert page.conversation_id == ""
    assert not held(viewport, row, [], drop=False)


def test_the_row_under_dropped_files_is_marked(shell: Callable[[FakeEngine], Shell], tmp_path: Path) -> None:
    opened = shell(FakeEngine([]))
    sidebar = opened.window.sidebar
    (conversation,) = conversations(opened, 1)
    at = sidebar.list.visualRect(sidebar.model.index_of(conversation)).center()
    viewport = sidebar.list.viewport()
    before = viewport.grab().toImage()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    copy, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(viewport, QDragEnterEvent(at, copy, mime, button, keys))
    assert viewport.grab().toImage() != before
    QApplication.sendEvent(viewport, QDragLeaveEvent())
    assert viewport.grab().toImage() == before


def test_a_long_paste_is_looked_into_and_cited_by_its_first_words(shell: Callable[[FakeEngine], Shell]) -> None:
    opened = shell(FakeEngine(["The lighthouse was built in 1847 by the engineer Ada Lindqvist [1]."]))
    page = opened.window.page
    mime = QMimeData()
    mime.setText("Minutes of Norrholm\n\n" + "Nothing of note was said that day.\n" * 6_000 + FACTS[3])
    page.composer.field.insertFromMimeData(mime)
    chips = page.documents
    opened.qtbot.waitUntil(lambda: [chip.state for chip in chips.chips] == ["read"], timeout=WAIT_MS)
    assert chips.chips[0].name == "Minutes of Norrholm"
    assert page.composer.draft.text == ""
    opened.ask("Who built the lighthouse of Norrholm?")
    question, answer = page.path
    assert question.sources is not None
    (place,) = cited_places(answer.text, question.sources)
    assert place_name(place[1]).startswith("Minutes of Norrholm.txt, line ")
