"""Keeps what was written of a persona and not saved, and asks what becomes of it when the editor closes.

One thread writes, so that drafts and versions reach the disk in their order. Knows no form.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import IntEnum
from typing import TypeVar

from PySide6.QtWidgets import QDialog, QWidget

from app.i18n import tr
from app.personas.drafts import Draft, DraftFolder
from app.personas.shelf import Shelf
from app.ui.bridge import EventBridge
from app.ui.dialogs import CalmDialog
from app.ui.theme import Theme

T = TypeVar("T")


class Leaving(IntEnum):
    """What becomes of what is not saved; the first two as a closed dialog says it."""

    STAY = QDialog.DialogCode.Rejected.value
    SAVE = QDialog.DialogCode.Accepted.value
    KEEP = 2
    DISCARD = 3


def ask_what_becomes(theme: Theme, parent: QWidget) -> Leaving:
    """Ask the person who closes the editor with changes in it."""
    dialog = CalmDialog(theme, parent, tr("Save the persona?"))
    dialog.add_sentence(tr("Not everything you wrote is saved. You can also go on with it another time."))
    for words, kind, result in (
        (tr("Discard"), "danger", Leaving.DISCARD),
        (tr("Keep for later"), "", Leaving.KEEP),
        (tr("Save"), "primary", Leaving.SAVE),
    ):
        button = dialog.add_button(words, kind=kind, default=kind == "primary")
        button.clicked.connect(lambda _checked=False, code=result: dialog.done(code))
    chosen = Leaving(dialog.exec())
    dialog.deleteLater()
    return chosen


class DraftKeeper:
    """`shelf` is asked on the keeper's thread only; `failed` is told of what the disk refuses."""

    def __init__(
        self, bridge: EventBridge, shelf: Callable[[], Shelf], failed: Callable[[BaseException], None]
    ) -> None:
        self._bridge, self._shelf, self._failed = bridge, shelf, failed
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="draft")

    def submit(self, operation: Callable[[], T]) -> Future[T]:
        """Do something behind the drafts that are still being written."""
        return self._disk.submit(operation)

    def keep(self, short_name: str, draft: Draft, kept: Callable[[], None]) -> None:
        """Keep it until it is saved or forgotten; then `kept`."""
        self._bridge.then(
            self._disk.submit(lambda: self._folder().keep(short_name, draft)), lambda _nothing: kept(), self._failed
        )

    def forget(self, short_name: str) -> None:
        """It was saved, or thrown away."""
        self._bridge.then(
            self._disk.submit(lambda: self._folder().forget(short_name)), lambda _nothing: None, self._failed
        )

    def close(self) -> None:
        """What was begun is still written."""
        self._disk.shutdown(wait=False)

    def _folder(self) -> DraftFolder:
        return DraftFolder(self._shelf().folder)
