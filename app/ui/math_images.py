"""Formulas as pictures: LaTeX is typeset by ziamath on a thread of its own and drawn by QtSvg, then kept.

What ziamath cannot set becomes readable text through pylatexenc; what neither can, stays source (None is never final).
Both libraries are loaded with the first formula. Knows no view: `ready` tells that something asked for has come.
"""

from __future__ import annotations

import math
import re
import sys
import time
import xml.etree.ElementTree as ET  # only for what ziamath has produced
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from inspect import CO_GENERATOR
from types import FrameType

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app.limits import LATEX_CHARACTERS
from app.ui.bridge import EventBridge

_KEPT = 600
_MAX_DEPTH = 40
_MAX_S = 1.0
"""ziamath takes twice as long for each level of some nestings: 30 square roots would take days."""
_MAX_PIXELS = 4000
_SCALE = 1.18
"""The formula font looks smaller than the text's at the same size."""
_ALLOWED_TAGS = frozenset({"svg", "g", "path", "rect", "line"})
_TYPESETTING = frozenset({"ziamath", "ziafont", "latex2mathml"})
"""Packages."""
_NAMES = re.compile(r"\\(?:operatorname|mathop)\*?\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn formula. Sizes in device-independent pixels; `ascent` is above the base line."""

    image: QImage
    width: float
    ascent: float
    descent: float


@dataclass(frozen=True, slots=True)
class _Svg:
    drawing: bytes
    width: float
    ascent: float
    descent: float


class Unreadable(Enum):
    """Neither a picture nor readable text: show the source."""

    SOURCE = "source"


Found = Picture | str | Unreadable | None
"""A picture, readable text, neither, or None: being worked on."""
_Key = tuple[str, bool, int]


class MathImages(QObject):
    """Draws and keeps formulas. Main thread; typesetting runs on its own thread."""

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = EventBridge(self)
        self._pool: ThreadPoolExecutor | None = None
        self._set: OrderedDict[_Key, _Svg | str | Unreadable] = OrderedDict()
        self._pictures: OrderedDict[tuple[_Key, str, float], Picture] = OrderedDict()
        self._under_way: set[_Key] = set()

    def inline(self, latex: str, pixels: int, color: QColor) -> Found:
        """A formula in a line of text of that size."""
        return self._find(latex, False, pixels, color)

    def display(self, latex: str, pixels: int, color: QColor) -> Found:
        """A formula on a line of its own."""
        return self._find(latex, True, pixels, color)

    def is_idle(self) -> bool:
        """Nothing is being typeset."""
        return not self._under_way

    def close(self) -> None:
        self._bridge.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _find(self, latex: str, display: bool, pixels: int, color: QColor) -> Found:
        key = (latex, display, pixels)
        done = self._set.get(key)
        if done is None:
            self._start(key)
            return None
        self._set.move_to_end(key)
        if not isinstance(done, _Svg):
            return done
        ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
        drawn_key = (key, color.name(), ratio)
        picture = self._pictures.get(drawn_key)
        if picture is None:
            picture = self._pictures[drawn_key] = _draw(done, color, ratio)
            while len(self._pictures) > _KEPT:
                self._pictures.popitem(last=False)
        return picture

    def _start(self, key: _Key) -> None:
        if key in self._under_way:
            return
        self._under_way.add(key)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="formulas")
        future: Future[_Svg | str | Unreadable] = self._pool.submit(typeset, *key)
        self._bridge.then(future, lambda result: self._on_set(key, result), lambda error: self._on_failed(key, error))

    def _on_set(self, key: _Key, result: _Svg | str | Unreadable) -> None:
        self._under_way.discard(key)
        self._set[key] = result
        while len(self._set) > _KEPT:
            self._set.popitem(last=False)
        if not self._under_way:
            self.ready.emit()

    def _on_failed(self, key: _Key, error: BaseException) -> None:
        self._on_set(key, Unreadable.SOURCE)
        raise error


def typeset(latex: str, display: bool, pixels: int) -> _Svg | str | Unreadable:
    """LaTeX to a drawing, or to readable text, or neither. Any thread, one at a time."""
    if len(latex) > LATEX_CHARACTERS or _depth(latex) > _MAX_DEPTH:
        return Unreadable.SOURCE
    drawing = _typeset_svg(latex, display, pixels)
    return drawing if drawing is not None else _readable(latex)


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` within if it takes longer. Watches the Python calls of this thread alone."""
    until = time.perf_counter() + seconds
    before = sys.gettrace()

    def check(frame: FrameType, event: str, arg: object) -> None:
        # A generator being closed swallows it, and so does what is called when an object elsewhere goes.
        is_typesetting = str(frame.f_globals.get("__name__")).partition(".")[0] in _TYPESETTING
        if is_typesetting and time.perf_counter() > until and not frame.f_code.co_flags & CO_GENERATOR:
            raise TimeoutError("the formula takes too long")

    sys.settrace(check)
    try:
        yield
    finally:
        sys.settrace(before)


def _depth(latex: str) -> int:
    depth = deepest = 0
    for character in latex:
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
    return max(deepest, latex.count("\\left"), latex.count("\\begin"))


def _typeset_svg(latex: str, display: bool, pixels: int) -> _Svg | None:
    from ziamath.config import config  # noqa: PLC0415  # 140 ms, wanted by few answers
    from ziamath.zmath import Latex  # noqa: PLC0415

    config.svg2 = False  # plain paths: QtSvg knows no references to symbols
    try:
        with _limited(_MAX_S):
            root = Latex(latex, size=pixels * _SCALE, inline=not display).svgxml()
        _, top, width, height = map(float, root.attrib["viewBox"].split())
    except Exception:  # noqa: BLE001  # it raises a dozen unrelated kinds for LaTeX it does not know
        return None
    if any(str(element.tag).rpartition("}")[2] not in _ALLOWED_TAGS for element in root.iter()):
        return None
    if not (0 < width < _MAX_PIXELS and 0 < height < _MAX_PIXELS and abs(top) < _MAX_PIXELS):
        return None
    return _Svg(ET.tostring(root), width, -top, height + top)


def _readable(latex: str) -> str | Unreadable:
    from pylatexenc.latex2text import LatexNodes2Text  # noqa: PLC0415  # as above

    try:
        text = LatexNodes2Text(math_mode="text").latex_to_text(_NAMES.sub(r"\1", latex)).strip()
    except Exception:  # noqa: BLE001  # as above
        return Unreadable.SOURCE
    return text if text and "\\" not in text else Unreadable.SOURCE


def _draw(svg: _Svg, color: QColor, ratio: float) -> Picture:
    ink = svg.ascent + svg.descent
    image = QImage(math.ceil(svg.width * ratio), math.ceil(ink * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.drawing)).render(painter, QRectF(0, 0, svg.width * ratio, ink * ratio))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(image.rect(), color)
    painter.end()
    return Picture(image, image.width() / ratio, svg.ascent, image.height() / ratio - svg.ascent)
