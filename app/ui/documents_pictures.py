"""Pages of PDFs as pictures: drawn by the parser process, asked for off the main thread, kept while there is room.

Main thread, but for the drawing. Reads no file itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QImage

from app.ui.attachments_reader import Runner
from app.ui.bridge import EventBridge
from engine.cancel import CancelToken

KEPT_BYTES = 96 << 20
"""Of pictures in memory; the ones shown last stay."""

Span = tuple[int, int]


class Drawn(Protocol):
    """A `rag.loaders.pdf_picture.PagePicture`."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def pixels(self) -> bytes: ...
    @property
    def rectangles(self) -> Sequence[Sequence[tuple[int, int, int, int]]]: ...


class PageRenderer(Protocol):
    """The part of `rag.parsing.client.Parser` that is needed here; from one thread at a time."""

    def render_page(
        self, path: Path, number: int, width_px: int, spans: Sequence[Span] = (), cancel: CancelToken | None = None
    ) -> Drawn: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as an image, and the rectangles of the passage on it, in the image's pixels."""

    image: QImage
    rectangles: tuple[QRect, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Page `number` of a PDF, `width_px` wide, with characters [start, end) of its stored text marked."""

    path: Path
    number: int
    width_px: int
    span: Span


class PagePictures(QObject):
    """The process is started for the first page. Pages that nobody waits for any more are not drawn."""

    def __init__(
        self, run: Runner, bridge: EventBridge, make_renderer: Callable[[], PageRenderer], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._run, self._bridge, self._make_renderer = run, bridge, make_renderer
        self._renderer: PageRenderer | None = None
        self._drawing = threading.Lock()
        self._cancel = CancelToken()
        self._kept: OrderedDict[Wanted, PageImage] = OrderedDict()
        self._held = 0

    def draw(
        self,
        page: Wanted,
        done: Callable[[PageImage], None],
        failed: Callable[[BaseException], None],
        still_wanted: Callable[[], bool],
    ) -> None:
        """`done` with the picture, at once if it is there, or `failed`; neither if it is not `still_wanted` by then.

        `still_wanted` is called on any thread.
        """
        found = self._kept.get(page)
        if found is not None:
            self._kept.move_to_end(page)
            done(found)
            return

        def drawn(image: PageImage | None) -> None:
            if image is not None:
                self._keep(page, image)
                if still_wanted():
                    done(image)

        def not_drawn(error: BaseException) -> None:
            if still_wanted():
                failed(error)

        self._bridge.then(self._run(lambda: self._draw(page, still_wanted)), drawn, not_drawn)

    def forget(self, path: Path) -> None:
        """A file is another one now."""
        for key in [each for each in self._kept if each.path == path]:
            self._held -= self._kept.pop(key).image.sizeInBytes()

    def close(self) -> None:
        """End the process; nothing is drawn any more."""
        self._cancel.cancel()
        with self._drawing:
            if self._renderer is not None:
                self._renderer.close()
                self._renderer = None

    def _keep(self, key: Wanted, page: PageImage) -> None:
        self._kept[key] = page
        self._held += page.image.sizeInBytes()
        while self._held > KEPT_BYTES and len(self._kept) > 1:
            self._held -= self._kept.popitem(last=False)[1].image.sizeInBytes()

    def _draw(self, page: Wanted, still_wanted: Callable[[], bool]) -> PageImage | None:
        """On the pool's threads, one at a time."""
        spans = (page.span,) if page.span[0] < page.span[1] else ()
        with self._drawing:
            if self._cancel.cancelled or not still_wanted():
                return None
            if self._renderer is None:
                self._renderer = self._make_renderer()
            drawn = self._renderer.render_page(page.path, page.number, page.width_px, spans, self._cancel)
        image = QImage(drawn.pixels, drawn.width, drawn.height, 3 * drawn.width, QImage.Format.Format_RGB888)
        boxes = [
            QRect(each[0], each[1], each[2] - each[0], each[3] - each[1]) for row in drawn.rectangles for each in row
        ]
        # Another format is a copy: the bytes belong to Python.
        return PageImage(image.convertToFormat(QImage.Format.Format_RGB32), tuple(boxes))
