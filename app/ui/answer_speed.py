"""How the last answer went, in numbers: what was read, known and guessed, how fast, how long. Knows no engine."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.amounts import count_text, rate_text
from app.ui.answer_meter import AnswerMeter
from app.ui.memory_words import tokens_text
from app.ui.theme import Theme


class AnswerSpeed(QWidget):
    """A line for each number that is known; hidden while none is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        title = QLabel(tr("Last answer"))
        title.setProperty("kind", "large")
        self._form = QFormLayout()
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        titles = {
            "processed": tr("Read"),
            "cached": tr("Known already"),
            "prefill": tr("Reading"),
            "written": tr("Written"),
            "guessed": tr("Guessed ahead"),
            "decode": tr("Writing"),
            "first": tr("Until first word"),
        }
        self._values: dict[str, QLabel] = {}
        for name, text in titles.items():
            label, value = QLabel(text), QLabel()
            label.setProperty("kind", "muted")
            value.setProperty("kind", "value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setWordWrap(True)
            self._values[name] = value
            self._form.addRow(label, value)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(title)
        self._column.addLayout(self._form)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_meter(AnswerMeter())

    def show_meter(self, meter: AnswerMeter) -> None:
        """Take over the numbers."""
        texts = {
            "processed": tokens_text(max(0, meter.processed - meter.cached_tokens)) if meter.prompt_tokens else "",
            "cached": _cached_text(meter),
            "prefill": rate_text(meter.prefill_rate) if meter.prefill_rate > 0 else "",
            "written": tokens_text(meter.completion_tokens) if meter.completion_tokens else "",
            "guessed": _guessed_text(meter),
            "decode": rate_text(meter.decode_rate) if meter.decode_rate > 0 else "",
            "first": tr("{seconds} s", seconds=f"{meter.prefill_s:.1f}") if meter.prefill_s > 0 else "",
        }
        for name, text in texts.items():
            self._values[name].setText(text)
            self._form.setRowVisible(self._values[name], bool(text))
        self.setVisible(any(texts.values()))

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._form.setVerticalSpacing(self._theme.space(1.5))


def _cached_text(meter: AnswerMeter) -> str:
    if not meter.cached_tokens:
        return ""
    tokens = tokens_text(meter.cached_tokens)
    if not meter.restored_tokens:
        return tokens
    if meter.restored_tokens >= meter.cached_tokens:
        return tr("{tokens} (from disk)", tokens=tokens)
    return tr("{tokens} ({count} from disk)", tokens=tokens, count=count_text(meter.restored_tokens))


def _guessed_text(meter: AnswerMeter) -> str:
    if not meter.drafted_tokens:
        return ""
    right, all_of_them = count_text(meter.accepted_tokens), count_text(meter.drafted_tokens)
    return tr("{right} of {total} right", right=right, total=all_of_them)
