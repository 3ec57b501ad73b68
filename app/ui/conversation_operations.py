"""What a person does to conversations as a whole: rename, pin, file, tag, archive, delete, export.

One object for each window, which owns the dialogs and toasts. Knows no list and no transcript.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMarginsF, QObject, QStandardPaths, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage, QPageLayout, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QFileDialog, QWidget

from app.i18n import ntr, tr
from app.limits import TITLE_CHARACTERS
from app.store.images import SUFFIXES, ImageFolder
from app.store.types import Conversation, Folder, StoredMessage
from app.ui.dialogs import ask_text, confirm
from app.ui.library import sentence_of
from app.ui.sidebar_model import shown_title
from app.ui.toast import Toasts
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.store.store import ConversationStore

FORMATS = {"markdown": ".md", "html": ".html", "json": ".json", "pdf": ".pdf"}


class ConversationOperations(QObject):
    """Named operations on the library, with their questions and their undo."""

    conversation_deleted = Signal(str)

    def __init__(self, workspace: Workspace, toasts: Toasts, window: QWidget) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._theme, self._library, self._bridge = workspace.theme, workspace.library, workspace.bridge
        self._pool, self._toasts, self._window = workspace.pool, toasts, window

    def rename(self, conversation_id: str, title: str) -> None:
        self._library.run(lambda store: store.rename(conversation_id, title))

    def toggle_pinned(self, conversation: Conversation) -> None:
        self._library.run(lambda store: store.set_pinned(conversation.id, not conversation.pinned))

    def toggle_archived(self, conversation: Conversation) -> None:
        """Into the archive or back, undoable."""
        archived = not conversation.archived

        def done(_changes: object) -> None:
            self._toasts.show(
                tr("Archived “{title}”", title=shown_title(conversation))
                if archived
                else tr("“{title}” is back in the list", title=shown_title(conversation)),
                action=tr("Undo"),
                run=lambda: self._library.run(lambda store: store.set_archived(conversation.id, not archived)),
            )

        self._library.run(lambda store: store.set_archived(conversation.id, archived), done)

    def move(self, conversation_id: str, folder_id: str | None) -> None:
        conversation = self._library.conversation(conversation_id)
        if conversation is not None and conversation.folder_id != folder_id:
            self._library.run(lambda store: store.set_folder(conversation_id, folder_id))

    def delete(self, conversation: Conversation) -> None:
        """Delete at once, with a toast that brings it back."""

        def done(_changes: object) -> None:
            self.conversation_deleted.emit(conversation.id)
            if (services := self._workspace.services) is not None:
                self._pool.submit(services.remembered.forget, conversation.id)
            self._toasts.show(
                tr("Deleted “{title}”", title=shown_title(conversation)),
                action=tr("Undo"),
                run=lambda: self._library.run(lambda store: store.restore_conversation(conversation.id)),
            )

        self._library.run(lambda store: store.delete_conversation(conversation.id), done)

    def edit_tags(self, conversation: Conversation) -> None:
        text = ask_text(
            self._theme,
            self._window,
            tr("Tags"),
            label=tr("Separate several tags with commas."),
            text=", ".join(conversation.tags),
            yes=tr("Save"),
            may_be_empty=True,
        )
        if text is not None:
            tags = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
            self._library.run(lambda store: store.set_tags(conversation.id, tags))

    def new_folder(self, conversation_id: str | None = None) -> None:
        """Ask for a name; put the conversation in, if one is given."""
        name = ask_text(
            self._theme, self._window, tr("New folder"), label=tr("Name"), yes=tr("Create"), limit=TITLE_CHARACTERS
        )
        if not name:
            return

        def create(store: ConversationStore) -> Folder:
            folder = store.create_folder(name)
            if conversation_id is not None:
                store.set_folder(conversation_id, folder.id)
            return folder

        self._library.run(create)

    def rename_folder(self, folder_id: str, name: str) -> None:
        self._library.run(lambda store: store.rename_folder(folder_id, name))

    def delete_folder(self, folder: Folder) -> None:
        """Ask first: the conversations stay, but the grouping is lost."""
        inside = sum(each.folder_id == folder.id for each in self._library.conversations)
        if inside and not confirm(
            self._theme,
            self._window,
            tr("Delete the folder “{name}”?", name=folder.name),
            ntr(
                "Its {count} chat stays, without a folder.",
                "Its {count} chats stay, without a folder.",
                inside,
            ),
            yes=tr("Delete folder"),
            danger=True,
        ):
            return
        self._library.run(lambda store: store.delete_folder(folder.id))

    def export(self, conversation: Conversation, format_name: str) -> None:
        """Ask where to, then write off the main thread."""
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        suggested = folder / (_file_name(shown_title(conversation)) + FORMATS[format_name])
        chosen, _filter = QFileDialog.getSaveFileName(
            self._window, tr("Export chat"), str(suggested), f"*{FORMATS[format_name]}"
        )
        if chosen:
            self.export_to(conversation, format_name, Path(chosen))

    def export_to(
        self,
        conversation: Conversation,
        format_name: str,
        target: Path,
        done: Callable[[], None] | None = None,
    ) -> None:
        """Write a conversation to `target`: all of it as JSON, else the branch on show."""

        def failed(error: BaseException) -> None:
            self._toasts.show(sentence_of(error))

        def written(_result: object) -> None:
            self._toasts.show(
                tr("Saved as {name}", name=target.name),
                action=tr("Show"),
                run=lambda: _show_folder(target.parent),
            )
            if done is not None:
                done()

        def render_and_write(source: _Source) -> None:
            write = _write_pdf if format_name == "pdf" else _write_text
            write(target, _render(source, format_name))

        def read(source: _Source) -> None:
            self._bridge.then(self._pool.submit(render_and_write, source), written, failed)

        self._library.run(lambda store: _read(store, conversation.id, format_name), read, failed=failed)


_Source = tuple[Conversation, Sequence[StoredMessage], ImageFolder]


def _read(store: ConversationStore, conversation_id: str, format_name: str) -> _Source:
    # JSON is for coming back: it holds every branch. The others are for reading.
    messages = store.tree(conversation_id) if format_name == "json" else store.path(conversation_id)
    return store.conversation(conversation_id), messages, store.images


def _render(source: _Source, format_name: str) -> str:
    from app.store.exporting import to_html, to_json, to_markdown  # noqa: PLC0415  # only when asked for

    render = {
        "markdown": to_markdown,
        "json": to_json,
        "html": to_html,
        "pdf": to_html,
    }[format_name]
    conversation, messages, images = source
    return render(conversation, messages, images.read)


_EMBEDDED = tuple(f"data:{media_type};base64" for media_type in SUFFIXES)


def _show_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _write_text(target: Path, text: str) -> None:
    target.write_text(text, encoding="utf-8")


class _LocalDocument(QTextDocument):
    """A document that loads nothing from anywhere; the images that an export holds are in its own text."""

    def loadResource(self, type: int, name: QUrl | str) -> object:  # noqa: A002  # Qt's name
        address = name.toString() if isinstance(name, QUrl) else name
        head, _comma, data = address.partition(",")
        if type == QTextDocument.ResourceType.ImageResource.value and head in _EMBEDDED:
            return QImage.fromData(base64.b64decode(data))
        return None


_PIXELS_AN_INCH = 96
"""What a pixel is to a style sheet. At a writer's own 1,200, letters of 16 pixels are a third of a millimetre high."""


def _write_pdf(target: Path, html: str) -> None:
    document = _LocalDocument()
    document.setHtml(html)
    writer = QPdfWriter(str(target))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(), QPageLayout.Unit.Millimeter)  # Qt keeps two centimetres itself
    writer.setResolution(_PIXELS_AN_INCH)
    document.print_(writer)
    if not target.exists():
        raise OSError(None, tr("it could not be written"), str(target))


def _file_name(title: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in " -_.," else " " for letter in title)
    return " ".join(kept.split())[:80] or "chat"
