"""Runs in a process of its own: a text model with a projector looks at images, and says which logits come of it.

`python -m tests.process.vision_child MODEL PROJECTOR FOLDER` writes one JSON object: the findings of each experiment.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from engine.context.segments import ImageRef
from engine.errors import HearthError
from engine.model.eyes import Eyes
from engine.model.image_tokens import text_run
from engine.model.llama_library import LlamaLog, lib, start_library
from engine.model.vision import NoRoomError, Projector
from engine.model.vocabulary import Vocabulary

N_CTX, N_BATCH = 256, 64


class Looker:
    """The smallest loop that could be: prompts with images, one sequence each, logits of the last token."""

    def __init__(self, model_path: str, projector_path: str) -> None:
        log = LlamaLog()
        start_library(log, lambda line: None)
        self.model = lib.llama_model_load_from_file(model_path.encode(), lib.llama_model_default_params())
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_seq_max, params.kv_unified = N_CTX, N_BATCH, 4, True
        params.n_threads = params.n_threads_batch = 1
        self.context = lib.llama_init_from_model(self.model, params)
        self.memory = lib.llama_get_memory(self.context)
        self.vocabulary = Vocabulary(self.model)
        self.projector = Projector.load(Path(projector_path), self.model, n_threads=1, log=log)
        self.eyes = Eyes(self.projector)

    def prompt(self, image: ImageRef) -> list[int]:
        before = self.vocabulary.tokenize("Here is a picture: ", special=False)
        return [*before, *self.eyes.tokens(image), *self.vocabulary.tokenize(" What is in it?", special=False)]

    def read(self, sequence: int, tokens: Sequence[int], start: int = 0) -> list[float]:
        """Evaluate from position `start` on; the logits behind the last token, which an image has none of."""
        at = start
        while at < len(tokens):
            end = text_run(tokens, at)
            if end == at:
                at = self.eyes.evaluate(self.context, tokens, at, sequence=sequence, n_batch=N_BATCH)
                continue
            batch = lib.llama_batch_init(end - at, 0, 1)
            batch.n_tokens = end - at
            for index, token in enumerate(tokens[at:end]):
                batch.token[index], batch.pos[index] = token, at + index
                batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
                batch.logits[index] = index == end - at - 1
            assert lib.llama_decode(self.context, batch) == 0
            lib.llama_batch_free(batch)
            at = end
        if tokens[-1] < 0:
            return []
        logits: list[float] = lib.llama_get_logits_ith(self.context, -1)[: self.vocabulary.size]
        return logits

    def held(self, sequence: int) -> int:
        count: int = lib.llama_memory_seq_pos_max(self.memory, sequence) + 1
        return count

    def forget(self) -> None:
        lib.llama_memory_clear(self.memory, False)


def ref(path: Path) -> ImageRef:
    return ImageRef(path, hashlib.sha256(path.read_bytes()).hexdigest())


def refusal(looker: Looker, image: ImageRef) -> str:
    try:
        looker.eyes.tokens(image)
    except HearthError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main(model_path: str, projector_path: str, folder: Path) -> dict[str, Any]:
    looker = Looker(model_path, projector_path)
    red, blue = ref(folder / "red.png"), ref(folder / "blue.png")
    prompt = looker.prompt(red)
    found: dict[str, Any] = {"can_see": looker.eyes.can_see, "prompt": prompt, "blue": looker.prompt(blue)}
    first = looker.read(0, prompt)
    found["held"], found["beats"] = looker.held(0), looker.eyes.beats

    def difference(logits: list[float]) -> float:
        return max(abs(a - b) for a, b in zip(logits, first, strict=True))

    looker.forget()
    found["again"] = difference(looker.read(0, prompt))
    found["other sequence"] = difference(looker.read(1, prompt))
    looker.forget()
    found["other image"] = difference(looker.read(0, looker.prompt(blue)))
    looker.forget()
    found["other format"] = difference(looker.read(0, looker.prompt(ref(folder / "red.bmp"))))
    looker.forget()

    # A copy of what is before the question, as a cache makes it.
    question = max(index for index, token in enumerate(prompt) if token < 0) + 1
    looker.read(0, prompt)
    lib.llama_memory_seq_cp(looker.memory, 0, 2, 0, question)
    found["copied prefix"] = difference(looker.read(2, prompt, question))
    looker.forget()

    # Cancelled inside the encoder: nothing is in the cache, and the next try is whole.
    start = text_run(prompt, 0)
    looker.read(0, prompt[:start])
    try:
        looker.eyes.evaluate(looker.context, prompt, start, sequence=0, n_batch=N_BATCH, cancelled=lambda: True)
    except CancelledError:
        found["cancelled"] = looker.held(0) == start
    found["after a cancel"] = difference(looker.read(0, prompt, start))
    looker.forget()

    try:
        for sequence in range(4):
            looker.read(sequence, [*prompt[:start], *prompt[start : start + 16] * 5])
    except NoRoomError:
        found["full"] = sequence
    looker.forget()

    for name in ("broken.png", "video.mp4", "huge.png", "empty.png"):
        found[name] = refusal(looker, ref(folder / name))
    (folder / "gone.png").write_bytes((folder / "red.png").read_bytes() + b"\0")
    gone = ref(folder / "gone.png")
    (folder / "gone.png").write_bytes(b"something else")
    found["changed"] = refusal(looker, gone)
    (folder / "gone.png").unlink()
    found["gone"] = refusal(looker, gone)
    looker.eyes.close()

    for name in ("narrow.gguf", "no-eyes.gguf"):
        try:
            Projector.load(folder / name, looker.model, n_threads=1, log=LlamaLog())
        except HearthError as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
