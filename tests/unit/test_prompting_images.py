"""Images on their way from a stored message into every kind of request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.memory_view import words_in
from app.prompt_source import PromptSource
from app.prompting import prompt_messages
from app.settings import Settings
from app.store.types import Conversation, ImagePart, MessageState, Part, StoredMessage, TextPart
from engine.cancel import CancelToken
from engine.context.segments import ImageRef, Origin, Role, Segment, Trust
from engine.engine import StreamSink
from engine.errors import ChatError
from engine.types import GenerationRequest
from tests.unit.chat_bench import WAIT_S, Bench
from tests.unit.images import png

CAT = ImagePart("cat.png", "a" * 64, 10, 32, 32)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, ["A cat.", "Yes.", "A title"])
    yield made
    made.close()


def kept(bench: Bench, name: str = "cat.png") -> ImagePart:
    data = png()
    return ImagePart(name, bench.services.store.images.put(data, "image/png"), len(data), 32, 32)


def images(request: GenerationRequest) -> list[Segment]:
    return [segment for message in request.messages for segment in message.segments if segment.image is not None]


def segments(tmp_path: Path, *parts: Part, ref: ImageRef | None = None) -> tuple[Segment, ...]:
    question = StoredMessage("m", "c", None, Role.USER, parts, MessageState.COMPLETE, 0.0)
    conversation = Conversation("c", "t", True, 0.0, 0.0)
    settings = Settings.load(tmp_path / "settings.toml")
    (message,) = prompt_messages(conversation, [question], settings, find=lambda _part: ref)
    return message.segments


def test_an_image_is_untrusted_and_comes_before_the_words(tmp_path: Path) -> None:
    ref = ImageRef(tmp_path / "x.png", "a" * 64)
    image, gap, words = segments(tmp_path, TextPart("What is it?"), CAT, ref=ref)
    assert image == Segment("[image: cat.png]", Origin.DOCUMENT, Trust.UNTRUSTED, "cat.png", ref)
    assert (gap.text, words.text) == ("\n\n", "What is it?")


def test_a_lost_image_is_its_name(tmp_path: Path) -> None:
    image, *_ = segments(tmp_path, CAT)
    assert (image.text, image.image) == ("[image: cat.png]", None)


def test_the_name_of_an_image_is_cleaned(tmp_path: Path) -> None:
    hostile = ImagePart("a\u202e\x1b[31m" + "b" * 400, "a" * 64, 1, 1, 1)
    image, *_ = segments(tmp_path, hostile)
    assert image.text.startswith("[image: abbb")
    assert len(image.text) <= 200
    assert image.trust is Trust.UNTRUSTED


def test_the_engine_is_given_the_file_every_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[GenerationRequest] = []
    submit = bench.fake.submit

    def spy(request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        asked.append(request)
        submit(request, cancel, sink)

    monkeypatch.setattr(bench.fake, "submit", spy)
    part = kept(bench)
    conversation_id = bench.chat.send(None, "What is it?", [part]).result(WAIT_S)
    bench.finished(conversation_id)
    bench.ask("Are you sure?", conversation_id)
    foreground = [request for request in asked if not request.background]
    assert len(foreground) == 2
    refs = [segment.image for request in foreground for segment in images(request)]
    assert refs == [bench.services.store.images.ref(part)] * 2
    source = bench.store(lambda store: PromptSource.read(store, conversation_id))
    request = source.request("memory", bench.services.settings)
    assert [segment.image for segment in images(request)] == refs[:1]
    words = words_in(request, source)
    assert "[image: cat.png]" in words.texts.values()


def test_an_image_alone_names_its_chat(bench: Bench) -> None:
    conversation_id = bench.chat.send(None, "", [kept(bench, "holiday.png")]).result(WAIT_S)
    bench.finished(conversation_id)
    assert bench.store(lambda store: store.conversation(conversation_id)).title == "holiday.png"


def test_an_image_that_is_gone_is_not_sent(bench: Bench) -> None:
    part = kept(bench)
    path = bench.services.store.images.path(part)
    assert path is not None
    path.unlink()
    with pytest.raises(ChatError, match=r"cat\.png is not there any more"):
        bench.chat.send(None, "What is it?", [part]).result(WAIT_S)
    assert bench.store(lambda store: store.conversations()) == []


def test_editing_the_question_keeps_the_image(bench: Bench) -> None:
    part = kept(bench)
    conversation_id = bench.chat.send(None, "What?", [part]).result(WAIT_S)
    bench.finished(conversation_id)
    bench.chat.edit(bench.path(conversation_id)[0].id, "Where?").result(WAIT_S)
    bench.finished(conversation_id)
    assert bench.path(conversation_id)[0].parts == (TextPart("Where?"), part)
