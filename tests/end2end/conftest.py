"""The virtual screen of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end2end.screen import Screen


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()
