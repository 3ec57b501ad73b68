"""Which model a request goes to: found also where nobody has listed them, and one choice after another."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.api.answering import Kernel
from app.api.backend import ServedModels
from app.api.faults import UnknownModelError
from app.model_entry import Availability, ModelEntry
from app.services import Services
from engine.fake import FakeEngine
from engine.model.description import ModelDescription
from engine.types import GenerationRequest, LoadedModel, ModelSpec
from tests.unit.api_bench import PATIENCE_S, OneModel

HERE = ModelEntry("other", "Other", Availability.HERE, Path("other.gguf"), description=cast(ModelDescription, object()))


class Library:
    """The part of `ModelLibrary` that is asked; it knows its models once somebody has looked."""

    def __init__(self) -> None:
        self.entries: tuple[ModelEntry, ...] = ()

    def default(self) -> ModelEntry | None:
        self.entries = (HERE,)
        return HERE

    def spec(self, entry: ModelEntry) -> ModelSpec:
        assert entry.path is not None
        return ModelSpec(entry.path)


def services(engine: FakeEngine) -> Services:
    return cast(Services, SimpleNamespace(models=Library(), engine=engine))


def test_a_model_is_found_before_anybody_has_listed_them() -> None:
    with closing(FakeEngine()) as engine:
        loaded = ServedModels(services(engine)).use("OTHER").result(PATIENCE_S)
        assert loaded.path == Path("other.gguf")
        with pytest.raises(UnknownModelError):
            ServedModels(services(engine)).use("none")


def test_beside_a_window_there_is_only_the_one_in_use() -> None:
    with closing(FakeEngine()) as engine, pytest.raises(UnknownModelError):
        ServedModels(services(engine), may_load=False).use("other")


class SlowModels(OneModel):
    """Takes its time to find a model."""

    def __init__(self, engine: FakeEngine) -> None:
        super().__init__(engine)
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.at_once = self.most_at_once = 0

    def use(self, name: str) -> Future[LoadedModel]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        assert self.gate.wait(PATIENCE_S)
        self.at_once -= 1
        return super().use(name)


def test_of_a_model_that_is_not_there_nobody_is_told_who_is_gone() -> None:
    complaints: list[dict[str, object]] = []

    async def ask() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        with closing(FakeEngine()) as engine:
            models = SlowModels(engine)
            gone = asyncio.create_task(Kernel(engine, models).answer("nobody", lambda _: GenerationRequest("one", ())))
            while not models.begun.is_set():
                await asyncio.sleep(0.001)
            gone.cancel()
            models.gate.set()
            await asyncio.wait((gone,))
            assert gone.cancelled()
        gc.collect()

    asyncio.run(ask())
    assert complaints == []


def test_a_choice_holds_up_nobody_but_the_next_choice() -> None:
    async def ask() -> None:
        with closing(FakeEngine(["Yes."])) as engine:
            models = SlowModels(engine)
            kernel = Kernel(engine, models)
            gone = asyncio.create_task(kernel.answer("default", request))
            while not models.begun.is_set():
                await asyncio.sleep(0.001)
            gone.cancel()
            second = asyncio.create_task(kernel.answer("default", request))
            await asyncio.sleep(0.02)
            assert models.most_at_once == 1
            models.gate.set()
            answers = await second
            async for _event in answers.events():
                pass
            assert gone.cancelled() and models.most_at_once == 1
            assert (len(engine.requests), kernel.admission.running) == (1, 0)

    def request(_loaded: LoadedModel) -> GenerationRequest:
        return GenerationRequest("one", ())

    asyncio.run(ask())
