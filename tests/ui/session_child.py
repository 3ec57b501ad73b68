"""A Hearth with two windows, to be killed: `python -m tests.ui.session_child DATA`. Prints the ids of its chats."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.events import ChatEvent
from app.paths import Paths, resolve_paths
from app.services import Services
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.types import Draft, TextPart
from app.ui.application import Application
from engine.context.segments import Role
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places

LINES = "\n\n".join(f"Line {number} of a long answer." for number in range(30))


def fill(store: ConversationStore) -> tuple[str, str]:
    """A chat long enough to scroll, and a short one."""
    made = []
    for name, turns in (("long", 3), ("short", 1)):
        conversation, parent = store.create_conversation(title=name), None
        for _ in range(turns):
            asked = store.add_message(
                conversation.id, parent_id=parent, role=Role.USER, parts=(TextPart(f"A {name} one?"),)
            )
            parent = store.add_message(
                conversation.id, parent_id=asked.id, role=Role.ASSISTANT, parts=(TextPart(LINES),)
            ).id
        made.append(conversation.id)
    return made[0], made[1]


def main() -> None:
    data = Path(sys.argv[1])
    paths = replace(resolve_paths(data), models=data / "models")
    paths.create()
    nowhere = Places(home=data / "nobody", environment={}, system=data / "nowhere")
    app = QApplication(["hearth"])
    app.setStyle("Fusion")

    def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
        return Services.open(paths, publish=publish, settings=settings, engine=FakeEngine(), places=nowhere)

    application = Application(app, paths, open_services=open_services)
    application.start()
    workspace = application.workspace

    def begin() -> None:
        assert workspace.services is not None
        workspace.bridge.then(workspace.services.store_call(fill), arrange, workspace.library.report)

    def arrange(ids: tuple[str, str]) -> None:
        first, second = application.windows[0], application.open_window(ids[1])
        first.open_conversation(ids[0])
        first.set_sidebar_visible(False)
        second.panel.setVisible(True)
        second.resize(1100, 600)
        second.page.composer.set_draft(Draft(""))
        second.page.add_words("half a thought")
        scroll(ids)

    def scroll(ids: tuple[str, str]) -> None:
        page = application.windows[0].page
        bar = page.transcript.scroll_bar
        if len(page.path) != 6 or bar.maximum() < 1000:
            QTimer.singleShot(20, lambda: scroll(ids))
            return
        bar.setValue(700)
        print(*ids, *page.place, flush=True)

    workspace.ready.connect(begin)
    sys.exit(app.exec())


if __name__ == "__main__":
    main()
