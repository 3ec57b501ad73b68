"""Set llama.cpp up in this process: the low-level bindings, its log, its abort message.

Only the worker process imports this. Knows no model and no prompt; llama.cpp's log never holds prompt text.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

LOG_LINES_KEPT = 200
_LEVEL_WARN, _LEVEL_ERROR, _LEVEL_CONTINUED = 3, 4, 5

LogListener = Callable[[str], None]
"""Called with each warning or error, from any thread."""


def _package() -> ModuleType:
    """`llama_cpp` without its `__init__.py`.

    The package's own start imports its chat server half and NumPy: 0.15 s and 22 MB a worker has no use for.
    """
    if "llama_cpp" not in sys.modules:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("llama-cpp-python is not installed")
        package = ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["llama_cpp"] = package
    return sys.modules["llama_cpp"]


FOLDER = Path(next(iter(_package().__path__))) / "lib"
"""Where llama.cpp's libraries lie."""


def _load_ggml(name: str) -> ctypes.CDLL:
    names = {"win32": (f"{name}.dll", f"lib{name}.dll"), "darwin": (f"lib{name}.dylib", f"lib{name}.so")}
    for candidate in names.get(sys.platform, (f"lib{name}.so",)):
        if (FOLDER / candidate).exists():
            return ctypes.CDLL(str(FOLDER / candidate))
    raise ImportError(f"{name} is not beside the llama.cpp bindings")


# In this order, and before llama.cpp: what is loaded under a name is not looked for again. An installed Hearth starts
# with a search path on which whisper.cpp's ggml, which has the same names, would be found first.
ggml_base = _load_ggml("ggml-base")
if sys.platform == "linux" and (FOLDER / "libggml-cpu.so").exists():
    _load_ggml("ggml-cpu")
ggml = _load_ggml("ggml")
lib: Any = importlib.import_module("llama_cpp.llama_cpp")
"""The low-level bindings (ctypes), untyped at their border."""


_SILENCE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda _level, _text, _data: None)


def _choose_backends() -> None:
    """Load the back ends that are files of their own, the processor's among them: of its variants the best that runs.

    That is how ggml dispatches where it is built for any processor (GGML_BACKEND_DL, GGML_CPU_ALL_VARIANTS). One that
    is built for this machine has its back ends inside, and nothing is looked for.
    """
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    if ggml.ggml_backend_reg_count() == 0:
        ggml_base.ggml_log_set(_SILENCE, None)  # it tells the terminal what it chose
        ggml.ggml_backend_load_all_from_path.argtypes = [ctypes.c_char_p]
        ggml.ggml_backend_load_all_from_path(str(FOLDER).encode())


_choose_backends()


class LlamaLog:
    """llama.cpp's log as lines: the last 200, and a listener for what is a warning or worse."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self._part = ""
        self._part_level = 0
        self._listener: LogListener | None = None
        self._recording: list[str] | None = None

    def listen(self, listener: LogListener | None) -> None:
        self._listener = listener

    def lines(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._lines)

    def start_recording(self) -> None:
        """Keep every line from now on until `stop_recording`, which returns them."""
        with self._lock:
            self._recording = []

    def stop_recording(self) -> list[str]:
        with self._lock:
            recorded, self._recording = self._recording or [], None
            return recorded

    def add(self, level: int, text: str) -> None:
        """Take a piece of log; lines may come in several pieces."""
        ready: list[tuple[int, str]] = []
        with self._lock:
            if level != _LEVEL_CONTINUED:
                self._part_level = level
            self._part += text
            *whole, self._part = self._part.split("\n")
            for line in whole:
                self._lines.append(line)
                if self._recording is not None:
                    self._recording.append(line)
                ready.append((self._part_level, line))
        listener = self._listener
        if listener is not None:
            for line_level, line in ready:
                if line_level in (_LEVEL_WARN, _LEVEL_ERROR):
                    listener(line)


_kept_alive: list[object] = []
"""Callbacks that C holds pointers to for the life of the process."""


def start_library(log: LlamaLog, on_abort: LogListener) -> None:
    """Route the log, then initialise the back ends. `on_abort` gets the last words of a native abort. Once only."""

    @lib.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
    def on_log(level: int, text: bytes, _data: object) -> None:
        log.add(level, text.decode("utf-8", "replace"))

    def say_last_words(message: bytes) -> None:
        on_abort(message.decode("utf-8", "replace"))

    on_native_abort = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(say_last_words)
    _kept_alive.extend((on_log, on_native_abort))
    lib.llama_log_set(on_log, ctypes.c_void_p(0))
    ggml_base.ggml_set_abort_callback(on_native_abort)
    lib.llama_backend_init()
