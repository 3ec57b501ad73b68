"""The settings, generated from their declaration: groups at the left, a search field over all.

Every change takes effect at once. Knows no option by name.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.events import ChatEvent, Notice
from app.i18n import tr
from app.settings import Settings, default_of
from app.settings_options import DESKTOP, OPTIONS, PROGRAMS, REMOTE, VOICE, Option
from app.ui.dialogs import line
from app.ui.icons import IconButton, set_button_icon
from app.ui.programs_section import ProgramsSection
from app.ui.quick_keys import WANTED
from app.ui.quick_keys_choice import QuickKeysChoice
from app.ui.remote_section import RemoteSection
from app.ui.settings_controls import FolderList, control_for, labelled
from app.ui.settings_data import DataPage
from app.ui.shortcuts_dialog import ShortcutsDialog
from app.ui.theme import Theme
from app.ui.voice_section import VoiceSection
from app.ui.workspace import Workspace

_ICONS = {
    "Appearance": "sun",
    "Chat": "message-square",
    "Documents": "book-open",
    "Answers": "sliders-horizontal",
    VOICE: "mic",
    DESKTOP: "app-window",
    "Model": "cpu",
    REMOTE: "globe",
    PROGRAMS: "plug",
}


class OptionRow(QWidget):
    """Label and help at the left, the control at the right; what needs room stands below."""

    def __init__(self, option: Option, settings: Settings, theme: Theme) -> None:
        super().__init__()
        self.option, self._settings = option, settings
        space = theme.space
        self.control, self._show = control_for(option, settings, theme)
        words = tr(option.help)
        if option.needs_restart:
            words += " " + tr("Takes effect at the next start.")
        self.reset_button = IconButton(theme, "rotate-ccw", tr("Back to the default"), size=15)
        policy = self.reset_button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset_button.setSizePolicy(policy)
        self.reset_button.clicked.connect(lambda: settings.reset(option.key))
        outer = self._outer = QVBoxLayout(self)
        outer.setContentsMargins(0, space(3), 0, space(3))
        outer.setSpacing(space(2))
        row = QHBoxLayout()
        row.setSpacing(space(3))
        row.addLayout(labelled(theme, tr(option.label), words, self.control), 1)
        row.addWidget(self.reset_button, 0, Qt.AlignmentFlag.AlignVCenter)
        if isinstance(self.control, QPlainTextEdit | FolderList):
            outer.addLayout(row)
            outer.addWidget(self.control)
        else:
            wide = isinstance(self.control, QLineEdit)
            self.control.setMinimumWidth(
                space(66) if wide else min(self.control.sizeHint().width() + space(2), space(66))
            )
            row.addWidget(self.control, 0, Qt.AlignmentFlag.AlignVCenter)
            outer.addLayout(row)
        self._complaint = QLabel()
        self._complaint.setProperty("kind", "warning")
        self._complaint.setTextFormat(Qt.TextFormat.PlainText)
        self._complaint.setWordWrap(True)
        self._complaint.hide()
        self._complained_of: object = None
        outer.addWidget(self._complaint)
        self._searched = f"{tr(option.label)} {words} {tr(option.group)} {option.key}".casefold()
        self.refresh()

    def refresh(self) -> None:
        """Show the value in force."""
        self._show()
        value = self._settings.get(self.option.key)
        self.reset_button.setVisible(value != default_of(self.option.key))
        if value != self._complained_of:
            self._complaint.hide()

    def complain(self, text: str) -> None:
        """Say why the value is not what was wished, until it is another one."""
        self._complained_of = self._settings.get(self.option.key)
        self._complaint.setText(text)
        self._complaint.show()

    def add_beneath(self, widget: QWidget) -> None:
        """Something that belongs to the option, below it."""
        self._outer.addWidget(widget)

    def matches(self, words: str) -> bool:
        return all(word in self._searched for word in words.casefold().split())


class _Page(QScrollArea):
    """A titled column of rows."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setProperty("kind", "plain")
        space = theme.space
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(space(7), space(6), space(6), space(6))
        self.column.setSpacing(0)
        heading = QLabel(title)
        heading.setProperty("kind", "title")
        heading.setContentsMargins(0, 0, 0, space(2))
        self.column.addWidget(heading)
        self.setWidget(content)


class SettingsDialog(QDialog):
    """Opens on its first group; `open_group` leads elsewhere."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._workspace = workspace
        theme, space = workspace.theme, workspace.theme.space
        self.setWindowTitle(tr("Settings"))
        self.resize(space(215), space(165))
        self.search = QLineEdit()
        self.search.setProperty("kind", "search")
        self.search.setPlaceholderText(tr("Search settings"))
        self.search.setAccessibleName(tr("Search settings"))
        self.rows: list[OptionRow] = []
        self._pages: dict[str, _Page] = {}
        self._buttons: dict[str, QPushButton] = {}
        self._icons: dict[QPushButton, str] = {}
        self._group_of_buttons = QButtonGroup(self)
        self._stack = QStackedWidget()
        side = QFrame()
        side.setProperty("kind", "panel")
        side.setFixedWidth(space(54))
        self._side = QVBoxLayout(side)
        self._side.setContentsMargins(space(3), space(5), space(3), space(3))
        self._side.setSpacing(space(1))
        self._side.addWidget(self.search)
        self._side.addSpacing(space(2))
        self._build_options(theme)
        self._add_page("keyboard", tr("Keyboard"), "keyboard", self._keyboard_page(theme))
        data = _Page(theme, tr("Data"))
        data.column.addWidget(DataPage(workspace, self))
        data.column.addStretch(1)
        self._add_page("data", tr("Data"), "database", data)
        self._found = _Page(theme, tr("Found settings"))
        self._none = QLabel(tr("No setting matches."))
        self._none.setProperty("kind", "muted")
        self._found.column.addWidget(self._none)
        self._found.column.addStretch(1)
        self._stack.addWidget(self._found)
        self._side.addStretch(1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(self._stack, 1)
        self._homes = {row: self._column_of(row) for row in self.rows}
        self.search.textChanged.connect(self._on_search_changed)
        # A method, so that the connection ends with the dialog.
        theme.changed.connect(self._on_theme_changed)
        workspace.bridge.chat_event.connect(self._on_chat_event)
        unsubscribe = workspace.settings.subscribe(self._on_setting_changed)
        self.destroyed.connect(lambda _gone=None: unsubscribe())
        self.open_group(next(iter(self._pages)))

    def open_group(self, key: str) -> None:
        """Show a group: an option group's English name, "keyboard" or "data"."""
        self._buttons[key].setChecked(True)
        self._stack.setCurrentWidget(self._pages[key])

    def show_option(self, key: str) -> None:
        """Lead to an option and give it the keyboard."""
        row = self.row(key)
        self.open_group(row.option.group)
        row.control.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, row, lambda: self._pages[row.option.group].ensureWidgetVisible(row))

    def row(self, key: str) -> OptionRow:
        """The row of an option."""
        return next(row for row in self.rows if row.option.key == key)

    def _build_options(self, theme: Theme) -> None:
        groups: dict[str, list[Option]] = {}
        for option in OPTIONS:
            if not option.hidden:
                groups.setdefault(option.group, []).append(option)
        for group, options in groups.items():
            page = _Page(theme, tr(group))
            ordered = sorted(options, key=lambda each: each.advanced)
            for position, option in enumerate(ordered):
                if option.advanced and (position == 0 or not ordered[position - 1].advanced):
                    advanced = QLabel(tr("For those who want to know"))
                    advanced.setProperty("kind", "caption")
                    advanced.setContentsMargins(0, theme.space(5), 0, theme.space(1))
                    page.column.addWidget(advanced)
                elif position:
                    page.column.addWidget(line())
                row = OptionRow(option, self._workspace.settings, theme)
                self.rows.append(row)
                page.column.addWidget(row)
            if group == VOICE:
                own = {row.option.key: row for row in self.rows if row.option.group == VOICE}
                page.column.insertWidget(1, VoiceSection(self._workspace, own))
            if group == DESKTOP:
                self.row(WANTED).add_beneath(QuickKeysChoice(theme, self._workspace.quick_keys))
            if group == REMOTE:
                page.column.addWidget(RemoteSection(self._workspace))
            if group == PROGRAMS:
                page.column.addWidget(ProgramsSection(self._workspace))
            page.column.addStretch(1)
            self._add_page(group, tr(group), _ICONS.get(group, "settings"), page)

    def _keyboard_page(self, theme: Theme) -> _Page:
        page = _Page(theme, tr("Keyboard"))
        words = QLabel(tr("Every command can have keys of your choice."))
        words.setProperty("kind", "muted")
        words.setWordWrap(True)
        page.column.addWidget(words)
        page.column.addSpacing(theme.space(3))
        button = QPushButton(tr("Keyboard shortcuts…"))
        button.clicked.connect(lambda: ShortcutsDialog(theme, self._workspace.commands, self).open())
        page.column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        page.column.addStretch(1)
        return page

    def _add_page(self, key: str, title: str, icon: str, page: _Page) -> None:
        theme = self._workspace.theme
        button = QPushButton(title)
        button.setProperty("kind", "row")
        button.setCheckable(True)
        button.setAutoDefault(False)
        self._icons[button] = icon
        set_button_icon(button, theme, icon)
        button.clicked.connect(lambda _checked=False: self._on_group_clicked(key))
        self._group_of_buttons.addButton(button)
        self._side.addWidget(button)
        self._pages[key], self._buttons[key] = page, button
        self._stack.addWidget(page)

    def _column_of(self, row: OptionRow) -> tuple[QVBoxLayout, int]:
        column = self._pages[row.option.group].column
        return column, column.indexOf(row)

    def _on_theme_changed(self) -> None:
        for button, icon in self._icons.items():
            set_button_icon(button, self._workspace.theme, icon)

    def _on_group_clicked(self, key: str) -> None:
        self.search.clear()
        self.open_group(key)

    def _on_search_changed(self, words: str) -> None:
        found = [row for row in self.rows if words.strip() and row.matches(words)]
        for row in self.rows:
            # Back home first, in the order of the page, then the found ones into the results.
            column, position = self._homes[row]
            if column.indexOf(row) < 0 and row not in found:
                column.insertWidget(position, row)
        for row in found:
            self._found.column.insertWidget(self._found.column.count() - 2, row)
        self._none.setVisible(not found)
        if words.strip():
            self._stack.setCurrentWidget(self._found)
        else:
            checked = next(key for key, button in self._buttons.items() if button.isChecked())
            self._stack.setCurrentWidget(self._pages[checked])

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, Notice):
            for row in self.rows:
                if row.option.key == event.setting:
                    row.complain(event.text)

    def _on_setting_changed(self, key: str) -> None:
        for row in self.rows:
            if row.option.key == key:
                QTimer.singleShot(0, row, row.refresh)
