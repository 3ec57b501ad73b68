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
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_list import PersonaList
from app.ui.pictures import Pictures
from app.ui.program_access import ProgramAccess
from app.ui.quick_keys import QuickKeys
from app.ui.theme import Theme, ThemeChoice
from app.ui.voice_desk import VoiceDesk
from app.ui.weights_fetch import WeightsFetch
from app.ui.window_state import WindowState
from app.weights_bundle import KOKORO, VOICE
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
    quick_requested = Signal()
    """The small window for one question is wanted."""
    window_closed = Signal(object)
    voice_taken = Signal(object)
    """A window begins a conversation by speech (its `VoiceFlow`): that of any other is over."""
    quit_requested = Signal()

    def __init__(self, paths: Paths, settings: Settings, theme: Theme, bridge: EventBridge) -> None:
        super().__init__()
        self.paths, self.settings, self.theme, self.bridge = paths, settings, theme, bridge
        self.commands = Commands(settings, self)
        self.quick_keys = QuickKeys(settings, self.commands, self)
        self.library = Library(bridge, self)
        self.answers = LiveAnswers(bridge, self)
        self.models = ModelFlow(bridge, settings, self)
        self.state = WindowState(paths.window_state)
        self.held_drafts = HeldDrafts(self.state)
        self.pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="files")
        self.voice = VoiceDesk(bridge, self)
        self.voice_weights = WeightsFetch(VOICE, paths.voice, self.run, bridge, self)
        self.kokoro_weights = WeightsFetch(KOKORO, paths.voice, self.run, bridge, self)
        self.pictures = Pictures(self.run, bridge, ImageFolder(paths.images), self)
        self.personas = PersonaList(bridge, self.library, settings, self)
        self.persona_icons = PersonaIcons(
            theme, self.run, bridge, personas=paths.personas, kept=paths.cache / "icons", parent=self
        )
        self.page_pictures = PagePictures(self.run, bridge, _new_renderer, self)
        self.programs = ProgramAccess(settings, self.run, bridge, self)
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
        self.voice.attach(services)
        self.personas.attach(services.personas)
        self.programs.attach(services)
        self._on_engine_state(services.engine.state)
        self.ready.emit()

    def detach(self) -> None:
        """The services are about to close."""
        self.programs.detach()
        self.models.detach()
        self.voice.detach()
        self.personas.detach()
        self.voice_weights.pause()
        self.kokoro_weights.pause()
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
