"""Keeps a window's context panel true: asks what the model would be given now, and passes on what the person wants.

The one place where the panel meets the chat service and the engine. It asks when something may have changed, a little
later and once, and only while the panel can be seen.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer

from app.memory_view import MemoryView, PromptWords, read_memory, remembered, words_of
from app.prompting import ANSWER_RESERVE, build_request
from app.store.types import Conversation, MessageState, StoredMessage
from app.ui.context_panel import ContextPanel
from app.ui.conversation_page import ConversationPage
from app.ui.sidebar_model import shown_title
from app.ui.workspace import Workspace
from engine.pages import CacheReport
from engine.types import GenerationRequest

_PATIENCE_MS = 120
"""Several changes within this time are asked about once."""


class MemoryFlow(QObject):
    """Between one `ConversationPage` and the `ContextPanel` beside it."""

    def __init__(self, workspace: Workspace, page: ConversationPage, panel: ContextPanel) -> None:
        super().__init__(panel)
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
        panel.shown.connect(self.refresh)
        panel.message_requested.connect(page.show_message)
        panel.pin_requested.connect(self._on_pin)
        panel.evict_requested.connect(self._on_evict)
        panel.forget_requested.connect(self._on_forget)
        self._unsubscribe = workspace.settings.subscribe(self._on_setting_changed)
        panel.destroyed.connect(self._unsubscribe)
        self._on_path_shown(page.path)

    def refresh(self) -> None:
        """What the panel shows may be old."""
        self._timer.start()

    def _on_path_shown(self, path: list[StoredMessage]) -> None:
        panel, page = self._panel, self._page
        if not page.is_generating:
            panel.follower.show_usage(next((each.usage for each in reversed(path) if each.usage is not None), None))
        elif (meter := self._workspace.answers.meter(page.conversation_id)) is not None:
            panel.follower.show_live(meter)
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

        conversation = workspace.library.conversation(page.conversation_id)
        if conversation is None:
            reserve = min(ANSWER_RESERVE, model.n_ctx // 2)
            show(MemoryView((), (), 0, 0, model.n_ctx, reserve=reserve))
        elif page.is_generating:
            request = self._request
            path = list(page.path)
            words = services.pool.submit(lambda: words_of(request(conversation, path).messages))
            workspace.bridge.then(words, show_words, workspace.library.crashed.emit)
        else:
            path = list(page.path)
            future = read_memory(services.engine, services.pool, lambda: self._request(conversation, path))
            workspace.bridge.then(future, show, show_nothing)
        workspace.bridge.then(services.engine.cache(), self._on_cache, lambda _error: None)

    def _request(self, conversation: Conversation, path: list[StoredMessage]) -> GenerationRequest:
        """On a thread of the pool."""
        whole = [each for each in path if each.state is not MessageState.STREAMING]
        request = build_request("memory", conversation, whole, self._workspace.settings)
        return replace(request, cache_key=conversation.id)

    def _on_cache(self, report: CacheReport) -> None:
        library = self._workspace.library

        def title_of(key: str) -> str:
            conversation = library.conversation(key)
            return shown_title(conversation) if conversation is not None else ""

        others = remembered(report, but=self._page.conversation_id)
        self._panel.remembered.show_entries(others, title_of, report.disk_bytes)

    def _on_pin(self, message_id: str, pinned: bool) -> None:
        self._page.pin_message(message_id, pinned)

    def _on_evict(self, message_id: str, evicted: bool) -> None:
        self._page.evict_message(message_id, evicted)

    def _on_forget(self, key: str) -> None:
        if (services := self._workspace.services) is not None:
            services.engine.forget(key)
            self.refresh()

    def _on_setting_changed(self, key: str) -> None:
        if key.startswith("chat."):
            self.refresh()


def _growing(path: list[StoredMessage]) -> str:
    return path[-1].id if path and path[-1].state is MessageState.STREAMING else ""
