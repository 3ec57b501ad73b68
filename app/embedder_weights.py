"""The files of the light embedder, which finds passages by meaning, as the window asks for them."""

from __future__ import annotations

from app.weights_bundle import EMBEDDER

NAME = EMBEDDER.name
SIZE_BYTES = EMBEDDER.size_bytes
missing = EMBEDDER.missing
fetch = EMBEDDER.fetch
