"""A second start hands its files to the first; a dead one's socket stands in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from app.ui.single_instance import SingleInstance, hand_over, server_name

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui.single_instance import hand_over
application = QCoreApplication([])
quick = "quick" in sys.argv[3:]
sys.exit(0 if hand_over(Path(sys.argv[1]), [Path(sys.argv[2])], quick=quick) else 3)
"""
OPENED = """
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from app.ui.opened_files import HearthApplication
application = HearthApplication([])
opened = []
application.files_opened.connect(lambda files: opened.extend(map(str, files)))
for what in ("/tmp/letter.pdf", QUrl("file:///tmp/a%20b.hearth"), QUrl("hearth://persona/x"), QUrl("https://x.org/a")):
    QCoreApplication.sendEvent(application, QFileOpenEvent(what))
print(opened)
"""


def start_second(data: Path, file: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SECOND, str(data), str(file), *more])


def test_the_second_start_hands_over_and_ends(qtbot: QtBot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    assert first.listening
    file = tmp_path / "notes.txt"
    with qtbot.waitSignal(first.raised, timeout=20_000) as raised:
        second = start_second(tmp_path, file)
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=20_000)
    assert second.returncode == 0
    assert raised.args == [[file]]
    first.close()


def test_a_second_start_for_a_quick_question_asks_for_it(qtbot: QtBot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    raised: list[object] = []
    first.raised.connect(raised.append)
    with qtbot.waitSignal(first.quick_requested, timeout=20_000):
        second = start_second(tmp_path, tmp_path / "notes.txt", "quick")
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=20_000)
    assert second.returncode == 0
    assert raised == []
    first.close()


def test_the_system_may_hand_over_files_and_no_addresses() -> None:
    done = subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['/tmp/letter.pdf', '/tmp/a b.hearth']"


def test_nobody_there_means_go_ahead(qtbot: QtBot, tmp_path: Path) -> None:
    assert hand_over(tmp_path, []) is False


def test_another_data_folder_is_another_hearth(tmp_path: Path) -> None:
    assert server_name(tmp_path / "a") != server_name(tmp_path / "b")


def test_noise_on_the_socket_is_dropped(qtbot: QtBot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    raised: list[object] = []
    first.raised.connect(raised.append)
    for noise in (b"not json\n", b'{"files": 7}\n', b"x" * 200_000):
        socket = QLocalSocket()
        socket.connectToServer(server_name(tmp_path))
        assert socket.waitForConnected(2000)
        with qtbot.waitSignal(socket.disconnected, timeout=5000):
            socket.write(noise)
            socket.flush()
    assert raised == []
    first.close()
