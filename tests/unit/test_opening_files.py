"""`hearth FILE…` opens files; a command's name stays the command, and a misspelt one stays an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.command_line import parse


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["letter.pdf"], ["letter.pdf"]),
        (["/tmp/a document", "b.hearth"], ["/tmp/a document", "b.hearth"]),
        (["open", "letter.pdf"], ["letter.pdf"]),
        (["--model", "qwen.gguf", "letter.pdf"], ["letter.pdf"]),
        (["letter.pdf", "--log-level", "debug"], ["letter.pdf"]),
    ],
)
def test_files_mean_open(tmp_path: Path, words: list[str], files: list[str]) -> None:
    arguments, _start = parse(["--data-dir", str(tmp_path), *words])
    assert arguments.command == "open"
    assert arguments.files == tuple(map(Path, files))


def test_a_file_without_an_ending_is_one_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README").write_text("read me")
    (tmp_path / "models").write_text("called as a command is")
    assert parse(["--data-dir", str(tmp_path), "README"])[0].files == (Path("README"),)
    assert parse(["--data-dir", str(tmp_path), "models"])[0].command == "models"


def test_a_misspelt_command_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["--data-dir", str(tmp_path), "modells"])
    assert stopped.value.code == 2


def test_no_words_mean_the_window(tmp_path: Path) -> None:
    arguments, _start = parse(["--data-dir", str(tmp_path)])
    assert arguments.command is None
    assert not arguments.quick
    assert parse(["--data-dir", str(tmp_path), "--quick"])[0].quick
