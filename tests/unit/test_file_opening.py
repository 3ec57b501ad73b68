"""Which files the system may be asked to open, and the command that shows a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.file_opening import Caution, caution, page_command, reveal_command, time_command

PDF = Path("/home/me/a b.pdf")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", Caution.NONE),
        ("a.PDF", Caution.NONE),
        ("a.docx", Caution.NONE),
        ("a.html", Caution.ASK),
        ("a.docm", Caution.ASK),
        ("a.mp3", Caution.NONE),
        ("a.MKV", Caution.NONE),
        ("a.wmv", Caution.ASK),
        ("a.m3u", Caution.NEVER),
        ("a.py", Caution.NEVER),
        ("a.sh", Caution.NEVER),
        ("a.desktop", Caution.NEVER),
        ("a.lnk", Caution.NEVER),
        ("a.jar", Caution.NEVER),
        ("a.pdf.exe", Caution.NEVER),
        ("a", Caution.NEVER),
    ],
)
def test_a_kind_decides(tmp_path: Path, name: str, expected: Caution) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert caution(tmp_path / name) is expected


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "evil.desktop").write_text("[Desktop Entry]")
    (tmp_path / "good.pdf").write_bytes(b"%PDF-")
    (tmp_path / "bill.pdf").symlink_to(tmp_path / "evil.desktop")
    (tmp_path / "other.pdf").symlink_to(tmp_path / "good.pdf")
    assert caution(tmp_path / "bill.pdf") is Caution.NEVER
    assert caution(tmp_path / "other.pdf") is Caution.NONE


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "round.pdf").symlink_to(tmp_path / "round.pdf")
    for name in ("folder.pdf", "round.pdf", "missing.pdf"):
        assert caution(tmp_path / name) is Caution.NEVER


def command(viewer: str, *, path: Path = PDF, label: str = "", system: str = "linux", found: bool = True) -> object:
    return page_command(
        path, 7, label, system=system, default_viewer=viewer, which=lambda name: f"/bin/{name}" if found else None
    )


def test_known_viewers_open_at_the_page() -> None:
    assert command("org.gnome.Evince.desktop") == ["/bin/evince", "--page-label=7", str(PDF)]
    assert command("org.gnome.Evince.desktop", label="iv") == ["/bin/evince", "--page-label=iv", str(PDF)]
    assert command("okularApplication_pdf.desktop") == ["/bin/okular", "-p", "7", str(PDF)]
    assert command("firefox-esr.desktop") == ["/bin/firefox", "file:///home/me/a%20b.pdf#page=7"]
    assert command("", system="win32") == ["/bin/SumatraPDF", "-page", "7", str(PDF)]


def test_a_label_never_becomes_an_option_or_a_field() -> None:
    assert command("evince.desktop", label="--help {path}") == ["/bin/evince", "--page-label=--help {path}", str(PDF)]


def test_else_the_systems_own_way_must_do() -> None:
    assert command("strange.desktop") is None
    assert command("") is None
    assert command("evince.desktop", found=False) is None
    assert command("evince.desktop", system="darwin") is None
    assert command("evince.desktop", path=Path("/home/me/a.docx")) is None
    assert command("evince.desktop", path=Path("-p.pdf")) is None


def test_a_file_is_shown_where_the_system_can_point_at_it() -> None:
    assert reveal_command(PDF, system="darwin") == ["open", "-R", str(PDF)]
    assert reveal_command(PDF, system="linux") is None


def played(player: str, *, path: Path = Path("/home/me/a b.mp3"), system: str = "linux", found: bool = True) -> object:
    return time_command(
        path, 754, system=system, default_viewer=player, which=lambda name: f"/bin/{name}" if found else None
    )


def test_known_players_begin_at_the_second() -> None:
    assert played("mpv.desktop") == ["/bin/mpv", "--start=754", "/home/me/a b.mp3"]
    assert played("org.videolan.vlc.desktop") == ["/bin/vlc", "--start-time=754", "/home/me/a b.mp3"]
    assert played("io.github.celluloid_player.Celluloid.desktop") == [
        "/bin/celluloid", "--mpv-start=754", "/home/me/a b.mp3",
    ]  # fmt: skip
    assert played("firefox.desktop") == ["/bin/firefox", "file:///home/me/a%20b.mp3#t=754"]
    assert played("", system="win32") == ["/bin/vlc", "--start-time=754", "/home/me/a b.mp3"]


def test_other_players_begin_where_they_like() -> None:
    assert played("strange.desktop") is None
    assert played("mpv.desktop", found=False) is None
    assert played("mpv.desktop", system="darwin") is None
    assert played("mpv.desktop", path=Path("/home/me/a.pdf")) is None
    assert played("mpv.desktop", path=Path("--script=x.mp3")) is None
