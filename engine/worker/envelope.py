"""What all messages between our processes share: versioned JSON of at most so many bytes, and errors on their way.

Knows no message. Nothing is ever pickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from engine import errors
from engine.errors import HearthError
from engine.worker.codec import CodecError, from_json, to_json


class ProtocolError(Exception):
    """The other side sent what is not a message of this version."""


class MessageTooLongError(Exception):
    """A message would be longer than its cap."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A `HearthError` on its way: its code, and its sentence in two parts."""

    code: str
    template: str
    fields: tuple[tuple[str, str], ...] = ()


def enveloped(message: Any, version: int, cap: int) -> bytes:
    """A dataclass as bytes for the pipe. Raises `MessageTooLongError`."""
    raw = json.dumps({"v": version, "message": to_json(message)}, separators=(",", ":")).encode("ascii")
    if len(raw) > cap:
        raise MessageTooLongError(f"{type(message).__name__}: {len(raw)} bytes")
    return raw


def opened(raw: bytes, union: Any, version: int) -> Any:
    """The message of one of the kinds in `union`. Raises `ProtocolError`."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error
    if not isinstance(value, dict) or value.get("v") != version:
        raise ProtocolError("not a message of this version")
    try:
        return from_json(union, value.get("message"))
    except (CodecError, RecursionError) as error:
        raise ProtocolError(str(error)) from error


def receive(connection: Connection, cap: int) -> bytes:
    """The next message's bytes. Raises `EOFError` at the end, `ProtocolError` when longer than `cap`."""
    try:
        return connection.recv_bytes(cap)
    except (ConnectionError, BrokenPipeError) as error:
        raise EOFError from error
    except OSError as error:
        # `recv_bytes` closes the connection on a message that is too long; a closed one reads as the end.
        raise ProtocolError(str(error)) from error


def fault_of(error: HearthError) -> Fault:
    return Fault(error.code, error.template, tuple((name, str(value)) for name, value in error.fields.items()))


def error_of(fault: Fault) -> HearthError:
    """The exception that a fault stands for, of its own class."""
    kind = _BY_CODE.get(fault.code, HearthError)
    return kind(fault.template, **dict(fault.fields))


def _tree(kind: type[HearthError]) -> dict[str, type[HearthError]]:
    """Those that have a code of their own: a subclass without one may be made in another way."""
    found = {kind.code: kind} if "code" in vars(kind) else {}
    for below in kind.__subclasses__():
        found.update(_tree(below))
    return found


_BY_CODE = _tree(errors.HearthError)
