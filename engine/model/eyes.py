"""Images of a prompt: which tokens stand for one, and the chunk behind a run of such tokens.

Knows image files and token lists; the computing is `engine.model.vision`'s. Runs in the worker process only.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from engine.context.segments import ImageRef
from engine.errors import AttachmentError, sentence
from engine.model.picture import MAX_BYTES
from engine.model.vision import ImageChunk, ImagePart, Projector

IMAGES_KEPT = 32
"""Images whose pixels are kept ready, some megabytes each; others are read from their files again."""


class Eyes:
    """A projector with the images that it was shown. Any thread may call `tokens`; one only `evaluate`."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[ImagePart, ...]] = OrderedDict()
        self._chunks: dict[tuple[int, ...], tuple[str, ImageChunk]] = {}

    def close(self) -> None:
        """Free the projector; before the text model."""
        with self._lock:
            self._seen.clear()
            self._chunks.clear()
        self._projector.close()

    @property
    def can_see(self) -> bool:
        return self._projector.can_see

    @property
    def beats(self) -> int:
        return self._projector.beats

    def tokens(self, image: ImageRef) -> tuple[int, ...]:
        """What stands for an image in a prompt: negative numbers, and tokens that the model wants around them.

        Raises `AttachmentError` if the file is gone, changed or damaged, `LimitError` if it is too large.
        """
        with self._lock:
            parts = self._seen.get(image.sha256)
            if parts is not None:
                self._seen.move_to_end(image.sha256)
        if parts is None:
            parts = self._projector.chunks(_read(image), image.path.name)
            self._remember(image.sha256, parts)
        return tuple(token for part in parts for token in (part.tokens if isinstance(part, ImageChunk) else part))

    def _remember(self, sha256: str, parts: tuple[ImagePart, ...]) -> None:
        with self._lock:
            self._seen[sha256] = parts
            for part in parts:
                if isinstance(part, ImageChunk):
                    self._chunks[part.tokens[:2]] = (sha256, part)
            while len(self._seen) > IMAGES_KEPT:
                gone, _ = self._seen.popitem(last=False)
                self._chunks = {key: entry for key, entry in self._chunks.items() if entry[0] != gone}

    def chunk_at(self, tokens: Sequence[int], start: int) -> ImageChunk:
        """The chunk whose run of negative numbers begins at `start`.

        Raises `AttachmentError` if the image is no longer kept, which asking for its `tokens` mends.
        """
        with self._lock:
            found = self._chunks.get(tuple(tokens[start : start + 2])) or self._chunks.get((tokens[start],))
        if found is None:
            raise AttachmentError(sentence("The prompt has too many images to look at at once."))
        return found[1]

    def evaluate(
        self,
        context: Any,
        tokens: Sequence[int],
        start: int,
        *,
        sequence: int,
        n_batch: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> int:
        """Compute the chunk that begins at `start` of `tokens`, behind a sequence that holds the `start` before it.

        The number of tokens that the sequence holds then. Raises as `chunk_at` and `Projector.evaluate`.
        """
        chunk = self.chunk_at(tokens, start)
        return self._projector.evaluate(
            context, chunk, sequence=sequence, position=start, n_batch=n_batch, cancelled=cancelled
        )


def _read(image: ImageRef) -> bytes:
    try:
        with image.path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise AttachmentError(sentence("The image {name} is no longer there."), name=image.path.name) from error
    if len(raw) <= MAX_BYTES and hashlib.sha256(raw).hexdigest() != image.sha256:
        raise AttachmentError(sentence("The image {name} has changed since it was added."), name=image.path.name)
    return raw
