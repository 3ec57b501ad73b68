"""A worker process cannot reach the network; without the guard the same attempts succeed."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each attempt prints "made" or the name of the error. The native one goes past Python's audit hook.
ATTEMPT = """
import ctypes, os, socket, sys
if sys.argv[1] == "guarded":
    from engine.worker.no_network import forbid_network
    print("kernel", forbid_network())
def attempt(name, call):
    try:
        call()
        print(name, "made")
    except OSError as error:
        print(name, type(error).__name__)
def native():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.socket(int(sys.argv[2]), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), "native")
attempt("python", lambda: socket.socket(socket.AF_INET))
attempt("python6", lambda: socket.socket(socket.AF_INET6))
attempt("default", lambda: socket.socket())
attempt("lookup", lambda: socket.getaddrinfo("localhost", 80))
attempt("native", native)
attempt("local", lambda: socket.socketpair())
"""


def attempts(mode: str, family: int = 2) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPT, mode, str(family)], capture_output=True, text=True, check=True, timeout=60
    )
    return dict(line.split() for line in done.stdout.splitlines())


def test_guard_refuses_and_its_absence_does_not() -> None:
    free = attempts("free")
    assert free == dict.fromkeys(("python", "python6", "default", "lookup", "native", "local"), "made")
    guarded = attempts("guarded")
    for name in ("python", "python6", "default", "lookup"):
        assert guarded[name] == "NetworkForbiddenError"
    assert guarded["local"] == "made"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")
@pytest.mark.parametrize(("family", "result"), [(2, "PermissionError"), (10, "PermissionError"), (1, "made")])
def test_kernel_refuses_native_code(family: int, result: str) -> None:
    guarded = attempts("guarded", family)
    assert guarded["kernel"] == "True"
    assert guarded["native"] == result
