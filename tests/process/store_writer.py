"""A program to be killed: writes conversations without end and acknowledges every commit on standard output.

Told a line on standard input it forks a child that chats (a start of 5 ms instead of 300), whose process id is the
first line of the answer; "gone" is the last one, when the child is dead. With `early` an acknowledgement comes before
its commit, which is what the test of the kills must notice.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from app.store.store import ConversationStore
from app.store.types import MessageState, TextPart
from engine.context.segments import Role


def tell(line: str) -> None:
    """One write, so that a kill cannot leave half a line."""
    os.write(1, f"{line}\n".encode())


def chat(path: Path, *, early: bool) -> None:
    """Questions, and answers that grow by updates; every other conversation is a new one."""
    store = ConversationStore.open(path)
    while True:
        conversation = store.create_conversation(title="to be killed").id
        parent: str | None = None
        with store._db.transaction() if early else nullcontext():
            for _turn in range(5):
                question = store.add_message(
                    conversation, parent_id=parent, role=Role.USER, parts=(TextPart("question"),)
                )
                tell(f"{question.id} 1")
                answer = store.add_message(
                    conversation, parent_id=question.id, role=Role.ASSISTANT, parts=(), state=MessageState.STREAMING
                )
                tell(f"{answer.id} 0")
                for words in (1, 20, 400):
                    store.update_message(answer.id, parts=(TextPart("word " * words),))
                    tell(f"{answer.id} {words}")
                store.update_message(answer.id, state=MessageState.COMPLETE)
                parent = answer.id


def main() -> None:
    """Fork a child for each line, and wait for its end."""
    path, early = Path(sys.argv[1]), sys.argv[2] == "early"
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            tell(str(os.getpid()))
            chat(path, early=early)
        os.waitpid(child, 0)
        tell("gone")


if __name__ == "__main__":
    main()
