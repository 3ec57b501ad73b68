"""Settings: the declaration holds, and no file, however damaged, stops the program."""

from __future__ import annotations

import stat
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from app.settings import VERSION, Settings, check, default_of, is_declared, option
from app.settings_options import OPTIONS, Value
from engine.errors import SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_every_declaration_is_sound() -> None:
    assert len({each.key for each in OPTIONS}) == len(OPTIONS)
    for each in OPTIONS:
        assert check(each.key, each.default) == each.default, each.key
        assert each.label and each.help and each.group, each.key
        assert not each.help or each.help.endswith((".", ".”")), each.key
        if each.special is not None:
            assert check(each.key, each.special[0]) == each.special[0], each.key


def test_defaults_without_a_file(file: Path) -> None:
    settings = Settings.load(file)
    assert settings.get("chat.temperature") == 0.7
    assert settings.texts("model.folders") == ()
    assert settings.text("shortcuts.anything") == ""
    assert settings.notices == []
    assert not file.exists()


def test_what_is_set_is_there_after_a_restart(file: Path) -> None:
    settings = Settings.load(file)
    chosen: dict[str, Value] = {
        "appearance.theme": "dark",
        "appearance.zoom": 1.25,
        "chat.automatic_titles": False,
        "chat.system_prompt": 'Say “hi”.\n"quoted" \\ back',
        "model.n_ctx": 8192,
        "model.folders": ("/a b", "/ü"),
        "shortcuts.new_chat": "Ctrl+T",
    }
    for key, value in chosen.items():
        settings.set(key, value)
    again = Settings.load(file)
    assert {key: again.get(key) for key in chosen} == chosen
    assert again.notices == []


def test_the_file_holds_only_what_differs_and_its_version(file: Path) -> None:
    settings = Settings.load(file)
    settings.set("appearance.theme", "dark")
    settings.set("chat.top_k", 7)
    settings.reset("chat.top_k")
    document = tomllib.loads(file.read_text())
    assert document["version"] == VERSION
    assert document["appearance"] == {"theme": "dark"}
    assert "top_k" not in document.get("chat", {})


@pytest.mark.skipif("sys.platform == 'win32'")
def test_the_file_is_for_this_user_only(file: Path) -> None:
    Settings.load(file).set("chat.top_k", 7)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_unknown_keys_are_kept(file: Path) -> None:
    file.write_text('version = 1\n[voice]\nname = "Ada"\n[chat]\nfuture_option = 3\n')
    settings = Settings.load(file)
    settings.set("chat.top_k", 7)
    document = tomllib.loads(file.read_text())
    assert document["voice"] == {"name": "Ada"}
    assert document["chat"] == {"future_option": 3, "top_k": 7}
    assert settings.notices == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('theme = "purple"', "appearance.theme"),
        ("zoom = 99.0", "appearance.zoom"),
        ("zoom = nan", "appearance.zoom"),
        ('zoom = "big"', "appearance.zoom"),
        ("zoom = true", "appearance.zoom"),
    ],
)
def test_a_bad_value_becomes_the_default_and_a_notice(file: Path, line: str, key: str) -> None:
    file.write_text(f'[appearance]\n{line}\nlanguage = "de"\n')
    settings = Settings.load(file)
    assert settings.get(key) == default_of(key)
    assert settings.get("appearance.language") == "de", "its neighbours are read all the same"
    assert len(settings.notices) == 1 and key in settings.notices[0]


@pytest.mark.parametrize(
    "data", [b"\x00\xff\xfe", b"version = ", b"= = =", b"[chat\n", b'a = "' + b"x" * 1000, b"[a]\n[a]\n"]
)
def test_a_damaged_file_is_kept_aside(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    settings = Settings.load(file)
    assert settings.get("chat.temperature") == 0.7
    assert len(settings.notices) == 1
    (kept,) = file.parent.glob("settings-damaged-*.toml")
    assert kept.read_bytes() == data
    assert kept.name in settings.notices[0]
    settings.set("chat.top_k", 7)
    assert Settings.load(file).get("chat.top_k") == 7


def test_a_look_changes_nothing(file: Path) -> None:
    file.write_text("[chat\n")
    looked = Settings.load(file, look_only=True)
    looked.set("chat.top_k", 7)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_text() == "[chat\n"
    assert Settings.load(file).notices, "the real load still finds what is wrong"


def test_a_newer_file_is_kept_aside(file: Path) -> None:
    file.write_text(f"version = {VERSION + 1}\n[chat]\ntop_k = 5\n")
    settings = Settings.load(file)
    assert settings.get("chat.top_k") == 40
    assert len(list(file.parent.glob("settings-newer-*.toml"))) == 1
    assert "newer" in settings.notices[0]


def test_what_cannot_be_kept_aside_is_not_written_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[chat\n")

    def refuse(_self: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    settings = Settings.load(file)
    settings.set("chat.top_k", 7)
    assert file.read_text() == "[chat\n"
    assert settings.get("chat.top_k") == 7


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chat.temperature", 2.01),
        ("chat.temperature", -0.01),
        ("chat.temperature", float("nan")),
        ("chat.temperature", True),
        ("chat.top_k", 1.5),
        ("chat.overflow", "explode"),
        ("chat.automatic_titles", "yes"),
        ("model.folders", "not a list"),
        ("model.folders", ["a", 1]),
        ("shortcuts.x", 3),
    ],
)
def test_set_refuses_what_is_outside_the_declaration(file: Path, key: str, value: object) -> None:
    settings = Settings.load(file)
    with pytest.raises(SettingsError):
        settings.set(key, value)
    assert settings.get(key) == default_of(key)
    assert not file.exists()


def test_the_edges_of_a_range_are_inside(file: Path) -> None:
    settings = Settings.load(file)
    edges = option("chat.temperature")
    for value in (edges.minimum, edges.maximum, 1):
        settings.set("chat.temperature", value)
        assert settings.number("chat.temperature") == value


def test_an_undeclared_key_is_a_bug(file: Path) -> None:
    settings = Settings.load(file)
    assert not is_declared("chat.nonsense")
    with pytest.raises(KeyError):
        settings.get("chat.nonsense")
    with pytest.raises(KeyError):
        settings.set("chat.nonsense", 1)


def test_listeners_hear_of_real_changes_only(file: Path) -> None:
    settings = Settings.load(file)
    heard: list[str] = []
    stop = settings.subscribe(heard.append)
    settings.set("chat.top_k", 7)
    settings.set("chat.top_k", 7)
    settings.set("appearance.theme", "dark")
    stop()
    settings.set("chat.top_k", 8)
    assert heard == ["chat.top_k", "appearance.theme"]


def test_an_override_holds_for_this_run_only(file: Path) -> None:
    settings = Settings.load(file)
    settings.override("chat.top_k", 3)
    settings.set("chat.min_p", 0.2)
    assert settings.get("chat.top_k") == 3
    assert Settings.load(file).get("chat.top_k") == 40


def test_a_write_that_fails_is_said_and_the_value_holds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(file)
    settings.set("chat.top_k", 5)
    before = file.read_bytes()
    heard: list[str] = []
    settings.subscribe_notices(heard.append)

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("app.settings.atomic_write", full)
        settings.set("chat.top_k", 6)
    assert heard == ["The settings could not be saved (No space left on device)."]
    assert settings.get("chat.top_k") == 6
    assert file.read_bytes() == before
    settings.flush()
    assert Settings.load(file).get("chat.top_k") == 6, "the next write brings it to the disk"


def test_changes_are_written_together_on_the_executor(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import app.settings as module

    writes: list[bytes] = []
    write = module.atomic_write

    def counted(path: Path, data: bytes) -> None:
        writes.append(data)
        write(path, data)

    monkeypatch.setattr(module, "atomic_write", counted)
    settings = Settings.load(file)
    blocker: Future[None] = Future()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(blocker.result)
        settings.write_on(pool)
        for value in range(10):
            settings.set("chat.top_k", value)
        assert writes == []
        blocker.set_result(None)
    assert len(writes) == 1
    assert Settings.load(file).get("chat.top_k") == 9
