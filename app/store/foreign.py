"""Conversations out of export files, as values: what each program's entries mean.

Formats: ChatGPT's `conversations.json` (an array of {title, mapping, current_node}), Open WebUI's chat export (an
array of {title, chat: {history: {messages, currentId}}}), and Hearth's own (see `app.store.exporting`). Reads parsed
JSON from strangers, so every value is doubted; knows no file and no database.
"""

from __future__ import annotations

import base64
import heapq
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from app.i18n import tr
from app.limits import ATTACHMENT_BYTES, IMPORT_MESSAGE_CHARACTERS, IMPORT_MESSAGES, TITLE_CHARACTERS
from app.store.codec import sampling_of
from app.store.types import (
    AttachmentPart,
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
from engine.context.clean import clean
from engine.context.segments import Role
from engine.errors import AttachmentError, ImportFormatError, LimitError, sentence
from engine.types import SamplingParams

Json = Mapping[str, Any]
_MOST_KEYED = 100
"""Texts of keyed knowledge in one question."""
TakeImage = Callable[[bytes, str], ImagePart]
"""Keeps an image file's bytes under a name, after looking whether they are an image. Raises `AttachmentError`,
`LimitError` or `StoreError`."""

_SPEAKERS = {"user": Role.USER, "assistant": Role.ASSISTANT}
_LATEST = 4_102_444_800.0
"""The year 2100: later times are taken for an error."""
_CITATION = re.compile("\ue200[^\ue201]*\ue201")
"""ChatGPT's references to web results, in characters for private use."""
_REASONING = re.compile(r'<details type="reasoning"([^>]*)>\s*(?:<summary>.*?</summary>)?(.*?)</details>', re.DOTALL)
"""Open WebUI's form of reasoning inside an answer's text."""


@dataclass(frozen=True, slots=True)
class ForeignConversation:
    """`messages` carry the source's ids, parents first. `source_id` names the same conversation next time."""

    source_id: str
    title: str
    created_at: float
    updated_at: float
    messages: tuple[StoredMessage, ...]
    active_id: str | None
    model: str = ""
    system_prompt: str = ""
    tags: tuple[str, ...] = ()
    sampling: SamplingParams | None = None
    pinned: bool = False
    archived: bool = False
    title_is_automatic: bool = False


def conversation_from(raw: object, take: TakeImage | None = None) -> ForeignConversation:
    """Read one entry of an export, whichever program made it. Raises `ImportFormatError`.

    Without `take`, and where it refuses, of an image only the name comes along.
    """
    if not isinstance(raw, Mapping):
        raise ImportFormatError(sentence("An entry is none of the kinds that Hearth can import."))
    try:
        if isinstance(raw.get("mapping"), Mapping):
            return _from_chatgpt(raw)
        if isinstance(raw.get("chat"), Mapping):
            return _from_open_webui(raw)
        if isinstance(raw.get("messages"), list) and "active_leaf" in raw:
            return _from_hearth(raw, take)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ImportFormatError(
            sentence("“{title}” is not written the way its program writes it."), title=_name(raw.get("title")) or "?"
        ) from error
    raise ImportFormatError(sentence("An entry is none of the kinds that Hearth can import."))


def _from_chatgpt(raw: Json) -> ForeignConversation:
    nodes: Json = raw["mapping"]
    created = _time(raw.get("create_time"))

    def message_of(node: Json) -> StoredMessage | None:
        message: Json = node.get("message") or {}
        metadata: Json = message.get("metadata") or {}
        role = _SPEAKERS.get((message.get("author") or {}).get("role", ""))
        if role is None or metadata.get("is_visually_hidden_from_conversation"):
            return None
        parts = _chatgpt_parts(message.get("content") or {})
        files = [_name(file.get("name")) for file in metadata.get("attachments") or ()]
        if files:
            parts = (TextPart(tr("[File, not part of the export: {name}]", name=", ".join(files))), *parts)
        written = _time(message.get("create_time"))
        return _message(role, parts, written or created, _name(metadata.get("model_slug"))) if parts else None

    def parent(node: Json) -> str | None:
        return _key(node.get("parent"))

    visible = _visible(nodes, parent, message_of)
    messages, now = _joined(visible)
    active = _nearest(nodes, _key(raw.get("current_node")), {message.id for message in visible}, parent)
    return ForeignConversation(
        f"chatgpt:{_name(raw.get('conversation_id') or raw['id'])}",
        _name(raw.get("title")),
        created,
        _time(raw.get("update_time")) or created,
        messages,
        None if active is None else now[active],
        archived=raw.get("is_archived") is True,
        pinned=raw.get("is_starred") is True,
    )


def _chatgpt_parts(content: Json) -> tuple[Part, ...]:
    kind = content.get("content_type")
    if kind in ("text", "multimodal_text"):
        texts = (_chatgpt_text(part) for part in content.get("parts") or ())
        return _text_part(_CITATION.sub("", "\n\n".join(text for text in texts if text.strip())))
    if kind in ("code", "execution_output"):
        text = _clean(content.get("text")).strip()
        language = re.sub(r"\W|^unknown$", "", _name(content.get("language")))
        return (TextPart(f"```{language}\n{text}\n```"),) if text else ()
    if kind == "thoughts":
        thoughts = (str(thought.get("content") or "") for thought in content.get("thoughts") or ())
        text = _clean("\n\n".join(thoughts)).strip()
        return (ReasoningPart(text),) if text else ()
    return ()


def _chatgpt_text(part: object) -> str:
    """Words, or a note in the place of what an export does not hold."""
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        return ""
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = _name(part.get("content_type"))
    if kind.startswith("image"):
        return tr("[Image, not part of the export]")
    if "audio" in kind or "video" in kind:
        return tr("[Sound, not part of the export]")
    return tr("[Something that Hearth cannot show]")


def _from_open_webui(raw: Json) -> ForeignConversation:
    chat: Json = raw["chat"]
    history: Json = chat.get("history") or {}
    nodes: Json = history.get("messages") or {str(message["id"]): message for message in chat.get("messages") or ()}
    created = _time(raw.get("created_at") or chat.get("timestamp"))

    def message_of(node: Json) -> StoredMessage | None:
        role = _SPEAKERS.get(node.get("role", ""))
        content = node.get("content")
        if isinstance(content, list):
            content = "\n\n".join(_chatgpt_text(part) for part in content)
        files = [_name(file.get("name")) for file in node.get("files") or ()]
        note = tr("[File, not part of the export: {name}]", name=", ".join(filter(None, files)) or "?") if files else ""
        parts = (*_text_part(note), *_open_webui_parts(_clean(content)))
        if role is None or not parts:
            return None
        return _message(role, parts, _time(node.get("timestamp")) or created, _name(node.get("model")))

    def parent(node: Json) -> str | None:
        return _key(node.get("parentId"))

    messages = _visible(nodes, parent, message_of)
    return ForeignConversation(
        f"open-webui:{_name(raw.get('id') or chat['id'])}",
        _name(raw.get("title") or chat.get("title")),
        created,
        _time(raw.get("updated_at")) or created,
        messages,
        _nearest(nodes, _key(history.get("currentId")), {message.id for message in messages}, parent),
        system_prompt=_clean(chat.get("system")).strip(),
        tags=_names((raw.get("meta") or {}).get("tags") or chat.get("tags")),
        pinned=raw.get("pinned") is True,
        archived=raw.get("archived") is True,
    )


def _open_webui_parts(text: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    at = 0
    for match in _REASONING.finditer(text):
        parts += _text_part(text[at : match.start()])
        seconds = re.search(r'duration="(\d{1,6})"', match[1])
        thought = re.sub(r"(?m)^(?:>|&gt;) ?", "", match[2]).strip()
        if thought:
            parts.append(ReasoningPart(thought, float(seconds[1]) if seconds else 0.0))
        at = match.end()
    return (*parts, *_text_part(text[at:]))


def _from_hearth(raw: Json, take: TakeImage | None) -> ForeignConversation:
    nodes = {str(message["id"]): message for message in raw["messages"]}

    def message_of(node: Json) -> StoredMessage:
        message = _message(
            Role(node["role"]), tuple(_hearth_part(part, take) for part in node["parts"]), _time(node["created_at"])
        )
        state = MessageState(node.get("state", "complete"))
        return replace(
            message,
            state=MessageState.INTERRUPTED if state is MessageState.STREAMING else state,
            model=_name(node.get("model")),
            error=_clean(node.get("error")),
            pinned=node.get("pinned") is True,
            excluded=node.get("excluded") is True,
            usage=_usage(node["usage"]) if node.get("usage") else None,
        )

    messages = _visible(nodes, lambda node: _key(node["parent_id"]), message_of, in_order=True)
    return ForeignConversation(
        f"hearth:{_name(raw['id'])}",
        _name(raw["title"]),
        _time(raw["created_at"]),
        _time(raw["updated_at"]),
        messages,
        _key(raw["active_leaf"]),
        model=_name(raw.get("model")),
        system_prompt=_clean(raw["system_prompt"]),
        tags=_names(raw["tags"]),
        sampling=_sampling(raw["sampling"]) if raw.get("sampling") else None,
        pinned=raw.get("pinned") is True,
        archived=raw.get("archived") is True,
        title_is_automatic=raw.get("title_is_automatic") is True,
    )


def _hearth_part(raw: Json, take: TakeImage | None) -> Part:
    if raw["kind"] == "reasoning":
        return ReasoningPart(_clean(raw["text"]), _amount(raw["seconds"]))
    if raw["kind"] == "unspoken":
        return UnspokenPart(_clean(raw["text"]))
    if raw["kind"] == "spoken":
        return SpokenPart()
    if raw["kind"] == "attachment":
        text = _clean(raw["text"], ATTACHMENT_BYTES)
        return AttachmentPart(_name(raw["name"]), text, int(_amount(raw["size"])), _name(raw["media_type"]))
    if raw["kind"] == "image":
        return _hearth_image(raw, take)
    if raw["kind"] == "recall":
        # What a file says about itself is no reason to trust it more than a document.
        return RecallPart(_name(raw["message_id"]), _clean(raw["text"]), "document", _name(raw["name"]))
    if raw["kind"] == "sources":
        return _hearth_sources(raw)
    if raw["kind"] == "keyed":
        texts = raw["texts"] if isinstance(raw["texts"], list) else []
        return KeyedPart(_name(raw["persona"]), tuple(filter(None, map(_clean, texts[:_MOST_KEYED]))))
    return TextPart(_clean(raw["text"]))


def _hearth_sources(raw: Json) -> SourcesPart:
    passages = tuple(
        SourcePassage(
            _name(each["path"]), _name(each["title"]), _name(each["unit"]), int(_amount(each["page"])),
            _name(each["page_label"]), int(_amount(each["first_line"])), int(_amount(each["last_line"])),
            _name(each["section"]), _clean(each["text"], ATTACHMENT_BYTES),
            0, int(_amount(each["start"])), int(_amount(each["end"])), _amount(each["score"]),
        )
        for each in raw["passages"]
    )  # fmt: skip
    return SourcesPart(
        _name(raw["way"]), passages, int(_amount(raw["n_searched"])), _clean(raw["question"]), raw["by_meaning"] is True
    )


def _hearth_image(raw: Json, take: TakeImage | None) -> ImagePart:
    name, data = _name(raw["name"]), raw.get("data")
    if take is not None and isinstance(data, str) and data:
        try:
            return take(base64.b64decode(data, validate=True), name)
        except (AttachmentError, LimitError):
            pass  # It is no image that Hearth takes.
    return ImagePart(name, "", 0, int(_amount(raw["width"])), int(_amount(raw["height"])))


def _usage(raw: Json) -> MessageUsage:
    defaults = MessageUsage()
    amounts = {field.name: _amount(raw.get(field.name, 0)) for field in fields(MessageUsage)}
    return MessageUsage(**{name: type(getattr(defaults, name))(value) for name, value in amounts.items()})


def _sampling(raw: Json) -> SamplingParams:
    """Raises `ValueError` for a value of another type than the field's."""
    sampling = sampling_of(dict(raw))
    for field in fields(SamplingParams):
        value, default = getattr(sampling, field.name), getattr(SamplingParams(), field.name)
        kinds: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
        if default is None:
            kinds = (str, type(None)) if field.name in ("grammar", "json_schema") else (int, type(None))
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(field.name)
        if isinstance(value, tuple):
            inside = (int, float) if field.name == "logit_bias" else (str,)
            flat = [each for pair in value for each in pair] if field.name == "logit_bias" else value
            if not all(isinstance(each, inside) for each in flat):
                raise ValueError(field.name)
    return sampling


def _visible(
    nodes: Json,
    parent: Callable[[Json], str | None],
    message_of: Callable[[Json], StoredMessage | None],
    *,
    in_order: bool = False,
) -> tuple[StoredMessage, ...]:
    """The visible messages of a tree, parents first, else by time (or `in_order` of the file).

    A message whose parent is hidden hangs on the nearest visible one above. Cycles are left out.
    """
    if len(nodes) > IMPORT_MESSAGES:
        raise ImportFormatError(
            sentence("A conversation with more than {count} messages cannot be imported."), count=IMPORT_MESSAGES
        )
    made = {key: message_of(node) for key, node in nodes.items()}
    places = {key: place for place, key in enumerate(nodes)}
    children: dict[str | None, list[str]] = {}
    for key, node in nodes.items():
        above = parent(node)
        children.setdefault(above if above in nodes else None, []).append(key)

    waiting: list[tuple[float, int, str, str | None]] = []

    def wait(keys: list[str], time: float, above: str | None) -> None:
        for key in keys:
            message = made[key]
            written = 0.0 if in_order else time if message is None else message.created_at
            heapq.heappush(waiting, (written, places[key], key, above))

    found: list[StoredMessage] = []
    wait(children.get(None, []), 0.0, None)
    while waiting:
        time, _place, key, above = heapq.heappop(waiting)
        message = made[key]
        if message is not None:
            found.append(replace(message, id=key, parent_id=above))
            above = key
        wait(children.get(key, []), time, above)
    return tuple(found)


def _joined(messages: tuple[StoredMessage, ...]) -> tuple[tuple[StoredMessage, ...], dict[str, str]]:
    """One message for each answer, which ChatGPT splits into steps; and what each given id is called now."""
    n_children = Counter(message.parent_id for message in messages)
    joined: dict[str, StoredMessage] = {}
    now: dict[str, str] = {}
    for message in messages:
        above = joined[now[message.parent_id]] if message.parent_id is not None else None
        both = above is not None and above.role is message.role is Role.ASSISTANT
        if above is not None and both and n_children[message.parent_id] == 1:
            now[message.id] = above.id
            model = message.model or above.model
            joined[above.id] = replace(above, parts=above.parts + message.parts, model=model)
        else:
            now[message.id] = message.id
            joined[message.id] = replace(message, parent_id=None if above is None else above.id)
    return tuple(joined.values()), now


def _nearest(nodes: Json, key: str | None, visible: set[str], parent: Callable[[Json], str | None]) -> str | None:
    """`key`, or the nearest visible message above it."""
    for _ in range(len(nodes) + 1):
        if key is None or key in visible or key not in nodes:
            break
        key = parent(nodes[key])
    return key if key in visible else None


def _message(role: Role, parts: tuple[Part, ...], created_at: float, model: str = "") -> StoredMessage:
    return StoredMessage("", "", None, role, parts, MessageState.COMPLETE, created_at, model)


def _text_part(text: str) -> tuple[Part, ...]:
    text = _clean(text).strip()
    return (TextPart(text),) if text else ()


def _clean(value: object, max_characters: int = IMPORT_MESSAGE_CHARACTERS) -> str:
    return clean(value, max_characters=max_characters).text if isinstance(value, str) else ""


def _name(value: object) -> str:
    """A short text of one line; "" for anything else."""
    return " ".join(_clean(value, TITLE_CHARACTERS).split())


def _names(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_name, value))) if isinstance(value, list) else ()


def _key(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _amount(value: object) -> float:
    """A number that is no smaller than 0 and fits a column. Raises `ValueError`."""
    if not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise ValueError("not an amount")
    return float(value)


def _time(value: object) -> float:
    """Seconds since 1970; some programs write milliseconds or nanoseconds. 0 if it is none."""
    if not isinstance(value, int | float) or not 0 <= value < 1 << 63:
        return 0.0
    seconds = float(value)
    while seconds > 1e11:
        seconds /= 1000
    return seconds if seconds < _LATEST else 0.0
