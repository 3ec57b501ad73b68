"""The menu of one conversation, the same in the sidebar, in the header and on the menu key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from app.i18n import tr
from app.store.types import Conversation
from app.ui.conversation_operations import ConversationOperations
from app.ui.icons import themed_icon
from app.ui.workspace import Workspace


def conversation_menu(
    workspace: Workspace,
    operations: ConversationOperations,
    conversation: Conversation,
    parent: QWidget,
    *,
    rename: Callable[[], None],
) -> QMenu:
    """A menu ready to pop up; it deletes itself when it closes."""
    theme, library, commands = workspace.theme, workspace.library, workspace.commands
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)

    def add(
        to: QMenu, icon: str, text: str, run: Callable[[], object], *, keys: str = "", color: str = "text_muted"
    ) -> None:
        action = to.addAction(themed_icon(theme, icon, color=color), text)
        if keys and (sequences := commands.sequences(keys)):
            action.setShortcut(sequences[0])
            action.setShortcutVisibleInContextMenu(True)
        action.triggered.connect(lambda _checked=False: run())

    add(menu, "pencil", tr("Rename"), rename, keys="rename")
    if conversation.pinned:
        add(menu, "pin-off", tr("Unpin"), lambda: operations.toggle_pinned(conversation), keys="pin")
    else:
        add(menu, "pin", tr("Pin"), lambda: operations.toggle_pinned(conversation), keys="pin")
    add(menu, "tag", tr("Tags…"), lambda: operations.edit_tags(conversation), keys="edit_tags")
    folders = menu.addMenu(themed_icon(theme, "folder-input"), tr("Move to folder"))
    for folder in sorted(library.folders, key=lambda each: each.name.casefold()):
        action = folders.addAction(folder.name)
        action.setCheckable(True)
        action.setChecked(folder.id == conversation.folder_id)
        action.triggered.connect(lambda _checked=False, to=folder.id: operations.move(conversation.id, to))
    if library.folders:
        folders.addSeparator()
    if conversation.folder_id is not None:
        add(folders, "x", tr("No folder"), lambda: operations.move(conversation.id, None))
    add(folders, "folder-plus", tr("New folder…"), lambda: operations.new_folder(conversation.id))
    add(
        menu,
        "app-window",
        tr("Open in new window"),
        lambda: workspace.window_requested.emit(conversation.id),
        keys="open_in_new_window",
    )
    export = menu.addMenu(themed_icon(theme, "download"), tr("Export"))
    for name, title in (
        ("markdown", tr("Markdown…")),
        ("html", tr("Web page (HTML)…")),
        ("pdf", tr("PDF…")),
        ("json", tr("JSON…")),
    ):
        add(export, "file-text", title, partial(operations.export, conversation, name))
    menu.addSeparator()
    if conversation.archived:
        add(menu, "archive-restore", tr("Back to the list"), lambda: operations.toggle_archived(conversation))
    else:
        add(menu, "archive", tr("Archive"), lambda: operations.toggle_archived(conversation), keys="archive")
    add(menu, "trash-2", tr("Delete"), lambda: operations.delete(conversation), keys="delete", color="danger")
    return menu
