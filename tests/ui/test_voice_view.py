"""The voice view in the whole window, with the real store, a scripted engine, and a scripted voice service."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.downloader.order import Progress, Stage
from app.events import VoiceHappened
from app.store.types import Draft
from app.ui import voice_view
from app.ui.main_window import MainWindow
from app.ui.theme import Theme, ThemeChoice
from app.ui.voice_buttons import HoldButton
from app.ui.voice_captions import VoiceCaptions
from app.ui.voice_exchange import Caption
from app.ui.voice_flow import VoiceFlow
from app.ui.voice_picture import Mood, VoicePicture, loudness
from app.ui.weights_card import WeightsCard
from app.ui.weights_fetch import WeightsFetch
from app.ui.workspace import Workspace
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar, VoiceEvent, VoiceLevel, VoiceState, VoiceUse
from app.weights_bundle import WeightsBundle
from engine.cancel import CancelToken
from engine.errors import DownloadError, sentence
from engine.fake import FakeEngine
from engine.model.weights_file import WeightsFile
from tests.ui.test_shell import WAIT_MS, Shell, shell
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase

__all__ = ["shell"]


class ScriptedService:
    """See `app.voice.VoiceService`: keeps what is asked of it."""

    def __init__(self) -> None:
        self.is_ready = True
        self.calls: list[tuple[object, ...]] = []

    def converse(self, conversation_id: str | None, mode: Mode) -> None:
        self.calls.append(("converse", conversation_id, mode))

    def continue_in(self, conversation_id: str) -> None:
        self.calls.append(("continue", conversation_id))

    def key(self, down: bool) -> None:
        self.calls.append(("key", down))

    def mute(self, muted: bool) -> None:
        self.calls.append(("mute", muted))

    def stop_answer(self) -> None:
        self.calls.append(("stop",))

    def end(self) -> None:
        self.calls.append(("end",))

    def take(self, event: object) -> None:
        pass

    def close(self) -> None:
        pass


class Talk:
    """A window whose voice view is open."""

    def __init__(self, shell: Shell, engine: FakeEngine | None = None, *, mode: Mode = Mode.PUSH_TO_TALK) -> None:
        self.shell, self.qtbot = shell, shell.qtbot
        self.window = shell.start(engine)
        self.service = ScriptedService()
        services = self.window.workspace.services
        assert services is not None
        services._voice = self.service  # type: ignore[assignment]
        services.settings.override("voice.mode", mode.value)

    def open(self, window: MainWindow | None = None) -> VoiceFlow:
        window = window or self.window
        before = len(self.service.calls)
        self.shell.run(window, "talk")
        flow = window._voice
        assert flow is not None
        if self.service.is_ready:
            self.qtbot.waitUntil(lambda: len(self.service.calls) > before, timeout=WAIT_MS)
        return flow

    def tell(self, event: VoiceEvent) -> None:
        self.window.workspace.bridge.publish(VoiceHappened(event))

    def state(self, phase: Phase, *, mode: Mode = Mode.PUSH_TO_TALK, **more: object) -> VoiceState:
        state = VoiceState(VoiceUse.CONVERSATION, phase, mode, **more)  # type: ignore[arg-type]
        self.tell(state)
        return state


@pytest.fixture
def talk(shell: Shell) -> Callable[..., Talk]:
    return lambda *arguments, **named: Talk(shell, *arguments, **named)


def hold(widget: QWidget, key: Qt.Key, *, down: bool) -> None:
    QTest.keyPress(widget, key) if down else QTest.keyRelease(widget, key)


def test_it_takes_the_whole_window_and_gives_it_back(talk: Callable[..., Talk]) -> None:
    t = talk()
    window = t.window
    window.panel.show()
    t.shell.ask(window, "Hello")
    flow = t.open()
    assert t.service.calls == [("converse", window.page.conversation_id, Mode.PUSH_TO_TALK)]
    assert flow.view.isVisible() and window.page.composer.isVisible()
    assert not any(part.isVisible() for part in (window.sidebar, window.panel, window.header, window.page.transcript))
    t.state(Phase.LISTENING, conversation_id=window.page.conversation_id)
    QTest.keyClick(flow.view, Qt.Key.Key_Escape)
    assert not flow.is_open and t.service.calls[-1] == ("end",)
    assert all(part.isVisible() for part in (window.sidebar, window.panel, window.header, window.page.transcript))
    window.panel.hide()
    t.open()
    t.shell.run(window, "talk")
    assert not flow.is_open and not window.panel.isVisible() and window.sidebar.isVisible()


def test_the_state_is_said_shown_and_announced(talk: Callable[..., Talk], monkeypatch: pytest.MonkeyPatch) -> None:
    t = talk(mode=Mode.HANDS_FREE)
    view = t.open().view
    assert view.words.text() == "Starting…" and view.picture.mood is Mood.STILL
    hands_free = Mode.HANDS_FREE
    announced: list[str] = []
    monkeypatch.setattr(voice_view, "announce", lambda _widget, text: announced.append(text))
    for phase, words, mood in (
        (Phase.ASLEEP, "Waiting to be called", Mood.STILL),
        (Phase.LISTENING, "Listening", Mood.LISTENING),
        (Phase.USER_SPEAKING, "Listening", Mood.LISTENING),
        (Phase.THINKING, "Thinking", Mood.THINKING),
        (Phase.SPEAKING, "Speaking", Mood.SPEAKING),
        (Phase.DUCKED, "Speaking", Mood.SPEAKING),
        (Phase.PAUSED, "Paused", Mood.STILL),
    ):
        t.state(phase, mode=hands_free)
        assert (view.words.text(), view.picture.mood) == (words, mood)
    assert announced == ["Waiting to be called", "Listening", "Thinking", "Speaking", "Paused"]
    t.state(Phase.LISTENING, mode=hands_free, is_muted=True)
    assert view.words.text() == "Muted" and view.picture.mood is Mood.STILL and view.mute.is_lit


def test_space_is_held_and_a_brief_press_stays(talk: Callable[..., Talk]) -> None:
    t = talk()
    view = t.open().view
    t.state(Phase.LISTENING)
    assert view.words.text() == "Ready"
    view.hold._brief_ms = 0
    hold(view, Qt.Key.Key_Space, down=True)
    repeated = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", True)
    QApplication.sendEvent(view, repeated)
    assert t.service.calls[1:] == [("key", True)] and view.hold.is_on
    hold(view, Qt.Key.Key_Space, down=False)
    assert t.service.calls[2:] == [("key", False)]
    view.hold._brief_ms = 60_000
    view.hold.click()  # as a screen reader does
    assert t.service.calls[3:] == [("key", True)] and view.hold.is_on
    view.hold.click()
    assert t.service.calls[4:] == [("key", False)]
    hold(view, Qt.Key.Key_Space, down=True)
    t.window.page.focus_composer()
    t.qtbot.waitUntil(lambda: not view.hold.is_on, timeout=WAIT_MS)
    assert t.service.calls[5:] == [("key", True), ("key", False)]


def test_keys_and_controls(talk: Callable[..., Talk]) -> None:
    t = talk()
    flow = t.open()
    view = flow.view
    t.state(Phase.LISTENING)
    QTest.keyClick(view, Qt.Key.Key_M)
    assert t.service.calls[-1] == ("mute", True)
    t.state(Phase.LISTENING, is_muted=True)
    QTest.keyClick(view.hold, Qt.Key.Key_M)
    assert t.service.calls[-1] == ("mute", False)
    view.mode.click()
    settings = t.window.workspace.settings
    assert t.service.calls[-1][0] == "converse" and settings.text("voice.mode") in ("hands_free", "push_to_talk")
    for control in (view.hold, view.mode, view.mute, view.stop, view.close_button, view.captions):
        assert control.accessibleName() or getattr(control, "text", lambda: "")()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
    view.close_button.click()
    assert not flow.is_open


def test_escape_stops_what_is_spoken_then_closes(talk: Callable[..., Talk]) -> None:
    t = talk()
    flow = t.open()
    t.state(Phase.SPEAKING)
    assert flow.view.stop.isEnabled()
    QTest.keyClick(flow.view, Qt.Key.Key_Escape)
    assert t.service.calls[-1] == ("stop",) and flow.is_open
    t.state(Phase.LISTENING)
    assert not flow.view.stop.isEnabled()
    QTest.keyClick(t.window.page.composer.focusProxy() or t.window, Qt.Key.Key_Escape)
    assert t.service.calls[-1] == ("end",) and not flow.is_open


def test_the_first_spoken_question_opens_its_conversation_and_the_draft_goes_along(talk: Callable[..., Talk]) -> None:
    t = talk(FakeEngine(["It is noon."]))
    window = t.window
    flow = t.open()
    assert t.service.calls == [("converse", None, Mode.PUSH_TO_TALK)]
    t.state(Phase.LISTENING)
    QTest.keyClicks(window.page.composer.focusProxy() or window, "half a thought")
    services = window.workspace.services
    assert services is not None
    t.tell(HeardSoFar("What time", "is"))
    t.tell(HeardText("What time is it?", TextStatus.COMMITTED))
    known = services.chat.send(None, "What time is it?").result(WAIT_MS / 1000)
    t.state(Phase.THINKING, conversation_id=known)
    t.shell.wait_until_answered(window)
    assert window.page.conversation_id == known and flow.is_open
    assert window.page.composer.draft == Draft("half a thought")
    answer = window.page.path[1]
    t.state(Phase.SPEAKING, conversation_id=known)
    t.tell(SpokenSoFar(answer.id, 5))
    wanted = (Caption(True, "What time is it?"), Caption(False, "It is", " noon."))
    t.qtbot.waitUntil(lambda: flow.view.captions.shown == wanted, timeout=WAIT_MS)
    services.chat.keep_heard(answer.id, 5).result(WAIT_MS / 1000)
    cut = Caption(False, "It is", " noon.", is_cut=True)
    t.qtbot.waitUntil(lambda: flow.view.captions.shown[1:] == (cut,), timeout=WAIT_MS)
    flow.close()
    view = window.page.transcript.message_view(answer.id)
    t.qtbot.waitUntil(lambda: window.page.transcript.message_view(answer.id) is not None, timeout=WAIT_MS)
    view = window.page.transcript.message_view(answer.id)
    assert view is not None and view.unspoken is not None
    assert view.unspoken.text == "noon." and "noon." in view.accessibleDescription()


def test_what_is_typed_goes_into_the_same_conversation(talk: Callable[..., Talk]) -> None:
    t = talk(FakeEngine(["By writing."]))
    flow = t.open()
    t.state(Phase.LISTENING)
    known = t.shell.ask(t.window, "Hello")
    assert flow.is_open and t.service.calls[1:] == [("continue", known)]
    wanted = (Caption(True, "Hello"), Caption(False, "By writing."))
    t.qtbot.waitUntil(lambda: flow.view.captions.shown == wanted, timeout=WAIT_MS)


def test_another_chat_another_window_or_another_use_ends_it(talk: Callable[..., Talk]) -> None:
    t = talk()
    t.shell.ask(t.window, "Hello")
    flow = t.open()
    t.shell.run(t.window, "new_chat")
    assert not flow.is_open and t.service.calls[-1] == ("end",)
    flow = t.open()
    application = t.shell.application
    assert application is not None
    other = application.open_window()
    second = t.open(other)
    assert second.is_open and not flow.is_open
    t.qtbot.waitUntil(lambda: t.service.calls[-1][0] == "converse", timeout=WAIT_MS)
    t.state(Phase.LISTENING)
    t.tell(VoiceState(VoiceUse.DICTATION))
    assert not second.is_open
    t.open(other)
    t.state(Phase.LISTENING)
    other.close()
    assert t.service.calls[-1] == ("end",)


def test_what_goes_wrong_stands_in_place_of_the_state(talk: Callable[..., Talk]) -> None:
    t = talk()
    flow = t.open()
    t.tell(VoiceState())
    assert flow.is_open, "of an earlier time"
    t.state(Phase.ERROR, problem="No microphone was found.")
    view = flow.view
    assert view.words.text() == "No microphone was found." and view.retry.isVisible()
    view.retry.click()
    assert t.service.calls[-1][0] == "converse"
    t.state(Phase.LISTENING)
    assert view.words.text() == "Ready" and not view.retry.isVisible()
    t.tell(VoiceState(problem="Voice stopped."))
    assert flow.is_open and view.words.text() == "Voice stopped."
    t.shell.ask(t.window, "Text goes on")
    view.retry.click()
    t.state(Phase.LISTENING)
    t.tell(VoiceState())
    assert not flow.is_open


def test_rescued_words_are_kept_in_the_composer(talk: Callable[..., Talk]) -> None:
    t = talk()
    t.open()
    t.state(Phase.ERROR, problem="Gone.")
    t.tell(HeardText("half a question", TextStatus.RESCUED))
    assert t.window.page.composer.draft.text == "half a question"


def test_before_the_first_time_it_offers_to_fetch_and_goes_on_by_itself(talk: Callable[..., Talk]) -> None:
    t = talk()
    t.service.is_ready = False
    flow = t.open()
    t.qtbot.waitUntil(lambda: flow._fetch is not None, timeout=WAIT_MS)
    fetch = flow._fetch
    assert fetch is not None and fetch.isVisible() and not flow.view.hold.isVisible()
    t.service.is_ready = True
    t.window.workspace.voice_weights.fetched.emit()
    assert t.service.calls[-1][0] == "converse" and flow.view.hold.isVisible()


class ScriptedBundle(WeightsBundle):
    """Two files, fetched by a script."""

    script: Callable[[Callable[[Progress], None], CancelToken], None]

    def fetch(self, folder: Path, on_progress: Callable[[Progress], None], cancel: CancelToken) -> None:
        type(self).script(on_progress, cancel)


def test_fetching_shows_one_bar_can_be_paused_and_says_what_failed(qtbot: QtBot, workspace: Workspace) -> None:
    files = tuple(WeightsFile(name, size, "", "MIT", ()) for name, size in (("a", 300), ("b", 100)))
    fetch = WeightsFetch(
        ScriptedBundle("x", "X", files), workspace.paths.voice, workspace.run, workspace.bridge, workspace
    )
    card = WeightsCard(workspace.theme, fetch, title="Talk", about="About.")
    qtbot.addWidget(card)
    assert card.button.text() == "Fetch 400 bytes"

    def fetches(on_progress: Callable[[Progress], None], cancel: CancelToken) -> None:
        on_progress(Progress(Stage.DOWNLOADING, "s", 300, 300))
        on_progress(Progress(Stage.CHECKING, "s", 300, 300))
        on_progress(Progress(Stage.DOWNLOADING, "s", 50, 100))
        if cancel.wait(WAIT_MS / 1000):
            raise CancelledError

    ScriptedBundle.script = staticmethod(fetches)
    card.button.click()
    qtbot.waitUntil(lambda: card.row._bar.value() == 875, timeout=WAIT_MS)
    fetch.pause()
    qtbot.waitUntil(lambda: not card.row._resume.isHidden(), timeout=WAIT_MS)

    def fails(_on_progress: Callable[[Progress], None], _cancel: CancelToken) -> None:
        raise DownloadError(sentence("There is no connection."))

    ScriptedBundle.script = staticmethod(fails)
    fetch.start()
    qtbot.waitUntil(lambda: card.row._text.text() == "There is no connection.", timeout=WAIT_MS)
    ScriptedBundle.script = staticmethod(lambda _on_progress, _cancel: None)
    with qtbot.waitSignal(fetch.fetched, timeout=WAIT_MS):
        card.row.resume_requested.emit()


def captions_text(captions: VoiceCaptions) -> list[str]:
    return captions.toPlainText().split("\n")


def colours(captions: VoiceCaptions, block: int) -> list[tuple[str, str]]:
    """Stretches of one colour, with their words."""
    found: list[tuple[str, str]] = []
    iterator = captions.document().findBlockByNumber(block).begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        color, text = fragment.charFormat().foreground().color().name(), fragment.text()
        if found and found[-1][0] == color:
            found[-1] = (color, found[-1][1] + text)
        else:
            found.append((color, text))
        iterator += 1
    return found


def test_captions_change_only_where_they_differ(qtbot: QtBot) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    captions = VoiceCaptions(theme)
    qtbot.addWidget(captions)
    captions.resize(400, 120)
    captions.show()
    firm, pale = theme.color("text").name(), theme.color("text_faint").name()
    captions.show_captions([Caption(True, "I 🙂 think", " therefor")])
    assert captions_text(captions) == ["You", "I 🙂 think therefor"]
    assert colours(captions, 1) == [(firm, "I 🙂 think"), (pale, " therefor")]
    captions.show_captions([Caption(True, "I 🙂 think therefore", " I am")])
    assert colours(captions, 1) == [(firm, "I 🙂 think therefore"), (pale, " I am")]
    captions.show_captions([Caption(True, "I 🙂 Think therefore I am.")])
    assert colours(captions, 1) == [(firm, "I 🙂 Think therefore I am.")]
    you = Caption(True, "I 🙂 Think therefore I am.")
    words = "word " * 200
    captions.show_captions([you, Caption(False, "", words)])
    captions.show_captions([you, Caption(False, words[:50], words[50:])])
    assert captions_text(captions)[2:] == ["Hearth", words]
    assert colours(captions, 3) == [(firm, words[:50]), (pale, words[50:])]
    bar = captions.verticalScrollBar()
    assert 0 < bar.value() < bar.maximum(), "what is being spoken is in sight"
    captions.show_captions([you, Caption(False, words[:50], words[50:], is_cut=True)])
    assert captions_text(captions)[2] == "Hearth, interrupted"
    captions.show_captions([Caption(False, "Only this.")])
    assert captions_text(captions) == ["Hearth", "Only this."]
    captions.show_captions([])
    assert captions_text(captions) == [""]


def shot(picture: VoicePicture) -> set[str]:
    """The colours along the middle."""
    image = picture.grab().toImage()
    return {QColor(image.pixel(x, image.height() // 2)).name() for x in range(image.width())}


def test_the_picture_follows_the_mood_and_the_sound(qtbot: QtBot) -> None:
    assert loudness(0.0) == 0.0 and loudness(1.0) == 1.0 and 0.3 < loudness(0.02) < 0.8
    theme = Theme(ThemeChoice.LIGHT)
    picture = VoicePicture(theme)
    qtbot.addWidget(picture)
    picture.show()
    accent = theme.color("accent").name()
    assert accent not in shot(picture)

    def accented() -> int:
        image = picture.grab().toImage()
        return sum(QColor(image.pixel(x, image.height() // 2)).name() == accent for x in range(image.width()))

    picture.show_mood(Mood.LISTENING)
    picture.advance(5)
    quiet = accented()
    picture.show_level(0.2)
    picture.advance(2)
    loud = accented()
    picture.show_mood(Mood.SPEAKING)
    picture.advance(5)
    assert 0 < quiet < loud < accented()
    picture.show_mood(Mood.STILL)
    picture.advance(5)
    assert picture.is_settled() and accent not in shot(picture)


def test_the_picture_moves_only_in_sight_and_only_while_it_may(qtbot: QtBot) -> None:
    picture = VoicePicture(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(picture)

    picture.show_mood(Mood.THINKING)
    assert not picture.moves
    picture.show()
    assert picture.moves
    picture.hide()
    assert not picture.moves
    picture.show()
    picture.show_mood(Mood.STILL)
    qtbot.waitUntil(lambda: not picture.moves, timeout=WAIT_MS)
    picture.set_less_motion(True)
    picture.show_mood(Mood.SPEAKING)
    assert not picture.moves and picture._weights[Mood.SPEAKING] == 1.0


def test_the_hold_button_by_mouse(qtbot: QtBot) -> None:
    button = HoldButton(Theme(ThemeChoice.LIGHT), brief_ms=0)
    qtbot.addWidget(button)
    button.show()
    heard: list[bool] = []
    button.held.connect(heard.append)
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    QTest.mouseMove(button, button.rect().bottomRight() * 3)
    assert heard == [True] and button.is_on
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton, pos=button.rect().bottomRight() * 3)
    assert heard == [True, False]


def test_levels_move_the_picture(talk: Callable[..., Talk]) -> None:
    t = talk(mode=Mode.HANDS_FREE)
    picture = t.open().view.picture
    t.state(Phase.LISTENING, mode=Mode.HANDS_FREE)
    t.tell(VoiceLevel(0.1, 0.0))
    assert picture._heard == loudness(0.1)
    t.state(Phase.SPEAKING, mode=Mode.HANDS_FREE)
    t.tell(VoiceLevel(0.1, 0.0))
    assert picture._heard == 0.0
