"""Where a person writes: a text field that grows, what is attached, and one button that sends or stops.

Knows no conversation and no store: the page gives it a draft, and it says what was written and when to send it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QImage,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.dictated_words import seamed
from app.document_kinds import is_document
from app.i18n import ntr, tr
from app.limits import ATTACHMENTS_PER_MESSAGE
from app.store.types import Draft, ImagePart
from app.ui.attachments import AttachmentChip, AttachmentRow
from app.ui.attachments_reader import AttachmentReader, Runner
from app.ui.bridge import EventBridge
from app.ui.composer_button import SendButton
from app.ui.composer_microphone import MicrophoneButton, Stage
from app.ui.composer_text import ComposerText, given_image, holds_image, local_files
from app.ui.icons import IconButton
from app.ui.pictures import Pictures
from app.ui.theme import Theme
from engine.display_name import display_name
from engine.engine import EngineState, EngineStatus
from engine.types import LoadedModel

_DRAFT_DELAY_MS = 400


class OptionReader(Protocol):
    """What the composer needs of the settings."""

    def get(self, key: str) -> object: ...


class Composer(QWidget):
    """Writing is always possible; sending only while there is something to send and nothing stands against it."""

    submitted = Signal(str, tuple)
    """The text and a tuple of `Attached`. The composer is empty already; `restore` brings a failed one back."""
    stop_requested = Signal()
    draft_changed = Signal(object)
    """A `Draft`, a moment after the last change."""
    attachment_refused = Signal(str)
    """The sentence that says why."""
    edit_last_requested = Signal()
    documents_menu_requested = Signal(object)
    """A `QMenu` that is about to be shown, to be filled."""
    dictation_end_requested = Signal()
    """The keys that send or stop were pressed while somebody dictates."""
    files_dropped = Signal(list)
    """Paths that were dropped here; whoever hears it gives back by `add_files` what is to be attached."""
    documents_given = Signal(list)
    """Paths of files and folders to be looked into, which are too much to be attached whole."""
    text_given = Signal(str)
    """A pasted text that is too much for a message: it is to be looked into."""

    def __init__(
        self,
        theme: Theme,
        settings: OptionReader,
        *,
        run: Runner,
        bridge: EventBridge,
        pictures: Pictures,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._settings = settings
        self._pictures = pictures
        self._reader = AttachmentReader(run, bridge, pictures.folder)
        self._model: LoadedModel | None = None
        self._generating = False
        self._reason = ""
        self._dictation = ""
        """Where dictation stands, in words."""
        self._addressee = ""
        self._dropping = False
        self._pasted_images = 0
        self.setObjectName("composer")
        self.setAcceptDrops(True)
        self.setAccessibleName(tr("Message"))

        self._attachments = AttachmentRow(theme, pictures, self)
        self._text = ComposerText(theme, self._sends_on_enter, self, seam=self._seamed)
        self._text.setAccessibleName(tr("Message"))
        self._attach = IconButton(theme, "paperclip", tr("Attach files or images"), parent=self)
        self._documents = IconButton(theme, "book-open", tr("Documents of this chat"), parent=self)
        self.microphone = MicrophoneButton(theme, self)
        self._hint = QLabel(self)
        self._hint.setProperty("kind", "caption")
        self._send = SendButton(theme, self)
        self._lay_out()
        self._draft_timer = QTimer(self, singleShot=True, interval=_DRAFT_DELAY_MS)
        self._draft_timer.timeout.connect(self._emit_draft)
        self._text.textChanged.connect(self._on_edited)
        self._text.send_requested.connect(self.submit)
        self._text.stop_requested.connect(self._on_escape)
        self._text.edit_last_requested.connect(self._on_up_in_empty)
        self._text.files_given.connect(self.add_files)
        self._text.long_paste_given.connect(self.text_given)
        self._text.image_given.connect(self.add_image)
        self._text.focus_changed.connect(self.update)
        self._attachments.changed.connect(self._on_edited)
        self._attachments.left_by_keyboard.connect(self._text.setFocus)
        self._attachments.opened.connect(self._on_opened)
        self._attach.clicked.connect(self._on_attach)
        self._documents.clicked.connect(self._on_documents)
        self._send.clicked.connect(self._on_button)
        theme.changed.connect(self._on_theme_changed)
        self.set_model_state(EngineState(EngineStatus.READY))
        self._on_theme_changed()

    def _lay_out(self) -> None:
        self._bottom = QHBoxLayout()
        self._bottom.addWidget(self._attach)
        self._bottom.addWidget(self._documents)
        self._bottom.addWidget(self.microphone)
        self._bottom.addStretch(1)
        self._bottom.addWidget(self._hint)
        self._bottom.addWidget(self._send)
        self._words = QVBoxLayout()
        self._words.addWidget(self._attachments)
        self._words.addWidget(self._text)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._words)
        self._column.addLayout(self._bottom)
        self.setFocusProxy(self._text)
        QWidget.setTabOrder(self._text, self._send)
        QWidget.setTabOrder(self._send, self._attach)
        QWidget.setTabOrder(self._attach, self._documents)
        QWidget.setTabOrder(self._documents, self.microphone)

    # What the page tells the composer

    @property
    def field(self) -> ComposerText:
        """Where the words stand."""
        return self._text

    @property
    def draft(self) -> Draft:
        """What stands here now."""
        return Draft(self._text.toPlainText(), self._attachments.parts)

    def set_draft(self, draft: Draft) -> None:
        """Show another conversation's draft; nothing is emitted."""
        self._draft_timer.stop()
        self._pasted_images = 0
        for source in (self._text, self._attachments):
            source.blockSignals(True)
        self._text.setPlainText(draft.text)
        self._attachments.set_parts(draft.attachments)
        for source in (self._text, self._attachments):
            source.blockSignals(False)
        cursor = self._text.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self._text.setTextCursor(cursor)
        if self._text.provisional.is_on:
            self._text.provisional.begin()
        self._show_state()

    def restore(self, draft: Draft) -> None:
        """Put back what could not be sent, before whatever was written meanwhile."""
        now = self.draft
        text = f"{draft.text}\n\n{now.text}" if now.text and draft.text else draft.text or now.text
        self.set_draft(Draft(text, (*draft.attachments, *now.attachments)))
        self._emit_draft()

    def flush_draft(self) -> None:
        """Emit `draft_changed` now if a change is waiting (before the conversation or the window goes)."""
        if self._draft_timer.isActive():
            self._draft_timer.stop()
            self._emit_draft()

    def insert_text(self, text: str) -> None:
        """Put text where the cursor is (an example question), undoable."""
        self._text.insertPlainText(text)
        self._text.setFocus()

    def begin_dictation(self) -> None:
        """What is said from now on is written where the cursor is now."""
        self._text.provisional.begin()

    def show_provisional(self, stable: str, tail: str) -> None:
        """Words that stay, and words that may change; none of them is part of the draft."""
        self._text.provisional.show(stable, tail)

    def write_dictated(self, words: str) -> None:
        """These were said: they are ordinary text from now on."""
        self._text.provisional.commit(words)

    def end_dictation(self) -> None:
        """Words that are still provisional go."""
        self._text.provisional.end()

    def around_dictation(self) -> tuple[str, str]:
        """The draft before the place of dictation, and behind it."""
        return self._text.provisional.around()

    @property
    def provisional_words(self) -> str:
        return self._text.provisional.words

    def show_dictation(self, where: str) -> None:
        """Say where dictation stands; "" while there is none."""
        self._dictation = where
        self._show_placeholder()
        self._show_state()

    def set_generating(self, generating: bool) -> None:
        """While an answer is written the button stops it."""
        self._generating = generating
        self._show_state()

    def set_enabled_with_reason(self, reason: str) -> None:
        """Say why nothing can be sent now; "" when it can. Writing stays possible."""
        self._reason = reason
        self._show_state()

    def set_model_state(self, state: EngineState, name: str = "") -> None:
        """Let the empty field say where the engine stands; `name` is the model that is loading.

        Images are refused where it is known that the model cannot look at them.
        """
        if state.status is EngineStatus.LOADING:
            shown = name or (state.model.name if state.model is not None else "")
            waiting = tr("Loading {model}… you can already write", model=shown)
            self._placeholder = waiting if shown else tr("Loading the model… you can already write")
        elif state.status is EngineStatus.EMPTY and state.model is None:
            self._placeholder = tr("Choose a model to talk to, or start writing")
        else:
            self._placeholder = ""
        self._show_placeholder()
        self._model = state.model
        self._show_state()

    def set_addressee(self, name: str) -> None:
        """Who is written to; "" for Hearth itself."""
        self._addressee = name
        self._show_placeholder()

    def add_files(self, paths: Iterable[Path]) -> None:
        """Attach files as if they had been dropped here; documents go to the library."""
        given = list(paths)
        documents = [path for path in given if is_document(path)]
        if documents:
            self.documents_given.emit(documents)
        for path in given:
            if path in documents:
                continue
            if self._is_full():
                return
            name = display_name(path.name) or str(path)
            chip = self._attachments.add(name)

            filled, refused = partial(self._attachments.fill, chip), partial(self._on_refused, chip)
            self._reader.read(path, filled, refused, blind=self._blind_model())

    def add_image(self, image: bytes | QImage) -> None:
        """Attach an image that has no file: its bytes as a file would hold them, or decoded."""
        if self._is_full():
            return
        self._pasted_images += 1
        number = self._pasted_images
        name = tr("Pasted image.png") if number == 1 else tr("Pasted image {number}.png", number=number)
        chip = self._attachments.add(name)
        filled, refused = partial(self._attachments.fill, chip), partial(self._on_refused, chip)
        self._reader.take(image, name, filled, refused, blind=self._blind_model())

    def submit(self) -> None:
        """Send what stands here, if it can be sent. While somebody dictates, that ends first."""
        if self._dictation:
            self.dictation_end_requested.emit()
            return
        if not self._can_send():
            return
        draft = self.draft
        self._text.blockSignals(True)
        self._text.clear()
        self._text.blockSignals(False)
        self._attachments.blockSignals(True)
        self._attachments.set_parts(())
        self._attachments.blockSignals(False)
        self._draft_timer.stop()
        self._pasted_images = 0
        self._show_state()
        self.submitted.emit(draft.text.strip(), draft.attachments)
        self._emit_draft()

    # What happens in it

    def _blind_model(self) -> str:
        """The name of the model if it is known that it cannot look at images."""
        return "" if self._model is None or self._model.can_see else self._model.name or tr("This model")

    def _sends_on_enter(self) -> bool:
        return self._settings.get("chat.send_with") != "ctrl_enter"

    def _can_send(self) -> bool:
        if self._generating or self._reason or self._attachments.is_reading:
            return False
        return bool(self._text.toPlainText().strip() or self._attachments.parts)

    def _is_full(self) -> bool:
        full = len(self._attachments.chips) >= ATTACHMENTS_PER_MESSAGE
        if full:
            self.attachment_refused.emit(
                ntr(
                    "A message can carry {count} file, so the rest was left out.",
                    "A message can carry {count} files, so the rest was left out.",
                    ATTACHMENTS_PER_MESSAGE,
                )
            )
        return full

    def _seamed(self, before: str, words: str, after: str) -> str:
        return seamed(before, words, after, language=str(self._settings.get("voice.language") or ""))

    def _show_placeholder(self) -> None:
        to = tr("Message {name}", name=self._addressee) if self._addressee else tr("Message Hearth")
        self._text.setPlaceholderText(self._dictation or self._placeholder or to)

    def _emit_draft(self) -> None:
        self.draft_changed.emit(self.draft)

    def _on_edited(self) -> None:
        if self._text.provisional.is_laying_out:
            return  # no word of the draft has changed
        self._draft_timer.start()
        self._show_state()

    def _on_button(self) -> None:
        if self._generating:
            self.stop_requested.emit()
        else:
            self.submit()
            self._text.setFocus()

    def _on_escape(self) -> None:
        if self._dictation:
            self.dictation_end_requested.emit()
            return
        if self._generating:
            self.stop_requested.emit()

    def _on_up_in_empty(self) -> None:
        if not self._attachments.chips:
            self.edit_last_requested.emit()

    def _on_attach(self) -> None:
        names, _filter = QFileDialog.getOpenFileNames(self, tr("Attach files or images"))
        self.add_files(Path(name) for name in names)
        self._text.setFocus()

    def _on_documents(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.documents_menu_requested.emit(menu)
        menu.popup(self._documents.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _on_opened(self, part: ImagePart) -> None:
        from app.ui.picture_dialog import open_picture  # noqa: PLC0415  # wanted by few

        open_picture(self._theme, self._pictures, part, self)

    def _on_refused(self, chip: AttachmentChip, message: str) -> None:
        self._attachments.remove(chip)
        self.attachment_refused.emit(message)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        # The clip's lines, not its button's frame, stand below the text.
        self._column.setContentsMargins(space(2.5), space(3.5), space(2.5), space(2.5))
        self._words.setContentsMargins(space(1.5), 0, space(1.5), 0)
        for layout in (self._column, self._words):
            layout.setSpacing(space(2))
        self._bottom.setSpacing(space(2))
        self._show_state()
        self.update()

    def _show_state(self) -> None:
        self._send.set_state(generating=self._generating, enabled=self._can_send(), reason=self._reason)
        hint = self._reason or (tr("Reading files…") if self._attachments.is_reading else "")
        if not hint and self._blind_model() and any(isinstance(part, ImagePart) for part in self._attachments.parts):
            hint = tr("This model cannot look at images: it reads their names only")
        if not hint and self._text.toPlainText() and not self._generating:
            hint = tr("Enter to send") if self._sends_on_enter() else tr("{keys} to send", keys=_control_enter())
        if self._dictation:
            hint = self._dictation if self.microphone.stage is Stage.ENDING else tr("Esc to end")
        self._hint.setText(hint)

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        mime = event.mimeData()
        if mime.hasText() or holds_image(mime) or local_files(mime):
            self._dropping = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._dropping = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._dropping = False
        self.update()
        mime = event.mimeData()
        # An image from a web page comes with its address as text: the image is meant.
        image = None if local_files(mime) else given_image(mime)
        if image is not None:
            self.add_image(image)
        elif files := local_files(mime):
            self.files_dropped.emit(files)
        elif mime.hasText():
            self._text.insertFromMimeData(mime)
        else:
            return
        self._text.setFocus()
        event.acceptProposedAction()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._text.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        active = self._dropping or self._text.hasFocus()
        width = 2 if self._dropping else 1
        pen = QPen(self._theme.color("accent" if self._dropping else "text_faint" if active else "border"), width)
        if self._dropping:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(self._theme.color("raised" if self._dropping else "surface"))
        radius = self._theme.space(4)
        inset = width / 2
        painter.drawRoundedRect(self.rect().toRectF().adjusted(inset, inset, -inset, -inset), radius, radius)


def _control_enter() -> str:
    return QKeySequence("Ctrl+Enter").toString(QKeySequence.SequenceFormat.NativeText)
