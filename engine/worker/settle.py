"""What every worker process does first. Knows nothing of what it is for."""

from __future__ import annotations

import os
import signal
import sys

from engine.worker.no_network import forbid_network

_PR_SET_PDEATHSIG = 1
_NICE = 10
"""Steps of 19: what is left over when something else computes, and all when nothing does."""


def refuse_telemetry() -> None:
    """Keep onnxruntime from reporting what runs to its makers, as it does from 1.29 on (Linux and macOS).

    Before it is imported. Processes that are started later inherit it.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def give_way() -> None:
    """Let everything else compute first, from now on: this process, and those that it starts."""
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415  # few processes do

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(_NICE)


def settle() -> None:
    """Make this process harmless: no network, no core file, no output, no life without its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the parent's to handle
    forbid_network()
    refuse_telemetry()
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only needed here

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
