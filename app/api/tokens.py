"""The words that let a program in: one for each client, 256 random bits, in a file for this user's eyes only.

The file is looked at for each request (its time of change only, while that stays the same), so what is revoked is
revoked in a server that runs. Knows no HTTP. Protects from web pages, other users and other computers, not from
programs of this user.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from engine.atomic_write import atomic_write
from engine.errors import SettingsError, sentence

TOKEN_FILE = "api_tokens.json"  # noqa: S105  # its name
FIRST_CLIENT = "hearth"
"""Whose token is made by itself."""
TOKEN_BYTES = 32
SHORTEST = 16
"""Characters of a token that a person chooses."""
_LONGEST = 512
_PATIENCE_S = 5.0
"""With another program that changes the file; it may be a window that waits here."""
_NAME = re.compile(r"[\w.-]{1,64}")
_IN_USE = sentence("Another program is changing the tokens of the local API. Try again in a moment.")
_UNWRITABLE = sentence("The file with the tokens of the local API cannot be written: {path} ({reason})")
_UNREADABLE = sentence("The file with the tokens of the local API cannot be read: {path}")


class TokenCheck(Protocol):
    """Who is let in."""

    def client_of(self, token: str) -> str | None:
        """The client's name, None for a stranger. Any thread; takes as long for each."""
        ...


class FixedToken:
    """One token, in memory only."""

    def __init__(self, token: str) -> None:
        """Raises `SettingsError` for one that is too short, or that no header can carry."""
        if not (SHORTEST <= len(token) <= _LONGEST and token.isascii() and token.isprintable() and " " not in token):
            raise SettingsError(
                sentence("A token has at least {count} letters, digits and signs, without spaces."), count=SHORTEST
            )
        self._digest = _digest(token)

    def client_of(self, token: str) -> str | None:
        return FIRST_CLIENT if hmac.compare_digest(self._digest, _digest(token)) else None


class TokenFile:
    """The tokens of all clients. Any thread, several programs at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._digests: dict[str, bytes] = {}

    def client_of(self, token: str) -> str | None:
        """See `TokenCheck`. A file that is gone or damaged lets nobody in."""
        wanted = _digest(token)
        found = None
        for name, digest in self._known().items():
            if hmac.compare_digest(digest, wanted):
                found = name
        return found

    def tokens(self) -> dict[str, str]:
        """Every client's token, by name. Raises `SettingsError` for a damaged file."""
        try:
            return _tokens(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SettingsError(_UNREADABLE, path=self._path) from error

    def token_for(self, client: str = FIRST_CLIENT) -> str:
        """The client's token, made now if it has none. Raises `SettingsError`."""
        if not _NAME.fullmatch(client):
            raise SettingsError(sentence("The name of a client has letters, digits, dots, hyphens and underscores."))
        with self._changing():
            tokens = self.tokens()
            if client not in tokens:
                tokens[client] = secrets.token_urlsafe(TOKEN_BYTES)
                self._write(tokens)
            return tokens[client]

    def revoke(self, client: str) -> bool:
        """Let this client in no more; False if there is none of that name. Raises `SettingsError`."""
        with self._changing():
            tokens = self.tokens()
            if tokens.pop(client, None) is None:
                return False
            self._write(tokens)
            return True

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """While no other program changes it. Raises `SettingsError`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self._path.with_suffix(".lock"), timeout=_PATIENCE_S, mode=0o600):
                yield
        except Timeout as error:
            raise SettingsError(_IN_USE) from error
        except OSError as error:
            raise SettingsError(_UNWRITABLE, path=self._path, reason=error.strerror or str(error)) from error

    def _write(self, tokens: Mapping[str, str]) -> None:
        atomic_write(self._path, json.dumps({"tokens": tokens}, indent=1), mode=0o600)

    def _known(self) -> Mapping[str, bytes]:
        with self._lock:
            try:
                status = self._path.stat()
                seen = (status.st_mtime_ns, status.st_ino, status.st_size)
                if seen != self._seen:
                    tokens = _tokens(self._path.read_text("utf-8"))
                    self._digests = {name: _digest(token) for name, token in tokens.items()}
                    self._seen = seen
            except (OSError, ValueError):
                self._seen, self._digests = None, {}
            return self._digests


def _tokens(text: str) -> dict[str, str]:
    value = json.loads(text)
    tokens = value.get("tokens") if isinstance(value, dict) else None
    if not isinstance(tokens, dict):
        raise ValueError("no tokens")
    return {name: token for name, token in tokens.items() if isinstance(token, str) and len(token) >= SHORTEST}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
