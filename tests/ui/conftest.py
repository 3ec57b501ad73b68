"""Fixtures for tests with a window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="session", autouse=True)
def _empty_clipboard(qapp: QApplication) -> Iterator[None]:
    """Take our objects out of the clipboard before Python ends.

    The offscreen platform keeps it in a C++ static, which is destroyed after the interpreter: a QMimeData made in
    Python crashes there (PySide6 6.11). Real platforms drop it with the QApplication.
    """
    yield
    qapp.clipboard().clear()
