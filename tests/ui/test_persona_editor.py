"""The editor of a persona in a real window: written, tried out, saved, kept over a crash, compared and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.personas.drafts import DraftFolder
from app.personas.persona import KeyedEntry, Persona, Sampling, SpeechStyle, Thinking
from app.personas.shelf import Shelf
from app.services import Services
from app.ui.dialogs import CalmDialog
from app.ui.documents_preview import PagePreview
from app.ui.found_choice import FoundChoice
from app.ui.persona_editor import PersonaEditor
from app.ui.persona_versions import VersionsDialog
from app.ui.toast import Toast
from app.ui.workspace import Workspace
from engine.context.segments import Origin, Role
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places
from rag.client import LibraryPlace

WAIT_MS = 20_000
FULL = Persona(
    "tutor",
    "Spanish tutor",
    description="Teaches Spanish.\nKindly.",
    instructions="Teach.\u00a0Correct  gently.\r\nOne thing at a time.",
    greeting="¡Hola!",
    greetings=("Buenos días",),
    starters=("How do I say hello?", "One\nTwo"),
    tags=("languages", "school, evening"),
    author="Ana",
    licence="CC-BY-4.0",
    version="2.1",
    changelog="More patience.",
    models=("a.gguf", "b.gguf", "c.gguf", "d.gguf"),
    sampling=Sampling(temperature=0.333, top_k=900, max_tokens=400),
    thinking=Thinking.OFF,
    tools=("calendar",),
    speech=SpeechStyle("x:y", "es", 1.27),
    keyed=(KeyedEntry(("ser", "estar"), "Two verbs for to be.", order=3, extensions={"id": 7}),),
    extensions={"open_webui": {"x": 1}},
)


@pytest.fixture
def services(workspace: Workspace, tmp_path: Path) -> Iterator[Services]:
    engine = FakeEngine(loaded=True)
    opened = Services.open(
        workspace.paths,
        publish=workspace.bridge.publish,
        engine=engine,
        settings=workspace.settings,
        places=Places(tmp_path / "home", {}, "linux", tmp_path / "system"),
        documents=LibraryPlace(workspace.paths.library),
    )
    workspace.attach(opened)
    yield opened
    workspace.bridge.close()
    workspace.detach()
    opened.close()


def edit(qtbot: QtBot, workspace: Workspace, services: Services, short_name: str = "") -> PersonaEditor:
    editor = PersonaEditor(workspace, services, short_name)
    qtbot.addWidget(editor, before_close_func=lambda open_one: open_one.done(0))  # else it may ask
    with qtbot.waitSignal(editor.opened, timeout=WAIT_MS):
        editor.show()
    return editor


def close(qtbot: QtBot, editor: PersonaEditor) -> None:
    trial = editor.trial.trial
    editor.done(0)
    if trial is not None:
        trial.wait_closed()


def shelf_of(services: Services) -> Shelf:
    return services.personas.shelf


def requests(services: Services) -> list[str]:
    """What the model was told besides what people said, the newest request last."""
    engine = services.engine
    assert isinstance(engine, FakeEngine)
    return [
        "".join(
            segment.text
            for message in request.messages
            if message.role is Role.SYSTEM
            for segment in message.segments
            if segment.origin is Origin.PERSONA
        )
        for request in engine.requests
    ]


def test_a_persona_comes_out_of_the_form_as_it_went_in(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    saved = shelf_of(services).create(FULL)
    editor = edit(qtbot, workspace, services, "tutor")
    assert editor.form.draft.persona == saved.persona
    assert not editor.is_changed
    assert not editor.save_button.isEnabled()
    editor.form.name.setText("Spanish teacher")
    assert editor.is_changed
    assert editor.form.draft.persona == Persona(**{**_fields(saved.persona), "name": "Spanish teacher"})
    close(qtbot, editor)


def test_a_model_that_is_named_by_its_hash_is_said_in_words(
    qtbot: QtBot, workspace: Workspace, services: Services
) -> None:
    named = replace(FULL, models=("ab" * 32, "b.gguf"))
    shelf_of(services).create(named)
    editor = edit(qtbot, workspace, services, "tutor")
    choices = editor.form.findChildren(FoundChoice)
    shown = [choice.currentText() for choice in choices]
    assert "the very file abababababab…" in shown
    assert "b.gguf (not on this computer)" in shown
    assert editor.form.draft.persona.models == named.models
    close(qtbot, editor)


def test_saving_makes_a_persona_and_then_versions(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    editor = edit(qtbot, workspace, services)
    editor.form.instructions.setPlainText("Answer in rhymes.")
    editor.save()
    assert [each.label.text() for each in editor.findChildren(Toast)] == ["Give the persona a name first."]
    editor.form.name.setText("Poet")
    editor.form.starters.fields[0].setText("Write of rain")
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    made = shelf_of(services).get("poet")
    assert (made.number, made.persona.instructions, made.persona.starters) == (
        1,
        "Answer in rhymes.",
        ("Write of rain",),
    )
    assert made.usable
    assert not editor.is_changed
    editor.form.description.setText("Writes poems")
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    assert shelf_of(services).get("poet").number == 2
    assert editor.foot.state.text() == "Version 2 is saved"
    close(qtbot, editor)


def test_nothing_written_is_lost_when_the_program_dies(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    shelf_of(services).create(FULL)
    editor = edit(qtbot, workspace, services, "tutor")
    editor.form.instructions.setPlainText("Half a sentence")
    drafts = DraftFolder(shelf_of(services).folder)
    qtbot.waitUntil(lambda: drafts.find("tutor") is not None, timeout=WAIT_MS)
    close(qtbot, editor)  # without a word to anybody
    again = edit(qtbot, workspace, services, "tutor")
    assert again.form.instructions.toPlainText() == "Half a sentence"
    assert again.is_changed
    with qtbot.waitSignal(again.saved, timeout=WAIT_MS):
        again.save()
    assert shelf_of(services).get("tutor").persona.instructions == "Half a sentence"
    assert drafts.find("tutor") is None
    close(qtbot, again)


@pytest.mark.parametrize("button", ["Discard", "Keep for later", "Save"])
def test_closing_asks_what_becomes_of_changes(
    qtbot: QtBot, workspace: Workspace, services: Services, button: str
) -> None:
    shelf_of(services).create(FULL)
    editor = edit(qtbot, workspace, services, "tutor")
    trial = editor.trial.trial
    assert trial is not None
    editor.form.description.setText("Another one")
    answer_question(button)
    editor.reject()
    qtbot.waitUntil(lambda: not editor.isVisible(), timeout=WAIT_MS)
    trial.wait_closed()
    drafts = DraftFolder(shelf_of(services).folder)
    qtbot.waitUntil(lambda: (drafts.find("tutor") is not None) is (button == "Keep for later"), timeout=WAIT_MS)
    assert shelf_of(services).get("tutor").number == (2 if button == "Save" else 1)


def test_the_trial_answers_as_the_form_stands_and_keeps_nothing(
    qtbot: QtBot, workspace: Workspace, services: Services
) -> None:
    editor = edit(qtbot, workspace, services)
    editor.form.instructions.setPlainText("You are a pirate.")
    editor.trial.ask("Who are you?")
    qtbot.waitUntil(lambda: not editor.trial.is_answering, timeout=WAIT_MS)
    assert "You are a pirate." in requests(services)[-1]
    editor.form.instructions.setPlainText("You are a nun.")
    editor.trial.ask("And now?")
    qtbot.waitUntil(lambda: not editor.trial.is_answering, timeout=WAIT_MS)
    assert "You are a nun." in requests(services)[-1]
    assert "pirate" not in requests(services)[-1]
    assert len(editor.trial.transcript.message_ids()) == 4
    editor.trial.restart()
    assert editor.trial.transcript.message_ids() == []
    assert services.store_call(lambda store: store.conversations()).result() == []
    assert not any(each.persona.instructions == "You are a nun." for each in shelf_of(services).listing().personas)
    close(qtbot, editor)


def test_a_starter_that_only_begins_a_question_waits_for_the_rest(
    qtbot: QtBot, workspace: Workspace, services: Services
) -> None:
    editor = edit(qtbot, workspace, services)
    trial = editor.trial
    trial.start.chosen.emit("Translate: ")
    assert trial.words.toPlainText() == "Translate: "
    assert not trial.is_answering
    trial.start.chosen.emit("Who are you?")
    assert trial.words.toPlainText() == "Translate: Who are you?", "something else was being written"
    trial.words.clear()
    trial.start.chosen.emit("Who are you?")
    assert trial.words.toPlainText() == ""
    qtbot.waitUntil(lambda: len(trial.transcript.message_ids()) == 2 and not trial.is_answering, timeout=WAIT_MS)
    close(qtbot, editor)


def test_a_citation_in_the_trial_opens_its_page(
    qtbot: QtBot, workspace: Workspace, services: Services, tmp_path: Path
) -> None:
    handbook = tmp_path / "handbook.md"
    handbook.write_text("# Leave\n\nEverybody has thirty days of leave a year.\n", encoding="utf-8")
    editor = edit(qtbot, workspace, services)
    editor.form.name.setText("Office")
    editor.form.add_files([handbook])
    qtbot.waitUntil(lambda: len(editor.form.files.files) == 1, timeout=WAIT_MS)
    editor.trial.ask("How many days of leave does everybody have?")
    transcript = editor.trial.transcript
    qtbot.waitUntil(lambda: len(transcript.message_ids()) == 2 and not editor.trial.is_answering, timeout=WAIT_MS)
    trial = editor.trial.trial
    assert trial is not None
    (question, _answer) = trial.store_call(lambda store: store.path(store.conversations()[0].id)).result(20)
    assert question.sources is not None
    transcript.citation_activated.emit(question.sources.passages[0])
    (preview,) = (each for each in editor.findChildren(PagePreview) if each.isVisible())
    qtbot.waitUntil(lambda: "thirty days" in preview.text.toPlainText(), timeout=WAIT_MS)
    preview.reject()
    close(qtbot, editor)


def test_documents_are_added_named_and_refused(
    qtbot: QtBot, workspace: Workspace, services: Services, tmp_path: Path
) -> None:
    good, bad = tmp_path / "handbook.md", tmp_path / "run.exe"
    good.write_text("# Leave\nThirty days of leave a year.", encoding="utf-8")
    bad.write_bytes(b"MZ")
    editor = edit(qtbot, workspace, services)
    with qtbot.waitSignal(editor.form.failed, timeout=WAIT_MS) as told:
        editor.form.add_files([bad])
    assert told.args == ["Hearth cannot answer from files like “run.exe”."]
    editor.form.name.setText("Office")
    editor.form.add_files([good])
    qtbot.waitUntil(lambda: len(editor.form.files.files) == 1, timeout=WAIT_MS)
    shown = editor.form.files
    qtbot.waitUntil(lambda: any("read ·" in each.text() for each in shown.findChildren(QLabel)), timeout=WAIT_MS)
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    saved = shelf_of(services).get("office")
    assert [each.name for each in saved.persona.knowledge] == ["handbook.md"]
    close(qtbot, editor)


def test_an_icon_is_made_small_and_square(
    qtbot: QtBot, workspace: Workspace, services: Services, tmp_path: Path
) -> None:
    picture = QImage(1600, 900, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(tmp_path / "big.jpg"))
    editor = edit(qtbot, workspace, services)
    editor.form.name.setText("Painter")
    with qtbot.waitSignal(editor.form.changed, timeout=WAIT_MS):
        editor.form.icon.choose(tmp_path / "big.jpg")
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    saved = shelf_of(services).get("painter").persona
    icon = QImage.fromData(shelf_of(services).place("painter").found(saved, saved.icon_sha256))
    assert (icon.width(), icon.height()) == (256, 256)
    close(qtbot, editor)


def test_versions_are_compared_and_brought_back(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    shelf = shelf_of(services)
    first = shelf.create(Persona("poet", "Poet", instructions="Rhyme."))
    shelf.save(Persona("poet", "Poet", instructions="Do not rhyme."), first.number)
    editor = edit(qtbot, workspace, services, "poet")
    editor.show_versions()
    dialog = next(each for each in editor.findChildren(VersionsDialog))
    qtbot.waitUntil(lambda: "+Do not rhyme." in dialog.difference, timeout=WAIT_MS)
    assert "-Rhyme." in dialog.difference
    assert not dialog.restore_button.isEnabled()
    dialog.list.setCurrentRow(1)
    with qtbot.waitSignal(dialog.restored, timeout=WAIT_MS):
        dialog.restore_button.click()
    assert shelf.get("poet").number == 3
    assert editor.form.instructions.toPlainText() == "Rhyme."
    assert not editor.is_changed
    dialog.reject()
    close(qtbot, editor)


def answer_question(words: str) -> None:
    """Press a button of the question that is about to be asked."""

    def press() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, CalmDialog):
            QTimer.singleShot(10, press)
            return
        next(each for each in dialog.findChildren(QPushButton) if each.text() == words).click()

    QTimer.singleShot(0, press)


def _fields(persona: Persona) -> dict[str, object]:
    return {name: getattr(persona, name) for name in Persona.__dataclass_fields__}


def test_one_that_nobody_has_looked_at_is_not_opened(
    qtbot: QtBot, workspace: Workspace, services: Services, tmp_path: Path
) -> None:
    theirs = Shelf(tmp_path / "theirs")
    theirs.create(Persona("lawyer", "Lawyer", instructions="Be exact."))
    theirs.write_bundle("lawyer", tmp_path / "lawyer.hearth")
    shelf_of(services).take_bundle(tmp_path / "lawyer.hearth")
    editor = PersonaEditor(workspace, services, "lawyer")
    qtbot.addWidget(editor)
    answer_question("Close")
    with qtbot.waitSignal(editor.rejected, timeout=WAIT_MS):
        editor.show()
    assert editor.trial.trial is None


def test_what_was_saved_elsewhere_meanwhile_is_not_lost(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    shelf = shelf_of(services)
    first = shelf.create(Persona("poet", "Poet", instructions="Rhyme."))
    editor = edit(qtbot, workspace, services, "poet")
    shelf.save(Persona("poet", "Poet", instructions="From elsewhere."), first.number)
    editor.form.instructions.setPlainText("From here.")
    answer_question("Save mine as the newest")
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    texts = [shelf.place("poet").at(each.number).instructions for each in shelf.versions("poet")]
    assert texts == ["From here.", "From elsewhere.", "Rhyme."]
    close(qtbot, editor)


def test_every_field_is_reached_by_the_tab_key(qtbot: QtBot, workspace: Workspace, services: Services) -> None:
    editor = edit(qtbot, workspace, services)
    editor.activateWindow()
    wanted = {editor.form.name, editor.form.description, editor.form.instructions, editor.form.files.add_button}
    wanted |= {editor.form.icon, editor.form.starters.fields[0], editor.trial.words}
    wanted |= {fold.button for fold in editor.form.folds.values()}
    reached: set[QWidget] = set()
    each = editor.form.name.nextInFocusChain()
    while each is not editor.form.name and each is not None:
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus:
            reached.add(each)
        each = each.nextInFocusChain()
    assert wanted - {editor.form.name} <= reached
    assert all(each.accessibleName() or getattr(each, "text", str)() for each in wanted)
    close(qtbot, editor)
