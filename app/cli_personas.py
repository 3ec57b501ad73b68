"""`hearth persona`: personas made, looked at, shared and checked on a terminal or a pipe. Knows no window.

What is written for programs is JSON lines. Asking one is `app.cli_persona_run`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from app.bootstrap import Start
from app.cli_chat import EXIT_FAILED, EXIT_OK
from app.command_line import Arguments
from app.console import Console
from app.i18n import error_sentence, tr
from app.limits import PERSONA_TEXT_CHARACTERS
from app.personas.builtin import put_on
from app.personas.bundle_reading import read_bundle
from app.personas.declared import shown
from app.personas.document import PERSONA, fingerprint
from app.personas.faults import telling
from app.personas.folder import Given, Shelved
from app.personas.importing import take
from app.personas.knowledge import document_at
from app.personas.names import short_name_of
from app.personas.persona import Persona
from app.personas.review import Review, review
from app.personas.shelf import Shelf
from app.personas.shelves import LocalShelf, matching
from app.personas.signing import Author, Keys, key_words
from app.personas.trust import Origin, Trust
from app.shown_names import shown_name
from engine.errors import PersonaError


def personas(arguments: Arguments, start: Start, console: Console) -> int:
    """Run one of the commands behind `hearth persona`."""
    if arguments.action == "run":
        from app.cli_persona_run import run  # noqa: PLC0415  # the others need no model

        return run(arguments, start, console)
    if arguments.action == "export":
        from app.cli_persona_export import export  # noqa: PLC0415  # the others need no library

        return export(arguments, own_shelf(start), start, console)
    actions = {"list": _list, "show": _show, "new": _new, "import": _import, "verify": _verify}
    return actions[arguments.action or "list"](arguments, start, console)


def own_shelf(start: Start) -> Shelf:
    """The person's personas, with those that come with Hearth among them."""
    shelf = Shelf(start.paths.personas)
    with suppress(PersonaError):  # a folder that cannot be written can be read still
        put_on(shelf)
    return shelf


def _list(arguments: Arguments, start: Start, console: Console) -> int:
    if arguments.from_shelf:
        return _list_offers(arguments, start, console)
    listing = own_shelf(start).listing()
    default = start.settings.text("persona.default")
    for each in listing.personas:
        persona = each.persona
        if console.json:
            console.record({**_record(each), "default": persona.short_name == default})
            continue
        about = [persona.name]
        if persona.short_name == default:
            about.append(tr("(for new chats)"))
        if not each.usable:
            about.append(tr("(not looked at yet)"))
        console.say(f"{persona.short_name}  {' '.join(about)}  {console.faint(shown(persona.description))}".rstrip())
    for problem in listing.problems:
        console.fail(error_sentence(problem.error))
    if not listing.personas and not listing.problems:
        console.note(tr("There is no persona yet. Make one: hearth persona new NAME"))
    return EXIT_FAILED if listing.problems and not listing.personas else EXIT_OK


def _list_offers(arguments: Arguments, start: Start, console: Console) -> int:
    folders = [Path(folder).expanduser() for folder in start.settings.texts("persona.shelves")]
    if not folders:
        console.note(tr("No folder with personas is set: persona.shelves in {path}", path=start.settings.path))
    for offer in matching(LocalShelf(folders).found(), " ".join(arguments.question)):
        if offer.fault is not None:
            console.fail(error_sentence(offer.fault))
        elif console.json:
            console.record({
                "type": "offer", "file": str(offer.path), "short_name": offer.short_name, "name": offer.name,
                "description": offer.description, "tags": list(offer.tags), "author": offer.author,
                "version": offer.version, "words": offer.signed_by,
            })  # fmt: skip
        else:
            tags = " ".join(f"#{tag}" for tag in offer.tags)
            about = console.faint(shown(f"{offer.description} {tags}"))
            console.say(f"{shown_name(offer.path)}  {shown_name(offer.name)}  {about}".rstrip())
    return EXIT_OK


def _show(arguments: Arguments, start: Start, console: Console) -> int:
    shelf = own_shelf(start)
    shelved = shelf.find(arguments.wanted)
    _present(shelved, start, console)
    if arguments.accept:
        _accept(shelf, shelved, start, console)
    else:
        _say_what_to_do(shelved, console)
    return EXIT_OK


def _new(arguments: Arguments, start: Start, console: Console) -> int:
    instructions = ""
    if arguments.instructions is not None:
        with telling(arguments.instructions), arguments.instructions.open(encoding="utf-8", errors="replace") as file:
            instructions = file.read(PERSONA_TEXT_CHARACTERS + 1)
    files = [document_at(path) for path in arguments.files]
    persona = Persona(
        short_name_of(arguments.wanted),
        arguments.wanted,
        description=arguments.description,
        instructions=instructions,
        knowledge=tuple(files),
    )
    given: Given = {file.sha256: path for file, path in zip(files, arguments.files, strict=True)}
    made = Shelf(start.paths.personas).create(persona, given)
    _tell_made(made, console)
    return EXIT_OK


def _import(arguments: Arguments, start: Start, console: Console) -> int:
    shelf = Shelf(start.paths.personas)
    taken = take(shelf, arguments.files[0])
    for note in taken.notes:
        console.note(note)
    if not console.json:
        _present(taken.shelved, start, console)
    if arguments.accept:
        _accept(shelf, taken.shelved, start, console)
    _tell_made(shelf.get(taken.shelved.persona.short_name), console)
    if not arguments.accept:
        _say_what_to_do(taken.shelved, console)
    return EXIT_OK


def _verify(arguments: Arguments, start: Start, console: Console) -> int:
    bundle = read_bundle(arguments.files[0])
    persona = bundle.persona
    author = Keys(start.paths.config).author(bundle.public_key, persona.author)
    words = key_words(bundle.public_key) if bundle.public_key else ""
    if console.json:
        console.record({
            "type": "verified", "short_name": persona.short_name, "name": persona.name, "signed": bool(words),
            "author": author.name.lower(), "words": words, "fingerprint": fingerprint(persona),
        })  # fmt: skip
        return EXIT_OK
    console.say(tr("The bundle of “{name}” is in order.", name=persona.name))
    console.say(
        {
            Author.UNSIGNED: tr("Nobody has signed it."),
            Author.OWN: tr("You have signed it."),
            Author.KNOWN: tr("It is signed with a key you have accepted before: {words}", words=words),
            Author.NEW: tr("It is signed with a key you have not met before: {words}", words=words),
            Author.OTHER: tr("It is signed with another key than the author's you know: {words}", words=words),
        }[author]
    )
    return EXIT_OK


def _present(shelved: Shelved, start: Start, console: Console) -> None:
    """All that it says and asks for."""
    trust = shelved.trust
    seen = review(shelved, Keys(start.paths.config).author(trust.public_key, shelved.persona.author))
    if console.json:
        console.record({**_record(shelved), **_whole(shelved.persona), "origin_words": seen.origin,
                        "warnings": list(seen.warnings), "granted": list(trust.granted)})  # fmt: skip
        return
    console.say(console.faint(seen.origin))
    for warning in seen.warnings:
        console.say(console.bold(warning))
    for section in seen.sections:
        console.say()
        console.say(console.bold(section.label))
        console.say("".join(piece.shown for piece in section.pieces))
    _print_asks(seen, console)


def _print_asks(seen: Review, console: Console) -> None:
    if not seen.asks:
        return
    console.say()
    console.say(console.bold(tr("It asks to be allowed")))
    for ask in seen.asks:
        console.say(f"[{'x' if ask.granted else ' '}] {ask.words}")


def _accept(shelf: Shelf, shelved: Shelved, start: Start, console: Console) -> None:
    shelf.accept(shelved)
    trust: Trust = shelved.trust
    if trust.public_key:
        Keys(start.paths.config).remember(trust.public_key, shelved.persona.author)
    console.note(tr("“{name}” can be used now.", name=shelved.persona.name))


def _say_what_to_do(shelved: Shelved, console: Console) -> None:
    if not shelved.usable:
        console.note(tr("To use it: hearth persona show {short_name} --accept", short_name=shelved.persona.short_name))


def _tell_made(made: Shelved, console: Console) -> None:
    if console.json:
        console.record(_record(made))
    else:
        console.say(made.persona.short_name)


def _record(shelved: Shelved) -> dict[str, object]:
    persona = shelved.persona
    return {
        "type": "persona", "short_name": persona.short_name, "name": persona.name, "description": persona.description,
        "saved": shelved.number, "fingerprint": shelved.fingerprint, "usable": shelved.usable,
        "imported": shelved.trust.origin is Origin.IMPORTED,
    }  # fmt: skip


def _whole(persona: Persona) -> dict[str, object]:
    table = PERSONA.write(persona)
    assert isinstance(table, dict)
    return {"persona": table, "instructions": persona.instructions}
