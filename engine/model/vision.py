"""A vision model's eyes through llama.cpp's mtmd library: image files to chunks, chunks into a context.

Follows `tools/mtmd/mtmd.h` and `mtmd-helper.h`. Knows no prompt and no cache: `engine.model.eyes` brings them
together. Images are foreign and hostile; they are decoded here, in the worker process, and nowhere else.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from engine.errors import AttachmentError, ModelFileError, ModelLoadError, sentence
from engine.model.description import ModelKind, describe
from engine.model.image_tokens import pseudo_tokens
from engine.model.llama_library import LlamaLog, lib
from engine.model.picture import read_picture

_NODES_A_BEAT = 16
"""Operations of the encoder between two signs of life."""
_NO_PROGRAM = b"/nonexistent"
"""Where mtmd finds no ffmpeg: it would be given whatever no other decoder takes."""


class VisionError(Exception):
    """mtmd or llama.cpp failed to compute an image (a bug or a device fault)."""


class NoRoomError(Exception):
    """The KV cache has no room for an image. A part of it may be in the cache."""


class _Native:
    """Owns a chunk of mtmd; frees it when nothing refers to it any more."""

    def __init__(self, library: Any, chunk: Any) -> None:
        self.pointer = library.mtmd_input_chunk_copy(chunk)
        weakref.finalize(self, library.mtmd_input_chunk_free, self.pointer)


@dataclass(frozen=True, slots=True)
class ImageChunk:
    """A piece of an image that is computed in one go. `id` names its pixels and the projector that will read them.

    It takes `n_tokens` cells of the KV cache and `n_positions` positions: as many, or fewer in models whose positions
    have two dimensions.
    """

    id: str
    n_tokens: int
    n_positions: int
    native: Any = field(repr=False, compare=False)

    @property
    def tokens(self) -> tuple[int, ...]:
        """What stands for it in a list of tokens, one a position."""
        return pseudo_tokens(self.id, self.n_positions)


ImagePart = ImageChunk | tuple[int, ...]
"""What a model reads of an image, in order: chunks, and the tokens that its makers put around and between them."""


class Projector:
    """A loaded `mmproj` file. `chunks` may be called from any thread, the rest from one only."""

    def __init__(self, library: Any, path: Path) -> None:
        self._library = library
        self._context: Any = None
        # ctypes frees a callback with its object, so this one lives as long as the projector.
        self._on_node = lib.ggml_backend_sched_eval_callback(self._watch)
        self._cancelled: Callable[[], bool] = lambda: False
        self._nodes = 0
        self._stopped = False
        self._identity = f"{path.name}:{path.stat().st_size}"
        self.beats = 0
        """Moves while an image is computed; a watcher sees by it that work goes on."""

    @classmethod
    def load(cls, path: Path, model: Any, *, n_threads: int, log: LlamaLog, use_gpu: bool = False) -> Self:
        """Load a projector for a loaded text model. Raises `ModelFileError` or `ModelLoadError`."""
        if describe(path).kind is not ModelKind.PROJECTOR:
            raise ModelFileError(sentence("{name} is not the vision part of a model."), name=path.name)
        library = _mtmd(log)
        projector = cls(library, path)
        params = library.mtmd_context_params_default()
        params.use_gpu = use_gpu
        params.n_threads = n_threads
        params.print_timings = False
        params.cb_eval = projector._on_node
        projector._context = library.mtmd_init_from_file(os.fsencode(path), model, params)
        if not projector._context:
            raise ModelLoadError(
                sentence("{name} cannot be loaded. It may be damaged, or belong to another model."), name=path.name
            )
        return projector

    def close(self) -> None:
        """Free it, before the text model. Chunks of it may outlive it, but can no more be evaluated."""
        context, self._context = self._context, None
        if context:
            self._library.mtmd_free(context)

    @property
    def can_see(self) -> bool:
        """False for a projector that hears only."""
        return bool(self._library.mtmd_support_vision(self._context))

    def chunks(self, image: bytes, name: str = "") -> tuple[ImagePart, ...]:
        """What the model will read of an image file's bytes; `name` is for the errors.

        Raises `LimitError` for an image that is too large, `AttachmentError` for one that cannot be decoded.
        """
        read_picture(image, name)
        sha256 = hashlib.sha256(image).hexdigest()
        bitmap = self._decode(image)
        if not bitmap:
            raise AttachmentError(sentence("{name} cannot be looked at: the image is damaged."), name=name)
        library = self._library
        chunks = library.mtmd_input_chunks_init()
        try:
            marker = library.mtmd_get_marker(self._context)
            text = library.mtmd_input_text(marker, len(marker), False, True)
            bitmaps = (ctypes.c_void_p * 1)(bitmap)
            if library.mtmd_tokenize(self._context, chunks, ctypes.byref(text), bitmaps, 1) != 0:
                raise AttachmentError(sentence("{name} cannot be looked at by this model."), name=name)
            count = library.mtmd_input_chunks_size(chunks)
            return tuple(
                self._part(library.mtmd_input_chunks_get(chunks, index), f"{self._identity}:{sha256}:{index}")
                for index in range(count)
            )
        finally:
            library.mtmd_input_chunks_free(chunks)
            library.mtmd_bitmap_free(bitmap)

    def _decode(self, image: bytes) -> Any:
        options = self._library.mtmd_helper_init_opt_default()
        options.video_params.ffmpeg_bin_dir = _NO_PROGRAM
        buffer = (ctypes.c_uint8 * len(image)).from_buffer_copy(image)
        return self._library.mtmd_helper_bitmap_init_from_buf(self._context, buffer, len(image), False, options)

    def _part(self, chunk: Any, chunk_id: str) -> ImagePart:
        library = self._library
        if library.mtmd_input_chunk_get_type(chunk) == library.MTMD_INPUT_CHUNK_TYPE_TEXT:
            count = ctypes.c_size_t(0)
            tokens = library.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            return tuple(tokens[: count.value])
        return ImageChunk(
            id=chunk_id,
            n_tokens=library.mtmd_input_chunk_get_n_tokens(chunk),
            n_positions=library.mtmd_input_chunk_get_n_pos(chunk),
            native=_Native(library, chunk),
        )

    def evaluate(
        self,
        context: Any,
        chunk: ImageChunk,
        *,
        sequence: int,
        position: int,
        n_batch: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> int:
        """Compute a chunk and put it behind a sequence that has `position` positions; its new number of positions.

        There are no logits of it: a token must follow. `n_batch` is the context's. `cancelled` is asked some times a
        second while the encoder works. Raises `CancelledError` with the context untouched, `NoRoomError`,
        `VisionError`; after these two the sequence has to be cut to `position` again.
        """
        self._cancelled, self._stopped = cancelled, False
        library = self._library
        if library.mtmd_encode_chunk(self._context, chunk.native.pointer) != 0:
            raise VisionError("mtmd could not encode an image")
        if self._stopped:
            raise CancelledError  # the encoder left off in the middle and does not know it
        end = ctypes.c_int32(position)
        result = library.mtmd_helper_decode_image_chunk(
            self._context,
            context,
            chunk.native.pointer,
            library.mtmd_get_output_embd(self._context),
            position,
            sequence,
            n_batch,
            ctypes.byref(end),
            library.mtmd_helper_post_decode_callback(),
            None,
        )
        self.beats += 1
        if result == 1:
            raise NoRoomError
        if result == 2:  # llama.cpp's own abort callback
            raise CancelledError
        if result != 0:
            raise VisionError(f"llama.cpp returned {result} for an image")
        return end.value

    def _watch(self, _node: object, ask: bool, _data: object) -> bool:
        """Called by ggml before each node ("shall you be told?") and after those of which that was wanted."""
        if ask:
            self._nodes += 1
            return self._nodes % _NODES_A_BEAT == 0
        self.beats += 1
        self._stopped = self._stopped or self._cancelled()
        return not self._stopped


_kept_alive: list[object] = []
"""The log callback, to which C holds a pointer for the life of the process."""


def _mtmd(log: LlamaLog) -> Any:
    """The bindings of mtmd, its log routed as llama.cpp's. Raises `ModelLoadError` where the build lacks it."""
    try:
        library = importlib.import_module("llama_cpp.mtmd_cpp")
    except (ImportError, OSError) as error:
        raise ModelLoadError(sentence("This build of Hearth's engine cannot look at images.")) from error
    if not _kept_alive:

        @lib.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
        def on_log(level: int, text: bytes, _data: object) -> None:
            log.add(level, text.decode("utf-8", "replace"))

        _kept_alive.append(on_log)
        library.mtmd_helper_log_set(on_log, ctypes.c_void_p(0))
    return library
