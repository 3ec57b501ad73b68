"""One message in the transcript: body, reasoning, attachments, state line, actions. Places its parts itself.

Knows how a message looks and which actions were asked for; what they do is the transcript's and the shell's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget

from app.i18n import tr
from app.store.types import (
    ImagePart,
    MessageState,
    ReasoningPart,
    RecallPart,
    StoredMessage,
    UnspokenPart,
)
from app.ui.markdown.blocks import Block
from app.ui.markdown.plain import plain_blocks
from app.ui.markdown.verbatim import verbatim_blocks
from app.ui.message_actions import Action, ActionRow, action_label, actions_of
from app.ui.message_addresses import inert_blocks, target_of
from app.ui.message_attachments import AttachmentChips
from app.ui.message_body import MessageBody
from app.ui.message_citations import cited_blocks
from app.ui.message_editor import MessageEditor
from app.ui.message_entry import Entry, Kit
from app.ui.message_live import LiveAnswer
from app.ui.message_live_citations import LiveCitations
from app.ui.message_reasoning import ReasoningFold
from app.ui.message_selection import SelectionGroup
from app.ui.message_state import StateLine
from app.ui.message_text import attachments, speaker
from app.ui.message_unspoken import UnspokenRest
from app.ui.picture_tile import image_name
from app.ui.recall_lines import RecallLines
from app.ui.safe_document import SafeTextView
from app.ui.summary_card import SummaryCard
from engine.context.segments import Role

MEASURE = 184
"""The widest a line gets, in spacing units (46 rem)."""
GUTTER = 6
_BUBBLE_SHARE = 0.86
_FOLD_CHARACTERS = 1800
_FOLD_LINES = 24
_DESCRIBED = 2000
_WAS_TAB_STOP = "wasTabStop"


class MessageWidget(QWidget):
    """Shows one entry. `lay_out(width)` places everything and returns the height; `resized` asks for it."""

    acted = Signal(object)
    """An `Action`."""
    edited = Signal(str)
    link_activated = Signal(str)
    resized = Signal()
    code_copied = Signal()
    step_requested = Signal(int)
    recalled_activated = Signal(str)
    """The id of an earlier message."""
    summary_edited = Signal(str)
    summary_undone = Signal()
    citation_activated = Signal(object)
    """A `SourcePassage`."""

    def __init__(self, kit: Kit, entry: Entry, parent: QWidget) -> None:
        super().__init__(parent)
        self._kit, self._entry = kit, entry
        self.selection = SelectionGroup(self)
        self._is_own = entry.message.role is Role.USER
        self._is_last = self._is_hovered = self._has_focus = self._is_current = False
        self._shows_ring = False
        self._bubble = QRect()
        self._width = -1
        self._own_bottom = 0
        self.editor: MessageEditor | None = None
        self._row: ActionRow | None = None
        self._state: StateLine | None = None
        self._live_citations: LiveCitations | None = None
        self.fold: ReasoningFold | None = None
        self._status: QLabel | None = None
        self.more_button: QPushButton | None = None
        self.chips: AttachmentChips | None = None
        self.recalled: RecallLines | None = None
        self.unspoken: UnspokenRest | None = None
        self.card: SummaryCard | None = None
        self.body = MessageBody(kit.formats, kit.maths, self.selection, self)
        self.body.link_activated.connect(self._on_link_activated)
        self.body.code_copied.connect(self.code_copied)
        parts = attachments(entry.message)
        if parts:
            self.chips = AttachmentChips(kit.theme, parts, kit.pictures, self)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.show_entry()

    # What is shown

    @property
    def is_kept(self) -> bool:
        """Must not be dropped when out of sight: it is being edited, focused or selected in."""
        if self.card is not None and self.card.editor is not None:
            return True
        return self.editor is not None or self._has_focus or self.selection.has_selection()

    def show_entry(self, blocks: Sequence[Block] | None = None) -> None:
        """The entry's message is another, or it has ended; `blocks` if its text has been read already."""
        entry = self._entry
        if entry.live is not None:
            self.show_live()
        else:
            self._show_reasoning(entry.message)
            self._show_unspoken(entry.message)
            self._set_status("")
            self.body.set_blocks(blocks if blocks is not None else self._blocks(entry.message))
        self._show_state()
        self._show_recalled()
        self.show_summary()
        if self._row is not None:
            self._drop_row()
        self._show_row()
        self.setAccessibleName(speaker(entry.message))
        self._describe()

    def show_summary(self) -> None:
        """A summary stands for this message, ends with it, or does no longer."""
        entry = self._entry
        shown = None if self.card is None else self.card.summary
        if shown != entry.summary:
            if self.card is not None:
                self.card.hide()
                self.card.deleteLater()
                self.card = None
            if entry.summary is not None:
                self.card = SummaryCard(self._kit.theme, entry.summary, entry.n_covered, self)
                self.card.edited.connect(self.summary_edited)
                self.card.undone.connect(self.summary_undone)
                self.card.resized.connect(self.resized)
                self.card.show()
        self._describe()
        self.update()

    def _describe(self) -> None:
        entry = self._entry
        mark = tr("Being read aloud.") + "\n" if entry.is_read else ""
        if entry.message.excluded:
            mark += tr("Not in the model's view.") + "\n"
        elif entry.is_covered and not entry.message.pinned:
            mark += tr("The model reads a summary instead.") + "\n"
        for part in attachments(entry.message):
            mark += (image_name(part) if isinstance(part, ImagePart) else tr("File {name}", name=part.name)) + "\n"
        unspoken = "" if self.unspoken is None else "\n" + tr("Not spoken") + ": " + self.unspoken.text[:_DESCRIBED]
        self.setAccessibleDescription(mark + plain_blocks(self._described())[:_DESCRIBED] + unspoken)

    def show_read(self) -> None:
        """It is being read aloud, or is no longer."""
        if self._row is not None:
            self._row.show_read(self._entry.is_read)
        self._show_row()
        self._describe()
        self.update()

    def _show_recalled(self) -> None:
        parts = tuple(part for part in self._entry.message.parts if isinstance(part, RecallPart))
        if parts == (() if self.recalled is None else self.recalled.parts):
            return
        if self.recalled is not None:
            self.recalled.hide()
            self.recalled.deleteLater()
            self.recalled = None
        if parts:
            self.recalled = RecallLines(self._kit.theme, parts, self)
            self.recalled.activated.connect(self.recalled_activated)
            self.recalled.show()

    def show_live(self) -> None:
        """More of the answer has come."""
        live = self._entry.live
        if live is None:
            return
        if live.reasoning.source:
            fold = self._make_fold()
            fold.set_state(live.thought_s, thinking=live.is_thinking)
            fold.set_blocks(live.reasoning.blocks)
        self._set_status(live.status())
        self.body.set_blocks(self._live_blocks(live))

    def refresh_formulas(self) -> bool:
        """Formulas have been drawn. True: the layout is another now."""
        changed = self.body.refresh_formulas()
        if self.fold is not None and self.fold.body.refresh_formulas():
            changed = True
        if self.unspoken is not None and self.unspoken.body.refresh_formulas():
            changed = True
        return changed

    def set_last(self, is_last: bool) -> None:
        """The last message shows its actions all the time."""
        if is_last != self._is_last:
            self._is_last = is_last
            self._show_row()

    def set_current(self, is_current: bool) -> None:
        """Tab stops only at the current message, its links and its actions; the arrows go to the others."""
        self._is_current = is_current
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if is_current else Qt.FocusPolicy.ClickFocus)
        for child in self.findChildren(QWidget):
            if is_current and child.property(_WAS_TAB_STOP):
                child.setFocusPolicy(Qt.FocusPolicy(child.focusPolicy().value | Qt.FocusPolicy.TabFocus.value))
                child.setProperty(_WAS_TAB_STOP, False)
            elif not is_current and child.focusPolicy().value & Qt.FocusPolicy.TabFocus.value:
                child.setFocusPolicy(Qt.FocusPolicy(child.focusPolicy().value & ~Qt.FocusPolicy.TabFocus.value))
                child.setProperty(_WAS_TAB_STOP, True)

    def set_focused(self, has_focus: bool) -> None:
        """The keyboard is in this message."""
        if has_focus != self._has_focus:
            self._has_focus = has_focus
            self._show_row()
            self.update()

    def edit(self) -> None:
        """Open the editor in place."""
        if self.editor is not None:
            return
        self.editor = MessageEditor(self._kit.theme, self._entry.message.text, resends=self._is_own, parent=self)
        self.editor.accepted.connect(self._on_edit_accepted)
        self.editor.cancelled.connect(self._close_editor)
        self.editor.show()
        self._show_parts(False)
        self._show_row()
        self.editor.edit.setFocus()
        self.resized.emit()

    def focus_actions(self) -> None:
        """Put the keyboard on the first action."""
        self._has_focus = True
        self._show_row()
        if self._row is not None:
            self._row.focus_first()

    def confirm_copy(self) -> None:
        if self._row is not None and Action.COPY in self._row.buttons:
            self._row.confirm_copy()

    def lay_out(self, width: int) -> int:
        """Place everything for that width."""
        self._width = width
        space = self._kit.theme.space
        measure = min(space(MEASURE), width - 2 * space(GUTTER))
        left = (width - measure) // 2
        top = space(3)
        if self.editor is not None:
            height = self.editor.height_for(measure)
            self.editor.setGeometry(left, top, measure, height)
            self._bubble = QRect()
            return self._lay_out_card(left, top + height + space(6), measure)
        top = self._lay_out_own(left, top, measure) if self._is_own else self._lay_out_answer(left, top, measure)
        row = space(8)
        if self._row is not None:
            self._row.setGeometry(left - (0 if self._is_own else space(1.5)), top + space(1), measure + space(1.5), row)
        return self._lay_out_card(left, top + space(1) + row + space(2), measure)

    def _lay_out_card(self, left: int, top: int, measure: int) -> int:
        self._own_bottom = top
        if self.card is None:
            return top
        height = self.card.lay_out(measure)
        self.card.setGeometry(left, top, measure, height)
        return top + height + self._kit.theme.space(4)

    def _lay_out_own(self, left: int, top: int, measure: int) -> int:
        space = self._kit.theme.space
        if self.chips is not None:
            height = self.chips.lay_out(measure)
            self.chips.setGeometry(left, top, measure, height)
            top += height
        self._bubble = QRect()
        if not self.body.views:
            return top
        side, over = space(4), space(2.75)
        inner = self.body.ideal_width(round(measure * _BUBBLE_SHARE) - 2 * side)
        height = self.body.lay_out(inner)
        if self.more_button is not None:
            inner = max(inner, self.more_button.sizeHint().width())
        x = left + measure - inner - side
        self.body.setGeometry(x, top + over, inner, height)
        bottom = top + over + height
        if self.more_button is not None:
            hint = self.more_button.sizeHint()
            self.more_button.setGeometry(x, bottom + space(1), hint.width(), hint.height())
            bottom += hint.height() + space(1)
        self._bubble = QRect(x - side, top, inner + 2 * side, bottom + over - top)
        bottom += over
        if self.recalled is not None:
            height = self.recalled.lay_out(measure)
            self.recalled.setGeometry(left, bottom + space(1), measure, height)
            bottom += height + space(1)
        return bottom

    def _lay_out_answer(self, left: int, top: int, measure: int) -> int:
        space = self._kit.theme.space
        self._bubble = QRect()
        if self.fold is not None:
            height = self.fold.lay_out(measure)
            self.fold.setGeometry(left, top, measure, height)
            top += height + space(3)
        if self._status is not None:
            height = self._status.sizeHint().height()
            self._status.setGeometry(left, top, measure, height)
            top += height
        height = self.body.lay_out(measure)
        self.body.setGeometry(left, top, measure, height)
        top += height
        if self.unspoken is not None:
            height = self.unspoken.lay_out(measure)
            gap = space(3) if self.body.views else 0
            self.unspoken.setGeometry(left, top + gap, measure, height)
            top += gap + height
        if self._state is not None:
            height = self._state.lay_out(measure)
            gap = space(2) if self.body.views else 0
            self._state.setGeometry(left, top + gap, measure, height)
            top += gap + height
        return top

    def _live_blocks(self, live: LiveAnswer) -> Sequence[Block]:
        sources = self._entry.sources
        if sources is None:
            return inert_blocks(live.text.blocks, self._entry.addresses)
        if self._live_citations is None or self._live_citations.sources is not sources:
            self._live_citations = LiveCitations(sources)
        return inert_blocks(self._live_citations.blocks(live.text.blocks), self._entry.addresses)

    def _blocks(self, message: StoredMessage) -> Sequence[Block]:
        if message.role is Role.ASSISTANT:
            if self._entry.sources is not None:
                blocks = cited_blocks(self._kit.reader, message.text, self._entry.sources)
            else:
                blocks = self._kit.reader.read(message.text).blocks
            return inert_blocks(blocks, self._entry.addresses)
        text = message.text
        if not self._entry.shows_all and (len(text) > _FOLD_CHARACTERS or text.count("\n") > _FOLD_LINES):
            text = "\n".join(text[:_FOLD_CHARACTERS].split("\n")[:_FOLD_LINES]) + " …"
            self.more_button = QPushButton(tr("Show all of it"), self)
            self.more_button.setProperty("kind", "link")
            self.more_button.clicked.connect(self._on_more_clicked)
        return verbatim_blocks(text)

    def _on_link_activated(self, url: str) -> None:
        entry = self._entry
        target = target_of(url, entry.message.text, entry.sources, entry.addresses)
        if isinstance(target, str):
            self.link_activated.emit(target)
        elif target is not None:
            self.citation_activated.emit(target)

    def _described(self) -> Sequence[Block]:
        entry = self._entry
        if entry.live is not None:
            return ()
        if entry.message.role is Role.ASSISTANT:
            return self._kit.reader.read(entry.message.text[:_DESCRIBED]).blocks
        return verbatim_blocks(entry.message.text[:_DESCRIBED])

    def _make_fold(self) -> ReasoningFold:
        if self.fold is None:
            kit, entry = self._kit, self._entry
            self.fold = ReasoningFold(kit.quiet, kit.maths, self.selection, expanded=entry.shows_thoughts, parent=self)
            self.fold.toggled.connect(self._on_fold_toggled)
            self.fold.link_activated.connect(self._on_link_activated)
            self.fold.show()
        return self.fold

    def _show_reasoning(self, message: StoredMessage) -> None:
        thoughts = [part for part in message.parts if isinstance(part, ReasoningPart)]
        if not thoughts:
            return
        fold = self._make_fold()
        fold.set_state(sum(part.seconds for part in thoughts), thinking=False)
        fold.set_blocks(self._kit.reader.read("\n\n".join(part.text for part in thoughts)).blocks)

    def _show_unspoken(self, message: StoredMessage) -> None:
        text = "".join(part.text for part in message.parts if isinstance(part, UnspokenPart)).strip()
        if text == ("" if self.unspoken is None else self.unspoken.text):
            return
        if self.unspoken is not None:
            self.unspoken.hide()
            self.unspoken.deleteLater()
            self.unspoken = None
        if text:
            self.unspoken = UnspokenRest(self._kit, self.selection, text, self)
            self.unspoken.link_activated.connect(self._on_link_activated)
            self.unspoken.show()

    def status_text(self) -> str:
        """What happens while there is nothing to read."""
        return self._status.text() if self._status is not None else ""

    def _set_status(self, text: str) -> None:
        if not text:
            if self._status is not None:
                self._status.hide()
                self._status.deleteLater()
                self._status = None
            return
        if self._status is None:
            self._status = QLabel(self)
            self._status.setProperty("kind", "muted")
            self._status.show()
        self._status.setText(text)

    def _show_state(self) -> None:
        if self._state is not None:
            self._state.hide()
            self._state.deleteLater()
            self._state = None
        states = (MessageState.STOPPED, MessageState.INTERRUPTED, MessageState.FAILED)
        if not self._is_own and self._entry.live is None and self._entry.message.state in states:
            self._state = StateLine(self._kit.theme, self._entry.message, self)
            self._state.chosen.connect(self.acted)
            self._state.show()

    # The row of actions is made when it is first wanted

    def _show_row(self) -> None:
        message = self._entry.message
        wanted = self._is_last or self._is_hovered or self._has_focus or message.siblings > 1 or self._entry.is_read
        wanted = wanted and self.editor is None and self._entry.live is None
        if not wanted:
            if self._row is not None:
                self._row.hide()
            return
        if self._row is None:
            self._row = ActionRow(
                self._kit.theme,
                message,
                ended_early=self._entry.ended_early,
                parent=self,
                allowed=self._kit.allowed,
            )
            self._row.chosen.connect(self.acted)
            self._row.left.connect(lambda: self.setFocus(Qt.FocusReason.TabFocusReason))
            self._row.show_read(self._entry.is_read)
            if self._width > 0:
                self.lay_out(self._width)
            self.set_current(self._is_current)
        self._row.show()

    def _drop_row(self) -> None:
        if self._row is not None:
            self._row.hide()
            self._row.deleteLater()
            self._row = None

    def _close_editor(self) -> None:
        if self.editor is not None:
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None
            self._show_parts(True)
            self._show_row()
            self.setFocus(Qt.FocusReason.TabFocusReason)
            self.resized.emit()

    def _show_parts(self, visible: bool) -> None:
        for part in (
            self.body, self.chips, self.recalled, self.fold, self.unspoken, self._state, self.more_button
        ):  # fmt: skip
            if part is not None:
                part.setVisible(visible)

    def _on_edit_accepted(self, text: str) -> None:
        self._close_editor()
        if text.strip() and text != self._entry.message.text:
            self.edited.emit(text)

    def _on_fold_toggled(self, expanded: bool) -> None:
        self._entry.shows_thoughts = expanded
        self.resized.emit()

    def _on_more_clicked(self) -> None:
        self._entry.shows_all = True
        if self.more_button is not None:
            self.more_button.hide()
            self.more_button.deleteLater()
            self.more_button = None
        self.body.set_blocks(self._blocks(self._entry.message))
        self.resized.emit()

    def copy_selection(self) -> bool:
        """Copy what is selected. False: nothing is."""
        text = self.selection.text()
        if text:
            QGuiApplication.clipboard().setText(text)
        return bool(text)

    def menu(self, *, link: str = "") -> QMenu:
        """The context menu."""
        menu = QMenu(self)
        if link:
            menu.addAction(tr("Open link…"), lambda: self._on_link_activated(link))
            menu.addAction(tr("Copy link address"), lambda: QGuiApplication.clipboard().setText(link))
            menu.addSeparator()
        if self.selection.has_selection():
            menu.addAction(tr("Copy selection"), self.copy_selection)
        menu.addAction(tr("Copy message as Markdown"), lambda: self.acted.emit(Action.COPY))
        menu.addAction(tr("Copy message as plain text"), lambda: self.acted.emit(Action.COPY_PLAIN))
        menu.addAction(tr("Select all of the message"), self.selection.select_all)
        menu.addSeparator()
        message = self._entry.message
        for action in actions_of(message, ended_early=self._entry.ended_early, allowed=self._kit.allowed):
            if action is not Action.COPY:
                menu.addAction(
                    action_label(action, message, is_read=self._entry.is_read), partial(self.acted.emit, action)
                )
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        under = self.childAt(event.pos())
        view = under.parentWidget() if under is not None else None
        link = view.link_at(view.mapFrom(self, event.pos())) if isinstance(view, SafeTextView) else ""
        menu = self.menu(link=link)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        self._is_hovered = True
        self._show_row()

    def leaveEvent(self, event: QEvent) -> None:
        self._is_hovered = False
        self._show_row()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            if not self.copy_selection():
                self.acted.emit(Action.COPY)
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selection.select_all()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step_requested.emit(-1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.hasFocus():
            self.focus_actions()
        elif key == Qt.Key.Key_Menu:
            self.menu().popup(self.mapToGlobal(self.rect().center()))
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._shows_ring = event.reason() is not Qt.FocusReason.MouseFocusReason
        self.set_focused(True)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._kit.theme
        if not self._bubble.isEmpty():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(QRectF(self._bubble), theme.space(4), theme.space(4))
        entry = self._entry
        if entry.message.excluded or (entry.is_covered and not entry.message.pinned):
            # Beside the text, so that what the model no longer reads word for word can be told at a glance.
            color = theme.color("text_faint") if entry.message.excluded else theme.origin_color("summary")
            painter.setPen(QPen(color, 2, Qt.PenStyle.DotLine, Qt.PenCapStyle.RoundCap))
            x = (self.width() - min(theme.space(MEASURE), self.width() - 2 * theme.space(GUTTER))) / 2 - theme.space(3)
            painter.drawLine(QPointF(x, theme.space(2)), QPointF(x, self._own_bottom - theme.space(2)))
        if entry.is_read:
            painter.setPen(QPen(theme.color("accent"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            x = (self.width() - min(theme.space(MEASURE), self.width() - 2 * theme.space(GUTTER))) / 2 - theme.space(3)
            painter.drawLine(QPointF(x, theme.space(3)), QPointF(x, self._own_bottom - theme.space(11)))
        if self.hasFocus() and self._shows_ring:
            painter.setPen(QPen(theme.color("focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._focus_frame(), theme.space(2.5), theme.space(2.5))
        painter.end()

    def _focus_frame(self) -> QRectF:
        space = self._kit.theme.space
        measure = min(space(MEASURE), self.width() - 2 * space(GUTTER)) + space(6)
        return QRectF((self.width() - measure) / 2, 2, measure, self.height() - 4)
