"""LoRA adapters of a loaded model: read once, weighted as a request wants them, free again with the model.

Follows `llama_adapter_lora_init` and `llama_set_adapters_lora`. Which adapters a request has is not decided here.
The worker's main thread only.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from pathlib import Path
from typing import Any

from engine.errors import ModelLoadError, sentence
from engine.model.adapter_file import check_belongs, read_adapter
from engine.model.llama_library import lib
from engine.types import Adapter


class Adapters:
    """The adapters of one context. `model_path` is the model's file, whose header an adapter is checked against."""

    def __init__(self, model: Any, context: Any, model_path: Path) -> None:
        self._model, self._context, self._model_path = model, context, model_path
        self._loaded: dict[Path, Any] = {}
        self._identities: dict[Path, str] = {}
        self._applied: tuple[Adapter, ...] = ()

    def load(self, wanted: tuple[Adapter, ...]) -> None:
        """Read those that are not read yet. Raises `ModelFileError` or `ModelLoadError` for the first unusable one."""
        for adapter in _effective(wanted):
            if adapter.path not in self._loaded:
                self._loaded[adapter.path] = self._read(adapter.path)

    def apply(self, wanted: tuple[Adapter, ...]) -> None:
        """From the next evaluation on these and no others; costs nothing where they are in force already.

        What is in the KV cache keeps what it was computed with: see `variant`. Raises as `load`.
        """
        wanted = _effective(wanted)
        if wanted == self._applied:
            return
        self.load(wanted)
        handles = (lib.llama_adapter_lora_p_ctypes * len(wanted))(
            *(ctypes.cast(self._loaded[adapter.path], lib.llama_adapter_lora_p_ctypes) for adapter in wanted)
        )
        scales = (ctypes.c_float * len(wanted))(*(adapter.scale for adapter in wanted))
        lib.llama_set_adapters_lora(self._context, handles, len(wanted), scales)
        self._applied = wanted

    def variant(self, wanted: tuple[Adapter, ...]) -> str:
        """A name for what these adapters make of the model: a KV cache is good for equal names only. "" for none."""
        wanted = _effective(wanted)
        if not wanted:
            return ""
        facts = sorted(f"{self._identity(adapter.path)} {adapter.scale:.6g}" for adapter in wanted)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]

    def free(self) -> None:
        """Take all adapters out and give their memory back; before the context is freed."""
        self.apply(())
        for handle in self._loaded.values():
            lib.llama_adapter_lora_free(handle)
        self._loaded.clear()

    def _read(self, path: Path) -> Any:
        check_belongs(read_adapter(path), self._model_path)
        handle = lib.llama_adapter_lora_init(self._model, os.fsencode(path))
        if not handle:
            raise ModelLoadError(
                sentence("The adapter {name} cannot be loaded. The file may be damaged."), name=path.name
            )
        return handle

    def _identity(self, path: Path) -> str:
        """Once a file is read it stays what it was, whatever is written over it."""
        if path not in self._identities:
            try:
                status = path.stat()
                self._identities[path] = f"{path} {status.st_size} {status.st_mtime_ns}"
            except OSError:  # `apply` will say so.
                return str(path)
        return self._identities[path]


def _effective(wanted: tuple[Adapter, ...]) -> tuple[Adapter, ...]:
    """Without those of weight 0; of a file named twice the last weight counts."""
    weights = {adapter.path: adapter.scale for adapter in wanted}
    return tuple(Adapter(path, scale) for path, scale in weights.items() if scale)
