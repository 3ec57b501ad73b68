"""Sound by the local API, over scripted ears: what is taken, what is refused, and who waits for whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from app.api.ports import Parts
from app.limits import API_SOUNDS, API_SPEECH_CHARACTERS
from engine.errors import SoundError, VoiceError
from engine.fake import FakeEngine
from tests.unit.api_bench import TOKEN, Answer, Api, OneModel, serving
from tests.unit.scripted_speech import ScriptedSpeech

HEAR, SPEAK = "/v1/audio/transcriptions", "/v1/audio/speech"
FORM = "multipart/form-data; boundary=b"


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.close()


@pytest.fixture
def ears() -> ScriptedSpeech:
    return ScriptedSpeech()


@pytest.fixture
def api(engine: FakeEngine, ears: ScriptedSpeech) -> Iterator[Api]:
    with serving(engine, parts=Parts(engine, OneModel(engine), speech=ears)) as made:
        yield made


def form(*, file: bytes | None = b"RIFF", **fields: str) -> bytes:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = "".join(parts).encode()
    if file is not None:
        body += b'--b\r\nContent-Disposition: form-data; name="file"; filename="../../a.wav"\r\n\r\n' + file + b"\r\n"
    return body + b"--b--\r\n"


def hear(api: Api, body: bytes) -> Answer:
    return api.ask("POST", HEAR, raw=body, headers={"Content-Type": FORM})


def test_a_recording_comes_whole_and_its_name_does_not_count(api: Api, ears: ScriptedSpeech) -> None:
    sound = bytes(range(256)) * 8000  # more than is held in memory
    answer = hear(api, form(file=sound, model="whisper-1", language="de"))
    assert (answer.status, answer.json["text"]) == (200, "Go forward.")
    assert ears.heard == [(sound, "de")]


@pytest.mark.parametrize(
    ("form_of", "kind", "holds"),
    [
        ("json", "application/json", "Go forward."),
        ("verbose_json", "application/json", '"language":"english"'),
        ("text", "text/plain", "Go forward.\n"),
        ("srt", "application/x-subrip", "00:00:00,000 --> 00:00:01,500"),
        ("vtt", "text/vtt", "WEBVTT"),
    ],
)
def test_it_is_written_down_in_the_form_that_was_asked_for(api: Api, form_of: str, kind: str, holds: str) -> None:
    answer = hear(api, form(model="whisper-1", response_format=form_of, temperature="0"))
    assert answer.status == 200 and answer.headers["content-type"].startswith(kind)
    assert holds in answer.body.decode()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"file": None}, "file"),
        ({"response_format": "docx"}, "response_format"),
        ({"language": "../etc"}, "language"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities[].0"),
        ({"stream": "true"}, "stream"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_a_form_that_is_wrong_is_refused(api: Api, ears: ScriptedSpeech, fields: dict[str, str], param: str) -> None:
    answer = hear(api, form(**fields))  # type: ignore[arg-type]  # one of them is no text, on purpose
    assert (answer.status, answer.json["error"]["param"]) == (400, param)
    assert ears.heard == []


def test_what_is_no_form_and_what_is_no_json_is_refused(api: Api, ears: ScriptedSpeech) -> None:
    assert api.ask("POST", HEAR, {"file": "a"}).status == 415
    assert api.ask("POST", SPEAK, raw=form(), headers={"Content-Type": FORM}).status == 415
    assert hear(api, b"no form at all").status == 400
    assert hear(api, form()[:-20]).status in (200, 400), "a part without an end is what has come of it"
    assert ears.asked == []


def test_a_recording_that_is_none_is_the_clients_fault_and_missing_ears_are_not(api: Api, ears: ScriptedSpeech) -> None:
    ears.error = SoundError("“{name}” cannot be read as sound.", name="recording")
    answer = hear(api, form())
    assert (answer.status, answer.json["error"]["param"]) == (400, "file")
    ears.error = VoiceError("The models that hear are not on this computer yet.")
    answer = hear(api, form())
    assert (answer.status, answer.json["error"]["code"]) == (503, "voice")
    assert "retry-after" in answer.headers


def test_a_text_is_spoken_in_the_form_that_was_asked_for(api: Api, ears: ScriptedSpeech) -> None:
    asked = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}
    for form_of, kind, begins in (
        (None, "audio/mpeg", b""),
        ("wav", "audio/wav", b"RIFF"),
        ("flac", "audio/flac", b"fLaC"),
        ("opus", "audio/ogg", b"OggS"),
        ("pcm", "audio/pcm", bytes(4800)),
    ):
        answer = api.ask("POST", SPEAK, asked if form_of is None else {**asked, "response_format": form_of})
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.body.startswith(begins) and answer.body
    assert ears.asked == [("Hello.", "alloy", 1.0)] * 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", ""),
        ("input", 7),
        ("response_format", "aac"),
        ("speed", 5),
        ("speed", "1"),
        ("voice", 3),
        ("stream_format", "sse"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(api: Api, ears: ScriptedSpeech, field: str, value: object) -> None:
    answer = api.ask("POST", SPEAK, {"model": "tts-1", "input": "Hello.", "voice": "alloy", field: value})
    assert (answer.status, answer.json["error"]["param"]) == (400, field)
    assert ears.asked == []


@pytest.mark.parametrize(("more", "status"), [(-1, 200), (0, 200), (1, 400)])
def test_a_text_to_speak_has_so_many_characters_at_most(api: Api, more: int, status: int) -> None:
    asked = {"input": "a" * (API_SPEECH_CHARACTERS + more), "response_format": "pcm"}
    assert api.ask("POST", SPEAK, asked).status == status


def test_only_so_many_are_heard_at_once_and_whoever_leaves_makes_room(api: Api, ears: ScriptedSpeech) -> None:
    ears.gate = threading.Event()
    body = form()
    connections = [api.connection() for _number in range(API_SOUNDS + 1)]
    for connection in connections:
        connection.request("POST", HEAR, body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": FORM})
    for _number in range(API_SOUNDS):
        assert ears.began.acquire(timeout=30)
    assert not ears.began.acquire(blocking=False), "the last one stands in line"
    # Leaving opens the gate for all of these, too.
    first = ears.gate
    ears.gate = None
    for connection in connections[:API_SOUNDS]:
        connection.close()
    assert ears.cancelled.acquire(timeout=30) and first.is_set()
    answer = connections[-1].getresponse()
    assert (answer.status, json.loads(answer.read())["text"]) == (200, "Go forward.")
    connections[-1].close()


def test_without_a_voice_the_addresses_say_so(engine: FakeEngine) -> None:
    with serving(engine) as api:
        assert hear(api, form()).status == 404
        assert api.ask("POST", SPEAK, {"input": "Hello."}).status == 404
