"""Looking after the document library when the program starts: going on with it, and letting go of what nobody has.

Files that were dropped on a chat go with the chat. Knows no window.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from app.future_results import result_or_none
from app.paths import Paths
from rag.client import LibraryClient
from rag.store.types import Collection

if TYPE_CHECKING:
    from app.store.store import ConversationStore

COMMAND_LINE = "command line"
"""The owner of what `hearth ask --docs` has read: kept, so that the second question is quick."""
PERSONA = "persona:"
"""Begins the owner of what a persona answers from; its short name follows. Kept as long as there is the persona."""
VERSION = "#"
"""Stands between the short name and what names the documents of an older version."""
T = TypeVar("T")
StoreCall = Callable[[Callable[["ConversationStore"], frozenset[int]]], Future[frozenset[int]]]
_log = logging.getLogger(__name__)


def go_on(paths: Paths, documents: LibraryClient, store_call: StoreCall) -> None:
    """Have what waits read, where there is a library. Any thread; returns at once."""
    if not (paths.library / "library.db").exists():
        return
    documents.start()
    began = time.time()

    def with_collections(future: Future[tuple[Collection, ...]]) -> None:
        collections = result_or_none(future, _log, "looking after the documents")
        for each in collections or ():
            if each.owner.startswith(PERSONA) and not (paths.personas / persona_of(each.owner)).is_dir():
                documents.remove_collection(each.id)
        owned = [each for each in collections or () if _goes_with_chats(each) and each.created_at < began]
        if owned:
            used = store_call(lambda store: store.used_collections())
            used.add_done_callback(
                lambda ended: _forget(documents, owned, result_or_none(ended, _log, "looking after the documents"))
            )

    documents.collections().add_done_callback(with_collections)


def persona_of(owner: str) -> str:
    """The short name in the owner of a persona's collection."""
    return owner.removeprefix(PERSONA).partition(VERSION)[0]


def _goes_with_chats(collection: Collection) -> bool:
    return collection.owner not in ("", COMMAND_LINE) and not collection.owner.startswith(PERSONA)


def _forget(documents: LibraryClient, owned: list[Collection], used: frozenset[int] | None) -> None:
    if used is None:
        return
    for collection in owned:
        if collection.id not in used:
            documents.remove_collection(collection.id)
