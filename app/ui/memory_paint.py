"""The looks of the memory map's pages and cells. Knows no model and no geometry; rectangles come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.memory_pages import MemoryPage
from app.ui.icons import tinted_pixmap
from app.ui.memory_words import origin_icon
from app.ui.theme import Theme
from engine.pages import PageState

_PALE = 0.3
_ICON_PIXELS = 11


def blended(color: QColor, ground: QColor, share: float) -> QColor:
    """`share` of `color` on `ground`."""
    channels = zip(
        (color.red(), color.green(), color.blue()), (ground.red(), ground.green(), ground.blue()), strict=True
    )
    return QColor(*(round(a * share + b * (1 - share)) for a, b in channels))


def pale(theme: Theme, origin: str) -> QColor:
    """The colour of what is not read yet."""
    return blended(theme.origin_color(origin), theme.color("window"), _PALE)


class PagePainter:
    """One paint event's brush."""

    def __init__(self, painter: QPainter, theme: Theme) -> None:
        self._painter, self._theme = painter, theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def known(self, origin: str, rects: Sequence[QRectF]) -> None:
        """In the KV cache: solid."""
        for rect in rects:
            self._painter.fillRect(rect, self._theme.origin_color(origin))

    def unread(self, origin: str, rects: Sequence[QRectF]) -> None:
        """Not in the KV cache: pale, with a line below."""
        line = max(1.5, 2 * self._theme.zoom)
        for rect in rects:
            self._painter.fillRect(rect, pale(self._theme, origin))
            foot = QRectF(rect.left(), rect.bottom() - line, rect.width(), line)
            self._painter.fillRect(foot, self._theme.origin_color(origin))

    def left_out(self, page: MemoryPage, rects: Sequence[QRectF]) -> None:
        """Not in the window: a broken outline."""
        painter = self._painter
        for rect in rects:
            painter.setPen(QPen(self._theme.origin_color(page.origin), 1.5, Qt.PenStyle.DotLine))
            painter.setBrush(blended(self._theme.origin_color(page.origin), self._theme.color("window"), 0.12))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))
        self.marks(page, rects, solid=False)

    def hatched(self, rects: Sequence[QRectF]) -> None:
        """Among the first to go."""
        for rect in rects:
            self._hatch(rect, self._theme.color("window"), step=5 * self._theme.zoom, width=1.25)

    def free(self, rects: Sequence[QRectF]) -> None:
        """Empty cells."""
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._theme.color("pressed"))
        for rect in rects:
            self._painter.drawRoundedRect(rect, 2, 2)

    def reserve(self, rects: Sequence[QRectF]) -> None:
        """Empty cells that are kept for the answer."""
        for rect in rects:
            self._painter.setPen(QPen(self._theme.color("border"), 1))
            self._painter.setBrush(Qt.BrushStyle.NoBrush)
            self._painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
            self._hatch(
                rect.adjusted(1, 1, -1, -1), self._theme.color("text_faint"), step=5 * self._theme.zoom, width=1
            )

    def marks(self, page: MemoryPage, rects: Sequence[QRectF], *, solid: bool) -> None:
        """A thin gap before the page; its origin's icon and a pin, where there is room."""
        painter, theme = self._painter, self._theme
        if rects and rects[0].width() > 4:
            painter.fillRect(QRectF(rects[0].left(), rects[0].top(), 1.5, rects[0].height()), theme.color("window"))
        side = round(_ICON_PIXELS * theme.zoom)
        color = self._ink(solid)
        names = [origin_icon(page.origin), *(["pin"] if page.pinned else [])]
        for rect in rects[:2]:
            room = int((rect.width() - 4) // (side + 2))
            if room < 1:
                continue
            left = rect.left() + 3
            for name in names if room >= len(names) else names[-1:]:
                top = rect.top() + (rect.height() - side) / 2
                if page.state is PageState.NEXT_OUT:
                    painter.fillRect(
                        QRectF(left - 1, rect.top() + 1, side + 2, rect.height() - 2), theme.origin_color(page.origin)
                    )
                painter.drawPixmap(round(left), round(top), tinted_pixmap(theme, name, color=color, size=side))
                left += side + 2
            return

    def icon(self, origin: str, rect: QRectF, *, solid: bool) -> None:
        """An origin's icon in the middle of its mark."""
        side = round(_ICON_PIXELS * self._theme.zoom)
        corner = rect.center() - QPointF(side / 2, side / 2)
        pixmap = tinted_pixmap(self._theme, origin_icon(origin), color=self._ink(solid), size=side)
        self._painter.drawPixmap(corner.toPoint(), pixmap)

    def outline(self, rects: Sequence[QRectF], *, focused: bool) -> None:
        """Around the page that is selected."""
        painter = self._painter
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for rect in rects:
            painter.setPen(QPen(self._theme.color("surface"), 1))
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
            painter.setPen(QPen(self._theme.color("focus" if focused else "text"), 2))
            painter.drawRect(rect.adjusted(-1, -1, 1, 1))

    def _ink(self, solid: bool) -> str:
        """What can be seen on a page's colour."""
        return "window" if solid and self._theme.is_dark else "text"

    def _hatch(self, rect: QRectF, color: QColor, *, step: float, width: float) -> None:
        painter = self._painter
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(color, width))
        # In step with the whole picture, so that neighbours' lines meet.
        at = (rect.left() + rect.top()) // step * step
        while at < rect.right() + rect.bottom():
            painter.drawLine(QLineF(at - rect.top(), rect.top(), at - rect.bottom(), rect.bottom()))
            at += step
        painter.restore()
