"""The transcript: one conversation's active path as a scrolling list of messages.

Only messages near the viewport have widgets. Heights of the others are estimated, and corrected with the scroll
position anchored to a message in sight, so that nothing jumps. Knows no store and no service: it shows what it is
given and tells by signals what was asked for. Main thread only.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QScrollBar, QToolButton, QVBoxLayout, QWidget

from app.answer_citations import with_places
from app.document_addresses import NO_DOCUMENTS
from app.i18n import tr
from app.store.types import MessageState, SourcesPart, StoredMessage, Summary
from app.ui.icons import themed_icon
from app.ui.links import open_url
from app.ui.markdown.reader import MarkdownReader
from app.ui.math_images import MathImages
from app.ui.message_actions import ALL_ACTIONS, Action
from app.ui.message_entry import Entry, Kit
from app.ui.message_live import LiveAnswer
from app.ui.message_text import plain_text
from app.ui.message_widget import MessageWidget
from app.ui.pictures import Pictures
from app.ui.theme import Theme
from app.ui.transcript_layout import estimate_height, in_sight, place
from engine.context.segments import Role
from engine.types import StreamEvent

FLUSH_MS = 33
_FLUSH_SHARE = 7
"""A flush that takes long makes the next one wait this many times as long: a seventh of a core at most."""
_NEAR_BOTTOM = 12
_PREFETCH = 1.2
_KEEP = 3.0
"""In viewport heights beyond what is seen: messages built ahead, and messages kept."""


class _Scroll(QScrollArea):
    """Leaves the arrow keys to the messages."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        moved = QFrame.focusNextPrevChild(self, forward)
        focused = self.focusWidget()
        if moved and focused is not None and focused.height() < self.viewport().height() // 2:
            self.ensureWidgetVisible(focused, 0, 24)
        return moved


class Transcript(QWidget):
    """Shows one conversation's active path."""

    regenerate_requested = Signal(str)
    read_requested = Signal(str)
    """Read a message aloud, or stop reading it."""
    continue_requested = Signal(str)
    edit_requested = Signal(str, str)
    sibling_requested = Signal(str, int)
    branch_requested = Signal(str)
    delete_requested = Signal(str)
    pin_requested = Signal(str, bool)
    summary_edited = Signal(str, str)
    summary_undone = Signal(str)
    """A summary's id."""
    citation_activated = Signal(object)
    """A `SourcePassage`."""
    copied = Signal()

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        pictures: Pictures | None = None,
        allowed: Collection[Action] = ALL_ACTIONS,
    ) -> None:
        """Without `pictures` images are shown by their names. `allowed` is what can be done with a message here."""
        super().__init__(parent)
        self._theme = theme
        self._pictures = pictures
        self._reader = MarkdownReader()
        self._maths = MathImages(self)
        self._maths.ready.connect(self._on_formulas_ready)
        self._allowed = allowed
        self._kit = Kit.make(theme, self._reader, self._maths, pictures, allowed)
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._current: Entry | None = None
        self._read_id = ""
        """Of the message that is being read aloud."""
        self._sticks = True
        self._arranging = False
        self._width = -1
        self.setAccessibleName(tr("Conversation"))
        self._build()
        self._flush_timer = QTimer(self)
        self._flush_timer.setSingleShot(True)
        self._flush_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._flush_timer.timeout.connect(self._on_flush)
        self._flush_wait = FLUSH_MS
        self._waiting: set[str] = set()
        self._idle_timer = QTimer(self)
        self._idle_timer.setSingleShot(True)
        self._idle_timer.timeout.connect(self._on_idle)
        theme.changed.connect(self._on_theme_changed)
        self._scroll.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)
        self.destroyed.connect(self._maths.close)

    def _build(self) -> None:
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._scroll = _Scroll(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.verticalScrollBar().setSingleStep(self._theme.space(6))
        self._canvas = QWidget()
        self._scroll.setWidget(self._canvas)
        for widget in (self._scroll.viewport(), self._canvas):
            widget.setAutoFillBackground(False)
        self._scroll.viewport().installEventFilter(self)
        self.jump_button = QToolButton(self)
        self.jump_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.jump_button.setToolTip(tr("Jump to the newest"))
        self.jump_button.setAccessibleName(tr("Jump to the newest"))
        self.jump_button.clicked.connect(self.scroll_to_end)
        self.jump_button.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._scroll)
        self._dress_jump()

    # What is shown

    def show_path(self, messages: Sequence[StoredMessage]) -> None:
        """Show these messages instead of the present ones; what is the same in both stays as it is."""
        same_conversation = bool(
            messages and self._entries and messages[0].conversation_id == self._entries[0].message.conversation_id
        )
        old = self._by_id if same_conversation else {}
        kept = [self._keep(old.get(message.id), message) for message in messages if message.role is not Role.SYSTEM]
        kept_ids = {entry.message.id for entry in kept}
        for entry in self._entries:
            if not same_conversation or entry.message.id not in kept_ids:
                self._drop_view(entry)
        self._entries = kept
        self._give_sources()
        self._by_id = {entry.message.id: entry for entry in kept}
        self._current = self._entries[-1] if self._entries else None
        if not same_conversation:
            self._sticks = True
        self._arrange()

    def _keep(self, entry: Entry | None, message: StoredMessage) -> Entry:
        if entry is None:
            return self._make_entry(message)
        if entry.message != message and entry.live is None:
            entry.message = message
            if entry.view is not None:
                entry.view.show_entry()
            entry.is_measured = False
        return entry

    def _make_entry(self, message: StoredMessage) -> Entry:
        entry = Entry(message, is_read=message.id == self._read_id)
        if message.state is MessageState.STREAMING:
            entry.live = LiveAnswer(message, self._reader)
        entry.height = estimate_height(message, max(200, self._width), self._theme)
        return entry

    def _give_sources(self) -> None:
        """Every answer knows what was found in the documents for its question, and what documents have said before."""
        sources: SourcesPart | None = None
        addresses = NO_DOCUMENTS
        for entry in self._entries:
            if entry.message.role is Role.USER:
                sources = entry.message.sources
                known = entry.following
                if known is None or known[0] is not addresses or known[1] is not entry.message:
                    known = entry.following = addresses, entry.message, addresses.after(entry.message)
                addresses = known[2]
                continue
            given = addresses if addresses.documents else NO_DOCUMENTS
            if entry.sources != sources or (entry.addresses is not given and entry.addresses != given):
                entry.sources, entry.addresses = sources, given
                if entry.view is not None and entry.live is None:
                    entry.view.show_entry()
                entry.is_measured = False

    def show_read_aloud(self, message_id: str) -> None:
        """Mark the message that is being read aloud ("": none)."""
        self._read_id = message_id
        for entry in self._entries:
            is_read = entry.message.id == message_id
            if is_read != entry.is_read:
                entry.is_read = is_read
                if entry.view is not None:
                    entry.view.show_read()

    def show_summary(self, summary: Summary | None, covered: Sequence[str]) -> None:
        """Mark the messages that the summary stands for, and show its card below the last of them."""
        last = covered[-1] if summary is not None and covered else ""
        ids = set(covered) if last else set()
        for entry in self._entries:
            is_covered = entry.message.id in ids
            own = summary if entry.message.id == last else None
            if (is_covered, own) == (entry.is_covered, entry.summary):
                continue
            entry.is_covered, entry.summary, entry.n_covered = is_covered, own, len(covered)
            if entry.view is not None:
                entry.view.show_summary()
            entry.is_measured = False
        self._arrange()

    def add_message(self, message: StoredMessage) -> None:
        """A message is now the end of the path. One's own brings the end into view."""
        known = self._by_id.get(message.id)
        if known is not None:
            self._restart(known, message)
            return
        entry = self._make_entry(message)
        self._entries.append(entry)
        self._give_sources()
        self._by_id[message.id] = entry
        self._current = entry
        if message.role is Role.USER:
            self._sticks = True
        self._arrange()

    def _restart(self, entry: Entry, message: StoredMessage) -> None:
        """A message that is shown is being written on."""
        entry.message = message
        entry.live = LiveAnswer(message, self._reader) if message.state is MessageState.STREAMING else None
        if entry.view is not None:
            entry.view.show_entry()
        entry.is_measured = False
        self._arrange()

    def streamed(self, message_id: str, event: StreamEvent) -> None:
        """An engine event of an answer under way."""
        entry = self._by_id.get(message_id)
        if entry is None:
            return
        if entry.live is None:
            entry.live = LiveAnswer(entry.message, self._reader)
            if entry.view is not None:
                entry.view.show_entry()
        if entry.live.feed(event):
            self._waiting.add(message_id)
            if not self._flush_timer.isActive():
                self._flush_timer.start(self._flush_wait)

    def finish_message(self, message: StoredMessage) -> None:
        """An answer has ended; `message` is what the store holds."""
        entry = self._by_id.get(message.id)
        if entry is None:
            return
        live, entry.live = entry.live, None
        self._waiting.discard(message.id)
        entry.message = message
        if live is not None:
            entry.ended_early = live.ended_early
        if entry.view is not None:
            blocks = None
            is_shown_as_it_is = entry.sources is None and not entry.addresses.documents
            if live is not None and live.source == message.text and is_shown_as_it_is:
                live.finish()
                blocks = live.text.blocks
            entry.view.show_entry(blocks)
        entry.is_measured = False
        self._arrange()

    def message_ids(self) -> list[str]:
        """The messages shown, first to last."""
        return [entry.message.id for entry in self._entries]

    def message_view(self, message_id: str) -> MessageWidget | None:
        """The widget of a message, if it is near enough to have one."""
        entry = self._by_id.get(message_id)
        return entry.view if entry is not None else None

    def copy_last_answer(self) -> str:
        """Put the newest answer's Markdown on the clipboard; return it, "" if there is none."""
        for entry in reversed(self._entries):
            if entry.message.role is Role.ASSISTANT:
                self._copy(with_places(self._text_of(entry), entry.sources))
                return self._text_of(entry)
        return ""

    def _text_of(self, entry: Entry) -> str:
        return entry.live.source if entry.live is not None else entry.message.text

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit()

    # Scrolling

    @property
    def scroll_bar(self) -> QScrollBar:
        """The vertical one."""
        return self._scroll.verticalScrollBar()

    def scroll_to(self, message_id: str) -> None:
        """Bring a message's beginning into view and give it the keyboard."""
        entry = self._by_id.get(message_id)
        if entry is None:
            return
        self._sticks = False
        self._arrange(target=entry)
        self._current = entry
        if entry.view is not None:
            entry.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._sticks = self._at_end()
        self._show_jump()

    @property
    def place(self) -> tuple[str, int]:
        """What is at the top: a message, and how many pixels of it are above. ("", 0): it follows the newest."""
        entry, offset = (None, 0) if self._sticks else self._anchor(self._scroll.verticalScrollBar().value())
        return (entry.message.id, offset) if entry is not None else ("", 0)

    @property
    def content_height(self) -> int:
        """What all messages take together, in pixels; of those that were never in sight an estimate."""
        return self._place()

    def return_to(self, message_id: str, offset: int) -> None:
        """Go to a `place` again; the keyboard stays where it is."""
        entry = self._by_id.get(message_id)
        if entry is not None:
            self._sticks = False
            self._arrange(target=entry)
            bar = self._scroll.verticalScrollBar()
            bar.setValue(bar.value() + offset)

    def scroll_to_end(self) -> None:
        """Bring the newest into view and stay there."""
        self._sticks = True
        self._arrange()

    def _at_end(self) -> bool:
        bar = self._scroll.verticalScrollBar()
        return bar.value() >= bar.maximum() - _NEAR_BOTTOM

    def _on_scrolled(self) -> None:
        if not self._arranging:
            self._sticks = self._at_end()
            self._arrange()

    def _step(self, entry: Entry, step: int) -> None:
        index = self._entries.index(entry) + step
        if 0 <= index < len(self._entries):
            target = self._entries[index]
            self._current = target
            self._sticks = False
            self._arrange(target=target)
            if target.view is not None:
                target.view.setFocus(Qt.FocusReason.TabFocusReason)
            self._sticks = self._at_end()

    # Layout: make what is in sight, measure it, keep the anchor where it is

    def _arrange(self, *, target: Entry | None = None) -> None:
        if self._arranging or not self.isVisible():
            return
        self._arranging = True
        try:
            self._arrange_now(target)
        finally:
            self._arranging = False
        self._show_jump()
        self._idle_timer.start(0)

    def _arrange_now(self, target: Entry | None) -> None:
        viewport, bar = self._scroll.viewport(), self._scroll.verticalScrollBar()
        if viewport.width() != self._width:
            self._width = viewport.width()
            for entry in self._entries:
                entry.is_measured = False
                if entry.view is None:
                    entry.height = estimate_height(entry.message, self._width, self._theme)
        anchor, offset = (target, 0) if target is not None else self._anchor(bar.value())
        height = viewport.height()
        for _ in range(8):
            total = self._place()
            if self._sticks:
                top = max(0, total - height)
            else:
                top = anchor.top + offset if anchor is not None else bar.value()
                top = max(0, min(top, total - height))
            if not self._measure(in_sight(self._entries, top, top + height)):
                break
        total = self._place()
        if self._canvas.width() != self._width or self._canvas.height() != max(total, height):
            self._canvas.resize(self._width, max(total, height))
        if self._sticks:
            top = max(0, total - height)
        elif anchor is not None:
            top = max(0, min(anchor.top + offset, total - height))
        bar.setRange(0, max(0, max(total, height) - height))  # the scroll area itself does so only once it is shown
        bar.setValue(top)
        self._move_views()
        self._drop_far(top, height)

    def _anchor(self, value: int) -> tuple[Entry | None, int]:
        """The first message in sight whose height is known, and how far its top is above the viewport's."""
        sight = in_sight(self._entries, value, value + self._scroll.viewport().height())
        for index in sight:
            if self._entries[index].is_measured:
                return self._entries[index], value - self._entries[index].top
        if len(sight):
            return self._entries[sight[0]], value - self._entries[sight[0]].top
        return None, 0

    def _place(self) -> int:
        space = self._theme.space
        return place(self._entries, space(3)) + space(4)

    def _measure(self, indices: range) -> bool:
        """Make and measure these; True if a height changed."""
        changed = False
        for index in indices:
            changed = self._measure_one(self._entries[index]) or changed
        return changed

    def _measure_one(self, entry: Entry) -> bool:
        if entry.view is None:
            self._make_view(entry)
        if entry.is_measured:
            return False
        assert entry.view is not None
        height = entry.view.lay_out(self._width)
        entry.is_measured = True
        changed = height != entry.height
        entry.height = height
        return changed

    def _make_view(self, entry: Entry) -> None:
        view = MessageWidget(self._kit, entry, self._canvas)
        entry.view, entry.is_measured = view, False
        view.set_current(entry is self._current)
        view.acted.connect(lambda action: self._on_acted(entry, action))
        view.edited.connect(lambda text: self.edit_requested.emit(entry.message.id, text))
        view.link_activated.connect(self._on_link_activated)
        view.resized.connect(lambda: self._on_view_resized(entry))
        view.code_copied.connect(self.copied)
        view.recalled_activated.connect(self.scroll_to)
        view.citation_activated.connect(self.citation_activated)
        view.summary_edited.connect(lambda text: self._on_summary(entry, text))
        view.summary_undone.connect(lambda: self._on_summary(entry, None))
        view.step_requested.connect(lambda step: self._step(entry, step))

    def _move_views(self) -> None:
        last = self._entries[-1] if self._entries else None
        for entry in self._entries:
            view = entry.view
            if view is None:
                continue
            view.setGeometry(0, entry.top, self._width, entry.height)
            view.set_last(entry is last)
            is_current = entry is self._current
            if is_current != (view.focusPolicy() == Qt.FocusPolicy.StrongFocus):
                view.set_current(is_current)
            if view.isHidden():
                view.show()

    def _drop_far(self, top: int, height: int) -> None:
        for entry in self._entries:
            if entry.view is None or entry.view.is_kept:
                continue
            if entry.top + entry.height < top - _KEEP * height or entry.top > top + (1 + _KEEP) * height:
                self._drop_view(entry)

    def _drop_view(self, entry: Entry) -> None:
        if entry.view is not None:
            entry.view.hide()
            entry.view.deleteLater()
            entry.view = None

    def _on_idle(self) -> None:
        """Build one message ahead, then come again."""
        if not self.isVisible() or self._flush_timer.isActive():
            return
        top, height = self._scroll.verticalScrollBar().value(), self._scroll.viewport().height()
        ahead = round(_PREFETCH * height)
        for index in in_sight(self._entries, top - ahead, top + height + ahead):
            entry = self._entries[index]
            if entry.view is None or not entry.is_measured:
                self._measure_one(entry)
                self._arrange()
                return

    def _on_view_resized(self, entry: Entry) -> None:
        entry.is_measured = False
        self._arrange()

    # Streaming

    def _on_flush(self) -> None:
        began = time.perf_counter()
        waiting, self._waiting = self._waiting, set()
        for message_id in waiting:
            entry = self._by_id.get(message_id)
            if entry is None or entry.live is None:
                continue
            if entry.view is None:
                continue  # out of sight: read when it is looked at again
            entry.live.flush()
            entry.view.show_live()
            entry.is_measured = False
        self._arrange()
        cost_ms = (time.perf_counter() - began) * 1000
        self._flush_wait = max(FLUSH_MS, round(cost_ms * _FLUSH_SHARE))

    def _on_formulas_ready(self) -> None:
        changed = False
        for entry in self._entries:
            if entry.view is not None and entry.view.refresh_formulas():
                entry.is_measured = False
                changed = True
        if changed:
            self._arrange()

    # What was asked for

    def _on_acted(self, entry: Entry, action: Action) -> None:
        message = entry.message
        match action:
            case Action.COPY:
                self._copy(with_places(self._text_of(entry), entry.sources))
                if entry.view is not None:
                    entry.view.confirm_copy()
            case Action.COPY_PLAIN:
                self._copy(plain_text(message, self._reader))
            case Action.EDIT:
                if entry.view is not None:
                    entry.view.edit()
            case Action.REGENERATE:
                self.regenerate_requested.emit(message.id)
            case Action.READ_ALOUD:
                self.read_requested.emit(message.id)
            case Action.CONTINUE:
                self.continue_requested.emit(message.id)
            case Action.BRANCH:
                self.branch_requested.emit(message.id)
            case Action.PIN:
                self.pin_requested.emit(message.id, not message.pinned)
            case Action.DELETE:
                self.delete_requested.emit(message.id)
            case Action.PREVIOUS | Action.NEXT:
                self.sibling_requested.emit(message.id, -1 if action is Action.PREVIOUS else 1)

    def _on_summary(self, entry: Entry, text: str | None) -> None:
        if entry.summary is None:
            return
        if text is None:
            self.summary_undone.emit(entry.summary.id)
        else:
            self.summary_edited.emit(entry.summary.id, text)

    def _on_link_activated(self, url: str) -> None:
        open_url(url, self.window())

    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        for entry in self._entries:
            view = entry.view
            if view is not None:
                inside = now is not None and (now is view or view.isAncestorOf(now))
                view.set_focused(inside)
                if inside and entry is not self._current:
                    if self._current is not None and self._current.view is not None:
                        self._current.view.set_current(False)
                    self._current = entry
                    view.set_current(True)

    def _on_theme_changed(self) -> None:
        self._kit = Kit.make(self._theme, self._reader, self._maths, self._pictures, self._allowed)
        self._scroll.verticalScrollBar().setSingleStep(self._theme.space(6))
        self._dress_jump()
        for entry in self._entries:
            self._drop_view(entry)
            entry.is_measured = False
            entry.height = estimate_height(entry.message, max(200, self._width), self._theme)
        self._arrange()
        QTimer.singleShot(0, self, self._measure_again)  # the style sheet may change after the theme

    def _measure_again(self) -> None:
        for entry in self._entries:
            entry.is_measured = False
        self._arrange()

    def _dress_jump(self) -> None:
        theme, side = self._theme, self._theme.space(9)
        self.jump_button.setIcon(themed_icon(theme, "arrow-down", color="text", size=round(18 * theme.zoom)))
        self.jump_button.setFixedSize(side, side)
        self.jump_button.setStyleSheet(
            f"QToolButton {{ background: {theme.colors.surface}; border: 1px solid {theme.colors.border};"
            f" border-radius: {side // 2}px; }} QToolButton:hover {{ background: {theme.colors.raised}; }}"
            f"QToolButton:focus {{ border-color: {theme.colors.focus}; }}"
        )

    def _show_jump(self) -> None:
        bar = self._scroll.verticalScrollBar()
        wanted = not self._sticks and bar.maximum() - bar.value() > self._scroll.viewport().height() // 3
        if wanted:
            side = self.jump_button.width()
            self.jump_button.move(
                QPoint((self._scroll.viewport().width() - side) // 2, self.height() - side - self._theme.space(4))
            )
            self.jump_button.raise_()
        self.jump_button.setVisible(wanted)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self._arranging:
            self._arrange()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._arrange)
