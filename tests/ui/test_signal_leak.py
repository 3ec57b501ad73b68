"""PySide6 6.12.0 loses a reference of True per emitted signal below Python 3.12 and aborts; ours must not."""

from __future__ import annotations

import subprocess
import sys

EMITS = 5000

PROBE = """
import ctypes, sys
from PySide6.QtCore import QCoreApplication, QObject, Signal

class Source(QObject):
    told = Signal(object)

application = QCoreApplication([])
source, seen = Source(), []
source.told.connect(seen.append)
if {leak}:
    source.told.connect(lambda _number: ctypes.pythonapi.Py_DecRef(ctypes.py_object(True)))
before = sys.getrefcount(True)
for number in range({emits}):
    source.told.emit(number)
lost = before - sys.getrefcount(True)
print(len(seen), lost)
"""


def probe(emits: int, *, leak: bool) -> tuple[int, list[int]]:
    """The child's exit status, and what it says: signals seen, references lost."""
    code = PROBE.format(emits=emits, leak=leak)
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return child.returncode, [int(word) for word in child.stdout.split()]


def test_thousands_of_signals_lose_no_reference() -> None:
    status, (seen, lost) = probe(EMITS, leak=False)
    assert status == 0
    assert seen == EMITS
    assert lost < EMITS // 10


def test_the_probe_notices_a_loss() -> None:
    status, told = probe(EMITS, leak=True)
    assert status != 0 or told[1] >= EMITS // 10
