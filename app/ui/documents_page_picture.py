"""The picture of a page with a passage marked on it, to scroll and to enlarge. Draws no page itself."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.documents_pictures import PageImage
from app.ui.theme import Theme

ZOOMS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Times the width of the view."""
MARK = QColor("#ffdf7e")
"""Paper is white in every theme: this is laid over it as a marker pen is."""
_SETTLE_MS = 120


class _Canvas(QWidget):
    def __init__(self, theme: Theme, view: QWidget) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        self.page = PageImage(QImage(), ())
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def placed(self, rectangle: QRect) -> QRectF:
        """A rectangle of the image on this widget."""
        image = self.page.image
        across, down = self.width() / max(1, image.width()), self.height() / max(1, image.height())
        return QRectF(
            rectangle.x() * across, rectangle.y() * down, rectangle.width() * across, rectangle.height() * down
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        if not self.page.image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self.page.image)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(MARK)
            for rectangle in self.page.rectangles:
                painter.drawRect(self.placed(rectangle))
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setPen(self._theme.color("focus" if self._view.hasFocus() else "border"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class PagePictureView(QScrollArea):
    """Arrow keys and the wheel scroll; left and right turn the page where there is nothing to scroll to."""

    width_wanted = Signal()
    """The page should be drawn anew, `width_px` wide."""
    turn_requested = Signal(int)
    """1 for the next page, -1 for the one before."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._zoom = 1.0
        self._bring = False
        self._canvas = _Canvas(theme, self)
        self._canvas.hide()
        self.setWidget(self._canvas)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self.width_wanted)
        theme.changed.connect(self._canvas.update)

    @property
    def zoom(self) -> float:
        return self._zoom

    @property
    def page(self) -> PageImage:
        """What is shown."""
        return self._canvas.page

    def set_zoom(self, step: int) -> None:
        """One step larger (1) or smaller (-1); 0: as wide as the view."""
        place = min(len(ZOOMS) - 1, max(0, ZOOMS.index(self._zoom) + step)) if step else ZOOMS.index(1.0)
        if ZOOMS[place] != self._zoom:
            self._zoom = ZOOMS[place]
            self._size_canvas()
            self.width_wanted.emit()

    def width_px(self) -> int:
        """How wide the page should be drawn, in pixels of the screen."""
        return max(120, round(self._room() * self._zoom * self.devicePixelRatioF()))

    def show_page(self, page: PageImage, name: str, text: str, *, bring: bool) -> None:
        """Show a page; `bring` its passage (else its top) into view. `name` and `text` are for screen readers."""
        self._canvas.page = page
        self._canvas.setAccessibleName(name)
        self.setAccessibleName(name)
        self.setAccessibleDescription(text)
        self._canvas.show()
        self._size_canvas()
        self._canvas.update()
        self._bring = bring
        QTimer.singleShot(0, self, self._bring_passage)

    def clear(self) -> None:
        """Show nothing."""
        self._canvas.hide()
        self._canvas.page = PageImage(QImage(), ())

    def passage_in_view(self) -> bool:
        """Whether the beginning of the passage can be seen."""
        if not self.page.rectangles:
            return False
        first = self._canvas.placed(self.page.rectangles[0]).toRect()
        return self.viewport().rect().intersects(first.translated(self._canvas.pos()))

    def _room(self) -> int:
        """For the page's width. Not the viewport's: that is known only once it is seen, and changes with the bar."""
        return max(1, self.width() - self.verticalScrollBar().sizeHint().width() - self._theme.space(2))

    def _size_canvas(self) -> None:
        image = self._canvas.page.image
        if image.isNull():
            return
        width = max(1, round(self._room() * self._zoom))
        self._canvas.resize(QSize(width, max(1, round(width * image.height() / image.width()))))

    def _bring_passage(self) -> None:
        if not self._bring:
            return
        self._bring = False
        if self.page.rectangles:
            first = self._canvas.placed(self.page.rectangles[0])
            self.verticalScrollBar().setValue(round(first.top() - self.viewport().height() / 3))
            if first.left() > self.viewport().width():
                self.horizontalScrollBar().setValue(round(first.left() - self._theme.space(4)))
        else:
            self.verticalScrollBar().setValue(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._size_canvas()
            self._settle.start()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._canvas.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._canvas.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.horizontalScrollBar()
        if event.key() == Qt.Key.Key_Right and bar.value() == bar.maximum():
            self.turn_requested.emit(1)
        elif event.key() == Qt.Key.Key_Left and bar.value() == bar.minimum():
            self.turn_requested.emit(-1)
        elif event.key() == Qt.Key.Key_Home:
            self.verticalScrollBar().setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        else:
            super().keyPressEvent(event)
