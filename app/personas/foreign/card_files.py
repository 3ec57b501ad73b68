"""The files that hold character cards: JSON, PNG and .charx, with the icon each has. Knows no field of a card but that.

Follows "Embedding Methods" of Character Card V3 (SPEC_V3.md): in PNG the base64 of the JSON in a tEXt chunk "ccv3",
with a V2 copy in "chara"; in .charx, a zip, `card.json` and assets under "embeded://". V1 and V2 are in "chara" alone.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from app.i18n import ntr
from app.personas.foreign import card, card_icon, png_text
from app.personas.foreign.archive import Archive, packed
from app.personas.foreign.documents import Document, dumped, parsed
from app.personas.foreign.imported import Format, Imported
from app.personas.names import is_file_name
from app.personas.persona import Persona
from engine.errors import PersonaError, sentence

CARD_MEMBER = "card.json"
_KEYWORDS = ("ccv3", "chara", "Chara")
"""In the order in which they are believed; the last as V1 spells it."""
_ASSET = "chara-ext-asset_"
_ICON_MEMBER = "assets/icon/images/main.png"
_PLACE = ("data",)
_KINDS = {Format.CARD_V2: Format.CARD_V2_PNG, Format.CARD_V3: Format.CARD_V3_PNG}


def read_png(data: bytes, name: str) -> Imported:
    """The persona of a PNG file, whose icon is the image without its texts."""
    texts = png_text.texts_of(data, name, _KEYWORDS)
    keyword = next((keyword for keyword in _KEYWORDS if keyword in texts), None)
    if keyword is None:
        raise PersonaError(sentence("The image {name} holds no character."), name=name)
    found = card.read_card(_card(_decoded(texts[keyword], name), name), apart=True)
    icon = png_text.without_texts(data, name)
    notes = (*found.notes, *_left_out(sum(keyword.startswith(_ASSET) for keyword in texts)))
    return replace(found, format=_KINDS.get(Format(found.format), found.format), icon=icon, notes=notes)


def png_of(persona: Persona, icon: bytes | None, version: int) -> bytes:
    """A PNG file with the card in it; a grey square without an icon."""
    image = icon if icon is not None else png_text.plain_image()
    document = card.card_of(persona, version)
    if version == 2:
        return png_text.with_texts(image, {"chara": _encoded(document)}, persona.name)
    texts = {"chara": _encoded(card.backfilled(persona)), "ccv3": _encoded(document)}
    return png_text.with_texts(image, texts, persona.name)


def json_of(persona: Persona, icon: bytes | None, version: int) -> str:
    """A card as JSON; only V3 has room for an icon."""
    document = card.card_of(persona, version)
    return dumped(document if icon is None or version == 2 else card_icon.with_icon(document, _PLACE, icon))


def read_charx(data: bytes, name: str) -> Imported | None:
    """The persona of a .charx file; None for a zip that is none. Of its assets only the icon comes along."""
    archive = Archive(data, name)
    if CARD_MEMBER not in archive.names:
        return None
    document = _card(archive.read(CARD_MEMBER), name)
    found = card.read_card(document, apart=True)
    uri = card_icon.icon_uri(document, _PLACE)
    icon, member = card_icon.png_of_uri(uri), uri.removeprefix(card_icon.EMBEDDED)
    if icon is None and member in archive.names:
        image = archive.read(member)
        icon = image if image.startswith(png_text.SIGNATURE) else None
    n_left_out = len(archive.names) - 1 - (icon is not None and member in archive.names)
    return replace(found, format=Format.CHARX, icon=icon, notes=(*found.notes, *_left_out(n_left_out)))


def charx_of(persona: Persona, icon: bytes | None) -> bytes:
    """A .charx file with the card and its icon."""
    document = card.card_of(persona, 3)
    uri = card_icon.icon_uri(document, _PLACE)
    if icon is None or card_icon.png_of_uri(uri) == icon:
        return packed([(CARD_MEMBER, dumped(document).encode("utf-8"))])
    member = uri.removeprefix(card_icon.EMBEDDED)
    if not uri.startswith(card_icon.EMBEDDED) or member == CARD_MEMBER or not all(map(is_file_name, member.split("/"))):
        member = _ICON_MEMBER
        document = card_icon.with_uri(document, _PLACE, card_icon.EMBEDDED + member)
    return packed([(CARD_MEMBER, dumped(document).encode("utf-8")), (member, icon)])


def _card(data: bytes, name: str) -> Document:
    document = parsed(data, name)
    if not isinstance(document, dict) or not card.is_card(document):
        raise PersonaError(sentence("{name} is none of the kinds that Hearth can make a persona of."), name=name)
    return document


def _decoded(text: bytes, name: str) -> bytes:
    """Base64 as programs write it: with line breaks some, without the = at its end others."""
    text = b"".join(text.split()).rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PersonaError(sentence("{name} is damaged: what it holds cannot be read."), name=name) from None


def _encoded(document: Document) -> bytes:
    return base64.b64encode(dumped(document).encode("utf-8"))


def _left_out(n_assets: int) -> tuple[str, ...]:
    if not n_assets:
        return ()
    note = ntr(
        "{count} picture or sound of the card was left out.",
        "{count} pictures or sounds of the card were left out.",
        n_assets,
    )
    return (note,)
