"""`hearth serve` as OpenAI's own client sees it: a real server process, a real model, real recordings."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pysubs2
import pytest
import soundfile
from pydantic import BaseModel

from tests.process.served import Served, served
from tests.voice_weights import recordings
from voice.types import RATE

pytestmark = pytest.mark.beside

MODEL = "default"
QUESTION = {"role": "user", "content": "Name three colours."}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), smollm2) as made:
        yield made


@pytest.fixture
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.address, api_key=server.token, max_retries=0, timeout=60) as made:
        yield made


def test_models_are_listed_and_looked_up(client: openai.OpenAI, smollm2: Path) -> None:
    names = [model.id for model in client.models.list()]
    assert {MODEL, smollm2.stem} <= set(names)
    assert client.models.retrieve(smollm2.stem).owned_by == "hearth"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_a_chat_is_answered_whole_and_as_a_stream(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model=MODEL, messages=[QUESTION], temperature=0, max_tokens=12)
    text = whole.choices[0].message.content
    assert text and whole.choices[0].finish_reason == "length"
    assert whole.usage is not None and whole.usage.completion_tokens == 12
    pieces = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[QUESTION],
            temperature=0,
            max_tokens=12,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == text
    usage = pieces[-1].usage
    assert usage is not None and usage.prompt_tokens == whole.usage.prompt_tokens
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens, "the second time it was read already"


def test_several_answers_their_likelihoods_and_where_to_stop(client: openai.OpenAI) -> None:
    asked = client.chat.completions.create(
        model=MODEL, messages=[QUESTION], n=2, seed=7, max_tokens=6, logprobs=True, top_logprobs=3
    )
    assert [choice.index for choice in asked.choices] == [0, 1]
    for choice in asked.choices:
        assert choice.logprobs is not None and choice.logprobs.content
        assert all(token.logprob <= 0 and len(token.top_logprobs) <= 3 for token in choice.logprobs.content)
        assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    again = client.chat.completions.create(model=MODEL, messages=[QUESTION], n=2, seed=7, max_tokens=6)
    assert [choice.message.content for choice in again.choices] == [choice.message.content for choice in asked.choices]
    text = asked.choices[0].message.content or ""
    word = text.split()[1]
    stopped = client.chat.completions.create(model=MODEL, messages=[QUESTION], seed=7, max_tokens=6, stop=word)
    assert stopped.choices[0].message.content == text[: text.index(word)]
    assert stopped.choices[0].finish_reason == "stop"


class Town(BaseModel):
    name: str
    inhabitants: int


def test_an_answer_keeps_to_a_schema(client: openai.OpenAI) -> None:
    asked = client.chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": "Describe Oslo as JSON."}],
        response_format=Town,
        temperature=0,
        max_tokens=200,
    )
    assert isinstance(asked.choices[0].message.parsed, Town)


def test_a_tool_is_called(client: openai.OpenAI) -> None:
    parameters = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    asked = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "How is the weather in Oslo?"}],
        tools=[{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
        tool_choice="required",
        temperature=0,
        max_tokens=100,
    )
    choice = asked.choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.tool_calls
    call = choice.message.tool_calls[0]
    assert call.type == "function" and call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments)["place"], str)


def test_what_is_wrong_comes_as_the_clients_own_errors(server: Served, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model called"):
        client.chat.completions.create(model="nobody", messages=[QUESTION])
    with pytest.raises(openai.BadRequestError) as told:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "word " * 4000}], max_tokens=4
        )
    assert told.value.code == "context_length_exceeded"
    with (
        openai.OpenAI(base_url=server.address, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_whoever_leaves_makes_room(client: openai.OpenAI) -> None:
    for _number in range(12):  # more than are answered at once
        with client.chat.completions.create(
            model=MODEL, messages=[QUESTION], max_tokens=2000, stream=True, extra_body={"logit_bias": {}}
        ) as stream:
            next(iter(stream))
    done = client.chat.completions.create(model=MODEL, messages=[QUESTION], max_tokens=2)
    assert done.usage is not None and done.usage.completion_tokens <= 2


@pytest.mark.weights
def test_a_recording_is_written_down_in_every_form(client: openai.OpenAI) -> None:
    sound = io.BytesIO()
    samples = next(each for each in recordings() if "goforward" in each.name).samples
    soundfile.write(sound, samples, RATE, format="FLAC")
    file = ("go.flac", sound.getvalue(), "audio/flac")
    heard = client.audio.transcriptions.create(model="whisper-1", file=file)
    assert _plain(heard.text) == "go forward 10 meters"
    verbose = client.audio.transcriptions.create(
        model="whisper-1", file=file, language="en", response_format="verbose_json", timestamp_granularities=["segment"]
    )
    assert (verbose.language, _plain(verbose.text)) == ("english", "go forward 10 meters")
    assert float(verbose.duration) == pytest.approx(len(samples) / RATE, abs=0.01)
    assert verbose.segments and 0 <= verbose.segments[0].start < verbose.segments[-1].end <= float(verbose.duration)
    text = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="srt")
    (event,) = pysubs2.SSAFile.from_string(str(text), "srt")
    assert _plain(event.plaintext) == "go forward 10 meters"
    with pytest.raises(openai.BadRequestError, match="cannot be read as sound"):
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no sound at all"))


@pytest.mark.weights
def test_what_is_spoken_is_heard_again(client: openai.OpenAI, tmp_path: Path) -> None:
    text = "The library opens at nine in the morning."
    path = tmp_path / "said.mp3"
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=text) as spoken:
        spoken.stream_to_file(path)
    with path.open("rb") as file:
        heard = client.audio.transcriptions.create(model="whisper-1", file=file, language="en")
    assert _plain(heard.text) in (_plain(text), _plain(text).replace("nine", "9"))
    slow = client.audio.speech.create(model="tts-1", voice="heart", input=text, response_format="pcm", speed=0.5)
    fast = client.audio.speech.create(model="tts-1", voice="alloy", input=text, response_format="pcm", speed=2)
    assert len(np.frombuffer(slow.content, "<i2")) > 2 * len(np.frombuffer(fast.content, "<i2"))
    with pytest.raises(openai.BadRequestError, match="no voice “nobody”"):
        client.audio.speech.create(model="tts-1", voice="nobody", input=text)
    with pytest.raises(openai.BadRequestError, match="nothing to say"):
        client.audio.speech.create(model="tts-1", voice="alloy", input="  ")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()
