"""One number of the parameters panel, made from its `Option`: label, number, slider, explanation, a way back.

Knows neither settings nor conversation.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QWidget,
)

from app.i18n import tr
from app.settings_options import Option
from app.ui.icons import IconButton
from app.ui.theme import Theme


class ParameterRow(QWidget):
    """`slider_to` is where the slider ends, for a range whose upper part hardly anybody needs; 0: no slider."""

    changed = Signal()

    def __init__(
        self, theme: Theme, option: Option, parent: QWidget | None = None, *, slider_to: float | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.option = option
        self._whole = isinstance(option.default, int)
        self._default = self.value_of(option.default)
        self._minimum = option.minimum if option.minimum is not None else 0
        maximum = option.maximum if option.maximum is not None else 2**31 - 1
        self._name = QLabel(tr(option.label), self)
        self._name.setWordWrap(True)
        self._reset = IconButton(theme, "rotate-ccw", tr("Reset {name}", name=tr(option.label)), size=14, parent=self)
        # The place stays free while it is hidden, so that nothing jumps.
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(policy)
        self._spin = self._whole_spin(int(maximum)) if self._whole else self._real_spin(maximum)
        if option.special is not None and option.special[0] == self._minimum:
            self._spin.setSpecialValueText(tr(option.special[1]))
        self._spin.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._spin.setKeyboardTracking(False)
        self._spin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._name.setBuddy(self._spin)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        steps = round(((maximum if slider_to is None else slider_to) - self._minimum) / option.step)
        self._slider.setRange(0, max(0, steps))
        self._slider.setPageStep(max(1, steps // 10))
        self._slider.setVisible(slider_to != 0)
        for control in (self._spin, self._slider):
            control.setAccessibleName(tr(option.label))
            control.setAccessibleDescription(tr(option.help))
            control.installEventFilter(self)
        self._lay_out()
        self._spin.valueChanged.connect(self._on_spin)
        self._slider.valueChanged.connect(self._on_slider)
        self._reset.clicked.connect(self._on_reset)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_value(self._default)

    @property
    def value(self) -> float:
        return self.value_of(self._spin.value())

    def set_value(self, value: float) -> None:
        """Show a value; says nothing."""
        for control in (self._spin, self._slider):
            control.blockSignals(True)
        if isinstance(self._spin, QSpinBox):
            self._spin.setValue(round(value))
        else:
            self._spin.setValue(value)
        self._slider.setValue(round((value - self._minimum) / self.option.step))
        for control in (self._spin, self._slider):
            control.blockSignals(False)
        self._show_reset()

    def set_default(self, value: float) -> None:
        """What the way back leads to."""
        self._default = self.value_of(value)
        self._show_reset()

    def value_of(self, raw: object) -> float:
        """A number as this row counts: whole, or to two places."""
        assert isinstance(raw, int | float)
        return int(raw) if self._whole else round(float(raw), 2)

    def _whole_spin(self, maximum: int) -> QSpinBox | QDoubleSpinBox:
        spin = QSpinBox(self)
        spin.setRange(int(self._minimum), maximum)
        spin.setSingleStep(int(self.option.step))
        spin.setGroupSeparatorShown(True)
        return spin

    def _real_spin(self, maximum: float) -> QSpinBox | QDoubleSpinBox:
        spin = QDoubleSpinBox(self)
        spin.setDecimals(2)
        spin.setRange(self._minimum, maximum)
        spin.setSingleStep(self.option.step)
        return spin

    def _lay_out(self) -> None:
        explanation = QLabel(tr(self.option.help), self)
        explanation.setProperty("kind", "caption")
        explanation.setWordWrap(True)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.addWidget(self._name, 0, 0)
        self._grid.addWidget(self._reset, 0, 1)
        self._grid.addWidget(self._spin, 0, 2)
        self._grid.addWidget(self._slider, 1, 0, 1, 3)
        self._grid.addWidget(explanation, 2, 0, 1, 3)
        self._grid.setColumnStretch(0, 1)

    def _show_reset(self) -> None:
        differs = self.value != self._default
        if self._reset.hasFocus() and not differs:
            self._spin.setFocus()
        self._reset.setVisible(differs)

    def _on_spin(self) -> None:
        self.set_value(self.value)
        self.changed.emit()

    def _on_slider(self, steps: int) -> None:
        self.set_value(self._minimum + steps * self.option.step)
        self.changed.emit()

    def _on_reset(self) -> None:
        self.set_value(self._default)
        self.changed.emit()

    def _on_theme_changed(self) -> None:
        self._grid.setHorizontalSpacing(self._theme.space(1))
        self._grid.setVerticalSpacing(self._theme.space(1))
        self._spin.setFixedWidth(self._theme.space(22))
        # The slider takes the place of the arrows. `NoButtons` would do, but under a style sheet it hides the number.
        kind = "QSpinBox" if self._whole else "QDoubleSpinBox"
        parts = ", ".join(f"{kind}::{part}" for part in ("up-button", "down-button", "up-arrow", "down-arrow"))
        self._spin.setStyleSheet(f"{parts} {{ width: 0; height: 0; border: none; image: none; margin: 0; }}")
        margin = self._theme.space(1.5)
        self._spin.lineEdit().setTextMargins(margin, 0, margin, 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Scrolling the panel must not turn what happens to lie under the pointer.
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
