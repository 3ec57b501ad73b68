"""POST /v1/audio/transcriptions and /v1/audio/speech: recordings written down, texts spoken, by this computer alone.

Whatever model a request names, there is one recogniser, and the voices are those of Hearth's settings.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.api.answering import while_connected
from app.api.asking import desk_of
from app.api.faults import ApiError, InvalidRequestError, json_response
from app.api.ports import Speech
from app.api.schemas import Model, Name
from app.api.sound_formats import FORMATS, sound_file
from app.api.transcripts import PLAIN, Heard, as_json, as_verbose_json
from app.limits import API_SPEECH_CHARACTERS
from engine.cancel import CancelToken
from engine.errors import SoundError

router = APIRouter()
T = TypeVar("T")
_TRANSCRIPTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What is said, in the form that was asked for",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **{media_type: {"schema": {"type": "string"}} for _write, media_type in PLAIN.values()},
        },
    }
}
_SOUNDS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A sound file; `pcm` is 24 kHz, 16 bit, mono, little-endian",
        "content": {form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in FORMATS.values()},
    }
}


class NoSpeechError(ApiError):
    """This server neither hears nor speaks."""

    code = "not_found"
    status = 404


class SpeechRequest(Model):
    """POST /v1/audio/speech"""

    input: Annotated[str, Field(min_length=1, max_length=API_SPEECH_CHARACTERS)]
    model: Name | None = None
    voice: Name | None = None
    """A voice of Hearth's settings by its name; the names of OpenAI's voices stand for the one that is chosen there."""
    response_format: Literal["mp3", "opus", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(strict=True, ge=0.25, le=4)] = 1.0
    """A voice goes as far as it can; Hearth's own from half to twice its speed."""
    stream_format: Literal["audio"] = "audio"


@router.post("/v1/audio/speech", summary="Speak a text", response_class=Response, responses=_SOUNDS)
async def speech(body: SpeechRequest, request: Request) -> Response:
    """Markdown is spoken as a person would read it: code and tables are only named."""
    voices = _speech_of(request)
    wanted = FORMATS[body.response_format]

    def speak(token: CancelToken) -> bytes:
        return sound_file(voices.speak(body.input, voice=body.voice or "", speed=body.speed, cancel=token), wanted)

    made = await while_connected(request.receive, _in_line(request, speak))
    return Response(made, media_type=wanted.media_type)


@router.post(
    "/v1/audio/transcriptions", summary="Write down a recording", response_class=Response, responses=_TRANSCRIPTS
)
async def transcriptions(
    request: Request,
    *,
    file: Annotated[UploadFile, File(description="WAV, FLAC, Ogg, MP3 or AIFF, and whatever ffmpeg reads")],
    model: Annotated[str, Form(max_length=256)] = "",
    language: Annotated[str, Form(pattern="^([a-z]{2,3})?$", description="ISO 639-1; found out if empty")] = "",
    response_format: Annotated[Literal["json", "text", "srt", "verbose_json", "vtt"], Form()] = "json",
    granularities: Annotated[list[Literal["segment"]] | None, Form(alias="timestamp_granularities[]")] = None,
    stream: Annotated[Literal["true", "false"], Form()] = "false",
) -> Response:
    """Whole recordings of any length, with the times of what is said; words have none of their own."""
    if stream == "true":
        raise InvalidRequestError("A transcript comes as a whole.", param="stream")
    ears = _speech_of(request)

    def hear(token: CancelToken) -> Heard:
        with tempfile.TemporaryDirectory(prefix="hearth-api-", ignore_cleanup_errors=True) as folder:
            recording = _written(file.file, Path(folder))
            try:
                return ears.hear(recording, language=language, cancel=token)
            except SoundError as error:
                raise InvalidRequestError("{what}", param="file", what=str(error)) from error

    heard = await while_connected(request.receive, _in_line(request, hear))
    if response_format in PLAIN:
        write, media_type = PLAIN[response_format]
        return Response(write(heard), media_type=media_type)
    return json_response(as_json(heard) if response_format == "json" else as_verbose_json(heard))


def _speech_of(request: Request) -> Speech:
    found = desk_of(request).parts.speech
    if found is None:
        raise NoSpeechError("This server neither hears nor speaks.")
    return found


def _written(upload: IO[bytes], folder: Path) -> Path:
    """The upload as a file that another process can open; its own name is the client's, and used nowhere."""
    path = folder / "recording"
    with path.open("wb") as file:
        shutil.copyfileobj(upload, file)
    return path


async def _in_line(request: Request, work: Callable[[CancelToken], T]) -> T:
    """The work's result, done on a thread when its turn comes; cancelled when nobody waits for it any more."""
    token = CancelToken()
    place = await desk_of(request).sounds.enter()
    try:
        return await asyncio.to_thread(work, token)
    except BaseException:
        token.cancel()
        raise
    finally:
        place.leave()
