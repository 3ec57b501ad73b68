"""PySide6 6.12.0 loses a reference of True per emitted signal below Python 3.12 and aborts; ours must not."""

from __future__ import annotations

import subprocess
import sys

EMITS = 5000

PROBE = """
import sys
from PySide6.QtCore import QCoreApplication, QObject, Signal

class Source(QObject):
    told = Signal(object)

application = QCoreApplication([])
source, seen = Source(), []
source.told.connect(seen.append)
before = sys.getrefcount(True)
for number in range({emits}):
    source.told.emit(number)
lost = before - sys.getrefcount(True)
print(len(seen), lost)
"""


def test_thousands_of_signals_lose_no_reference() -> None:
    child = subprocess.run(
        [sys.executable, "-c", PROBE.format(emits=EMITS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child.stderr
    seen, lost = (int(word) for word in child.stdout.split())
    assert seen == EMITS
    assert lost < EMITS // 10
