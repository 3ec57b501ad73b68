"""Keeps a window's context panel true: asks what the model would be given now, and passes on what the person wants.

The one place where the panel meets the chat service and the engine. It asks when something may have changed, a little
later and once, and only while the panel can be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QTimer

from app.events import ChatEvent, SummaryAdded, SummaryChanged
from app.i18n import tr
from app.memory_pages import PromptWords
from app.memory_view import MemoryView, read_memory, remembered, words_in
from app.prompt_source import PromptSource
from app.prompting import ANSWER_RESERVE
from app.store.types import MessageState, StoredMessage, Summary
from app.ui.context_panel import ContextPanel
from app.ui.conversation_page import ConversationPage
from app.ui.sidebar_model import shown_title
from app.ui.toast import Toasts
from app.ui.workspace import Workspace
from engine.pages import CacheReport

if TYPE_CHECKING:
    from app.chat import ChatService

T = TypeVar("T")

_PATIENCE_MS = 120
"""Several changes within this time are asked about once."""


class MemoryFlow(QObject):
    """Between one `ConversationPage` and the `ContextPanel` beside it."""

    def __init__(self, workspace: Workspace, page: ConversationPage, panel: ContextPanel, toasts: Toasts) -> None:
        super().__init__(panel)
        self._toasts = toasts
        self._workspace, self._page, self._panel = workspace, page, panel
        self._asked = 0
        self._timer = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._timer.timeout.connect(self._ask)
        page.observed.connect(panel.follower.observe)
        page.path_shown.connect(self._on_path_shown)
        page.conversation_changed.connect(self.refresh)
        workspace.engine_changed.connect(self.refresh)
        workspace.library.changed.connect(self.refresh)
        workspace.ready.connect(self.refresh)
        workspace.bridge.chat_event.connect(self._on_chat_event)
        panel.shown.connect(self.refresh)
        panel.message_requested.connect(page.show_message)
        panel.pin_requested.connect(self._on_pin)
        panel.evict_requested.connect(self._on_evict)
        panel.memory.summary_edited.connect(self._on_summary_edited)
        panel.memory.summary_undone.connect(self._on_summary_undone)
        panel.summarise_requested.connect(self._on_summarise)
        panel.forget_requested.connect(self._on_forget)
        self._unsubscribe = workspace.settings.subscribe(self._on_setting_changed)
        panel.destroyed.connect(self._unsubscribe)
        self._on_path_shown(page.path)

    def refresh(self) -> None:
        """What the panel shows may be old."""
        self._timer.start()

    def _on_path_shown(self, path: list[StoredMessage]) -> None:
        self._panel.follower.show_path(path, self._page.live_meter)
        self.refresh()

    def _ask(self) -> None:
        workspace, page, panel = self._workspace, self._page, self._panel
        services, model = workspace.services, workspace.engine_state.model
        if not panel.isVisible():
            return
        self._asked += 1
        asked = self._asked
        if services is None or model is None:
            panel.show_memory(None)
            panel.remembered.show_entries((), lambda _key: "")
            return

        def is_new() -> bool:
            return asked == self._asked

        def show(view: MemoryView) -> None:
            if is_new():
                panel.show_memory(view)

        def show_nothing(_error: BaseException) -> None:
            # Longer than any window allows, or the model has gone: the numbers of the last answer remain.
            if is_new():
                panel.show_memory(None)

        def show_words(words: PromptWords) -> None:
            if is_new():
                panel.set_words(words, _growing(page.path))

        def ask_about(source: PromptSource) -> None:
            if not is_new():
                return
            if page.is_generating:
                words = services.pool.submit(lambda: words_in(source.request("memory", workspace.settings), source))
                workspace.bridge.then(words, show_words, workspace.library.crashed.emit)
            else:
                view = read_memory(services.engine, services.pool, source, workspace.settings)
                workspace.bridge.then(view, show, show_nothing)

        conversation_id = page.conversation_id
        if conversation_id:
            workspace.library.run(
                lambda store: PromptSource.read(store, conversation_id, services.dress), ask_about, failed=show_nothing
            )
        else:
            reserve = min(ANSWER_RESERVE, model.n_ctx // 2)
            show(MemoryView((), (), 0, 0, model.n_ctx, reserve=reserve))
        workspace.bridge.then(services.engine.cache(), self._on_cache, lambda _error: None)

    def _on_cache(self, report: CacheReport) -> None:
        library = self._workspace.library

        def title_of(key: str) -> str:
            conversation = library.conversation(key)
            return shown_title(conversation) if conversation is not None else ""

        others = remembered(report, but=self._page.conversation_id)
        self._panel.remembered.show_entries(others, title_of, report.disk_bytes)

    def _then(self, ask: Callable[[ChatService], Future[T]], done: Callable[[T], None] | None = None) -> None:
        """Have the chat service do something; it tells everybody what has changed."""
        if (services := self._workspace.services) is not None:
            self._workspace.bridge.then(
                ask(services.chat), done or (lambda _result: None), self._workspace.library.report
            )

    def _on_pin(self, message_id: str, pinned: bool) -> None:
        self._then(lambda chat: chat.set_pinned(message_id, pinned))

    def _on_evict(self, message_id: str, evicted: bool) -> None:
        self._then(lambda chat: chat.evict(message_id, evicted))

    def _on_summary_edited(self, summary_id: str, words: str) -> None:
        self._then(lambda chat: chat.edit_summary(summary_id, words))

    def _on_summary_undone(self, summary_id: str) -> None:
        def take_up_again() -> None:
            self._then(lambda chat: chat.undo_summary(summary_id, False))

        def undone(_summary: Summary) -> None:
            self._toasts.show(tr("The model reads the messages themselves again"), action=tr("Undo"), run=take_up_again)

        self._then(lambda chat: chat.undo_summary(summary_id), undone)

    def _on_summarise(self) -> None:
        conversation_id = self._page.conversation_id
        self._then(lambda chat: chat.summarise_now(conversation_id))

    def _on_forget(self, key: str) -> None:
        if (services := self._workspace.services) is not None:
            services.engine.forget(key)
            self.refresh()

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, SummaryAdded | SummaryChanged):
            self.refresh()

    def _on_setting_changed(self, key: str) -> None:
        if key.startswith("chat."):
            self.refresh()


def _growing(path: list[StoredMessage]) -> str:
    return path[-1].id if path and path[-1].state is MessageState.STREAMING else ""
