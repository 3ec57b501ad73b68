"""Bind a process to one network address, for good: every other connection and look-up is refused.

A Python audit hook (PEP 578), which cannot be taken back. It covers Python code and what uses Python's sockets; the
process that it is for loads no other native network code. Knows no HTTP.
"""

from __future__ import annotations

import errno
import sys
from typing import Any

_LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_OTHER_WAYS = frozenset({"socket.bind", "socket.sendto", "socket.sendmsg"})
_PROGRAMS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile"}
)


class OtherAddressError(PermissionError):
    """This process has promised to reach one address only."""


def allow_only(addresses: frozenset[tuple[str, int]]) -> None:
    """From now on only connections to these (numeric address, port) pairs can be made, and no program started.

    Look names up before: afterwards none can be.
    """

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            target = arguments[1]
            if not isinstance(target, tuple) or tuple(target[:2]) not in addresses:
                raise OtherAddressError(errno.EACCES, "this process reaches one address only")
        elif event in _LOOK_UPS or event in _OTHER_WAYS or event in _PROGRAMS:
            raise OtherAddressError(errno.EACCES, "this process reaches one address only")

    sys.addaudithook(audit)
