"""The library process as this program starts it: with ears. The one place where documents and voice meet.

Imported in the program's own process too, for the name of the entry point: so it loads nothing by itself.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.recordings import Ears


def run_library(connection: Connection) -> None:
    """The library process's entry point: `rag.worker.worker_main`, with what hears recordings."""
    from rag.worker import worker_main  # noqa: PLC0415  # in the process only

    worker_main(connection, _make_ears)


def _make_ears(folder: Path) -> Ears:
    from app.voice_ears import VoiceEars  # noqa: PLC0415  # with the library, after the process has settled

    return VoiceEars(folder)
