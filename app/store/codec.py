"""Rows to values and back. Knows no SQL statement; JSON only where a column is documented as such."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from app.store.types import (
    Attached,
    AttachmentPart,
    Conversation,
    Draft,
    ImagePart,
    KeyedPart,
    MessageState,
    MessageUsage,
    Part,
    ReasoningPart,
    RecallPart,
    SourcePassage,
    SourcesPart,
    SpokenPart,
    StoredMessage,
    TextPart,
    UnspokenPart,
)
from engine.context.segments import Role, image_text
from engine.types import SamplingParams

PartRow = tuple[int, int, str, str, float, str, str, int, str, str, str, int, int]
USAGE_COLUMNS = tuple(field.name for field in fields(MessageUsage))
CONVERSATION_COLUMNS = (
    "id, title, title_is_automatic, created_at, updated_at, folder_id, pinned, archived, tags, active_leaf, model, "
    "system_prompt, sampling, collections, persona, persona_version"
)
MESSAGE_COLUMNS = (
    "number, id, conversation_id, parent_id, role, state, created_at, model, error, pinned, last_child, deleted_at, "
    "excluded, " + ", ".join(USAGE_COLUMNS)
)
PART_COLUMNS = (
    "message_number, position, kind, text, seconds, name, media_type, size, source, origin, sha256, width, height"
)
_NO_IMAGE = ("", 0, 0)
_ROLES = {role.value: role for role in Role}
_STATES = {state.value: state for state in MessageState}


def storable(text: str) -> str:
    """`text` without halves of surrogate pairs, which a paste may hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def part_rows(message_number: int, parts: Iterable[Part]) -> list[PartRow]:
    """The rows of the `parts` table for one message."""
    rows: list[PartRow] = []
    for position, part in enumerate(parts):
        match part:
            case TextPart(text):
                rows.append((message_number, position, "text", storable(text), 0.0, "", "", 0, "", "", *_NO_IMAGE))
            case ReasoningPart(text, seconds):
                kept = storable(text), seconds, "", "", 0
                rows.append((message_number, position, "reasoning", *kept, "", "", *_NO_IMAGE))
            case UnspokenPart(text):
                rows.append((message_number, position, "unspoken", storable(text), 0.0, "", "", 0, "", "", *_NO_IMAGE))
            case SpokenPart():
                rows.append((message_number, position, "spoken", "", 0.0, "", "", 0, "", "", *_NO_IMAGE))
            case AttachmentPart(name, text, size, media_type):
                kept = storable(text), 0.0, storable(name), media_type, size
                rows.append((message_number, position, "attachment", *kept, "", "", *_NO_IMAGE))
            case ImagePart(name, sha256, size, width, height, media_type):
                # Its text is for whoever reads the database with another program.
                kept = storable(image_text(name)), 0.0, storable(name), media_type, size
                rows.append((message_number, position, "image", *kept, "", "", sha256, width, height))
            case RecallPart(source, text, origin, name):
                kept = storable(text), 0.0, storable(name), "", 0
                rows.append((message_number, position, "recall", *kept, source, origin, *_NO_IMAGE))
            case KeyedPart():
                text = storable(json.dumps(asdict(part), ensure_ascii=False))
                rows.append((message_number, position, "keyed", text, 0.0, "", "", 0, "", "", *_NO_IMAGE))
            case SourcesPart():
                text = storable(json.dumps(asdict(part), ensure_ascii=False))
                rows.append((message_number, position, "sources", text, 0.0, "", "", 0, "", "", *_NO_IMAGE))
    return rows


def part_of(row: sqlite3.Row) -> Part:
    """One row of `parts`; a kind from a newer version reads as text."""
    if row["kind"] == "reasoning":
        return ReasoningPart(row["text"], row["seconds"])
    if row["kind"] == "unspoken":
        return UnspokenPart(row["text"])
    if row["kind"] == "spoken":
        return SpokenPart()
    if row["kind"] == "attachment":
        return AttachmentPart(row["name"], row["text"], row["size"], row["media_type"])
    if row["kind"] == "image":
        return ImagePart(row["name"], row["sha256"], row["size"], row["width"], row["height"], row["media_type"])
    if row["kind"] == "recall":
        return RecallPart(row["source"], row["text"], row["origin"], row["name"])
    if row["kind"] == "sources":
        return sources_of(json.loads(row["text"]))
    if row["kind"] == "keyed":
        return keyed_of(json.loads(row["text"]))
    return TextPart(row["text"])


def message_of(row: sqlite3.Row, parts: tuple[Part, ...], *, position: int = 1, siblings: int = 1) -> StoredMessage:
    """One row of `MESSAGE_COLUMNS`. A word that only a newer version knows must not hide a message."""
    # By place, not by name: a path of 1,000 messages reads 19,000 values.
    _, message_id, conversation_id, parent_id, role, state, created_at, model, error, pinned, _, _, excluded, *usage = (
        row
    )
    return StoredMessage(
        message_id,
        conversation_id,
        parent_id,
        _ROLES.get(role, Role.TOOL),
        parts,
        _STATES.get(state, MessageState.COMPLETE),
        created_at,
        model,
        None if usage[0] is None else MessageUsage(*usage),
        error,
        bool(pinned),
        position,
        siblings,
        bool(excluded),
    )


def conversation_of(row: sqlite3.Row) -> Conversation:
    """One row of `CONVERSATION_COLUMNS`."""
    conversation_id, title, automatic, created_at, updated_at, folder_id, pinned, archived, tags, *others = row
    active_leaf, model, system_prompt, sampling, collections, persona, persona_version = others
    return Conversation(
        conversation_id,
        title,
        bool(automatic),
        created_at,
        updated_at,
        folder_id,
        bool(pinned),
        bool(archived),
        () if tags == "[]" else tuple(json.loads(tags)),
        active_leaf,
        model,
        system_prompt,
        None if sampling is None else sampling_of(json.loads(sampling)),
        tuple(json.loads(collections)),
        persona,
        persona_version,
    )


def sources_of(raw: dict[str, Any]) -> SourcesPart:
    """A part of kind sources. Raises `KeyError`, `TypeError` where the JSON is another."""
    return SourcesPart(**{**raw, "passages": tuple(SourcePassage(**each) for each in raw["passages"])})


def keyed_of(raw: dict[str, Any]) -> KeyedPart:
    """A part of kind keyed. Raises `KeyError`, `TypeError` where the JSON is another."""
    return KeyedPart(raw["persona"], tuple(raw["texts"]))


def draft_of(row: sqlite3.Row | None) -> Draft:
    if row is None:
        return Draft()
    files = (AttachmentPart(**raw) for raw in json.loads(row["attachments"]))
    return Draft(row["text"], (*files, *images_of(row["images"])))


def images_of(raw: str) -> tuple[ImagePart, ...]:
    """The images of a draft's column."""
    return tuple(ImagePart(**each) for each in json.loads(raw))


def usage_values(usage: MessageUsage | None) -> tuple[float | None, ...]:
    """The values of `USAGE_COLUMNS`."""
    return tuple(None if usage is None else getattr(usage, name) for name in USAGE_COLUMNS)


def to_json(value: SamplingParams | Iterable[Attached] | Iterable[str] | Iterable[int] | None) -> str | None:
    """A value as the JSON of its column; None stays None."""
    if value is None:
        return None
    if isinstance(value, SamplingParams):
        return json.dumps(asdict(value), ensure_ascii=False)
    items: list[Any] = [asdict(item) if isinstance(item, Attached) else item for item in value]
    return storable(json.dumps(items, ensure_ascii=False))


def sampling_of(raw: dict[str, Any]) -> SamplingParams:
    """Fields that this version does not know are left out; missing ones take their default."""
    known = {field.name for field in fields(SamplingParams)}
    return SamplingParams(**{name: _frozen(value) for name, value in raw.items() if name in known})


def _frozen(value: object) -> Any:
    """JSON's lists as the tuples they were."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
