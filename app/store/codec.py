"""Rows to values and back. Knows no SQL statement; JSON only where a column is documented as such."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, TypeVar

from app.store.types import (
    AttachmentPart,
    Conversation,
    Draft,
    MessageState,
    MessageUsage,
    Part,
    ReasoningPart,
    StoredMessage,
    TextPart,
)
from engine.context.segments import Role
from engine.types import SamplingParams

PartRow = tuple[int, int, str, str, float, str, str, int]
V = TypeVar("V", MessageUsage, SamplingParams)


def part_rows(message_number: int, parts: Iterable[Part]) -> list[PartRow]:
    """The rows of the `parts` table for one message."""
    rows: list[PartRow] = []
    for position, part in enumerate(parts):
        match part:
            case TextPart(text):
                rows.append((message_number, position, "text", text, 0.0, "", "", 0))
            case ReasoningPart(text, seconds):
                rows.append((message_number, position, "reasoning", text, seconds, "", "", 0))
            case AttachmentPart(name, text, size, media_type):
                rows.append((message_number, position, "attachment", text, 0.0, name, media_type, size))
    return rows


def part_of(row: sqlite3.Row) -> Part:
    """One row of `parts`; a kind from a newer version reads as text."""
    if row["kind"] == "reasoning":
        return ReasoningPart(row["text"], row["seconds"])
    if row["kind"] == "attachment":
        return AttachmentPart(row["name"], row["text"], row["size"], row["media_type"])
    return TextPart(row["text"])


def message_of(row: sqlite3.Row, parts: tuple[Part, ...], *, position: int = 1, siblings: int = 1) -> StoredMessage:
    return StoredMessage(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=Role(row["role"]),
        parts=parts,
        state=MessageState(row["state"]),
        created_at=row["created_at"],
        model=row["model"],
        usage=_value(MessageUsage, row["usage"]),
        error=row["error"],
        pinned=bool(row["pinned"]),
        position=position,
        siblings=siblings,
    )


def conversation_of(row: sqlite3.Row) -> Conversation:
    return Conversation(
        id=row["id"],
        title=row["title"],
        title_is_automatic=bool(row["title_is_automatic"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        folder_id=row["folder_id"],
        pinned=bool(row["pinned"]),
        archived=bool(row["archived"]),
        tags=tuple(json.loads(row["tags"])),
        active_leaf=row["active_leaf"],
        model=row["model"],
        system_prompt=row["system_prompt"],
        sampling=_value(SamplingParams, row["sampling"]),
    )


def draft_of(row: sqlite3.Row | None) -> Draft:
    if row is None:
        return Draft()
    return Draft(row["text"], tuple(AttachmentPart(**raw) for raw in json.loads(row["attachments"])))


def to_json(value: MessageUsage | SamplingParams | Iterable[AttachmentPart] | Iterable[str] | None) -> str | None:
    """A value as the JSON of its column; None stays None."""
    if value is None:
        return None
    if isinstance(value, MessageUsage | SamplingParams):
        return json.dumps(asdict(value), ensure_ascii=False)
    items: list[Any] = [asdict(item) if isinstance(item, AttachmentPart) else item for item in value]
    return json.dumps(items, ensure_ascii=False)


def _value(kind: type[V], text: str | None) -> V | None:
    """Fields that this version does not know are left out; missing ones take their default."""
    if text is None:
        return None
    known = {field.name for field in fields(kind)}
    raw: dict[str, Any] = {name: _frozen(value) for name, value in json.loads(text).items() if name in known}
    return kind(**raw)


def _frozen(value: object) -> object:
    """JSON's lists as the tuples they were."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
