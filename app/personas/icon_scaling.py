"""A picture that is too large for an icon, made small in a process of its own: what a decoder does wrong ends there.

That process has no network, writes no files, and little memory and time. Knows no persona. Blocks; any thread.
"""

from __future__ import annotations

import io
import multiprocessing
import sys
from multiprocessing.connection import Connection

from app.limits import PERSONA_ICON_BYTES
from app.personas.icon import check_icon
from engine.errors import LimitError, PersonaError
from engine.worker.child import spawning
from engine.worker.no_network import forbid_network

SIDE = 512
"""Pixels of the longer side of what comes out."""
_MOST_BYTES = 32 << 20
_MOST_PIXELS = 40_000_000
_MEMORY_BYTES = 1 << 30
_CPU_S, _PATIENCE_S = 10, 20.0


def scaled_icon(picture: bytes) -> bytes | None:
    """A PNG file of the same picture, `SIDE` pixels at most; None where it is none, too large, or does harm."""
    if len(picture) > _MOST_BYTES:
        return None
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=main, args=(theirs,), name="hearth-icon", daemon=True)
    try:
        with spawning():
            child.start()
    except OSError:
        ours.close()
        return None
    finally:
        theirs.close()
    try:
        ours.send_bytes(picture)
        if not ours.poll(_PATIENCE_S):
            return None
        icon = ours.recv_bytes(PERSONA_ICON_BYTES)
        check_icon(icon)
    except (EOFError, OSError, PersonaError, LimitError):
        return None
    else:
        return icon
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()


def main(connection: Connection) -> None:
    """In the process: one PNG file in, a smaller one out; on any trouble it ends without a word."""
    forbid_network()
    _limit()
    from PIL import Image  # noqa: PLC0415  # in this process alone

    raw = connection.recv_bytes(_MOST_BYTES)
    with Image.open(io.BytesIO(raw), formats=["PNG"]) as image:
        if image.width * image.height > _MOST_PIXELS:
            return
        plain = image.convert("RGBA")
    plain.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    plain.save(data, "PNG")
    connection.send_bytes(data.getvalue())


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    for what, most in (
        (resource.RLIMIT_DATA, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(what, (most, most))
