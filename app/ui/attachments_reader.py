"""Has files and images read off the main thread and brings them home as parts of a message. Opens no file itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, TypeVar

from PySide6.QtGui import QImage

from app.attachments import read_attachment, read_picture
from app.i18n import error_sentence
from app.store.images import ImageFolder
from app.store.types import Attached
from app.ui.bridge import EventBridge
from engine.display_name import display_name
from engine.errors import AttachmentError, HearthError, sentence

_BLIND = sentence(
    "{model} cannot look at images, so “{name}” was not attached. Choose a model that can; some need a vision file, "
    "which the list of models lets you choose."
)

T = TypeVar("T")


class Runner(Protocol):
    """Runs a function on a pool, as `Executor.submit` does with no arguments."""

    def __call__(self, fn: Callable[[], T], /) -> Future[T]: ...


class AttachmentReader:
    """Reads on `run`'s threads, answers on the main thread: `done` with the part, or `refused` with why not.

    `blind` is the name of the model where it cannot look at images, else "": then images are refused.
    """

    def __init__(self, run: Runner, bridge: EventBridge, images: ImageFolder) -> None:
        self._run = run
        self._bridge = bridge
        self._images = images

    def read(
        self, path: Path, done: Callable[[Attached], None], refused: Callable[[str], None], *, blind: str = ""
    ) -> None:
        """Read a file."""

        def read() -> Attached:
            picture = read_picture(path)
            if picture is None:
                return read_attachment(path)
            name = display_name(path.name)
            _refuse_blind(blind, name)
            from app.ui.picture_reader import keep_picture  # noqa: PLC0415  # wanted by few messages

            kind, raw = picture
            return keep_picture(raw, kind, name, self._images)

        self._start(read, done, refused)

    def take(
        self,
        image: bytes | QImage,
        name: str,
        done: Callable[[Attached], None],
        refused: Callable[[str], None],
        *,
        blind: str = "",
    ) -> None:
        """Take an image that was pasted or dropped without a file."""

        def take() -> Attached:
            _refuse_blind(blind, name)
            from app.ui.picture_reader import keep_foreign, keep_image  # noqa: PLC0415  # as above

            if isinstance(image, QImage):
                return keep_image(image, name, self._images)
            return keep_foreign(image, name, self._images)

        self._start(take, done, refused)

    def _start(
        self, work: Callable[[], Attached], done: Callable[[Attached], None], refused: Callable[[str], None]
    ) -> None:
        def failed(error: BaseException) -> None:
            if not isinstance(error, HearthError):
                raise error
            refused(error_sentence(error))

        self._bridge.then(self._run(work), done, failed)


def _refuse_blind(model: str, name: str) -> None:
    if model:
        raise AttachmentError(_BLIND, model=model, name=name)
