"""A hostile page in a real browser, as `tests.process.test_api_browser` has it."""

from __future__ import annotations

import subprocess
import sys

_TEST = "tests/process/test_api_browser.py"


def run_pages() -> str:
    """What was seen. Raises `AssertionError`."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-rs", _TEST], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout[-3000:]
    return "a hostile page in Chromium learnt nothing"
