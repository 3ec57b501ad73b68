"""The small window for one question: a field, and the answer streaming below it. Main thread only.

Stays one conversation while it is open, so that one may ask on; the next time it opens it is empty. Knows no main
window: `carried` says what is to be shown in one.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QCursor,
    QGuiApplication,
    QKeySequence,
    QPainterPath,
    QRegion,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from app.events import ChatEvent, MessageAdded, MessageFinished, Streamed
from app.i18n import tr
from app.store.types import MessageState, StoredMessage
from app.ui.composer_text import ComposerText
from app.ui.icons import tinted_pixmap
from app.ui.library import sentence_of
from app.ui.message_actions import Action
from app.ui.quick_forgetting import forget, mark
from app.ui.toast import announce
from app.ui.transcript import Transcript
from app.ui.workspace import Workspace
from engine.context.segments import Role
from engine.engine import EngineStatus

KEEP = "desktop.quick_keep"
_WIDTH, _LEAST, _MOST = 165, 24, 105
"""In spacing units: the window's width, and the answer's least and greatest height."""
_RADIUS = 3
_SPOKEN_CHARACTERS = 400


class QuickAsk(QWidget):
    """Made with the first question, hidden in between."""

    carried = Signal(str, str)
    """A conversation ("": none yet) and words not asked yet, for a main window. This one is closed."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            None,
            Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint,
        )
        self._workspace = workspace
        self.conversation_id = ""
        self._n_cleared = 0
        self._sending = False
        self._waits = False
        """It was asked before the chats were open."""
        self._to_forget: set[str] = set()
        """Conversations that go as soon as their answer has ended."""
        theme = workspace.theme
        self.setWindowTitle(tr("Quick question"))
        self.setAccessibleName(tr("Quick question"))
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.frame = QFrame(self)
        self.frame.setProperty("kind", "float")
        self.mark = QLabel()
        self.field = ComposerText(theme, lambda: True, self)
        self.field.setAccessibleName(tr("Question"))
        self.field.setPlaceholderText(tr("Ask Hearth"))
        self.transcript = Transcript(theme, self, pictures=workspace.pictures, allowed=frozenset({Action.COPY}))
        self.transcript.hide()
        self.note = QLabel()
        self.note.setProperty("kind", "caption")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.open_button = QPushButton()
        self.open_button.setProperty("kind", "link")
        self.open_button.setAutoDefault(False)
        self.open_button.setText(f"{tr('Open in Hearth')}   {tr('Ctrl+Enter')}")
        self.open_button.setAccessibleName(tr("Open in Hearth"))
        self._lay_out()
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.carry)
        QShortcut(QKeySequence("Esc"), self).activated.connect(self.close)
        self.field.send_requested.connect(self.ask)
        self.field.stop_requested.connect(self.close)
        self.open_button.clicked.connect(self.carry)
        self.transcript.citation_activated.connect(lambda _source: self.carry())
        self._fit_soon = QTimer(self, singleShot=True, interval=0)
        self._fit_soon.timeout.connect(self._fit)
        self.transcript.scroll_bar.rangeChanged.connect(lambda _low, _high: self._fit_soon.start())
        workspace.bridge.chat_event.connect(self._on_chat_event)
        workspace.engine_changed.connect(self._show_note)
        workspace.models.entries_changed.connect(self._show_note)
        workspace.ready.connect(self._on_ready)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def open(self) -> None:
        """Show it, empty unless it is open already, in the middle of the screen that the pointer is on."""
        if not self.isVisible():
            self._clear()
            self.adjustSize()
            screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
            place = screen.availableGeometry()
            # Where it will grow to is centred, so that it need not move while an answer comes.
            top = (place.height() - self.height() - self._workspace.theme.space(_MOST)) // 2
            left = max(0, (place.width() - self.width()) // 2)
            self.move(place.x() + left, place.y() + max(top, place.height() // 8))
            self.show()
        self.raise_()
        self.activateWindow()
        self.field.setFocus(Qt.FocusReason.ActiveWindowFocusReason)

    def ask(self) -> None:
        """Send what stands in the field."""
        words = self.field.toPlainText().strip()
        services = self._workspace.services
        if not words or self._sending or self._workspace.answers.is_generating(self.conversation_id) or self._refusal():
            return
        if services is None:
            self._waits = True
            self._show_note()
            return
        self._sending = True
        self.field.clear()
        asked_from, n_cleared = self.conversation_id, self._n_cleared

        def sent(conversation_id: str) -> None:
            self._sending = False
            if not self.isVisible() or self._n_cleared != n_cleared:  # closed, and perhaps opened for another question
                self._leave(conversation_id)
                return
            self._take(conversation_id)

        def failed(error: BaseException) -> None:
            self._sending = False
            if self._n_cleared != n_cleared:
                return
            self.field.setPlainText(words)
            self._say(sentence_of(error))
            announce(self, self.note.text())

        self._workspace.bridge.then(services.chat.send(asked_from or None, words), sent, failed)
        self._show_note()

    def carry(self) -> None:
        """Go on in a main window."""
        conversation_id, words = self.conversation_id, self.field.toPlainText()
        if self._sending:
            return  # in a moment there is a conversation to go on with
        self.conversation_id = ""
        mark(self._workspace, conversation_id, False)
        self.close()
        self.carried.emit(conversation_id, words)

    def _lay_out(self) -> None:
        space = self._workspace.theme.space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # it grows and shrinks with what is in it
        outer.addWidget(self.frame)
        self._column = QVBoxLayout(self.frame)
        self._head = QHBoxLayout()
        self._head.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        self._head.addWidget(self.field, 1)
        self._column.addLayout(self._head)
        self._column.addWidget(self.transcript)
        foot = QHBoxLayout()
        foot.setSpacing(space(3))
        foot.addWidget(self.note, 1)
        foot.addWidget(self.open_button)
        self._column.addLayout(foot)

    def _clear(self) -> None:
        self._leave(self.conversation_id)
        self._n_cleared += 1
        self.conversation_id, self._waits = "", False
        self._workspace.answers.watch(self, "")
        self.field.clear()
        self.transcript.show_path([])
        self.transcript.hide()
        self.transcript.setFixedHeight(self._workspace.theme.space(_LEAST))
        self._show_note()

    def _take(self, conversation_id: str) -> None:
        """This conversation is on show from now on."""
        self.conversation_id = conversation_id
        mark(self._workspace, conversation_id, not self._workspace.settings.flag(KEEP))
        self._workspace.answers.watch(self, conversation_id)
        self.transcript.show()
        self._load()
        self._show_note()

    def _load(self) -> None:
        conversation_id = self.conversation_id

        def show(path: list[StoredMessage]) -> None:
            if conversation_id != self.conversation_id:
                return
            if self._workspace.answers.is_outdated(path):
                self._load()  # it ended while this was on its way
                return
            self.transcript.show_path(self._workspace.answers.brought_up_to_date(path))
            self._fit_soon.start()

        self._workspace.library.run(lambda store: store.path(conversation_id), show)

    def _leave(self, conversation_id: str) -> None:
        """Nobody looks at this conversation here any more: forget it, if that is wanted."""
        services = self._workspace.services
        if not conversation_id or services is None:
            return
        forgets = not self._workspace.settings.flag(KEEP)
        mark(self._workspace, conversation_id, forgets)
        if forgets and self._workspace.answers.is_generating(conversation_id):
            self._to_forget.add(conversation_id)
            services.chat.stop(conversation_id)
        elif forgets:
            forget(self._workspace, conversation_id)

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, MessageFinished) and event.message.conversation_id in self._to_forget:
            gone = event.message.conversation_id
            self._to_forget.discard(gone)
            forget(self._workspace, gone)
        elif isinstance(event, MessageAdded) and event.message.conversation_id == self.conversation_id:
            self.transcript.add_message(event.message)
            self._show_note()
        elif isinstance(event, Streamed) and event.conversation_id == self.conversation_id:
            self.transcript.streamed(event.message_id, event.event)
        elif isinstance(event, MessageFinished) and event.message.conversation_id == self.conversation_id:
            self.transcript.finish_message(event.message)
            self._fit_soon.start()
            self._show_note()
            self._announce(event.message)

    def _announce(self, message: StoredMessage) -> None:
        if message.role is Role.ASSISTANT and message.state is MessageState.COMPLETE:
            announce(self, tr("Answer: {text}", text=message.text[:_SPOKEN_CHARACTERS]))
        elif message.state is MessageState.FAILED:
            announce(self, message.error)

    def _on_ready(self) -> None:
        if self._waits:
            self._waits = False
            self.ask()
        self._show_note()

    def _refusal(self) -> str:
        """Why nothing can be asked, "" if it can."""
        services, models = self._workspace.services, self._workspace.models
        if services is not None and services.store.read_only:
            return tr("Your chats can only be read at the moment")
        empty = self._workspace.engine_state.status is EngineStatus.EMPTY
        return tr("Choose a model first") if empty and models.scanned and not models.has_models() else ""

    def _show_note(self, *_changed: object) -> None:
        words = self._refusal()
        if not words and self._waits:
            words = tr("One moment…")
        if not words and self._workspace.engine_state.status is EngineStatus.LOADING:
            words = tr("Loading the model…")
        self._say(words or tr("Enter asks, Esc closes"))

    def _say(self, words: str) -> None:
        self.note.setText(words)

    def _fit(self) -> None:
        """As high as what is said, as far as there is room; while an answer comes it only grows."""
        space, wanted = self._workspace.theme.space, self.transcript.content_height
        if self._workspace.answers.is_generating(self.conversation_id):
            wanted = max(wanted, self.transcript.height())
        self.transcript.setFixedHeight(min(space(_MOST), max(space(_LEAST), wanted)))

    def _on_theme_changed(self) -> None:
        theme, space = self._workspace.theme, self._workspace.theme.space
        self.mark.setPixmap(tinted_pixmap(theme, "hearth", size=space(6)))
        self._column.setContentsMargins(space(5), space(4), space(5), space(3))
        self._column.setSpacing(space(3))
        self._head.setSpacing(space(3))
        self.frame.setFixedWidth(space(_WIDTH))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if QGuiApplication.platformName() == "xcb":
            # Without a compositor what is transparent is black.
            path, radius = QPainterPath(), self._workspace.theme.space(_RADIUS)
            path.addRoundedRect(QRectF(self.rect()), radius, radius)
            self.setMask(QRegion(path.toFillPolygon().toPolygon()))

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._sending:
            self._leave(self.conversation_id)
            self.conversation_id = ""
        self._workspace.answers.forget(self)
        super().closeEvent(event)
