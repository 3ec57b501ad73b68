"""Who a bundle is from: Ed25519 signatures (RFC 8032), the key of the person here, and the authors met before.

A key is trusted on first use: what is signed says only that the same author made this bundle and that one. Knows no
bundle; blocks on small files. Any thread.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.personas.faults import telling
from app.personas.words import words_of
from engine.atomic_write import atomic_write
from engine.errors import PersonaError, sentence

KEY_NAME = "author_key"
AUTHORS_NAME = "persona_authors.json"
_PURPOSE = b"hearth persona manifest 1\n"
"""Stands before what is signed, so that a signature means nothing elsewhere."""
_UNUSABLE = sentence("The key in {path} cannot be used ({reason}). Move it away, and Hearth makes another one.")


@dataclass(frozen=True, slots=True)
class Signature:
    """`public_key` (32 bytes) and `signature` (64 bytes), in hex."""

    public_key: str
    signature: str


class Author(Enum):
    """What is known of whoever signed a bundle."""

    UNSIGNED = auto()
    OWN = auto()
    """Signed with this person's own key."""
    KNOWN = auto()
    """A bundle of the same key was accepted before."""
    NEW = auto()
    OTHER = auto()
    """The author's name is known with another key."""


class Keys:
    """The keys in the folder of settings."""

    def __init__(self, config: Path) -> None:
        self._key = config / KEY_NAME
        self._authors = config / AUTHORS_NAME

    def sign(self, manifest: bytes) -> Signature:
        """Sign with this person's key, which is made where there is none. Raises `PersonaError`."""
        key = self._own() or self._make()
        return Signature(key.public_key().public_bytes_raw().hex(), key.sign(_PURPOSE + manifest).hex())

    def own_public_key(self) -> str:
        """In hex; "" while there is none. Raises `PersonaError`."""
        key = self._own()
        return "" if key is None else key.public_key().public_bytes_raw().hex()

    def author(self, public_key: str, name: str) -> Author:
        """What is known of the key that signed a bundle of an author of that name."""
        if not public_key:
            return Author.UNSIGNED
        if public_key == self.own_public_key():
            return Author.OWN
        known = self._known()
        if public_key in known:
            return Author.KNOWN
        return Author.OTHER if name and name.casefold() in map(str.casefold, known.values()) else Author.NEW

    def remember(self, public_key: str, name: str) -> None:
        """A bundle of that key was accepted. Raises `PersonaError` where that cannot be kept."""
        known = self._known()
        if not public_key or public_key in known:
            return
        known[public_key] = name
        with telling(self._authors):
            self._authors.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic_write(self._authors, json.dumps(known, indent=1, sort_keys=True))

    def _own(self) -> Ed25519PrivateKey | None:
        try:
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._key.read_text("ascii")))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PersonaError(_UNUSABLE, path=self._key, reason=error.strerror or str(error)) from error
        except ValueError as error:
            raise PersonaError(_UNUSABLE, path=self._key, reason=self._key.name) from error

    def _make(self) -> Ed25519PrivateKey:
        """Two programs may make one at once: the first one's counts."""
        key = Ed25519PrivateKey.generate()
        with telling(self._key):
            self._key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mine = self._key.with_name(f".{KEY_NAME}.{secrets.token_hex(8)}")
            atomic_write(mine, key.private_bytes_raw().hex())
            try:
                if os.name == "posix":
                    os.link(mine, self._key)
                else:
                    mine.rename(self._key)
            except FileExistsError:
                pass  # the other one's key is read below
            finally:
                mine.unlink(missing_ok=True)
        made = self._own()
        assert made is not None
        return made

    def _known(self) -> dict[str, str]:
        """A damaged file forgets who was met: everybody is new again."""
        try:
            known = json.loads(self._authors.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {key: name for key, name in known.items() if isinstance(name, str)} if isinstance(known, dict) else {}


def signed_by(signature: Signature, manifest: bytes) -> bool:
    """Whether the key of `signature` signed just these bytes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        key.verify(bytes.fromhex(signature.signature), _PURPOSE + manifest)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_words(public_key: str) -> str:
    """A key as words to compare; 96 bits of its sha256. `public_key` in hex."""
    return " ".join(words_of(bytes.fromhex(public_key)))
