"""What the store has acknowledged survives `kill -9`: 200 kills over one database, and a control that loses."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from app.store.store import ConversationStore
from app.store.types import MessageState, TextPart
from engine.context.segments import Role

KILLS = 200
CONTROL_KILLS = 40


def _chat(connection: Connection, path: str) -> None:
    """Chat without end: a question, then an answer that grows, telling each write once it has returned."""
    store = ConversationStore.open(Path(path))
    conversation = (store.conversations() or [store.create_conversation(title="kill me")])[0]
    parent = conversation.active_leaf
    while True:
        question = store.add_message(conversation.id, parent_id=parent, role=Role.USER, parts=(TextPart("question"),))
        connection.send((question.id, "question"))
        answer = store.add_message(
            conversation.id, parent_id=None, role=Role.ASSISTANT, parts=(), state=MessageState.STREAMING
        )
        text = ""
        for word in range(4):
            text += f"word{word} "
            store.update_message(answer.id, parts=(TextPart(text),))
            connection.send((answer.id, text))
        store.update_message(answer.id, state=MessageState.COMPLETE)
        parent = None


def _naive(connection: Connection, path: str) -> None:
    """The control: a file written anew each time, the way a quick program does it."""
    file = Path(path)
    try:
        content: dict[str, str] = json.loads(file.read_text())
    except (OSError, ValueError):
        content = {}
    while True:
        key = str(len(content))
        content[key] = "word " * 20_000
        file.write_text(json.dumps(content))
        connection.send((key, content[key]))
        if len(content) > 50:
            content = {}


def _kill_often(target: object, path: Path, kills: int, check: object) -> int:
    """Start `target`, kill it at a random moment after its first word, and count what `check` misses."""
    context = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    chance = random.Random(2026)
    lost = 0
    for _ in range(kills):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=target, args=(theirs, str(path)), daemon=True)  # type: ignore[arg-type]
        child.start()
        theirs.close()
        told: dict[str, str] = {}
        for _ in range(chance.randrange(1, 12)):
            key, value = ours.recv()
            told[key] = value
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        while True:
            try:
                key, value = ours.recv()
            except EOFError:
                break
            told[key] = value
        ours.close()
        lost += check(path, told)  # type: ignore[operator]
    return lost


def _missing_in_store(path: Path, told: dict[str, str]) -> int:
    store = ConversationStore.open(path)
    assert store.is_sound()
    missing = 0
    for key, text in told.items():
        if not store.message(key).text.startswith(text):
            missing += 1
    store.recover_interrupted()
    store.close()
    return missing


def _missing_in_json(path: Path, told: dict[str, str]) -> int:
    try:
        content = json.loads(path.read_text())
    except ValueError:
        path.unlink()
        return 1
    return 0


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    assert _kill_often(_chat, tmp_path / "c.db", KILLS, _missing_in_store) == 0


def test_control_a_plain_rewrite_does_lose(tmp_path: Path) -> None:
    assert _kill_often(_naive, tmp_path / "c.json", CONTROL_KILLS, _missing_in_json) > 0
