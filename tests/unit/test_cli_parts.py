"""The pieces of the command line that need no process: arguments, console, start-up checks, log."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from app import bootstrap
from app.amounts import bytes_text, context_text, params_text
from app.bootstrap import StartError, missing_libraries, prepare, why_no_window
from app.cli_docs import place_text
from app.command_line import Arguments, parse
from app.console import Console
from app.logs import LOG_NAME, MAX_RECORD, start_log, stop_log
from app.shown_names import shown_name
from app.source_names import file_name


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def parsed(tmp_path: Path, *argv: str) -> Arguments:
    return parse(["--data-dir", str(tmp_path), *argv])[0]


def test_global_options_stand_before_or_after_the_command(tmp_path: Path) -> None:
    before = parsed(tmp_path, "--model", "x", "--json", "chat", "why")
    after = parsed(tmp_path, "chat", "--model", "x", "--json", "why")
    assert before == after
    assert (before.command, before.model, before.json, before.question) == ("chat", "x", True, ("why",))
    assert before.data_dir == tmp_path


def test_no_command_is_the_window(tmp_path: Path) -> None:
    assert parsed(tmp_path).command is None
    assert parsed(tmp_path, "open", "a.txt").files == (Path("a.txt"),)


def test_every_option_of_chat(tmp_path: Path) -> None:
    arguments = parsed(
        tmp_path, "chat", "-c", "-f", "a", "--file", "b", "--system", "s", "--temperature", "0", "--max-tokens", "5",
        "--seed", "9", "--show-reasoning", "--no-save", "two", "words",
    )  # fmt: skip
    assert arguments.question == ("two", "words")
    assert arguments.files == (Path("a"), Path("b"))
    assert (arguments.resume, arguments.system, arguments.temperature) == (True, "s", 0.0)
    assert (arguments.max_tokens, arguments.seed, arguments.show_reasoning, arguments.save) == (5, 9, True, False)


@pytest.mark.parametrize(
    "argv", [["chat", "--max-tokens", "0"], ["chat", "--seed", "-1"], ["chat", "--temp", "1"], ["--log-level", "loud"]]
)
def test_wrong_options_end_with_2(tmp_path: Path, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(tmp_path, *argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_a_number_that_is_too_large_is_told_the_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed(tmp_path, "serve", "--port", "65535").port == 65_535
    with pytest.raises(SystemExit):
        parsed(tmp_path, "serve", "--port", "70000")
    assert "between 0 and 65535" in capsys.readouterr().err


def test_help_is_in_the_persons_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from app.i18n import set_language

    (tmp_path / "settings.toml").write_text('[appearance]\nlanguage = "de"\n')
    try:
        with pytest.raises(SystemExit):
            parsed(tmp_path, "--help")
    finally:
        set_language("en")
    assert "die Modelle auf diesem Computer auflisten" in capsys.readouterr().out


def test_an_answer_cannot_steer_the_terminal() -> None:
    screen, pipe = Screen(), io.StringIO()
    for stream in (screen, pipe):
        Console(out=stream).stream("a\x1b[2Jb\x9b31mc\n\td")
    assert screen.getvalue() == "a[2Jb31mc\n\td"
    assert pipe.getvalue() == "a\x1b[2Jb\x9b31mc\n\td", "a pipe gets the text as it is"


FORGING = "notes\n/etc/passwd:1 \x1b[2Jroot\u202efdp.\u2028\udcff.md"
SHOWN = "notes\ufffd/etc/passwd:1 \ufffd[2Jroot\ufffdfdp.\ufffd\ufffd.md"


def test_a_name_stays_one_line_and_steers_nothing() -> None:
    assert shown_name(FORGING) == SHOWN
    for harmless in ("Büro – Kopie (2).pdf", "年度報告\u3000最終.pdf", "Shot 3.00.00\u202fPM.png", "نامه\u200cها.md"):
        assert shown_name(harmless) == harmless
    assert file_name(f"/home/{FORGING}".replace("/etc/passwd", "etc")) == SHOWN.replace("/etc/passwd", "etc")


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_what_is_one_line_stays_one(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(out=stream(), err=stream())
    console.note(f"{FORGING} was read.")
    console.fail(f"{FORGING} is damaged.")
    assert isinstance(console.err, io.StringIO)
    assert console.err.getvalue() == f"{SHOWN} was read.\nhearth: {SHOWN} is damaged.\n"
    for unit in ("page", "text", "sheet"):
        place = place_text(Path(f"/{FORGING}"), unit, 3, "x\ny", 7)
        assert "\n" not in place and "\x1b" not in place and place.startswith("/notes\ufffd/etc")


def test_own_styles_reach_the_terminal_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    console = Console(out=screen)
    console.say(console.bold("a\x1b[31mb") + console.faint("c") + "\x1b[1md")
    assert screen.getvalue() == "\x1b[1ma[31mb\x1b[0m\x1b[2mc\x1b[0m[1md\n"


def test_quiet_and_json_keep_notes_away() -> None:
    for console in (Console(quiet=True, err=io.StringIO()), Console(json=True, err=io.StringIO())):
        console.note("note")
        console.status("status")
        assert isinstance(console.err, io.StringIO)
        assert console.err.getvalue() == ""
        console.fail("failed")
        assert console.err.getvalue() == "hearth: failed\n"


def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Console(out=Screen()).bold("x") != "x"
    assert Console(out=io.StringIO()).bold("x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(out=Screen()).bold("x") == "x"


@pytest.mark.skipif("sys.platform != 'linux'")
def test_a_display_that_is_not_there_is_a_sentence() -> None:
    reason = why_no_window({})
    assert reason is not None and "display" in reason
    assert why_no_window({"QT_QPA_PLATFORM": "offscreen"}) is None


@pytest.mark.skipif("sys.platform != 'linux'")
def test_a_display_that_does_not_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    reason = why_no_window({"DISPLAY": ":4711"})
    assert reason is not None and ":4711" in reason


def test_missing_libraries_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_libraries({"libno-such-thing.so.9": "libno-such-thing9"}) == ["libno-such-thing9"]
    monkeypatch.setattr(bootstrap, "_QT_LIBRARIES", {"libno-such-thing.so.9": "libno-such-thing9"})
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    reason = why_no_window({"QT_QPA_PLATFORM": "offscreen"})
    assert reason is not None and "apt-get install libno-such-thing9" in reason


def test_an_old_python_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "MIN_PYTHON", (9, 0))
    with pytest.raises(StartError, match="Python"):
        bootstrap.check_python()


def test_the_log_is_short_rotating_and_ours_only(tmp_path: Path) -> None:
    start_log(tmp_path, "info")
    try:
        logging.getLogger("app.test").info("kept")
        logging.getLogger("app.test").debug("too fine")
        logging.getLogger("somebody.else").error("not ours")
        logging.getLogger("engine.test").error("x" * 100_000)
    finally:
        stop_log()
    text = (tmp_path / LOG_NAME).read_text()
    assert "kept" in text and "too fine" not in text and "not ours" not in text
    assert len(text) < MAX_RECORD + 1000


def test_prepare_refuses_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _arguments, start = parse(["--data-dir", str(tmp_path / "file" / "data")])
    with pytest.raises(StartError, match="--data-dir"):
        prepare(start, "info")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (5 * 10**6, "5.0 MB"), (10**9, "1.0 GB")],
)
def test_bytes_text(size: int, text: str) -> None:
    assert bytes_text(size) == text


def test_counts_as_people_write_them() -> None:
    assert [context_text(n) for n in (0, 512, 4096, 131072)] == ["", "512", "4k", "128k"]
    assert [params_text(n) for n in (0, 134_515_008, 1_540_000_000, 70_000_000_000)] == ["", "135M", "1.5B", "70B"]
