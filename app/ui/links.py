"""Opening an address from a message: the one door, and it asks first.

Only http, https and mailto; the whole address is shown as it will be opened (international names in their ASCII form,
the host in bold). Nothing else in the window hands an address to the system.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFont, QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.limits import LINK_CHARACTERS
from app.ui.safe_document import SafeTextView

_WEB = ("http", "https")
_MOST_LINES = 12
_SCHEME = re.compile(r"(https?|mailto):", re.IGNORECASE)
_REFUSED = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be opened. `text` is exactly what will be; `host` is "" for mailto."""

    text: str
    host: str


def checked_address(url: str) -> Address | None:
    """Judge an address as written in a text. None: it must not be opened."""
    if len(url) > LINK_CHARACTERS or _REFUSED.search(url) or not _SCHEME.match(url):
        return None
    parsed = QUrl(url, QUrl.ParsingMode.StrictMode)
    if not parsed.isValid() or parsed.scheme() not in (*_WEB, "mailto"):
        return None
    text = bytes(parsed.toEncoded().data()).decode("ascii")
    if parsed.scheme() == "mailto":
        recipient = parsed.path()
        return Address(text, "") if "@" in recipient and not parsed.host() and not recipient.startswith("/") else None
    host = parsed.host(QUrl.ComponentFormattingOption.FullyEncoded)
    if not host or parsed.userInfo() or not host.isascii():
        return None
    return Address(text, host)


def open_url(url: str, parent: QWidget | None = None) -> QDialog | None:
    """Ask whether to open `url`, showing all of it. None, and nothing happens, for one that must not be opened."""
    address = checked_address(url)
    if address is None:
        return None
    dialog = LinkDialog(address, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


class LinkDialog(QDialog):
    """Shows where a link leads."""

    def __init__(self, address: Address, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._address = address
        self.setWindowTitle(tr("Open this link?"))
        self.setMinimumWidth(480)
        question = QLabel(
            tr("This opens in your browser, outside Hearth.")
            if address.host
            else tr("This opens in your mail program, outside Hearth."),
            self,
        )
        question.setWordWrap(True)
        self.address_view = SafeTextView(self)
        self.address_view.setAccessibleName(tr("Address"))
        self.address_view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.address_view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        _write_address(self.address_view.textCursor(), address)
        lines = 2 + len(address.text) // 48
        self.address_view.setFixedHeight(min(_MOST_LINES, lines) * self.address_view.fontMetrics().lineSpacing())
        self.open_button = QPushButton(tr("Open"), self)
        self.copy_button = QPushButton(tr("Copy address"), self)
        self.cancel_button = QPushButton(tr("Cancel"), self)
        self.open_button.setAutoDefault(False)
        self.copy_button.setAutoDefault(False)
        self.cancel_button.setDefault(True)
        self.open_button.clicked.connect(self._on_open_clicked)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.cancel_button.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(12)
        column.addWidget(question)
        column.addWidget(self.address_view)
        column.addLayout(buttons)
        self.cancel_button.setFocus()

    def shown_address(self) -> str:
        """What the dialog shows."""
        return self.address_view.toPlainText()

    def _on_open_clicked(self) -> None:
        self.accept()
        QDesktopServices.openUrl(QUrl(self._address.text, QUrl.ParsingMode.StrictMode))

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._address.text)
        self.reject()


def _write_address(cursor: QTextCursor, address: Address) -> None:
    plain, bold = QTextCharFormat(), QTextCharFormat()
    bold.setFontWeight(QFont.Weight.DemiBold)
    scheme, slashes, rest = address.text.partition("://") if address.host else (address.text, "", "")
    cursor.insertText(scheme + slashes, plain)
    cursor.insertText(rest[: len(address.host)], bold)
    cursor.insertText(rest[len(address.host) :], plain)
