"""Conversations out of other programs' export files, as values. Reads parsed JSON; knows no file and no database.

Formats: ChatGPT's `conversations.json` (an array of {title, mapping, current_node}), Open WebUI's chat export (an
array of {title, chat: {history: {messages, currentId}}}), and Hearth's own (see `app.store.exporting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.limits import IMPORT_MESSAGE_CHARACTERS, IMPORT_MESSAGES
from app.store.types import AttachmentPart, Part, ReasoningPart, TextPart
from engine.context.clean import clean
from engine.context.segments import Role
from engine.errors import ImportFormatError, sentence

Json = Mapping[str, Any]
_SPEAKERS = {"user": Role.USER, "assistant": Role.ASSISTANT}


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """One visible message; `id` and `parent_id` are the source's. `created_at` 0 if the source does not say."""

    id: str
    parent_id: str | None
    role: Role
    parts: tuple[Part, ...]
    created_at: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class ForeignConversation:
    """`messages` are in an order in which parents come first. `source_id` names the same conversation next time."""

    source_id: str
    title: str
    created_at: float
    updated_at: float
    messages: tuple[ForeignMessage, ...]
    active_id: str | None
    system_prompt: str = ""
    tags: tuple[str, ...] = ()


def conversation_from(raw: Json) -> ForeignConversation:
    """Read one entry of an export, whichever program made it. Raises `ImportFormatError`."""
    try:
        if isinstance(raw.get("mapping"), Mapping):
            return _from_chatgpt(raw)
        if isinstance(raw.get("chat"), Mapping):
            return _from_open_webui(raw)
        if isinstance(raw.get("messages"), list) and "active_leaf" in raw:
            return _from_hearth(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ImportFormatError(
            sentence("“{title}” is not written the way its program writes it."), title=str(raw.get("title", "?"))[:80]
        ) from error
    raise ImportFormatError(sentence("An entry is none of the kinds that Hearth can import."))


def _from_chatgpt(raw: Json) -> ForeignConversation:
    nodes: Json = raw["mapping"]

    def message_of(node: Json) -> ForeignMessage | None:
        message = node.get("message")
        if not message or (message.get("metadata") or {}).get("is_visually_hidden_from_conversation"):
            return None
        role = _SPEAKERS.get((message.get("author") or {}).get("role", ""))
        parts = _chatgpt_parts(message.get("content") or {})
        if role is None or not parts:
            return None
        model = (message.get("metadata") or {}).get("model_slug") or ""
        return ForeignMessage(
            node["id"], node.get("parent"), role, parts, _time(message.get("create_time")), str(model)
        )

    messages = _visible(nodes, parent=lambda node: node.get("parent"), message_of=message_of)
    active = _nearest(nodes, raw.get("current_node"), {m.id for m in messages}, lambda node: node.get("parent"))
    return ForeignConversation(
        f"chatgpt:{raw.get('conversation_id') or raw['id']}",
        _title(raw.get("title")),
        _time(raw.get("create_time")),
        _time(raw.get("update_time")) or _time(raw.get("create_time")),
        messages,
        active,
    )


def _chatgpt_parts(content: Json) -> tuple[Part, ...]:
    kind = content.get("content_type")
    if kind in ("text", "multimodal_text"):
        texts = []
        for part in content.get("parts") or ():
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, Mapping):
                texts.append(str(part.get("text") or f"[{part.get('content_type', 'attachment')}]"))
        text = _clean("\n\n".join(text for text in texts if text.strip()))
        return (TextPart(text),) if text else ()
    if kind in ("code", "execution_output"):
        text = _clean(str(content.get("text") or ""))
        language = str(content.get("language") or "").replace("unknown", "")
        return (TextPart(f"```{language}\n{text}\n```"),) if text else ()
    if kind == "thoughts":
        text = _clean("\n\n".join(str(thought.get("content") or "") for thought in content.get("thoughts") or ()))
        return (ReasoningPart(text),) if text else ()
    return ()


def _from_open_webui(raw: Json) -> ForeignConversation:
    chat: Json = raw["chat"]
    history: Json = chat.get("history") or {}
    nodes: Json = history.get("messages") or {str(m["id"]): m for m in chat.get("messages") or ()}

    def message_of(node: Json) -> ForeignMessage | None:
        role = _SPEAKERS.get(node.get("role", ""))
        content = node.get("content")
        text = _clean(content if isinstance(content, str) else "")
        if role is None or not text:
            return None
        return ForeignMessage(
            str(node["id"]), node.get("parentId"), role, (TextPart(text),), _time(node.get("timestamp")),
            str(node.get("model") or ""),
        )  # fmt: skip

    messages = _visible(nodes, parent=lambda node: node.get("parentId"), message_of=message_of)
    active = _nearest(nodes, history.get("currentId"), {m.id for m in messages}, lambda node: node.get("parentId"))
    created = _time(raw.get("created_at") or chat.get("timestamp"))
    return ForeignConversation(
        f"open-webui:{raw.get('id') or chat['id']}",
        _title(raw.get("title") or chat.get("title")),
        created,
        _time(raw.get("updated_at")) or created,
        messages,
        active,
        tags=tuple(str(tag) for tag in (raw.get("meta") or {}).get("tags") or ()),
    )


def _from_hearth(raw: Json) -> ForeignConversation:
    nodes = {str(message["id"]): message for message in raw["messages"]}

    def message_of(node: Json) -> ForeignMessage | None:
        parts = tuple(_hearth_part(part) for part in node["parts"])
        return ForeignMessage(
            node["id"], node["parent_id"], Role(node["role"]), parts, _time(node["created_at"]), str(node["model"])
        )

    messages = _visible(nodes, parent=lambda node: node["parent_id"], message_of=message_of)
    return ForeignConversation(
        f"hearth:{raw['id']}",
        _title(raw["title"]),
        _time(raw["created_at"]),
        _time(raw["updated_at"]),
        messages,
        raw["active_leaf"],
        system_prompt=_clean(str(raw["system_prompt"])),
        tags=tuple(str(tag) for tag in raw["tags"]),
    )


def _hearth_part(raw: Json) -> Part:
    text = _clean(str(raw["text"]))
    if raw["kind"] == "reasoning":
        return ReasoningPart(text, float(raw["seconds"]))
    if raw["kind"] == "attachment":
        return AttachmentPart(_clean(str(raw["name"])), text, int(raw["size"]), str(raw["media_type"]))
    return TextPart(text)


def _visible(
    nodes: Json, *, parent: Callable[[Json], str | None], message_of: Callable[[Json], ForeignMessage | None]
) -> tuple[ForeignMessage, ...]:
    """The visible messages of a tree, parents first; one whose parent is hidden hangs on the nearest visible one."""
    if len(nodes) > IMPORT_MESSAGES:
        raise ImportFormatError(
            sentence("A conversation with more than {count} messages cannot be imported."), count=IMPORT_MESSAGES
        )
    children: dict[str | None, list[str]] = {}
    for key, node in nodes.items():
        above = parent(node)
        children.setdefault(above if above in nodes else None, []).append(key)
    found: list[ForeignMessage] = []
    waiting: list[tuple[str, str | None]] = [(key, None) for key in reversed(children.get(None, []))]
    while waiting:
        key, above = waiting.pop()
        message = message_of(nodes[key])
        if message is not None:
            found.append(ForeignMessage(key, above, message.role, message.parts, message.created_at, message.model))
            above = key
        waiting += [(child, above) for child in reversed(children.get(key, []))]
    return tuple(found)


def _nearest(nodes: Json, key: str | None, visible: set[str], parent: Callable[[Json], str | None]) -> str | None:
    """`key`, or the nearest visible message above it."""
    for _ in range(len(nodes) + 1):
        if key is None or key in visible or key not in nodes:
            break
        key = parent(nodes[key])
    return key if key in visible else None


def _clean(text: str) -> str:
    return clean(text, max_characters=IMPORT_MESSAGE_CHARACTERS).text.strip()


def _title(value: object) -> str:
    return _clean(value if isinstance(value, str) else "")


def _time(value: object) -> float:
    """Seconds since 1970; some programs write milliseconds or nanoseconds."""
    if not isinstance(value, int | float):
        return 0.0
    seconds = float(value)
    while seconds > 1e11:
        seconds /= 1000
    return seconds
