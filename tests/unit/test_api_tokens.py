"""Who is let in: tokens in a file of the person's own, one for each client, and taken back at once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from filelock import FileLock

from app.api.tokens import FIRST_CLIENT, SHORTEST, TOKEN_BYTES, FixedToken, TokenFile
from engine.errors import SettingsError


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "config" / "api_tokens.json")


def test_a_token_is_made_once_and_has_256_bits(file: TokenFile) -> None:
    token = file.token_for()
    assert token == file.token_for()
    assert len(token) >= TOKEN_BYTES * 8 / 6
    assert file.client_of(token) == FIRST_CLIENT


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_for_its_owner_only(file: TokenFile, tmp_path: Path) -> None:
    file.token_for()
    path = tmp_path / "config" / "api_tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_strangers_are_not_let_in(file: TokenFile) -> None:
    token = file.token_for()
    for wrong in ("", token[:-1], token + "x", token.upper(), "ä" * 20, "\x00"):
        assert file.client_of(wrong) is None


def test_each_client_has_its_own_and_loses_it_alone(file: TokenFile, tmp_path: Path) -> None:
    editor, notes = file.token_for("editor"), file.token_for("notes")
    assert editor != notes
    other = TokenFile(tmp_path / "config" / "api_tokens.json")
    assert other.client_of(editor) == "editor"
    assert file.revoke("editor")
    assert other.client_of(editor) is None, "a server that runs hears of it"
    assert other.client_of(notes) == "notes"
    assert not file.revoke("editor")
    assert list(file.tokens()) == ["notes"]


def test_nobody_waits_for_ever_for_another_program(
    file: TokenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.tokens._PATIENCE_S", 0.01)
    file.token_for()
    with FileLock(tmp_path / "config" / "api_tokens.lock"):
        for change in (file.token_for, file.revoke):
            with pytest.raises(SettingsError, match="Another program"):
                change("editor")
    assert file.token_for("editor")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(SettingsError, match="cannot be written"):
        TokenFile(tmp_path / "config" / "api_tokens.json").token_for()


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"tokens": 3}', '{"tokens": {"a": "short"}}'])
def test_a_damaged_file_lets_nobody_in(file: TokenFile, tmp_path: Path, damaged: str) -> None:
    token = file.token_for()
    (tmp_path / "config" / "api_tokens.json").write_text(damaged)
    assert file.client_of(token) is None
    assert file.client_of("short") is None


def test_a_client_has_a_plain_name(file: TokenFile) -> None:
    for name in ("", "a b", "../x", "x" * 65):
        with pytest.raises(SettingsError):
            file.token_for(name)


@pytest.mark.parametrize(("length", "taken"), [(SHORTEST - 1, False), (SHORTEST, True), (512, True), (513, False)])
def test_a_chosen_token_has_a_length(length: int, taken: bool) -> None:
    token = "t" * length
    if taken:
        assert FixedToken(token).client_of(token) == FIRST_CLIENT
        assert FixedToken(token).client_of(token + "t") is None
    else:
        with pytest.raises(SettingsError):
            FixedToken(token)
