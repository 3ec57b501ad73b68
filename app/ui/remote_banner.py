"""The line that stays over every conversation while another computer answers: where the words go, and the way back.

Follows the engine's state; turns nothing on.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.ui.banner import Banner
from app.ui.workspace import Workspace
from engine.engine import EngineState, EngineStatus


def answering_host(workspace: Workspace, state: EngineState) -> str:
    """The computer that would have the next question; "" if that is this one."""
    if state.model is not None and state.status is not EngineStatus.LOADING:
        return state.model.remote_host
    services = workspace.services
    spec = services.remote.spec if services is not None else None
    return spec.remote.address if spec is not None and spec.remote is not None else ""


class RemoteBanner(Banner):
    """Hidden while this computer answers. Cannot be closed: what it says holds until it is turned off."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theme, parent)
        self._workspace = workspace
        self.setAccessibleName(tr("Where answers come from"))
        workspace.engine_changed.connect(self._on_engine_changed)
        self._on_engine_changed(workspace.engine_state)

    def _on_engine_changed(self, state: EngineState) -> None:
        host = answering_host(self._workspace, state)
        text = tr("Answers come from {host}: your messages leave this computer.", host=host) if host else ""
        self.show_text(text, action=tr("Answer on this computer"), run=self._turn_off, closable=False)

    def _turn_off(self) -> None:
        if (services := self._workspace.services) is not None:
            services.remote.turn_off()
