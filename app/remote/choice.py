"""The person's choice of another computer: on or off, which address, which model, which key. Knows no window.

Off is the default, and then nothing here starts a process. While it is on, its model is what `spec` says, and the
model library loads that wherever it would load the default model of this computer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.remote.key_file import KeyFile
from app.settings import Settings
from engine.types import ModelSpec, RemoteModel

if TYPE_CHECKING:
    from app.remote.messages import Found

ENABLED, ADDRESS, MODEL = "remote.enabled", "remote.address", "remote.model"
KEY_FILE = "remote-key.json"


class RemoteChoice:
    """Any thread."""

    def __init__(self, settings: Settings, config_folder: Path) -> None:
        self._settings = settings
        self.keys = KeyFile(config_folder / KEY_FILE)

    @property
    def spec(self) -> ModelSpec | None:
        """The model to use on another computer; None while that is off, or no address is set."""
        address = self._settings.text(ADDRESS).strip()
        if not self._settings.flag(ENABLED) or not address:
            return None
        name = self._settings.text(MODEL).strip()
        return ModelSpec(Path(name or "remote"), remote=RemoteModel(address, name))

    def turn_off(self) -> None:
        """From now on this computer answers."""
        self._settings.set(ENABLED, False)

    def try_it(self, address: str, key: str) -> Future[Found]:
        """Ask the server which models it has; nothing of the person's is sent. Fails with `HearthError`."""
        from app.remote.connection import list_models  # noqa: PLC0415  # the door to the network, opened on request
        from app.remote.messages import RemoteOrder  # noqa: PLC0415

        return list_models(RemoteOrder(address.strip(), key, answer_s=20.0))

    def follow(self, changed: Callable[[ModelSpec | None, ModelSpec | None], None]) -> Callable[[], None]:
        """Call `changed(before, now)` whenever `spec` is another one. Returns the way to end that."""
        last = [self.spec]

        def on_setting(key: str) -> None:
            if key.startswith("remote."):
                before, last[0] = last[0], self.spec
                if last[0] != before:
                    changed(before, last[0])

        return self._settings.subscribe(on_setting)
