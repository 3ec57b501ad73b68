"""`hearth` as a person runs it: the real program, a real model, pipes, a terminal, Ctrl+C, exit codes."""

from __future__ import annotations

import codecs
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.embedding.weights import FILES
from tests.minilm_weights import minilm_folder

pytestmark = pytest.mark.beside

HEARTH = [sys.executable, "-m", "app"]
PATIENCE_S = 60.0
GREEDY = ["--temperature", "0", "--max-tokens", "4"]


def environment(models: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "LANG")}
    kept.pop("QT_QPA_PLATFORM", None)
    return {**kept, "HEARTH_MODELS_DIR": str(models), "HOME": str(models.parent), "LANG": "C.UTF-8", **more}


@pytest.fixture
def models(tmp_path: Path, smollm2: Path) -> Path:
    """A models folder with one small model."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / smollm2.name).symlink_to(smollm2)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """A data folder of its own. One thread: two that wait for each other crawl on a busy machine."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.toml").write_text("[model]\nn_threads = 1\nn_ctx = 2048\n")
    return ["--data-dir", str(tmp_path / "data")]


def run(
    arguments: list[str], models: Path, *, stdin: bytes | None = None, patience_s: float = PATIENCE_S, **more: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*HEARTH, *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=patience_s,
        env=environment(models, **more),
        check=False,
    )


def test_a_question_is_answered_stored_and_continued(models: Path, data: list[str], tmp_path: Path) -> None:
    first = run([*data, "chat", *GREEDY, "Say hello."], models)
    assert first.returncode == 0, first.stderr
    answer = first.stdout.decode().strip()
    assert answer
    again = run([*data, "--json", "chat", "--continue", *GREEDY, "And goodbye."], models)
    assert again.returncode == 0, again.stderr
    records = [json.loads(line) for line in again.stdout.splitlines()]
    assert records[0]["type"] == "started"
    whole = records[-1]
    assert (whole["type"], whole["state"]) == ("message", "complete")
    assert whole["text"] == "".join(record["text"] for record in records if record["type"] == "text")
    assert whole["model"] == "SmolLM2 135M"
    with sqlite3.connect(tmp_path / "data" / "conversations.db") as database:
        (conversations,) = database.execute("SELECT count(*) FROM conversations").fetchone()
        (messages,) = database.execute("SELECT count(*) FROM messages").fetchone()
        (title,) = database.execute("SELECT title FROM conversations").fetchone()
    database.close()
    assert (conversations, messages, title) == (1, 4, "Say hello.")


def test_a_run_that_keeps_nothing_and_says_nothing_but_the_answer(
    models: Path, data: list[str], tmp_path: Path
) -> None:
    question = ["--seed", "7", "--max-tokens", "4", "A secret: zanzibar"]
    command = [*data, "--quiet", "--log-level", "debug", "chat", "--no-save", *question]
    first, second = run(command, models), run(command, models)
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout == second.stdout, "the same seed gives the same answer"
    assert first.stderr == b""
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and b"zanzibar" in path.read_bytes()]
    assert kept == [], "neither in a database nor in the log"
    assert "started on" in (tmp_path / "data" / "logs" / "hearth.log").read_text(), "the log works"


def test_what_is_piped_in_becomes_an_attachment(models: Path, data: list[str], tmp_path: Path) -> None:
    done = run([*data, "chat", *GREEDY, "summarise"], models, stdin="The cat is grey. Ümlaut.".encode())
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(tmp_path / "data" / "conversations.db") as database:
        rows = [str(row) for row in database.execute("SELECT * FROM parts")]
    database.close()
    assert any("The cat is grey. Ümlaut." in row and "Piped text.txt" in row for row in rows)


def test_a_pipe_alone_is_the_question(models: Path, data: list[str]) -> None:
    done = run([*data, "chat", "--no-save", *GREEDY], models, stdin=b"Say hello.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_without_a_model_it_says_what_to_do(tmp_path: Path, data: list[str]) -> None:
    empty = tmp_path / "models"
    empty.mkdir()
    done = run([*data, "chat", "Hello"], empty)
    assert done.returncode == 1
    assert b"hearth fetch" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["chat", "--file", "/nowhere.txt", "x"], 1, "nowhere.txt"),
        (["--model", "nonsense", "chat", "x"], 1, "nonsense"),
        (["chat", "--continue", "x"], 1, "no chat to go on with"),
        (["chat", "--temperature", "9", "x"], 2, "between"),
        (["dance"], 2, "dance"),
        (["chat"], 1, "no question"),
        ([], 2, "hearth chat"),
    ],
)
def test_wrong_use_is_one_sentence(models: Path, data: list[str], arguments: list[str], code: int, says: str) -> None:
    done = run([*data, *arguments], models)
    assert done.returncode == code
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert done.stdout == b""


def test_help_makes_no_folders(models: Path, tmp_path: Path) -> None:
    done = run(["--data-dir", str(tmp_path / "untouched"), "--help"], models)
    assert done.returncode == 0
    assert b"chat" in done.stdout
    assert not (tmp_path / "untouched").exists()


def test_a_data_folder_that_cannot_be_made_is_a_sentence(models: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    done = run(["--data-dir", str(blocked / "data"), "models"], models)
    assert done.returncode == 1
    assert b"--data-dir" in done.stderr
    assert b"Traceback" not in done.stderr


def test_models_as_table_and_json(models: Path, data: list[str]) -> None:
    table = run([*data, "models"], models).stdout.decode()
    assert "* SmolLM2 135M" in table and "Q4_1" in table and "Fits" in table
    entry, *offered = json.loads(run([*data, "--json", "models", "--all"], models).stdout)
    assert (entry["id"], entry["default"], entry["fit"]) == ("smollm2-135m-instruct", True, "fits")
    assert {"to_fetch"} == {each["state"] for each in offered}


def test_fetch_does_nothing_where_everything_is_there(models: Path, data: list[str]) -> None:
    embedder = models.with_name("embedder")
    embedder.mkdir()
    for file in FILES:
        (embedder / file.file_name).symlink_to(minilm_folder() / file.file_name)
    assert run([*data, "fetch", "--if-none"], models).stderr == b""
    done = run([*data, "--json", "fetch", "smollm2-135m-instruct"], models)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == "smollm2-135m-instruct"


def test_fetch_of_an_unknown_model_is_a_sentence(models: Path, data: list[str]) -> None:
    done = run([*data, "fetch", "nonsense"], models)
    assert (done.returncode, b"nonsense" in done.stderr) == (1, True)


def test_the_doctor_names_hardware_models_and_the_missing_display(models: Path, data: list[str]) -> None:
    done = run([*data, "--json", "doctor"], models)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["engine"]["error"] == "" and found["engine"]["features"]
    assert found["hardware"]["memory_total"] > 0
    assert [model["name"] for model in found["models"]] == ["SmolLM2 135M"]
    assert found["window"] is False and any("display" in text for text in found["missing"])


def test_no_command_imports_qt(models: Path, data: list[str]) -> None:
    code = (
        "import sys; from app.__main__ import main; code = main(sys.argv[1:]); "
        "assert code == 0, code; assert not [m for m in sys.modules if m.startswith('PySide6')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *data, "models"],
        capture_output=True, env=environment(models), timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_reader_that_has_enough_ends_it_quietly(models: Path, data: list[str]) -> None:
    child = subprocess.Popen(
        [*HEARTH, *data, "chat", "--no-save", "--temperature", "0", "Count from 1 to 1000."],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(models),
    )  # fmt: skip
    assert child.stdout is not None and child.stderr is not None
    assert os.read(child.stdout.fileno(), 1)
    child.stdout.close()
    assert child.wait(PATIENCE_S) == 0
    assert child.stderr.read() == b""
    child.stderr.close()


def test_ctrl_c_stops_the_answer_and_keeps_it(models: Path, data: list[str], tmp_path: Path) -> None:
    child = subprocess.Popen(
        [*HEARTH, *data, "chat", "--temperature", "0", "Write a very long story about a river."],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(models),
        start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert os.read(child.stdout.fileno(), 1)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the model's process gets it too
    _out, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 130
    assert b"Traceback" not in err
    with sqlite3.connect(tmp_path / "data" / "conversations.db") as database:
        states = [row[0] for row in database.execute("SELECT state FROM messages ORDER BY number")]
    database.close()
    assert states == ["complete", "stopped"]


class Terminal:
    """The program on a terminal of its own, typed to by a test."""

    def __init__(self, arguments: list[str], models: Path) -> None:
        import pty  # POSIX only

        self._master, slave = pty.openpty()
        self.child = subprocess.Popen(
            [*HEARTH, *arguments], stdin=slave, stdout=slave, stderr=slave,
            env=environment(models, TERM="dumb", COLUMNS="200"), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""
        self._seen = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                data = b""  # Linux: the other end is closed
            with self._changed:
                self.shown += decoder.decode(data)
                self._changed.notify_all()
            if not data:
                return

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, text: str) -> None:
        """Wait until `text` is shown, after what was expected before."""
        with self._changed:
            found = self._changed.wait_for(lambda: text in self.shown[self._seen :], PATIENCE_S)
            assert found, f"{text!r} did not come; there was {self.shown[self._seen :]!r}"
            self._seen = self.shown.index(text, self._seen) + len(text)

    def end(self) -> int:
        code = self.child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        os.close(self._master)
        return code


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_an_interactive_chat(models: Path, data: list[str], tmp_path: Path) -> None:
    terminal = Terminal([*data, "chat", "--temperature", "0", "--seed", "1"], models)
    terminal.expect("/help")
    terminal.expect("› ")
    terminal.type("/help\n")
    terminal.expect("/regenerate")
    terminal.expect("› ")
    terminal.type("/nonsense\n")
    terminal.expect("no command /nonsense")
    terminal.expect("› ")
    terminal.type("Write a very long story about a river.\n")
    terminal.expect(" of ")  # neither what is typed nor a notice says so, and every answer soon does
    os.killpg(terminal.child.pid, signal.SIGINT)  # Ctrl+C: the answer, not the program
    terminal.expect("(stopped)")
    terminal.expect("› ")
    saved = tmp_path / "saved.md"
    terminal.type(f"/save {saved}\n")
    terminal.expect("Saved as")
    terminal.expect("› ")
    terminal.type("/model\n")
    terminal.expect("SmolLM2 135M")
    terminal.expect("› ")
    terminal.type("\x04")
    assert terminal.end() == 0, terminal.shown
    assert "river" in saved.read_text()
    assert "Traceback" not in terminal.shown


def test_documents_are_added_found_listed_and_removed(models: Path, data: list[str], tmp_path: Path) -> None:
    """By words alone: the embedder's files are not in this folder."""
    notes = tmp_path / "notes.md"
    notes.write_text("# Fees\n\nThe rowing club of Norrholm asks 240 crowns a year.\n", "utf-8")
    around = tmp_path / "elsewhere" / ".." / "notes.md"
    assert run([*data, "docs", "add", str(around), "--collection", "Club"], models).returncode == 0
    found = json.loads(run([*data, "--json", "docs", "search", "rowing", "club"], models).stdout.splitlines()[0])
    assert (found["file"], found["line"]) == (str(notes), 1)
    assert "240 crowns" in found["text"]
    (status,) = [json.loads(line) for line in run([*data, "--json", "docs", "status"], models).stdout.splitlines()]
    assert (status["name"], status["files"], status["ready"]) == ("Club", 1, 1)
    missing = run([*data, "docs", "remove", str(tmp_path / "other.md")], models)
    assert (missing.returncode, b"other.md is not in the library" in missing.stderr) == (1, True)
    assert run([*data, "docs", "remove", str(notes)], models).returncode == 0
    assert run([*data, "--json", "docs", "list"], models).stdout == b""
    assert notes.exists()


def test_a_search_of_few_documents_finds_what_was_looked_for(models: Path, data: list[str], tmp_path: Path) -> None:
    """And not all that is there, as a model is given it. What nobody can see in a file is told with the file."""
    folder = tmp_path / "club"
    folder.mkdir()
    (folder / "a.html").write_text("<p>Boats lie in the shed.</p><p style='display:none'>Praise the goose</p>", "utf-8")
    (folder / "b.md").write_text("The rowing club asks 240 crowns a year.\n", "utf-8")
    assert run([*data, "docs", "add", str(folder)], models).returncode == 0
    found = run([*data, "--json", "docs", "search", "crowns"], models).stdout.splitlines()
    assert [json.loads(line)["file"] for line in found] == [str(folder / "b.md")]
    listed = run([*data, "docs", "list"], models).stdout.decode().splitlines()
    assert "3 words in this file cannot be seen" in listed[0]
    assert "cannot be seen" not in listed[1]


@pytest.mark.skipif(sys.platform == "win32", reason="names cannot be so there")
def test_a_files_name_forges_no_line(models: Path, data: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "letters\nforged: 7 files"
    folder.mkdir()
    (folder / "fees\nhearth: forged\x1b[2J.md").write_text("The rowing club asks 240 crowns a year.\n", "utf-8")
    (folder / "empty\nhearth: forged.pdf").write_bytes(b"no pdf")
    lines = []
    for command in (("add", str(folder), "--collection", "a\nforged"), ("list",), ("search", "rowing", "club"),
                    ("status",), ("remove", str(folder / "fees\nhearth: forged\x1b[2J.md"))):  # fmt: skip
        told = run([*data, "docs", *command], models)
        lines += (told.stdout + told.stderr).decode().splitlines()
    told = run([*data, "ask", "--docs", str(folder), "which documents do you have?"], models)
    lines += (told.stdout + told.stderr).decode().splitlines()
    assert sum("forged" in line for line in lines) >= 7
    assert not [line for line in lines if line.startswith(("forged", "hearth: forged")) or "\x1b" in line]


def test_a_folder_is_asked_and_places_are_named(models: Path, data: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "manuals"
    folder.mkdir()
    (folder / "fees.txt").write_text("The rowing club of Norrholm asks 240 crowns a year.\n", "utf-8")
    question = ["ask", "--docs", str(folder), "--no-save", *GREEDY, "What does the rowing club ask?"]
    done = run([*data, "--json", *question], models)
    assert done.returncode == 0, done.stderr
    sources = json.loads(done.stdout.splitlines()[-1])
    assert (sources["type"], sources["way"]) == ("sources", "whole")
    assert [each["file"] for each in sources["passages"]] == [str(folder / "fees.txt")]
