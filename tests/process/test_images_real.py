"""Images in a chat through the real engine: stored, sent, looked at, and not looked at twice.

The projector has random weights (see `small_projector`): what is tested is that images arrive and are remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.prompting import build_request
from app.settings import Settings
from app.store.images import ImageFolder
from app.store.types import Conversation, ImagePart, MessageState, Part, StoredMessage, TextPart
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.types import Failed, Finished, GenerationRequest, ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.process.engine_asking import PATIENCE_S, Answer
from tests.process.small_projector import N_PATCHES, small_projector
from tests.unit.images import png

pytestmark = pytest.mark.weights
SMOLLM2_WIDTH = 576
RED, BLUE = (255, 0, 0), (0, 0, 255)


class Chat:
    """One conversation, kept and asked as the app does it."""

    def __init__(self, folder: Path, engine: EngineClient, key: str) -> None:
        self._images = ImageFolder(folder / "images")
        self._settings = Settings.load(folder / "settings.toml")
        self._engine = engine
        self._conversation = Conversation(key, "t", True, 0.0, 0.0)
        self._path: list[StoredMessage] = []

    def image(self, tint: tuple[int, int, int], name: str = "picture.png") -> ImagePart:
        data = png(tint=tint)
        return ImagePart(name, self._images.put(data, "image/png"), len(data), 32, 32)

    def request(self, *parts: Part) -> GenerationRequest:
        self._add(Role.USER, *parts)
        sampling = SamplingParams(temperature=0.0, max_tokens=8)
        return build_request(
            f"{self._conversation.id}-{len(self._path)}",
            self._conversation,
            self._path,
            self._settings,
            sampling=sampling,
            find=self._images.ref,
        )

    def ask(self, *parts: Part) -> Answer:
        got = Answer()
        self._engine.submit(self.request(*parts), CancelToken(), got)
        assert isinstance(got.end(), Finished), got.events
        self._add(Role.ASSISTANT, TextPart(got.text))
        return got

    def _add(self, role: Role, *parts: Part) -> None:
        message_id = f"{self._conversation.id}-m{len(self._path)}"
        message = StoredMessage(message_id, self._conversation.id, None, role, parts, MessageState.COMPLETE, 0.0)
        self._path.append(message)

    def lose_images(self) -> None:
        for path in self._images.folder.iterdir():
            path.write_bytes(b"another")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> ModelSpec:
    projector = tmp_path_factory.mktemp("eyes") / "mmproj.gguf"
    projector.write_bytes(small_projector(SMOLLM2_WIDTH))
    return ModelSpec(smollm2, n_ctx=1024, n_cells=2048, n_batch=64, n_ubatch=64, speculate=False, projector=projector)


@pytest.fixture(scope="module")
def engine(spec: ModelSpec) -> Iterator[EngineClient]:
    engine = EngineClient()
    assert engine.load(spec).result(PATIENCE_S).can_see
    yield engine
    engine.close()


def test_an_image_is_looked_at_once(engine: EngineClient, tmp_path: Path) -> None:
    chat = Chat(tmp_path, engine, "once")
    first = chat.ask(TextPart("What is in the picture?"), chat.image(RED))
    pages = {page.label: page for page in first.started.pages}
    assert pages["picture.png"].origin == "document"
    assert pages["picture.png"].tokens == N_PATCHES
    second = chat.ask(TextPart("Are you sure?"))
    assert second.started.cached_tokens >= first.started.prompt_tokens
    assert second.usage.cached_tokens == second.started.cached_tokens


def test_the_same_image_in_another_chat_is_not_looked_at_again(engine: EngineClient, tmp_path: Path) -> None:
    one, two, three = (Chat(tmp_path, engine, key) for key in ("red", "red too", "blue"))
    first = one.ask(TextPart("Describe it."), one.image(RED))
    again = two.ask(TextPart("Describe it."), two.image(RED, "another name.png"))
    assert again.started.cached_tokens >= first.started.prompt_tokens - 1
    other = three.ask(TextPart("Describe it."), three.image(BLUE))
    before = first.started.prompt_tokens - N_PATCHES
    assert other.started.cached_tokens < before, "another image matches nothing of the first"
    assert other.started.prompt_tokens == first.started.prompt_tokens


def test_an_image_that_changed_is_not_shown_to_the_model(engine: EngineClient, tmp_path: Path) -> None:
    chat = Chat(tmp_path, engine, "changed")
    request = chat.request(TextPart("What is it?"), chat.image((1, 2, 3)))
    chat.lose_images()
    got = Answer()
    engine.submit(request, CancelToken(), got)
    ended = got.end()
    assert isinstance(ended, Failed)
    assert "has changed" in ended.message


def test_a_vision_file_of_another_model_costs_the_sight_only(spec: ModelSpec, tmp_path: Path) -> None:
    narrow = tmp_path / "mmproj.gguf"
    narrow.write_bytes(small_projector(256))
    engine = EngineClient()
    try:
        loaded = engine.load(replace(spec, projector=narrow)).result(PATIENCE_S)
        assert not loaded.can_see
        assert any("vision file cannot be used" in note for note in loaded.notes)
        assert Chat(tmp_path, engine, "words").ask(TextPart("Hello")).text
    finally:
        engine.close()


def test_a_model_without_eyes_reads_the_name(spec: ModelSpec, tmp_path: Path) -> None:
    engine = EngineClient()
    try:
        assert not engine.load(replace(spec, projector=None)).result(PATIENCE_S).can_see
        chat = Chat(tmp_path, engine, "blind")
        with_image = chat.ask(TextPart("What is it?"), chat.image(RED, "lighthouse.png"))
        page = next(page for page in with_image.started.pages if page.label == "lighthouse.png")
        [expected] = engine.count_tokens(["[image: lighthouse.png]"]).result(PATIENCE_S)
        assert page.tokens == expected
    finally:
        engine.close()
