"""An imported persona as the next version of one that is on the shelf already. Blocks; any thread.

It is offered, never done by itself, and only where the two have one author: the same key signed both, or nobody
signed either. What the person made is nobody else's to update. A new version must be looked at like any other.
"""

from __future__ import annotations

from app.personas.folder import Shelved, files_of
from app.personas.shelf import Shelf
from app.personas.trust import Origin


def updated_by(shelf: Shelf, taken: Shelved) -> Shelved | None:
    """The persona that one just `taken` in is another version of; None for none. Raises `PersonaError`."""
    short_name = shelf.place(taken.persona.short_name).given_name(taken.number)
    if short_name == taken.persona.short_name or not shelf.has(short_name) or taken.trust.origin is Origin.OWN:
        return None
    old = shelf.get(short_name)
    if old.trust.origin is Origin.OWN or old.trust.public_key != taken.trust.public_key:
        return None
    return old if old.fingerprint != taken.fingerprint else None


def update(shelf: Shelf, old: Shelved, taken: Shelved) -> Shelved:
    """Make `taken` the next version of `old`, and move the separate copy aside. Raises `PersonaError`.

    Conversations keep the version they have until they are updated; what was granted stays granted, and no more.
    """
    source, target = shelf.place(taken.persona.short_name), shelf.place(old.persona.short_name)
    given = {sha256: source.file(sha256, name) for sha256, name in files_of(taken.persona)}
    target.save(taken.persona, old.number, given)
    shelf.delete(taken.persona.short_name)
    new = shelf.get(old.persona.short_name)
    return shelf.accept(new) if taken.trust.accepted and not new.usable else new
