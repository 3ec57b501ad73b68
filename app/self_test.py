"""`hearth --self-test`: tries every part of the program once, in the processes that they run in; a line for each.

Made for an installed program, where a library may have been left behind; it runs from source as well. Nothing of it
is kept. Exit code 0 where everything works or there is nothing to try it with, 1 else.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from app.bootstrap import Start, why_no_window
from app.command_line import Arguments
from app.console import Console
from app.i18n import error_sentence, tr, translated
from app.model_entry import Availability
from engine.errors import HearthError
from engine.worker.child import spawning

NEEDED = (
    "apsw", "charset_normalizer", "cryptography.hazmat.primitives.asymmetric.ed25519", "docx", "faiss", "fastapi",
    "filelock", "google.protobuf", "hibari", "jinja2", "lxml.etree", "markdown_it", "mdit_py_plugins", "numpy",
    "onnxruntime", "PIL.Image", "platformdirs", "pptx", "psutil", "pydantic", "py3langid", "pygments.lexers",
    "pylatexenc", "pypdfium2", "pysubs2", "python_calamine", "python_multipart", "pyttsx3", "pywebrtc_audio",
    "sounddevice", "soundfile", "soxr", "starlette", "striprtf", "tokenizers", "tomli_w", "truststore", "uvicorn",
    "watchdog.observers", "yaml", "ziamath",
)  # fmt: skip
"""What the program imports of others, but for Qt and llama.cpp, which have lines of their own."""
NEEDED_ALONE = ("_pywhispercpp",)
"""In a process of their own: they bring a ggml that must not meet another one."""
_PATIENCE_S = 120.0
_WORDS = "The lighthouse keeper counts the ships."


class FailedCheckError(Exception):
    """The text says why; for whoever made the program, so in English."""


class NothingToTryError(Exception):
    """The text says what is missing."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns what was found, in a few words."""

    name: str
    run: Callable[[], str]


def self_test(arguments: Arguments, start: Start, console: Console | None = None) -> int:
    """Run all checks and print a line for each; the exit code."""
    console = console or Console(json=arguments.json, quiet=arguments.quiet)
    states = [_told(check, console) for check in checks(arguments, start)]
    return 1 if "failed" in states else 0


def checks(arguments: Arguments, start: Start) -> tuple[Check, ...]:
    """In their order: what others stand on comes first."""
    return (
        Check("translations", _translations),
        Check("processes", _processes),
        Check("libraries", _libraries),
        Check("window", _window),
        Check("images", _images),
        Check("llama.cpp", _llama),
        Check("model", lambda: _model(arguments, start)),
        Check("vectors", _vectors),
        Check("documents", _documents),
        Check("sound devices", lambda: _sound_devices(start)),
        Check("speech", lambda: _speech(start)),
    )


def _told(check: Check, console: Console) -> str:
    began = time.monotonic()
    try:
        state, detail = "ok", check.run()
    except NothingToTryError as nothing:
        state, detail = "skipped", str(nothing)
    except FailedCheckError as why:
        state, detail = "failed", str(why)
    except HearthError as error:
        state, detail = "failed", error_sentence(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other lines are worth having
        state, detail = "failed", f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    if console.json:
        console.record({"check": check.name, "state": state, "detail": detail, "seconds": round(seconds, 2)})
    else:
        console.say(f"{state:<8}{check.name:<15}{detail}  ({seconds:.1f} s)")
    return state


def _translations() -> str:
    if translated("de", "Close") == "Close":
        raise FailedCheckError("the German catalogue is missing")
    return f"de: {translated('de', 'Close')}"


def _processes() -> str:
    said = _in_child(())
    if said:
        raise FailedCheckError(", ".join(said))
    return "a process was started, and answered"


def _libraries() -> str:
    missing = [*_in_child(NEEDED), *_in_child(NEEDED_ALONE)]
    if missing:
        raise FailedCheckError("; ".join(missing))
    return f"{len(NEEDED) + len(NEEDED_ALONE)} can be imported"


def _in_child(names: Sequence[str]) -> list[str]:
    """Import modules in a process of its own; what went wrong with each."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=import_all, args=(theirs, tuple(names)), name="hearth-self-test", daemon=True)
    with spawning():
        child.start()
    theirs.close()
    try:
        if not ours.poll(_PATIENCE_S):
            raise FailedCheckError("a process did not answer")
        return [str(each) for each in json.loads(ours.recv_bytes())]
    except EOFError:
        child.join(_PATIENCE_S)
        raise FailedCheckError(f"a process ended with {child.exitcode}") from None
    finally:
        child.kill()
        child.join()
        ours.close()


def import_all(connection: Connection, names: Sequence[str]) -> None:
    """The process's entry point."""
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except (ImportError, OSError, AttributeError) as error:
            missing.append(f"{name}: {error}")
    connection.send_bytes(json.dumps(missing).encode())


def _window() -> str:
    from app.ui.self_test import draw_icon  # noqa: PLC0415  # loads Qt

    reason = why_no_window()
    drawn = draw_icon(offscreen=reason is not None)
    return f"{drawn}; no window here: {reason}" if reason else drawn


def _images() -> str:
    from app.ui.self_test import read_picture  # noqa: PLC0415  # as above

    return read_picture()


def _llama() -> str:
    from app.engine_probe import probe_engine  # noqa: PLC0415  # with its check

    probe = probe_engine()
    if probe.error:
        raise FailedCheckError(probe.error)
    lacks = f", lacks {' '.join(probe.lacks)}" if probe.lacks else ""
    return f"llama-cpp-python {probe.binding}: {' '.join(probe.features)}{lacks}"


def _model(arguments: Arguments, start: Start) -> str:
    from app.bench.asking import ask, user  # noqa: PLC0415  # with its check
    from app.engines import make_engine  # noqa: PLC0415
    from engine.types import ModelSpec, SamplingParams  # noqa: PLC0415

    path = Path(arguments.model).expanduser() if arguments.model else _smallest_model(start)
    with closing(make_engine(start.settings, start.paths)) as engine:
        engine.load(ModelSpec(path, n_ctx=512)).result(_PATIENCE_S)
        answer = ask(engine, [user("Hello!")], SamplingParams(temperature=0.0, max_tokens=1))
    if not answer.completion_tokens:
        raise FailedCheckError("no token came")
    return f"{path.name} said {answer.text!r}"


def _smallest_model(start: Start) -> Path:
    from app.cli_models import library  # noqa: PLC0415  # with its check

    with library(start) as shelf:
        shelf.refresh().result(_PATIENCE_S)
        here = [entry for entry in shelf.entries if entry.availability is Availability.HERE and entry.path is not None]
    if not here:
        raise NothingToTryError(tr("There is no model on this computer yet. Fetch one with: hearth fetch"))
    path = min(here, key=lambda entry: entry.size_bytes).path
    assert path is not None
    return path


def _vectors() -> str:
    import numpy as np  # noqa: PLC0415  # with its check

    from rag.index import VectorIndex  # noqa: PLC0415

    vectors = np.random.default_rng(1).standard_normal((1000, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = VectorIndex(64, lambda ids: (ids, vectors[ids - 1]))
    index.add(np.arange(1, 1001, dtype=np.int64), vectors)
    ids, _scores = index.search(vectors[41], 3)
    if int(ids[0]) != 42:
        raise FailedCheckError(f"FAISS found {int(ids[0])} instead of 42")
    return "FAISS found 1 of 1,000"


def _documents() -> str:
    from app.library_process import run_library  # noqa: PLC0415  # with its check
    from rag.client import LibraryClient, LibraryPlace  # noqa: PLC0415

    with TemporaryDirectory(prefix="hearth-self-test-") as scratch:
        file = Path(scratch) / "page.html"
        file.write_text(f"<html><body><p>{_WORDS}</p></body></html>", "utf-8")
        place = LibraryPlace(Path(scratch) / "library")
        with closing(LibraryClient(place, lambda _event: None, entry_point=run_library)) as library:
            collection = library.add_collection("self-test").result(_PATIENCE_S)
            library.add(collection.id, file).result(_PATIENCE_S)
            library.wait_until_idle(_PATIENCE_S).result(_PATIENCE_S)
            found = library.search("lighthouse keeper", most_characters=1000).result(_PATIENCE_S)
    if not any("lighthouse" in each.text for each in found.passages):
        raise FailedCheckError("what was read is not found")
    return "one was read, and found by its words"


def _sound_devices(start: Start) -> str:
    from app.voice_setup import probe_sound  # noqa: PLC0415  # with its check

    sound = probe_sound(start.paths)
    if sound.problem:
        raise FailedCheckError(sound.problem)
    return f"microphone: {sound.microphone or 'none'}, loudspeaker: {sound.loudspeaker or 'none'}"


def _speech(start: Start) -> str:
    from app.voice_setup import speech_choice  # noqa: PLC0415  # with its check
    from voice.speech.client import SpeechClient  # noqa: PLC0415

    with closing(SpeechClient(speech_choice(start.paths))) as speech:
        sound = speech.synthesize("Hello.")
    return f"{len(sound.samples) / sound.rate:.1f} s were spoken"
