"""One control for each kind of option, made from its declaration. A change takes effect at once.

Knows the settings, and nothing of the dialog around.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.settings import Settings
from app.settings_options import Option
from app.ui.found_choice import FoundChoice
from app.ui.icons import IconButton
from app.ui.settings_file import FileField
from app.ui.theme import Theme

_TYPING_PAUSE_MS = 400
_SPIN_MARGIN = 6
"""In pixels; a style sheet's padding does not reach a spin box's own field."""


class Switch(QAbstractButton):
    """On or off, as a small slider."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(10), self._theme.space(6))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, space = self._theme, self._theme.space
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(1, 1, self.width() - 2, self.height() - 2)
        painter.setPen(Qt.PenStyle.NoPen)
        on = self.isChecked()
        painter.setBrush(theme.color("accent" if on else "text_faint"))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        side = track.height() - space(1)
        at_right = on is not self.isRightToLeft()
        left = track.right() - side - space(0.5) if at_right else track.left() + space(0.5)
        painter.setBrush(theme.color("on_accent" if on else "surface"))
        painter.drawEllipse(QRectF(left, track.top() + space(0.5), side, side))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)


class _CalmSpin(QSpinBox):
    """Scrolling the page over it does not change it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _CalmDoubleSpin(QDoubleSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class _CalmCombo(QComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FolderList(QWidget):
    """A list of folders: add one, take one away."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, title: str) -> None:
        """`title` is that of the system's dialog."""
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self.folders: tuple[str, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.space(1))
        self._rows = QVBoxLayout()
        self._column.addLayout(self._rows)
        self.add_button = QPushButton(tr("Add a folder…"))
        self.add_button.clicked.connect(self._on_add)
        self._column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self.add_button)

    def show_folders(self, folders: tuple[str, ...]) -> None:
        self.folders = folders
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for folder in folders:
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            name = QLabel(folder)
            name.setTextFormat(Qt.TextFormat.PlainText)
            name.setToolTip(folder)
            row.addWidget(name, 1)
            remove = IconButton(self._theme, "x", tr("Take {name} off the list", name=folder), size=16)
            remove.clicked.connect(lambda _checked=False, gone=folder: self._remove(gone))
            row.addWidget(remove)
            self._rows.addWidget(line)

    def _remove(self, folder: str) -> None:
        self.show_folders(tuple(each for each in self.folders if each != folder))
        self.changed.emit()

    def _on_add(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self._title)
        if chosen and chosen not in self.folders:
            self.show_folders((*self.folders, str(Path(chosen))))
            self.changed.emit()


def labelled(theme: Theme, title: str, words: str, control: QWidget) -> QVBoxLayout:
    """A row's label and help, which stand at its left; `control` comes behind them."""
    label = QLabel(title)
    label.setBuddy(control)
    label.setWordWrap(True)
    help_text = QLabel(words)
    help_text.setProperty("kind", "caption")
    help_text.setWordWrap(True)
    texts = QVBoxLayout()
    texts.setSpacing(theme.space(0.5))
    texts.addWidget(label)
    texts.addWidget(help_text)
    return texts


def control_for(option: Option, settings: Settings, theme: Theme) -> tuple[QWidget, Callable[[], None]]:
    """The control of `option`, and the function that shows the present value in it."""
    label = tr(option.label)
    if isinstance(option.default, bool):
        control, show = _switch(option, settings, theme)
    elif option.choices:
        control, show = _combo(option, settings)
    elif option.found:
        control, show = _found(option, settings)
    elif isinstance(option.default, int | float):
        control, show = _number(option, settings)
    elif isinstance(option.default, tuple):
        control, show = _folders(option, settings, theme)
    elif option.multiline:
        control, show = _text(option, settings, theme)
    elif option.file:
        control, show = _file(option, settings, theme)
    else:
        control, show = _line(option, settings)
    control.setAccessibleName(label)
    control.setAccessibleDescription(tr(option.help))
    show()
    return control, show


def _switch(option: Option, settings: Settings, theme: Theme) -> tuple[QWidget, Callable[[], None]]:
    control = Switch(theme)
    control.toggled.connect(lambda on: settings.set(option.key, on))
    return control, lambda: control.setChecked(settings.flag(option.key))


def _combo(option: Option, settings: Settings) -> tuple[QWidget, Callable[[], None]]:
    control = _CalmCombo()
    for value, label in option.choices:
        control.addItem(tr(label), value)
    control.activated.connect(lambda _index: settings.set(option.key, control.currentData()))
    return control, lambda: control.setCurrentIndex(control.findData(settings.get(option.key)))


def _found(option: Option, settings: Settings) -> tuple[QWidget, Callable[[], None]]:
    control = FoundChoice(tr(option.default_label))
    control.chosen.connect(lambda value: settings.set(option.key, value))
    return control, lambda: control.show_value(settings.text(option.key))


def _number(option: Option, settings: Settings) -> tuple[QWidget, Callable[[], None]]:
    special = tr(option.special[1]) if option.special is not None and option.special[0] == option.minimum else ""
    if isinstance(option.default, int):
        whole = _CalmSpin()
        whole.lineEdit().setTextMargins(_SPIN_MARGIN, 0, 0, 0)
        whole.setRange(int(option.minimum or 0), int(option.maximum if option.maximum is not None else 2**31 - 1))
        whole.setSingleStep(int(option.step))
        whole.setSpecialValueText(special)
        whole.setGroupSeparatorShown(option.parted)
        whole.setKeyboardTracking(False)
        whole.valueChanged.connect(lambda value: settings.set(option.key, value))
        return whole, lambda: whole.setValue(settings.integer(option.key))
    real = _CalmDoubleSpin()
    real.lineEdit().setTextMargins(_SPIN_MARGIN, 0, 0, 0)
    real.setRange(option.minimum or 0.0, option.maximum if option.maximum is not None else 1e9)
    real.setSingleStep(option.step)
    real.setDecimals(2)
    real.setSpecialValueText(special)
    real.setKeyboardTracking(False)
    real.valueChanged.connect(lambda value: settings.set(option.key, round(value, 2)))
    return real, lambda: real.setValue(settings.number(option.key))


def _folders(option: Option, settings: Settings, theme: Theme) -> tuple[QWidget, Callable[[], None]]:
    control = FolderList(theme, title=tr(option.label))
    control.changed.connect(lambda: settings.set(option.key, control.folders))

    def show() -> None:
        if control.folders != settings.texts(option.key):
            control.show_folders(settings.texts(option.key))

    return control, show


def _text(option: Option, settings: Settings, theme: Theme) -> tuple[QWidget, Callable[[], None]]:
    control = _LeavingText()
    control.setProperty("kind", "field")
    control.setTabChangesFocus(True)
    control.setFixedHeight(theme.space(24))
    pause = QTimer(control, singleShot=True, interval=_TYPING_PAUSE_MS)

    def keep() -> None:
        pause.stop()
        settings.set(option.key, control.toPlainText())

    pause.timeout.connect(keep)
    control.textChanged.connect(pause.start)
    control.left.connect(keep)

    def show() -> None:
        if control.toPlainText() != settings.text(option.key) and not pause.isActive():
            control.setPlainText(settings.text(option.key))
            pause.stop()

    return control, show


class _LeavingText(QPlainTextEdit):
    """Says when it is left, so that nothing written stays unsaved."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusOut, QEvent.Type.Hide):
            self.left.emit()
        return super().event(event)


def _line(option: Option, settings: Settings) -> tuple[QWidget, Callable[[], None]]:
    control = QLineEdit()
    control.editingFinished.connect(lambda: settings.set(option.key, control.text()))
    return control, lambda: control.setText(settings.text(option.key))


def _file(option: Option, settings: Settings, theme: Theme) -> tuple[QWidget, Callable[[], None]]:
    words = tr(option.default_label) if option.default_label else tr("none")
    control = FileField(theme, tr(option.label), placeholder=words, folders=option.folder)
    control.changed.connect(lambda: settings.set(option.key, control.path or option.default))

    def show() -> None:
        value = settings.text(option.key)
        control.show_path("" if value == option.default else value)

    return control, show
