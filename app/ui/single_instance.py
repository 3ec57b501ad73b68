"""One Hearth per data folder: the second start hands its files to the first and ends.

Speaks only over a local socket (a named pipe or a file of this user); the only module that imports QtNetwork.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_MESSAGE_BYTES = 64 * 1024
_WAIT_MS = 1000


def server_name(data: Path) -> str:
    """A name of our own for each data folder, short enough for every system."""
    return "hearth-" + hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:24]


def hand_over(data: Path, files: Sequence[Path], *, quick: bool = False) -> bool:
    """Ask a running Hearth on `data` to come forward with `files`; False if there is none (or it is deaf).

    With `quick` its small window for one question comes instead.
    """
    socket = QLocalSocket()
    socket.connectToServer(server_name(data))
    if not socket.waitForConnected(_WAIT_MS):
        return False
    message = json.dumps({"files": [str(path.resolve()) for path in files], "quick": quick}) + "\n"
    socket.write(message.encode())
    answered = socket.waitForReadyRead(_WAIT_MS) and bytes(socket.readAll().data()).startswith(b"ok")
    socket.disconnectFromServer()
    return answered


class SingleInstance(QObject):
    """Listens for later starts on the same data folder."""

    raised = Signal(list)
    """A later start wants the window in front, with these files (list of `Path`)."""
    quick_requested = Signal()
    """A later start wants to ask a quick question."""

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        name = server_name(data)
        if not self._server.listen(name):
            # The file of a Hearth that died; nobody answered on it, or we would not be here.
            QLocalServer.removeServer(name)
            self._server.listen(name)

    @property
    def listening(self) -> bool:
        return self._server.isListening()

    def close(self) -> None:
        self._server.close()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda each=socket: self._on_message(each))
            socket.disconnected.connect(socket.deleteLater)
            if socket.canReadLine():
                self._on_message(socket)

    def _on_message(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > _MESSAGE_BYTES:
                socket.abort()
            return
        line = bytes(socket.readLine(_MESSAGE_BYTES).data())
        try:
            message = json.loads(line)
            paths = [Path(name) for name in message["files"] if isinstance(name, str)]
            is_quick = message.get("quick") is True
        except (ValueError, KeyError, TypeError):
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        if is_quick:
            self.quick_requested.emit()
        else:
            self.raised.emit(paths)
