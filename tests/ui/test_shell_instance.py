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
sys.exit(0 if hand_over(Path(sys.argv[1]), [Path(sys.argv[2])]) else 3)
"""


def start_second(data: Path, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SECOND, str(data), str(file)])


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
