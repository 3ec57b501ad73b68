"""`hearth serve` as a person runs it, with real weights, for as long as a test needs it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.embedding.weights import FILES as EMBEDDER_FILES
from tests.minilm_weights import minilm_folder
from tests.process.test_cli_real import HEARTH, PATIENCE_S, environment
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import voice_folder
from voice import audio_weights, weights


@dataclass(frozen=True, slots=True)
class Served:
    """Where it is (with `/v1`), and a token it takes."""

    address: str
    token: str


@contextmanager
def served(folder: Path, *models: Path) -> Iterator[Served]:
    """The program on an empty folder, with these models and with what hears, speaks and embeds. One thread computes."""
    places = {"models": folder / "models", "voice": folder / "voice", "embedder": folder / "embedder"}
    data = folder / "data"
    for place in (*places.values(), data):
        place.mkdir(parents=True)
    for model in models:
        (places["models"] / model.name).symlink_to(model)
    for files, where in ((weights.FILES, voice_folder()), (audio_weights.FILES, voice_audio_folder())):
        for file in files:
            (places["voice"] / file.file_name).symlink_to(where / file.file_name)
    for embedding in EMBEDDER_FILES:
        (places["embedder"] / embedding.file_name).symlink_to(minilm_folder() / embedding.file_name)
    (data / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")
    said = folder / "said.txt"
    with said.open("wb") as complaints:
        process = subprocess.Popen(
            [*HEARTH, "--data-dir", str(data), "--json", "serve", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment(places["models"]),
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, said.read_text()
        ready = json.loads(line)
        tokens = json.loads(Path(ready["token_file"]).read_text())["tokens"]
        yield Served(ready["address"], next(iter(tokens.values())))
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
    assert process.returncode == 0, said.read_text()
