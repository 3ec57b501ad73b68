"""What the editor of a persona finds out while it is written: how long the instructions are, how its documents do.

Has the documents of a draft read as soon as they are named. Knows no button and saves nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.amounts import bytes_text
from app.events import ChatEvent, DocumentsHappened
from app.i18n import error_sentence, ntr
from app.personas.drafts import Draft
from app.ui.chat_documents import source_state
from app.ui.persona_form import PersonaForm
from app.ui.persona_form_files import FileState
from app.ui.persona_trial import TrialPanel
from app.ui.workspace import Workspace
from engine.engine import EngineStatus
from engine.worker.envelope import error_of
from rag.events import FilesChanged, ReadingProgress
from rag.store.types import FileState as Reading
from rag.store.types import StoredFile

if TYPE_CHECKING:
    from app.services import Services

_LOOK_MS = 250
_CHARACTERS_A_TOKEN = 4
"""Roughly, for as long as no model is there to count."""


class DraftWatch(QObject):
    """Call `look` with each draft, and `close` before the editor goes."""

    def __init__(
        self, workspace: Workspace, services: Services, form: PersonaForm, trial: TrialPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._workspace, self._services, self._form, self._trial = workspace, services, form, trial
        self._counted = ""
        self._prepared: frozenset[str] = frozenset()
        self._reading: dict[int, ReadingProgress] = {}
        self._files: tuple[StoredFile, ...] = ()
        self._timer = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look_at_documents)
        workspace.bridge.chat_event.connect(self._on_event)
        workspace.engine_changed.connect(self._on_engine)
        trial.asked.connect(self._timer.start)

    def look(self, draft: Draft) -> None:
        """The draft is this now."""
        self._count(draft.persona.instructions)
        documents = frozenset(each.sha256 for each in draft.persona.knowledge)
        if documents != self._prepared:
            self._prepared = documents
            self._trial.prepare(draft)
            self._timer.start()
        self._trial.show_persona(draft.persona)

    def close(self) -> None:
        """Listen no more."""
        self._timer.stop()
        self._workspace.bridge.chat_event.disconnect(self._on_event)
        self._workspace.engine_changed.disconnect(self._on_engine)

    # Tokens

    def _count(self, instructions: str) -> None:
        if self._services.engine.state.status is not EngineStatus.READY or not instructions:
            self._counted = ""
            about = -(-len(instructions) // _CHARACTERS_A_TOKEN)
            self._form.show_tokens(ntr("about {count} token", "about {count} tokens", about) if about else "")
            return
        if instructions == self._counted:
            return
        self._counted = instructions

        def counted(numbers: list[int]) -> None:
            if instructions == self._counted:
                self._form.show_tokens(ntr("{count} token", "{count} tokens", numbers[0]))

        self._trial.then(self._services.engine.count_tokens([instructions]), counted)

    def _on_engine(self, _state: object) -> None:
        self._count(self._form.draft.persona.instructions)

    # Documents

    def _on_event(self, event: ChatEvent) -> None:
        if not isinstance(event, DocumentsHappened) or not self._prepared:
            return
        if isinstance(event.event, ReadingProgress):
            self._reading[event.event.file_id] = event.event
            self._show()
        elif isinstance(event.event, FilesChanged) and not self._timer.isActive():
            self._timer.start()

    def _look_at_documents(self) -> None:
        if self._trial.trial is not None and self._prepared:
            self._trial.then(self._trial.trial.documents(), self._on_files)

    def _on_files(self, files: tuple[StoredFile, ...]) -> None:
        self._files = files
        self._show()

    def _show(self) -> None:
        sizes = {each.sha256: each.size_bytes for each in self._form.files.files}
        states: dict[str, FileState] = {}
        for file in self._files:
            # As `PersonaFolder.documents` lays them out.
            sha256 = next((each for each in sizes if each.startswith(Path(file.path).parent.name)), "")
            if not sha256:
                continue
            if file.state is Reading.FAILED:
                fault = file.fault
                words = error_sentence(error_of(fault)) if fault is not None else source_state([file], {})
                states[sha256] = FileState(words, failed=True)
            else:
                states[sha256] = FileState(f"{source_state([file], self._reading)} · {bytes_text(sizes[sha256])}")
        self._form.files.show_states(states)
