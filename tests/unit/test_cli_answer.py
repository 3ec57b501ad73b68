"""An answer on a terminal, word by word."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.cli_answer import AnswerPrinter
from app.cli_docs import print_passage
from app.console import Console
from app.events import MessageAdded, MessageFinished, Streamed
from app.inventory import inert
from app.services import Services
from app.store.types import MessageState, SourcePassage, SourcesPart, StoredMessage, TextPart
from engine.context.segments import Role
from engine.types import TextDelta
from rag.passages import Passage, Way
from rag.types import Unit
from tests.unit.test_cli_parts import Screen

LETTER = "Pay the fine at https://evil.example/pay before noon."
PASSAGE = SourcePassage("/a/letter.pdf", "", "page", 2, "", 1, 1, "", LETTER, 1, 0, len(LETTER), 0.9)


def done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def written(
    out: io.StringIO, pieces: Sequence[str], monkeypatch: pytest.MonkeyPatch, way: str = "passages"
) -> list[str]:
    """What has been written after each piece of an answer, and at its end."""
    asked = (SourcesPart(way, (PASSAGE,), 9), TextPart("How do I pay?"))
    question = StoredMessage("q", "c", None, Role.USER, asked, MessageState.COMPLETE, 0.0)
    answer = StoredMessage("a", "c", "q", Role.ASSISTANT, (), MessageState.STREAMING, 0.0)
    store = SimpleNamespace(path=lambda _conversation: (question, answer))

    def store_call(act: Callable[[Any], Any]) -> Future[Any]:
        return done(act(store))

    services = cast("Services", SimpleNamespace(store_call=store_call))
    printer = AnswerPrinter(Console(out=out, err=io.StringIO()), show_reasoning=False)
    seen: list[str] = []

    def begin() -> Future[str]:
        printer.take(MessageAdded(answer))
        for piece in pieces:
            printer.take(Streamed("c", "a", TextDelta("r", piece)))
        printer.take(MessageFinished(answer))
        return done("c")

    show = printer._show

    def shown(streamed: Streamed, given: Services) -> None:
        show(streamed, given)
        seen.append(out.getvalue())

    monkeypatch.setattr(printer, "_show", shown)
    printer.follow(services, begin)
    return [*seen, out.getvalue()]


def test_an_address_of_a_document_is_broken_also_where_it_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = written(Screen(), ["At ht", "tps://evil.exa", "mple/pay", " or 中文", "www.evil.example"], monkeypatch)
    assert seen[0] == seen[1] == "At "
    assert seen[3] == "At https[:]//evil[.]example/pay (letter.pdf, page 2) or 中文"
    assert seen[-1] == f"{seen[3]}www[.]evil[.]example (letter.pdf, page 2)\n"


def test_what_the_program_wrote_for_a_window_has_no_signs_of_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    told = f"- **letter**: {inert('Fees: 3 [a_b] https://evil.example/pay')} [1]"
    shown = written(Screen(), [told], monkeypatch, Way.INVENTORY)[-1]
    assert shown == "- **letter**: Fees: 3 [a_b] https[:]//evil[.]example/pay (letter.pdf, page 2) [1]\n"
    assert written(Screen(), [r"The sign \: is written so."], monkeypatch)[-1] == "The sign \\: is written so.\n"
    assert written(io.StringIO(), [told], monkeypatch, Way.INVENTORY)[-1] == f"{told}\n", "a program draws it itself"


def test_a_program_gets_the_answer_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(io.StringIO(), ["At https://evil.exa", "mple"], monkeypatch)[-1] == "At https://evil.example\n"


def test_a_passage_that_was_searched_for_brings_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = f"{LETTER} Or write to https://known.example/x \u202eesrever"
    passage = Passage(
        1, 1, 1, Path("/a/letter.pdf"), "", Unit.PAGE, 2, "", 0, len(text), 1, 1, "See www.evil.example/all", "en", text
    )
    screen, pipe = Screen(), io.StringIO()
    for stream in (screen, pipe):
        print_passage(passage, "what of https://known.example/x", Console(out=stream))
    assert screen.getvalue() == (
        "/a/letter.pdf:2  See www[.]evil[.]example/all\n    Pay the fine at https[:]//evil[.]example/pay before noon."
        " Or write to https://known.example/x esrever\n"
    )
    assert LETTER in pipe.getvalue(), "a pipe gets the text as it is"
