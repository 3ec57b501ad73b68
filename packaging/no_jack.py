"""A stand-in for JACK's library, in which there is never a server. Linux.

Debian's PortAudio does not load without `libjack.so.0`, which would bring Berkeley DB along (Sleepycat licence), and
which must be the server's own to be of use. PortAudio takes a client that cannot be opened for "no JACK here" and goes
on with ALSA, which reaches PulseAudio and PipeWire.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

NAME = "libjack.so.0"
_CALLED = re.compile(r"\*UND\*.*\b(jack_\w+)$", re.MULTILINE)


def make_no_jack(portaudio: Path, target: Path) -> Path | None:
    """Write it into the folder `target`. None where this PortAudio asks for no JACK."""
    symbols = subprocess.run(["objdump", "-T", str(portaudio)], capture_output=True, text=True, check=True).stdout
    called = sorted(set(_CALLED.findall(symbols)))
    if not called:
        return None
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["c++", "-x", "c", "-", "-shared", "-fPIC", "-O1", "-s", f"-Wl,-soname,{NAME}", "-o", str(target / NAME)],
        input="".join(f"void *{name}(void) {{ return 0; }}\n" for name in called), text=True, check=True,
    )  # fmt: skip
    return target / NAME
