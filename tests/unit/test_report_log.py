"""What may be shown to others: whatever is logged, only the program's own words, numbers and kinds get in."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import LOG_NAME, start_log, stop_log
from app.report_log import MAX_BYTES, read_report
from engine.errors import StoreError, sentence

SECRET = "the-garden-key-lies-under-the-blue-pot"
ROOT = Path(__file__).resolve().parent.parent.parent


class Telltale:
    """Says the secret however it is asked."""

    def __str__(self) -> str:
        return SECRET

    __repr__ = __str__


@pytest.fixture
def log(tmp_path: Path) -> Iterator[logging.Logger]:
    start_log(tmp_path, "debug")
    yield logging.getLogger("app.somewhere")
    stop_log()


def raise_with_secret() -> None:
    try:
        Path(f"/home/{SECRET}/letter.txt").read_text()
    except OSError as error:
        raise StoreError(sentence("Could not read {name}."), name=SECRET) from error


def test_no_value_gets_in(log: logging.Logger, tmp_path: Path) -> None:
    log.warning("a text: %s, quoted: %r, wide: %-40s", SECRET, SECRET, SECRET)
    log.warning("a path: %s", Path("/home") / SECRET)
    log.warning("a thing: %s %r", Telltale(), Telltale())
    log.warning("named: %(name)s", {"name": SECRET})
    log.warning(Telltale())
    log.warning("an error: %s", StoreError(SECRET))
    try:
        raise_with_secret()
    except StoreError:
        log.exception("reading failed")
    report = read_report(tmp_path)
    assert SECRET not in report
    assert SECRET in (tmp_path / LOG_NAME).read_text(), "the control: the person's own log does say it"
    assert "a text: …, quoted: …" in report


def test_what_helps_is_there(log: logging.Logger, tmp_path: Path) -> None:
    log.warning("%d of %s passages in %.1f s", 3, 7, 0.25)
    try:
        raise_with_secret()
    except StoreError:
        log.exception("reading failed")
    report = read_report(tmp_path)
    assert "WARNING app.somewhere: 3 of 7 passages in 0.2 s" in report
    assert "engine.errors.StoreError" in report
    assert "FileNotFoundError (errno 2)" in report
    assert "tests/unit/test_report_log.py:" in report
    assert str(ROOT) not in report


def test_a_format_that_does_not_fit_says_the_literal(log: logging.Logger, tmp_path: Path) -> None:
    logging.raiseExceptions, before = False, logging.raiseExceptions
    try:
        log.warning("%d pages", SECRET)
    finally:
        logging.raiseExceptions = before
    report = read_report(tmp_path)
    assert "%d pages" in report
    assert SECRET not in report


def test_it_stays_small_and_the_newest_is_kept(log: logging.Logger, tmp_path: Path) -> None:
    for number in range(3000):
        log.info("a line that says nothing much, number %d", number)
    report = read_report(tmp_path)
    assert len(report) <= MAX_BYTES
    assert report.splitlines()[-1].endswith("number 2999")
    assert report.splitlines()[0].startswith("20")


def test_every_log_call_begins_with_a_literal() -> None:
    """The one way in that no formatter could close: words put into the message before it is logged."""
    calls = [
        (path, node)
        for room in ("app", "engine", "rag", "voice")
        for path in (ROOT / room).rglob("*.py")
        if "_log" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("_log", "_logger", "log", "logger")
        and node.func.attr in ("debug", "info", "warning", "error", "exception", "critical")
    ]
    assert len(calls) > 20
    loose = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, node in calls
        if not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
    ]
    assert loose == []
