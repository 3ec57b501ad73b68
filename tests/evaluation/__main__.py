"""Ask each model the questions of `questions.toml` at temperature 0 and print how many answers hold.

python -m tests.evaluation [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

from app.prompting import build_request
from app.settings import Settings
from app.store.types import AttachmentPart, Conversation, MessageState, Part, StoredMessage, TextPart
from engine.context.segments import Role
from engine.types import ModelSpec, SamplingParams
from engine.worker.client import EngineClient
from tests.conftest import QWEN_SMALL, STARTER, weights_path
from tests.evaluation.whole_answer import whole_answer

QUESTIONS = Path(__file__).with_name("questions.toml")


def answer(engine: EngineClient, settings: Settings, path: list[StoredMessage], number: str) -> str:
    """The model's words, through the same prompt building as the window's."""
    conversation = Conversation("c", "", True, 0, 0)
    request = build_request(
        number, conversation, path, settings, sampling=SamplingParams(temperature=0, max_tokens=200, seed=1)
    )
    return whole_answer(engine, request)


def message(number: int, role: Role, parts: tuple[Part, ...]) -> StoredMessage:
    return StoredMessage(f"m{number}", "c", None, role, parts, MessageState.COMPLETE, 0.0)


def evaluate(model: Path, settings: Settings) -> list[dict[str, object]]:
    """One row a question."""
    rows: list[dict[str, object]] = []
    engine = EngineClient()
    try:
        engine.load(ModelSpec(model, n_ctx=4096)).result(120)
        for number, question in enumerate(tomllib.loads(QUESTIONS.read_text("utf-8"))["question"]):
            path: list[StoredMessage] = []
            text = ""
            for turn, words in enumerate(question["turns"]):
                parts: tuple[Part, ...] = (TextPart(words),)
                if turn == 0 and "attachment" in question:
                    parts += (AttachmentPart("notes.txt", question["attachment"], len(question["attachment"])),)
                path.append(message(len(path), Role.USER, parts))
                text = answer(engine, settings, path, f"q{number}-{turn}")
                path.append(message(len(path), Role.ASSISTANT, (TextPart(text),)))
            holds = re.search(question["expect"], text.strip(), re.IGNORECASE | re.DOTALL) is not None
            rows.append({"model": model.stem, "kind": question["kind"], "holds": holds, "answer": text})
    finally:
        engine.close()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    rows = []
    for name in (QWEN_SMALL, STARTER):
        rows += evaluate(weights_path(name), Settings())
    print(f"{'model':<44}{'kind':<10}{'hold':>6}")
    asked = Counter((row["model"], row["kind"]) for row in rows)
    held = Counter((row["model"], row["kind"]) for row in rows if row["holds"])
    for model, kind in asked:
        print(f"{model!s:<44}{kind!s:<10}{held[model, kind]:>3}/{asked[model, kind]}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "answers.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
