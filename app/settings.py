"""The person's choices: read from and written to `settings.toml`, checked against their declaration.

A file that is damaged or newer is kept aside and never stops the program: what is wrong becomes a default and a
sentence in `notices`. Keys this version does not know are kept. Knows no window, and not what a setting does.
"""

from __future__ import annotations

import copy
import threading
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import tomli_w

from app.i18n import tr
from app.settings_options import DYNAMIC_PREFIXES, OPTIONS, Option, Value
from engine.atomic_write import atomic_write
from engine.errors import SettingsError, sentence

VERSION = 1
"""Of the file. An older file is upgraded step by step when that becomes necessary."""

_OPTIONS: dict[str, Option] = {option.key: option for option in OPTIONS}
Listener = Callable[[str], None]


class Settings:
    """The values in force. Any thread; a write goes to the executor once one is given, else it is done at once."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.notices: list[str] = []
        """Sentences for the person, translated."""
        self._lock = threading.RLock()
        self._write_lock = threading.Lock()
        self._document: dict[str, object] = {}
        self._values: dict[str, Value] = {}
        self._overrides: dict[str, Value] = {}
        self._listeners: list[Listener] = []
        self._notice_listeners: list[Callable[[str], None]] = []
        self._writer: Executor | None = None
        self._dirty = False

    @staticmethod
    def load(path: Path, *, look_only: bool = False) -> Settings:
        """Read `path`; whatever is wrong with it becomes defaults and `notices`.

        With `look_only` nothing is written or moved: the next real load finds the file as it was.
        """
        settings = Settings(None if look_only else path)
        settings._read(path)
        return settings

    def get(self, key: str) -> Value:
        """The value in force. Raises `KeyError` for a key that is not declared."""
        with self._lock:
            if key in self._overrides:
                return self._overrides[key]
            return self._values[key] if key in self._values else default_of(key)

    def text(self, key: str) -> str:
        value = self.get(key)
        assert isinstance(value, str)
        return value

    def integer(self, key: str) -> int:
        value = self.get(key)
        assert isinstance(value, int)
        return value

    def number(self, key: str) -> float:
        value = self.get(key)
        assert isinstance(value, int | float)
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.get(key)
        assert isinstance(value, bool)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        assert isinstance(value, tuple)
        return value

    def set(self, key: str, value: object) -> None:
        """Take a value into force and into the file. Raises `SettingsError` for one outside the declaration.

        A file that cannot be written becomes a notice; the value then holds until the program ends.
        """
        checked = check(key, value)
        with self._lock:
            self._overrides.pop(key, None)
            if self.get(key) == checked:
                return
            table, name = _place(self._document, key)
            if checked == default_of(key):
                self._values.pop(key, None)
                table.pop(name, None)
            else:
                self._values[key] = checked
                table[name] = list(checked) if isinstance(checked, tuple) else checked
            self._dirty = True
            writer = self._writer
        self._tell(key)
        if writer is not None:
            writer.submit(self.flush).add_done_callback(_raise_bug)
        else:
            self.flush()

    def reset(self, key: str) -> None:
        """Back to the default."""
        self.set(key, default_of(key))

    def override(self, key: str, value: object) -> None:
        """Take a value into force for this run only (a command line option)."""
        checked = check(key, value)
        with self._lock:
            self._overrides[key] = checked
        self._tell(key)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(key)` after each change, on the thread that made it. Returns the way to end that."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def subscribe_notices(self, listener: Callable[[str], None]) -> None:
        """Call `listener(sentence)` for each notice from now on; any thread."""
        with self._lock:
            self._notice_listeners.append(listener)

    def write_on(self, executor: Executor | None) -> None:
        """From now on write on `executor`'s threads, several changes at once; None writes at once again."""
        with self._lock:
            self._writer = executor

    def flush(self) -> None:
        """Write now what is not written yet."""
        with self._write_lock:
            with self._lock:
                if not self._dirty or self.path is None:
                    return
                document = copy.deepcopy(self._document)
                self._dirty = False
            document.setdefault("version", VERSION)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                atomic_write(self.path, tomli_w.dumps(document).encode())
            except OSError as error:
                with self._lock:
                    self._dirty = True
                self._notice(
                    tr("The settings could not be saved ({reason}).", reason=error.strerror or str(error)),
                )

    def _read(self, path: Path) -> None:
        try:
            document: dict[str, object] = dict(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except OSError as error:
            self._notice(
                tr("The settings could not be read ({reason}). Defaults are used.", reason=error.strerror or str(error))
            )
            return
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
            kept = self._keep_aside(path, "damaged")
            self._notice(tr("The settings file was damaged. It was kept as {name}, and defaults are used.", name=kept))
            return
        version = document.get("version", VERSION)
        if not isinstance(version, int) or version > VERSION:
            kept = self._keep_aside(path, "newer")
            self._notice(
                tr(
                    "The settings were written by a newer Hearth. They were kept as {name}; defaults are used.",
                    name=kept,
                )
            )
            return
        self._document = document
        for key, raw in _flat(document):
            if not is_declared(key):
                continue
            try:
                value = check(key, raw)
            except SettingsError as error:
                self._notice(tr(error.template, **error.fields) + " " + tr("The default is used."))
                continue
            if value != default_of(key):
                self._values[key] = value

    def _keep_aside(self, path: Path, why: str) -> str:
        kept = _keep_aside(path, why) if self.path is not None else ""
        if not kept:
            self.path = None  # A read-only folder: what the person had is not written over.
        return kept or path.name

    def _notice(self, text: str) -> None:
        with self._lock:
            self.notices.append(text)
            listeners = list(self._notice_listeners)
        for listener in listeners:
            listener(text)

    def _tell(self, key: str) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(key)


def is_declared(key: str) -> bool:
    return key in _OPTIONS or any(key.startswith(prefix) for prefix in DYNAMIC_PREFIXES)


def option(key: str) -> Option:
    """The declaration of a key. Raises `KeyError`."""
    return _OPTIONS[key]


def default_of(key: str) -> Value:
    """Raises `KeyError` for a key that is not declared."""
    if key in _OPTIONS:
        return _OPTIONS[key].default
    for prefix, default in DYNAMIC_PREFIXES.items():
        if key.startswith(prefix):
            return default
    raise KeyError(key)


def check(key: str, value: object) -> Value:
    """`value` in the type of its declaration. Raises `SettingsError` where it is outside."""
    default = default_of(key)
    converted = _converted(value, default)
    if converted is None:
        raise SettingsError(sentence("The setting “{key}” has a value of the wrong kind."), key=key)
    declared = _OPTIONS.get(key)
    if declared is None:
        return converted
    if declared.choices and all(converted != name for name, _label in declared.choices):
        allowed = ", ".join(name for name, _label in declared.choices)
        raise SettingsError(sentence("The setting “{key}” must be one of: {allowed}."), key=key, allowed=allowed)
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        low, high = declared.minimum, declared.maximum
        # Written so that NaN fails.
        if not ((low is None or converted >= low) and (high is None or converted <= high)):
            raise SettingsError(
                sentence("The setting “{key}” must be between {minimum} and {maximum}."),
                key=key,
                minimum=low,
                maximum=high,
            )
    return converted


def _converted(value: object, default: Value) -> Value | None:
    """`value` as the type of `default`, None where it is another kind of thing."""
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, int):
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(default, float):
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(default, str):
        return value if isinstance(value, str) else None
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def _place(document: dict[str, object], key: str) -> tuple[dict[str, object], str]:
    """The table of the document that holds `key`, and its name there."""
    table_name, name = key.split(".", 1)
    table = document.get(table_name)
    if not isinstance(table, dict):
        table = document[table_name] = {}
    return table, name


def _flat(document: dict[str, object]) -> list[tuple[str, object]]:
    return [
        (f"{table_name}.{name}", value)
        for table_name, table in document.items()
        if isinstance(table, dict)
        for name, value in table.items()
    ]


def _keep_aside(path: Path, why: str) -> str:
    """Move a file that cannot be used out of the way; returns its new name, "" where that is refused."""
    kept = path.with_name(f"{path.stem}-{why}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    try:
        path.replace(kept)
    except OSError:
        return ""
    return kept.name


def _raise_bug(future: Future[None]) -> None:
    """A failure that `flush` does not know is a bug: show it on the pool's thread."""
    if not future.cancelled():
        future.result()
