"""The right side of a window: the conversation's parameters, its context and its sources, one behind the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.i18n import tr
from app.settings import Settings
from app.ui.icons import IconButton
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.ui.context_panel import ContextPanel
    from app.ui.documents_sources import SourcesList
    from app.ui.parameters_panel import ParametersPanel


class SidePanel(QFrame):
    """Three tabs; each panel is fed by the window. They are made when the panel is first shown."""

    fold_requested = Signal()
    built = Signal()
    """`parameters`, `context` and `sources` are there now, and empty."""

    def __init__(self, theme: Theme, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("kind", "panel")
        self._settings = settings
        self.parameters: ParametersPanel | None = None
        self.context: ContextPanel | None = None
        self.sources: SourcesList | None = None
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.addTab(tr("Parameters"))
        self.tabs.addTab(tr("Context"))
        self.tabs.addTab(tr("Sources"))
        self.tabs.setAccessibleName(tr("Panel"))
        self.fold_button = IconButton(theme, "x", tr("Hide the panel"), size=16)
        self.fold_button.clicked.connect(self.fold_requested)
        self._stack = QStackedWidget()
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._head = QHBoxLayout()
        self._head.addWidget(self.tabs)
        self._head.addStretch(1)
        self._head.addWidget(self.fold_button)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        self._column.addWidget(self._stack, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _build(self) -> None:
        from app.ui.context_panel import ContextPanel  # noqa: PLC0415  # most starts do without
        from app.ui.documents_sources import SourcesList  # noqa: PLC0415
        from app.ui.parameters_panel import ParametersPanel  # noqa: PLC0415

        self.parameters = ParametersPanel(self._theme, self._settings)
        self.context = ContextPanel(self._theme)
        self._stack.addWidget(self.parameters)
        self._stack.addWidget(self.context)
        self.sources = SourcesList(self._theme)
        self._stack.addWidget(self.sources)
        self._stack.setCurrentIndex(self.tabs.currentIndex())
        self.built.emit()

    def show_parameters(self) -> None:
        self.tabs.setCurrentIndex(0)

    def show_context(self) -> None:
        self.tabs.setCurrentIndex(1)

    def show_sources(self) -> None:
        self.tabs.setCurrentIndex(2)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self.setMinimumWidth(space(64))
        self._column.setContentsMargins(0, space(2), 0, 0)
        self._column.setSpacing(0)
        self._head.setContentsMargins(space(3), 0, space(3), 0)

    def showEvent(self, event: QShowEvent) -> None:
        if self.parameters is None:
            self._build()
        super().showEvent(event)
