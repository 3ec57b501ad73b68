"""HTTP as bytes on a socket, as attackers write it: nothing is added, checked or mended."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass

WAIT_S = 20.0
"""Longer than any limit of the server under test."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True, slots=True)
class Answered:
    """All that came back until the server closed the connection."""

    raw: bytes

    @property
    def statuses(self) -> list[int]:
        """Of every answer, in order; none where the connection was just closed."""
        return [int(found) for found in _STATUS.findall(self.raw)]

    @property
    def body(self) -> bytes:
        """Of the last answer."""
        return self.raw.rpartition(b"\r\n\r\n")[2]

    @property
    def headers(self) -> bytes:
        """Of every answer, lower case."""
        heads = re.findall(rb"HTTP/1\.[01] \d{3} .*?\r\n\r\n", self.raw, re.DOTALL)
        return b"\n".join(heads).lower()


def exchange(port: int, raw: bytes, *, wait_s: float = WAIT_S) -> Answered:
    """Send the bytes and read until the server closes. Raises `TimeoutError` where it never does."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        try:
            connection.sendall(raw)
            while block := connection.recv(65536):
                came += block
        except (ConnectionResetError, BrokenPipeError):
            pass  # it does not want to hear the rest
    return Answered(came)


def one_answer(connection: socket.socket) -> Answered:
    """The next answer that says how long it is; the connection stays open."""
    came = b""
    while b"\r\n\r\n" not in came:
        came += connection.recv(65536)
    head, _, body = came.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    assert length is not None, head
    while len(body) < int(length[1]):
        body += connection.recv(65536)
    return Answered(head + b"\r\n\r\n" + body)


def request(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"", *, length: bool = True
) -> bytes:
    """A request that asks for the connection to be closed. `length` False leaves Content-Length out."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if length and (body or method == "POST"):
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
