"""The whole way of a question to another computer and back, and that none goes there once it is turned off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.events import Notice
from app.model_entry import Availability
from app.services import Services
from app.settings import Settings
from app.store.types import MessageState, StoredMessage
from engine.engine import EngineStatus
from engine.errors import RemoteError
from tests.process.test_remote_engine import Server, good
from tests.unit.chat_bench import disposable_paths, nowhere

WAIT_S = 60


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(good)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def services(tmp_path: Path, notices: list[str]) -> Iterator[Services]:
    paths = disposable_paths(tmp_path)
    paths.create()
    made = Services.open(
        paths,
        settings=Settings.load(paths.settings_file),
        places=nowhere(tmp_path),
        publish=lambda event: notices.append(event.text) if isinstance(event, Notice) else None,
    )
    made.settings.set("chat.automatic_titles", False)
    yield made
    made.close()


def ask(services: Services, text: str) -> StoredMessage:
    conversation = services.chat.send(None, text).result(WAIT_S)
    assert services.chat.wait_until_idle(WAIT_S)
    return services.store_call(lambda store: store.path(conversation)).result()[-1]


def test_a_question_goes_there_only_while_it_is_on(services: Services, server: Server) -> None:
    services.settings.set("remote.address", server.address)
    assert server.paths == [], "an address alone asks nothing"
    services.settings.set("remote.enabled", True)
    answer = ask(services, "Hello")
    assert (answer.state, answer.text) == (MessageState.COMPLETE, "Gr\u00fc\u00df Gott \U0001f600")
    assert answer.usage is not None
    assert answer.usage.cached_tokens == 12
    model = services.engine.state.model
    assert model is not None
    assert model.remote_host == "127.0.0.1"
    asked = len(server.paths)
    services.remote.turn_off()
    refused = ask(services, "Not for others")
    assert refused.state is MessageState.FAILED
    assert len(server.paths) == asked
    state = services.engine.state
    assert state.status is EngineStatus.EMPTY
    assert state.model is None


def test_the_next_start_goes_there_again(tmp_path: Path, services: Services, server: Server) -> None:
    services.settings.set("remote.address", server.address)
    services.settings.set("remote.model", "large")
    services.settings.override("remote.enabled", True)
    assert services.load_first_model().result(WAIT_S).name == "large"
    assert services.models.expected_name() == "large"


def test_a_server_that_is_away_is_said_and_no_other_model_answers(
    services: Services, server: Server, notices: list[str]
) -> None:
    address = server.address
    server.shutdown()
    server.server_close()
    services.settings.set("remote.address", address)
    services.settings.set("remote.enabled", True)
    with pytest.raises(RemoteError, match="Nothing answers"):
        services.models.ensure_loaded().result(WAIT_S)
    assert any("Nothing answers" in text for text in notices)
    answer = ask(services, "Hello")
    assert answer.state is MessageState.FAILED
    assert "Nothing answers" in answer.error


@pytest.mark.weights
def test_choosing_a_model_here_turns_it_off(services: Services, server: Server, smollm2: Path) -> None:
    services.settings.set("remote.address", server.address)
    services.settings.set("remote.enabled", True)
    services.models.ensure_loaded().result(WAIT_S)
    [there] = [entry for entry in services.models.entries if entry.availability is Availability.ELSEWHERE]
    assert (there.name, there.host, there.loaded) == ("small:latest", "127.0.0.1", True)
    services.models.load(smollm2, n_ctx=512).result(WAIT_S)
    assert services.settings.flag("remote.enabled") is False
    assert all(entry.availability is not Availability.ELSEWHERE for entry in services.models.entries)
    model = services.engine.state.model
    assert model is not None
    assert model.remote_host == ""
