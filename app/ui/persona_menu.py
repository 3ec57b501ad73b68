"""The menus of a persona: that of one in the list, and that of the one that answers in a chat."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from app.i18n import tr
from app.personas.folder import Shelved
from app.ui.icons import themed_icon
from app.ui.persona_exchange import PersonaExchange, export_titles
from app.ui.persona_flow import ChatPersona
from app.ui.persona_operations import PersonaOperations
from app.ui.theme import Theme
from app.ui.workspace import Workspace


def persona_menu(
    workspace: Workspace, operations: PersonaOperations, exchange: PersonaExchange, shelved: Shelved, parent: QWidget
) -> QMenu:
    """Of one in a list. Ready to pop up; it deletes itself when it closes."""
    theme, short_name = workspace.theme, shelved.persona.short_name
    menu = _menu(parent)
    _add(menu, theme, "square-pen", tr("New chat"), partial(operations.begin, short_name))
    if shelved.usable:
        if workspace.personas.default == short_name:
            _add(menu, theme, "star", tr("No longer for new chats"), partial(operations.set_default, ""))
        else:
            _add(menu, theme, "star", tr("Use for new chats"), partial(operations.set_default, short_name))
    menu.addSeparator()
    _add_about(menu, theme, operations, shelved)
    _add(menu, theme, "copy", tr("Duplicate"), partial(operations.duplicate, shelved))
    export = menu.addMenu(themed_icon(theme, "download"), tr("Export"))
    for kind, title in export_titles():
        _add(export, theme, "file-text", title, partial(exchange.export, shelved, kind))
    menu.addSeparator()
    _add(menu, theme, "trash-2", tr("Delete"), partial(operations.delete, shelved), color="danger")
    return menu


def chat_persona_menu(
    workspace: Workspace,
    operations: PersonaOperations,
    persona: ChatPersona,
    parent: QWidget,
    *,
    change: Callable[[], None],
) -> QMenu:
    """Of the one that answers in the chat on show."""
    theme = workspace.theme
    menu = _menu(parent)
    _add(menu, theme, "sparkles", tr("Another persona…"), change)
    if persona.is_outdated:
        _add(menu, theme, "refresh-cw", tr("Update to the newest version"), persona.update)
    _add(menu, theme, "x", tr("Go on without a persona"), partial(persona.choose, ""))
    newest = workspace.personas.get(persona.short_name)
    if newest is not None:
        menu.addSeparator()
        _add_about(menu, theme, operations, newest)
    return menu


def _add_about(menu: QMenu, theme: Theme, operations: PersonaOperations, shelved: Shelved) -> None:
    _add(menu, theme, "pencil", tr("Edit…"), partial(operations.edit, shelved.persona.short_name))
    _add(menu, theme, "eye", tr("What it says and may do…"), partial(operations.review, shelved))
    _add(menu, theme, "brain", tr("What it remembers…"), partial(operations.show_memory, shelved.persona.short_name))


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _add(
    menu: QMenu, theme: Theme, icon: str, text: str, run: Callable[[], object], *, color: str = "text_muted"
) -> None:
    menu.addAction(themed_icon(theme, icon, color=color), text).triggered.connect(lambda _checked=False: run())
