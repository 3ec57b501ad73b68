"""The line over a conversation: its title and who answers, with their menus, at the left; talking and the panel at the
right.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QIcon, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.i18n import tr
from app.ui.icons import IconButton, set_button_picture, themed_icon
from app.ui.theme import Theme


class PageHeader(QWidget):
    """Shows a title; while the sidebar is folded it also carries what is needed most of it."""

    menu_requested = Signal(QPoint)
    """The title was clicked."""
    persona_menu_requested = Signal(QPoint)
    """The name of who answers was clicked."""
    unfold_requested = Signal()
    new_requested = Signal()
    talk_requested = Signal()
    panel_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = self._persona = ""
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.unfold_button = IconButton(theme, "panel-left", tr("Show the sidebar"), parent=self)
        self.new_button = IconButton(theme, "square-pen", tr("New chat"), parent=self)
        self.title_button = QPushButton(self)
        self.title_button.setProperty("kind", "quiet")
        self.title_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron stands behind the title
        self.title_button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.title_button.setMinimumWidth(0)
        self.persona_button = QPushButton(self)
        self.persona_button.setProperty("kind", "quiet")
        self.persona_button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.persona_button.setMinimumWidth(0)
        self.persona_button.hide()
        self.persona_note = QLabel(self)
        self.persona_note.setProperty("kind", "caption")
        self.persona_note.hide()
        self.talk_button = IconButton(theme, "audio-lines", tr("Talk to Hearth"), parent=self)
        self.panel_button = IconButton(theme, "panel-right", tr("Show or hide the panel"), parent=self)
        self._row = QHBoxLayout(self)
        left = (self.unfold_button, self.new_button, self.title_button, self.persona_button, self.persona_note)
        for widget in left:
            self._row.addWidget(widget)
        self._row.addStretch(1)
        self._row.addWidget(self.talk_button)
        self._row.addWidget(self.panel_button)
        self.unfold_button.clicked.connect(self.unfold_requested)
        self.new_button.clicked.connect(self.new_requested)
        self.talk_button.clicked.connect(self.talk_requested)
        self.panel_button.clicked.connect(self.panel_requested)
        self.title_button.clicked.connect(
            lambda: self.menu_requested.emit(self.title_button.mapToGlobal(self.title_button.rect().bottomLeft()))
        )
        self.persona_button.clicked.connect(
            lambda: self.persona_menu_requested.emit(
                self.persona_button.mapToGlobal(self.persona_button.rect().bottomLeft())
            )
        )
        theme.changed.connect(self._on_theme_changed)
        self.set_sidebar_folded(False)
        self.set_title("")
        self._on_theme_changed()

    def set_title(self, title: str) -> None:
        """Show the conversation's title; "" hides it (a new chat has none)."""
        self._title = title
        self.title_button.setVisible(bool(title))
        self.title_button.setAccessibleName(tr("Menu of this chat: {title}", title=title))
        self.title_button.setToolTip(title)
        self._show_title()

    def set_persona(self, name: str, picture: QPixmap | None = None, note: str = "") -> None:
        """Who answers, with a `note` in a few words; "" hides it."""
        self._persona = name
        self.persona_button.setVisible(bool(name))
        self.persona_button.setIcon(QIcon())
        if picture is not None:
            set_button_picture(self.persona_button, picture, gap=self._theme.space(2))
        said = ", ".join(part for part in (name, note) if part)
        self.persona_button.setAccessibleName(tr("Persona of this chat: {name}", name=said))
        self.persona_button.setToolTip(said)
        self.persona_note.setText(note)
        self.persona_note.setVisible(bool(name and note))
        self._show_title()

    def set_sidebar_folded(self, folded: bool) -> None:
        self.unfold_button.setVisible(folded)
        self.new_button.setVisible(folded)

    def _show_title(self) -> None:
        space = self._theme.space
        metrics = QFontMetrics(self.title_button.font())
        name = metrics.elidedText(self._persona, Qt.TextElideMode.ElideRight, space(45))
        self.persona_button.setText(name.replace("&", "&&"))
        taken = 0
        for widget in (self.persona_button, self.persona_note):
            taken += widget.sizeHint().width() if not widget.isHidden() else 0
        room = max(space(20), self.width() - space(40) - taken)
        text = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        self.title_button.setText(text.replace("&", "&&"))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._row.setContentsMargins(space(3), space(2), space(3), space(2))
        self._row.setSpacing(space(1))
        self.title_button.setIcon(themed_icon(self._theme, "chevron-down", size=space(3.5)))
        self.title_button.setIconSize(QSize(space(3.5), space(3.5)))
        self._show_title()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_title()
