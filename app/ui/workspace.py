"""What all windows of one run share. Built by `Application`, handed to each window. Main thread only.

A window may open before the services do: it shows itself at once and fills when `ready` comes.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from app.paths import Paths
from app.settings import Settings
from app.store.images import ImageFolder
from app.ui.bridge import EventBridge
from app.ui.commands import Commands
from app.ui.documents_pictures import PagePictures, PageRenderer
from app.ui.held_drafts import HeldDrafts
from app.ui.library import Library
from app.ui.live_answers import LiveAnswers
from app.ui.model_flow import ModelFlow
from app.ui.pictures import Pictures
from app.ui.theme import Theme, ThemeChoice
from app.ui.window_state import WindowState
from engine.engine import EngineState, EngineStatus

if TYPE_CHECKING:
    from app.services import Services

T = TypeVar("T")


class Workspace(QObject):
    """Theme, settings, commands, lists, answers under way, and the services once they are open."""

    ready = Signal()
    """The services are open."""
    engine_changed = Signal(object)
    """An `EngineState`; `engine_state` holds it too."""
    window_requested = Signal(str)
    """Another window is wanted, with this conversation ("": a new chat)."""
    window_closed = Signal(object)
    quit_requested = Signal()

    def __init__(self, paths: Paths, settings: Settings, theme: Theme, bridge: EventBridge) -> None:
        super().__init__()
        self.paths, self.settings, self.theme, self.bridge = paths, settings, theme, bridge
        self.commands = Commands(settings, self)
        self.library = Library(bridge, self)
        self.answers = LiveAnswers(bridge, self)
        self.models = ModelFlow(bridge, settings, self)
        self.state = WindowState(paths.window_state)
        self.held_drafts = HeldDrafts(self.state)
        self.pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="files")
        self.pictures = Pictures(self.run, bridge, ImageFolder(paths.images), self)
        self.page_pictures = PagePictures(self.run, bridge, _new_renderer, self)
        self.engine_state = EngineState(EngineStatus.EMPTY)
        self._services: Services | None = None
        bridge.engine_state.connect(self._on_engine_state)

    @property
    def services(self) -> Services | None:
        """None until `ready`, and after the services were closed."""
        return self._services

    def attach(self, services: Services) -> None:
        """The services are open; every window fills itself now."""
        self._services = services
        self.library.attach(services.store_call)
        self.models.attach(services)
        self._on_engine_state(services.engine.state)
        self.ready.emit()

    def detach(self) -> None:
        """The services are about to close."""
        self.models.detach()
        self.page_pictures.close()
        self._services = None

    def apply_appearance(self) -> None:
        """Take theme and zoom from the settings."""
        self.theme.choose(ThemeChoice(self.settings.text("appearance.theme")))
        self.theme.set_zoom(self.settings.number("appearance.zoom"))

    def run(self, function: Callable[[], T], /) -> Future[T]:
        """Run file work on the general pool."""
        return self.pool.submit(function)

    def _on_engine_state(self, state: EngineState) -> None:
        self.engine_state = state
        self.engine_changed.emit(state)


def _new_renderer() -> PageRenderer:
    from rag.parsing.client import Parser  # noqa: PLC0415  # when the first page of a PDF is shown

    return Parser()
