"""Shut a worker process off from the network, for good, before it reads anything foreign.

Two locks: an audit hook stops Python code on every system; on Linux a seccomp filter stops native code too.
Knows nothing of what the process does otherwise.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import sys
from typing import Any

_REFUSED_EVENTS = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
    }
)
_REFUSED_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6})


class NetworkForbiddenError(PermissionError):
    """This process has promised not to use the network."""


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.__new__":
        # A family of -1 means the default, which is AF_INET.
        if arguments[1] in _REFUSED_FAMILIES or arguments[1] == -1:
            raise NetworkForbiddenError(errno.EACCES, "this process has no network")
    elif event in _REFUSED_EVENTS and not _is_local(arguments):
        raise NetworkForbiddenError(errno.EACCES, "this process has no network")


def _is_local(arguments: tuple[Any, ...]) -> bool:
    """True for a socket between processes of this machine (AF_UNIX)."""
    family = getattr(arguments[0], "family", None) if arguments else None
    return family is not None and family not in _REFUSED_FAMILIES


def forbid_network() -> bool:
    """Refuse the network from now on. Returns whether the kernel holds the promise too (Linux).

    Call before any other thread starts: the kernel's filter covers the calling thread and those it starts.
    """
    sys.addaudithook(_audit)
    return _filter_system_calls() if sys.platform == "linux" else False


# Linux: a classic BPF program over `struct seccomp_data`, see seccomp(2).
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_LOAD_WORD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT = 0, 4, 16
_X32_BIT = 0x40000000
_IO_URING_SETUP = 425
"""The same on every architecture; its rings can open sockets past a filter."""
_ARCHITECTURES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Machine -> audit number, number of socket(2)."""
_AF_UNIX, _AF_NETLINK = 1, 16
"""Allowed: pipes between processes, and the device lists that graphics drivers read."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def _instructions(architecture: int, socket_number: int) -> list[tuple[int, int, int, int]]:
    """Refuse socket(2) except for local families, io_uring, and calls of a foreign architecture."""
    refuse_access = _REFUSE | errno.EACCES
    return [
        (_LOAD_WORD, 0, 0, _AT_ARCHITECTURE),
        (_JUMP_EQUAL, 0, 7, architecture),
        (_LOAD_WORD, 0, 0, _AT_NUMBER),
        (_JUMP_GREATER_EQUAL, 5, 0, _X32_BIT),
        (_JUMP_EQUAL, 4, 0, _IO_URING_SETUP),
        (_JUMP_EQUAL, 0, 4, socket_number),
        (_LOAD_WORD, 0, 0, _AT_FIRST_ARGUMENT),
        (_JUMP_EQUAL, 2, 0, _AF_UNIX),
        (_JUMP_EQUAL, 1, 0, _AF_NETLINK),
        (_RETURN, 0, 0, refuse_access),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _filter_system_calls() -> bool:
    numbers = _ARCHITECTURES.get(platform.machine())
    if numbers is None:
        return False
    rows = _instructions(*numbers)
    instructions = (_Instruction * len(rows))(*(_Instruction(*row) for row in rows))
    program = _Program(len(rows), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
