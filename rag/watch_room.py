"""Whether the system would watch one more folder: inotify's watches are counted for each user, and run out unheard.

watchdog (7.1) leaves out folders within a watched one that the system refuses, and tells nobody; so the system is asked
itself (inotify(7), ENOSPC). Knows no folder of the library.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_DELETE_SELF = 0x400
"""IN_DELETE_SELF of <sys/inotify.h>."""


def has_room() -> bool:
    """False where the limit is reached; True where there is none, or nothing is known of it. Takes microseconds."""
    if not sys.platform.startswith("linux"):
        return True
    system = ctypes.CDLL(None, use_errno=True)
    descriptor = int(system.inotify_init())
    if descriptor < 0:
        return True
    try:
        added = system.inotify_add_watch(descriptor, os.fsencode(os.sep), _DELETE_SELF)
        return added >= 0 or ctypes.get_errno() != errno.ENOSPC
    finally:
        os.close(descriptor)
