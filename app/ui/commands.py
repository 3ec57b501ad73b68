"""Everything a person can tell a window to do, as data: id, title, keys, menu. Knows no window.

`Commands` keeps the keys in force (the person's own stand in the settings under `shortcuts.<id>`);
`CommandActions` gives one window a `QAction` for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.i18n import tr


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are the default shortcuts in Qt's portable spelling ("Ctrl" is the Command key on a Mac)."""

    id: str
    title: str
    keys: tuple[str, ...] = ()
    menu: str = ""
    """The menu's title, already translated; "" for what stands in no menu."""
    icon: str = ""
    held: bool = False
    """It means something for how long the keys are held, so they are not repeated."""


def declared_commands() -> tuple[Command, ...]:
    """All commands, titles in the language in force."""
    file, edit, view, chat, help_ = tr("File"), tr("Edit"), tr("View"), tr("Chat"), tr("Help")
    return (
        Command("new_chat", tr("New chat"), ("Ctrl+N",), file, "square-pen"),
        Command("new_window", tr("New window"), ("Ctrl+Shift+N",), file, "app-window"),
        Command("quick_ask", tr("Quick question…"), ("Ctrl+Shift+K",), file, "sparkles"),
        Command("open_in_new_window", tr("Open in new window"), ("Ctrl+Shift+O",), file, "app-window"),
        Command("documents", tr("Documents…"), ("Ctrl+Shift+D",), file, "book-open"),
        Command("import", tr("Import conversations…"), (), file, "upload"),
        Command("import_persona", tr("Import persona…"), (), file, "upload"),
        Command("export_markdown", tr("Export as Markdown…"), ("Ctrl+Shift+E",), file, "download"),
        Command("export_html", tr("Export as HTML…"), (), file, "download"),
        Command("export_json", tr("Export as JSON…"), (), file, "download"),
        Command("export_pdf", tr("Export as PDF…"), (), file, "download"),
        Command("open_data_folder", tr("Open data folder"), (), file, "folder-open"),
        Command("settings", tr("Settings…"), ("Ctrl+,",), file, "settings"),
        Command("close_window", tr("Close window"), ("Ctrl+W",), file, "x"),
        Command("quit", tr("Quit Hearth"), ("Ctrl+Q",), file, "log-out"),
        Command("search", tr("Search conversations"), ("Ctrl+K",), edit, "search"),
        Command("copy_answer", tr("Copy last answer"), ("Ctrl+Shift+C",), edit, "copy"),
        Command("rename", tr("Rename chat"), ("F2",), edit, "pencil"),
        Command("pin", tr("Pin or unpin chat"), ("Ctrl+Shift+P",), edit, "pin"),
        Command("archive", tr("Archive or restore chat"), ("Ctrl+Shift+A",), edit, "archive"),
        Command("edit_tags", tr("Edit tags…"), ("Ctrl+Shift+T",), edit, "tag"),
        Command("new_folder", tr("New folder…"), (), edit, "folder-plus"),
        Command("delete", tr("Delete chat"), ("Ctrl+Shift+Backspace",), edit, "trash-2"),
        Command("toggle_sidebar", tr("Show or hide the sidebar"), ("Ctrl+B",), view, "panel-left"),
        Command("toggle_panel", tr("Show or hide the panel"), ("Ctrl+Shift+B",), view, "panel-right"),
        Command("next_conversation", tr("Next chat"), ("Ctrl+Tab", "Ctrl+PgDown"), view, "chevron-down"),
        Command("previous_conversation", tr("Previous chat"), ("Ctrl+Shift+Tab", "Ctrl+PgUp"), view, "chevron-up"),
        Command("zoom_in", tr("Larger"), ("Ctrl++", "Ctrl+="), view, "zoom-in"),
        Command("zoom_out", tr("Smaller"), ("Ctrl+-",), view, "zoom-out"),
        Command("zoom_reset", tr("Normal size"), ("Ctrl+0",), view, "search"),
        Command("toggle_theme", tr("Switch between light and dark"), ("Ctrl+Shift+L",), view, "moon"),
        Command("model_picker", tr("Choose a model…"), ("Ctrl+L",), chat, "cpu"),
        Command("choose_persona", tr("Choose a persona…"), ("Ctrl+P",), chat, "sparkles"),
        Command("new_persona", tr("New persona…"), (), chat, "plus"),
        Command("personas", tr("Personas…"), (), chat, "layers"),
        Command("dictate", tr("Dictate"), ("Ctrl+Shift+M",), chat, "mic", held=True),
        Command("read_aloud", tr("Read the last answer aloud"), ("Ctrl+Shift+R",), chat, "volume-2"),
        Command("regenerate", tr("Answer again"), ("Ctrl+R",), chat, "refresh-cw"),
        Command("stop", tr("Stop"), ("Esc",), chat, "circle-stop"),
        Command("force_stop", tr("Stop at once"), ("Ctrl+Shift+Esc",), chat, "square"),
        Command("focus_composer", tr("Go to the message field"), ("Shift+Esc",), chat, "corner-down-left"),
        Command("talk", tr("Talk to Hearth"), ("Ctrl+T",), chat, "audio-lines"),
        Command("shortcuts", tr("Keyboard shortcuts"), ("Ctrl+/",), help_, "keyboard"),
        Command("diagnostics", tr("Diagnostics…"), (), help_, "gauge"),
        Command("check_for_updates", tr("Check for updates…"), (), help_, "external-link"),
        Command("about", tr("About Hearth"), (), help_, "info"),
    )


class ShortcutSettings(Protocol):
    """What `Commands` needs of the settings."""

    def get(self, key: str) -> object: ...

    def set(self, key: str, value: object) -> None: ...


NO_KEYS = "none"
"""What the settings hold for a command that the person freed of all keys."""


class Commands(QObject):
    """The commands of the program and the keys in force."""

    changed = Signal()

    def __init__(self, settings: ShortcutSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._commands = {command.id: command for command in declared_commands()}

    def all(self) -> list[Command]:
        """In the order of the menus."""
        return list(self._commands.values())

    def command(self, command_id: str) -> Command:
        return self._commands[command_id]

    def sequences(self, command_id: str) -> list[QKeySequence]:
        """The keys in force; the first one is the one to show."""
        own = str(self._settings.get(f"shortcuts.{command_id}") or "")
        if own == NO_KEYS:
            return []
        if own:
            return [QKeySequence(own, QKeySequence.SequenceFormat.PortableText)]
        return [QKeySequence(keys) for keys in self._commands[command_id].keys]

    def keys_text(self, command_id: str) -> str:
        """The first keys as this system writes them, "" for none."""
        sequences = self.sequences(command_id)
        return sequences[0].toString(QKeySequence.SequenceFormat.NativeText) if sequences else ""

    def is_custom(self, command_id: str) -> bool:
        """Whether the person chose the keys."""
        return bool(self._settings.get(f"shortcuts.{command_id}"))

    def conflict(self, command_id: str, sequence: QKeySequence) -> Command | None:
        """The other command that already answers to these keys."""
        for other in self._commands.values():
            if other.id != command_id and sequence in self.sequences(other.id):
                return other
        return None

    def rebind(self, command_id: str, sequence: QKeySequence | None) -> None:
        """Give a command other keys; None takes all away. Kept in the settings."""
        text = sequence.toString(QKeySequence.SequenceFormat.PortableText) if sequence else ""
        self._settings.set(f"shortcuts.{command_id}", text or NO_KEYS)
        self.changed.emit()

    def reset(self, command_id: str) -> None:
        """Back to the default keys."""
        self._settings.set(f"shortcuts.{command_id}", "")
        self.changed.emit()

    def reset_all(self) -> None:
        """Every command back to its default keys."""
        for command_id in self._commands:
            self._settings.set(f"shortcuts.{command_id}", "")
        self.changed.emit()


class CommandActions(QObject):
    """The actions of one window; their keys follow `Commands` and work in that window only."""

    def __init__(self, commands: Commands, window: QWidget, handlers: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(window)
        self._commands = commands
        self._actions: dict[str, QAction] = {}
        for command in commands.all():
            action = QAction(command.title, window)
            action.setObjectName(command.id)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(not command.held)
            action.setMenuRole(_MENU_ROLES.get(command.id, QAction.MenuRole.NoRole))
            handler = handlers[command.id]
            action.triggered.connect(lambda _checked=False, run=handler: run())
            window.addAction(action)
            self._actions[command.id] = action
        commands.changed.connect(self._on_commands_changed)
        self._on_commands_changed()

    def action(self, command_id: str) -> QAction:
        return self._actions[command_id]

    def _on_commands_changed(self) -> None:
        for command_id, action in self._actions.items():
            action.setShortcuts(self._commands.sequences(command_id))


_MENU_ROLES = {
    "settings": QAction.MenuRole.PreferencesRole,
    "quit": QAction.MenuRole.QuitRole,
    "about": QAction.MenuRole.AboutRole,
}
