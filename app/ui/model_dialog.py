"""Opens the model picker over a window and connects it to the `ModelFlow`, for as long as it is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.model_entry import Availability, ModelEntry
from app.ui.model_flow import ModelFlow
from app.ui.model_judge import FitJudge
from app.ui.model_memory import LoadChoice
from app.ui.model_picker import ModelPicker
from app.ui.theme import Theme


def open_model_picker(theme: Theme, flow: ModelFlow, parent: QWidget) -> ModelPicker:
    """Show the picker, modal to `parent`."""
    picker = ModelPicker(theme, FitJudge(flow.held_bytes()), parent, kept=flow.kept_choices())
    picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    picker.row_shown.connect(flow.check_draft)
    picker.row_shown.connect(flow.find_eyes)
    picker.set_loaded(flow.loaded)
    picker.set_rows(flow.entries)
    for key, progress in flow.progress.items():
        picker.set_progress(key, progress)

    def load(entry: ModelEntry, choice: LoadChoice) -> None:
        if entry.availability is Availability.ELSEWHERE:
            flow.load_elsewhere(entry)
        elif entry.path is not None:
            flow.load(entry.path, n_ctx=choice.n_ctx, kv_type=choice.kv_type)

    def show_rows() -> None:
        picker.set_loaded(flow.loaded)
        picker.set_rows(flow.entries)

    # The picker's own methods: Qt undoes these connections when it is deleted.
    flow.download_progressed.connect(picker.set_progress)
    flow.download_paused.connect(picker.set_paused)
    flow.download_failed.connect(picker.set_failed)
    flow.downloaded.connect(picker.set_fetched)
    flow.adapters_changed.connect(picker.show_adapters)
    flow.draft_checked.connect(picker.show_draft)
    flow.eyes_found.connect(picker.show_eyes)
    flow.entries_changed.connect(show_rows)
    picker.finished.connect(lambda _result: flow.entries_changed.disconnect(show_rows))
    picker.load_requested.connect(load)
    picker.fetch_requested.connect(flow.fetch)
    picker.fetch_cancel_requested.connect(flow.cancel_fetch)
    picker.adapter_wanted.connect(flow.add_adapter)
    picker.adapters_changed.connect(flow.set_adapters)
    picker.draft_chosen.connect(flow.set_draft)
    picker.eyes_chosen.connect(flow.set_eyes)
    picker.folder_added.connect(flow.add_folder)
    picker.file_chosen.connect(lambda path: flow.load(Path(path)))
    flow.refresh()
    picker.open()
    return picker
