"""Stored messages as typed segments."""

from __future__ import annotations

from pathlib import Path

from app.prompting import build_request, prompt_messages, sampling_of
from app.settings import Settings
from app.store.types import (
    AttachmentPart,
    Conversation,
    MessageState,
    Part,
    ReasoningPart,
    StoredMessage,
    TextPart,
)
from engine.context.segments import Origin, Role, Trust
from engine.types import OverflowPolicy


def conversation(system_prompt: str = "") -> Conversation:
    return Conversation("c", "t", True, 0.0, 0.0, system_prompt=system_prompt)


def message(role: Role, *parts: Part, pinned: bool = False, message_id: str = "m") -> StoredMessage:
    return StoredMessage(message_id, "c", None, role, parts, MessageState.COMPLETE, 0.0, pinned=pinned)


def settings(tmp_path: Path) -> Settings:
    return Settings.load(tmp_path / "settings.toml")


def test_trust_follows_the_source(tmp_path: Path) -> None:
    path = [
        message(Role.USER, TextPart("Read this"), AttachmentPart("a.txt", "the file", 8)),
        message(Role.ASSISTANT, TextPart("Done")),
    ]
    system, user, assistant = prompt_messages(conversation("Be brief"), path, settings(tmp_path))
    assert [(s.text, s.origin, s.trust) for s in system.segments] == [("Be brief", Origin.PERSONA, Trust.TRUSTED)]
    assert [s.origin for s in user.segments] == [
        Origin.APP, Origin.DOCUMENT, Origin.APP, Origin.DOCUMENT, Origin.APP, Origin.USER,
    ]  # fmt: skip
    assert {s.trust for s in user.segments if s.origin is Origin.DOCUMENT} == {Trust.UNTRUSTED}
    assert {s.label for s in user.segments if s.origin is Origin.DOCUMENT} == {"a.txt"}
    assert user.text == "Attached file a.txt:\n<<<\nthe file\n>>>\n\nRead this"
    assert [(s.origin, s.trust) for s in assistant.segments] == [(Origin.ASSISTANT, Trust.TRUSTED)]


def test_an_attachment_is_cleaned(tmp_path: Path) -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    (user,) = prompt_messages(
        conversation(),
        [message(Role.USER, AttachmentPart("n\u202eame", f"a{hidden}b\x1b[31mc", 9))],
        settings(tmp_path),
    )
    assert user.text == "Attached file name:\n<<<\nabc\n>>>\n\n"


def test_a_message_of_reasoning_only_is_left_out(tmp_path: Path) -> None:
    path = [
        message(Role.USER, TextPart("one")),
        message(Role.ASSISTANT, ReasoningPart("hm")),
        message(Role.USER, TextPart("two"), message_id="second"),
    ]
    (joined,) = prompt_messages(conversation(), path, settings(tmp_path))
    assert (joined.text, joined.message_id) == ("one\n\ntwo", "second")


def test_a_joined_message_is_pinned_if_one_half_is(tmp_path: Path) -> None:
    path = [message(Role.USER, TextPart("one"), pinned=True), message(Role.USER, TextPart("two"))]
    (joined,) = prompt_messages(conversation(), path, settings(tmp_path))
    assert joined.pinned


def test_the_request_carries_the_settings(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    chosen.set("chat.thinking", "off")
    chosen.set("chat.overflow", "stop")
    chosen.set("chat.max_tokens", 100)
    request = build_request("r", conversation(), [message(Role.USER, TextPart("one"))], chosen)
    assert (request.thinking, request.overflow, request.answer_reserve) == (False, OverflowPolicy.STOP, 100)
    assert request.sampling == sampling_of(chosen)
    assert request.sampling.max_tokens == 100


def test_no_limit_is_none(tmp_path: Path) -> None:
    assert sampling_of(settings(tmp_path)).max_tokens is None
