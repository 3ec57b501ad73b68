"""The main icon among a card's assets, taken out of the card and put back. Decodes no image and fetches nothing.

Follows `assets` of Character Card V3 (SPEC_V3.md): an icon called "main", or the only icon; "ccdefault:" is the PNG
file that holds the card, "embeded://" a member of a .charx file.
"""

from __future__ import annotations

import base64
import binascii
from typing import cast

from app.personas.foreign.documents import Document, Path, at, put
from app.personas.foreign.png_text import SIGNATURE
from app.personas.persona import Json

DEFAULT = "ccdefault:"
EMBEDDED = "embeded://"
_DATA = "data:image/png;base64,"
_LARGE_CHARACTERS = 100_000
"""Of an asset's data; a persona's extensions hold no picture books."""


def icon_uri(card: Document, place: Path) -> str:
    """Where the main icon is; "" for no icon."""
    asset = _asset(card, place)
    uri = asset.get("uri") if asset else None
    return uri if isinstance(uri, str) else ""


def take_icon(card: Document, place: Path) -> tuple[bytes | None, Document]:
    """The icon where the card itself holds it as PNG, and the card with the program's own in its place."""
    uri = icon_uri(card, place)
    icon = png_of_uri(uri)
    if icon is None or uri_of_png(icon) != uri:
        return icon, card
    asset = _asset(card, place)
    assert asset is not None
    return icon, _with_asset(card, place, asset, {**asset, "uri": DEFAULT})


def with_icon(card: Document, place: Path, icon: bytes) -> Document:
    """The card with the icon as data."""
    return card if png_of_uri(icon_uri(card, place)) == icon else with_uri(card, place, uri_of_png(icon))


def with_uri(card: Document, place: Path, uri: str) -> Document:
    """The card with its main icon there."""
    asset = _asset(card, place)
    if asset is not None:
        return _with_asset(card, place, asset, {**asset, "uri": uri})
    assets = at(card, (*place, "assets"))
    made: Document = {"type": "icon", "uri": uri, "name": "main", "ext": "png"}
    return put(card, (*place, "assets"), [*(assets if isinstance(assets, list) else []), made])


def without_large(card: Document, place: Path, *, spare_icon: bool) -> tuple[Document, int]:
    """The card without assets that hold much data, and how many those were."""
    assets = at(card, (*place, "assets"))
    if not isinstance(assets, list):
        return card, 0
    icon = _asset(card, place) if spare_icon else None
    kept = [asset for asset in assets if asset is icon or not _is_large(asset)]
    return (put(card, (*place, "assets"), kept) if len(kept) < len(assets) else card), len(assets) - len(kept)


def png_of_uri(uri: str) -> bytes | None:
    """The PNG file that a data URI holds; None for any other."""
    if not uri.startswith(_DATA):
        return None
    try:
        data = base64.b64decode(uri[len(_DATA) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data.startswith(SIGNATURE) else None


def uri_of_png(icon: bytes) -> str:
    """A data URI of a PNG file."""
    return _DATA + base64.b64encode(icon).decode("ascii")


def _is_large(asset: Json) -> bool:
    uri = asset.get("uri") if isinstance(asset, dict) else None
    return isinstance(uri, str) and len(uri) > _LARGE_CHARACTERS


def _asset(card: Document, place: Path) -> Document | None:
    assets = at(card, (*place, "assets"))
    icons = (
        [asset for asset in assets if isinstance(asset, dict) and asset.get("type") == "icon"]
        if isinstance(assets, list)
        else []
    )
    return next((icon for icon in icons if icon.get("name") == "main"), icons[0] if icons else None)


def _with_asset(card: Document, place: Path, old: Document, new: Document) -> Document:
    assets = cast("list[Json]", at(card, (*place, "assets")))
    return put(card, (*place, "assets"), [new if asset is old else asset for asset in assets])
