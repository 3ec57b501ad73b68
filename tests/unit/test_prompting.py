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
    SpokenPart,
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


def test_a_question_asked_aloud_is_to_be_answered_briefly_and_later_prompts_begin_alike(tmp_path: Path) -> None:
    asked = message(Role.USER, TextPart("What is Paris?"), SpokenPart())
    first = prompt_messages(conversation(), [asked], settings(tmp_path))
    (user,) = first
    assert [segment.origin for segment in user.segments] == [Origin.APP, Origin.USER]
    assert "short sentences" in user.text and user.text.endswith("\n\nWhat is Paris?")
    answer = message(Role.ASSISTANT, TextPart("A city."), message_id="a")
    typed = message(Role.USER, TextPart("And Rome?"), message_id="t")
    later = prompt_messages(conversation(), [asked, answer, typed], settings(tmp_path))
    assert later[:1] == first and later[-1].text == "And Rome?"
