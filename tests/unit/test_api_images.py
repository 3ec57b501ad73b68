"""Images in requests: looked at beside the event loop, and files for as long as their request is answered."""

from __future__ import annotations

import asyncio
import base64
import threading
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace

import pytest

from app.api.admission import Admission
from app.api.answering import Kernel
from app.api.asking import Desk
from app.api.chat import begin
from app.api.faults import InvalidRequestError
from app.api.images import KEPT, ImageShelf
from app.api.ports import Parts
from app.api.schemas import ChatRequest
from engine.context.segments import Segment
from engine.fake import FakeAnswer, FakeEngine
from engine.types import LoadedModel
from tests.unit.api_bench import OneModel
from tests.unit.images import png


class Seeing(OneModel):
    """A model that takes images."""

    def use(self, name: str) -> Future[LoadedModel]:
        seeing: Future[LoadedModel] = Future()
        seeing.set_result(replace(super().use(name).result(), can_see=True))
        return seeing


class NotingShelf(ImageShelf):
    """Knows where it worked."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[threading.Thread] = set()

    def segment(self, url: str, request_id: str = "") -> Segment:
        self.threads.add(threading.current_thread())
        return super().segment(url, request_id)


def picture(number: int) -> str:
    """Each number another one."""
    return f"data:image/png;base64,{base64.b64encode(png(1 + number, 1)).decode()}"


def question(url: str) -> ChatRequest:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return ChatRequest.model_validate({"model": "default", "messages": [{"role": "user", "content": parts}]})


def crowd(shelf: ImageShelf) -> None:
    """So many images of no request that the oldest go."""
    for number in range(1, KEPT + 2):
        shelf.segment(picture(number))


def test_an_image_stays_until_its_request_is_answered() -> None:
    async def ask() -> None:
        gate = threading.Event()
        with closing(FakeEngine([FakeAnswer("A cat.", gate=gate)])) as engine, closing(NotingShelf()) as shelf:
            models = Seeing(engine)
            desk = Desk(Parts(engine, models), Kernel(engine, models), shelf, Admission())
            answers, _shape = await begin(desk, question(picture(0)))
            assert shelf.threads and threading.current_thread() not in shelf.threads
            [image] = [each.image for each in engine.requests[0].messages[0].segments if each.image is not None]
            crowd(shelf)
            assert image.path.exists()
            gate.set()
            async for _event in answers.events():
                pass
            assert not image.path.exists(), "it is the oldest that nobody needs"

    asyncio.run(ask())


def test_a_request_that_is_refused_keeps_nothing() -> None:
    async def ask() -> None:
        with closing(FakeEngine()) as engine, closing(ImageShelf()) as shelf:
            blind = OneModel(engine)
            desk = Desk(Parts(engine, blind), Kernel(engine, blind), shelf, Admission())
            with pytest.raises(InvalidRequestError):
                await begin(desk, question(picture(0)))
            image = shelf.segment(picture(0)).image
            assert image is not None
            crowd(shelf)
            assert not image.path.exists()

    asyncio.run(ask())


def test_an_image_that_two_requests_need_waits_for_both() -> None:
    with closing(ImageShelf()) as shelf:
        for request_id in ("a", "b"):
            shelf.hold(request_id)
            image = shelf.segment(picture(0), request_id).image
        assert image is not None
        crowd(shelf)
        shelf.release("a")
        assert image.path.exists()
        shelf.release("b")
        shelf.release("b")
        assert not image.path.exists()
