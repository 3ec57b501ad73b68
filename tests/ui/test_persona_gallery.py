"""The gallery of personas in a real window: found, filtered, added, remembered for, and a GPT rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.personas import builtin
from app.personas.persona import Persona
from app.personas.shelf import Shelf
from app.services import Services
from app.ui.persona_editor import PersonaEditor
from app.ui.persona_editor_memory import MemoryDialog
from app.ui.persona_editor_rebuild import RebuildDialog
from app.ui.persona_gallery import GalleryDialog
from app.ui.persona_gallery_entries import Entry, Group
from app.ui.persona_review import PersonaReview
from app.ui.workspace import Workspace
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places
from rag.client import LibraryPlace

WAIT_MS = 20_000
PAGE = """Name
Travel helper
Description
Plans trips
Instructions
You plan trips.
Conversation starters
Plan a weekend
Pack a bag
Knowledge
"""


@pytest.fixture
def services(workspace: Workspace, tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(
        workspace.paths,
        publish=workspace.bridge.publish,
        engine=FakeEngine(loaded=True),
        settings=workspace.settings,
        places=Places(tmp_path / "home", {}, "linux", tmp_path / "system"),
        documents=LibraryPlace(workspace.paths.library),
    )
    workspace.attach(opened)
    yield opened
    workspace.bridge.close()
    workspace.detach()
    opened.close()


@pytest.fixture
def folder(workspace: Workspace, tmp_path: Path) -> Path:
    """A folder of somebody else's with one bundle and one damaged file."""
    made = tmp_path / "team"
    made.mkdir()
    theirs = Shelf(tmp_path / "theirs")
    theirs.create(Persona("lawyer", "Lawyer", description="Reads leases", instructions="Be exact.", tags=("law",)))
    theirs.write_bundle("lawyer", made / "lawyer.hearth")
    (made / "broken.hearth").write_bytes(b"nonsense")
    workspace.settings.set("persona.shelves", (str(made),))
    return made


@pytest.fixture
def gallery(qtbot: QtBot, workspace: Workspace, services: Services, folder: Path) -> GalleryDialog:
    """Open, with those that come with Hearth on the shelf, but for the first one, which was deleted."""
    shelf, personas = services.personas.shelf, workspace.personas
    shelf.create(Persona("poet", "Poet", description="Writes of rain", tags=("writing",)))
    qtbot.waitUntil(lambda: all(shelf.has(each) for each in builtin.ORDER), timeout=WAIT_MS)
    shelf.delete(builtin.ORDER[0])
    personas.refresh()
    qtbot.waitUntil(lambda: len(personas.personas) == len(builtin.ORDER), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: personas.get(builtin.ORDER[0]) is None, timeout=WAIT_MS)
    made = GalleryDialog(workspace)
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.looked, timeout=WAIT_MS):
        made.show()
    return made


def entries(gallery: GalleryDialog) -> list[Entry]:
    model = gallery.list.model()
    data = (model.index(row, 0).data(Qt.ItemDataRole.UserRole + 1) for row in range(model.rowCount()))
    return [each for each in data if isinstance(each, Entry)]


def names(gallery: GalleryDialog, group: Group) -> list[str]:
    return [each.name for each in entries(gallery) if each.group is group]


def test_everything_is_there_under_its_heading(gallery: GalleryDialog) -> None:
    assert len(names(gallery, Group.OWN)) == len(builtin.ORDER)
    assert "Poet" in names(gallery, Group.OWN)
    assert names(gallery, Group.BUILT_IN) == [builtin.offers()[0].persona.name]
    assert names(gallery, Group.FOLDERS) == ["Lawyer", "broken.hearth"]
    broken = entries(gallery)[-1]
    gallery.list.choose(broken.group, broken.key)
    assert broken.problem
    assert gallery.details.main_button.isHidden()


def test_words_and_tags_filter(gallery: GalleryDialog) -> None:
    gallery.search.setText("LEASES reads")
    assert [each.name for each in entries(gallery)] == ["Lawyer"]
    gallery.search.setText("no such thing")
    assert gallery.list.entry is None
    gallery.search.clear()
    writing = next(each for each in gallery.tags.buttons if each.text() == "writing")
    writing.click()
    assert "Poet" in names(gallery, Group.OWN)
    assert names(gallery, Group.FOLDERS) == []
    assert all("writing" in each.tags for each in entries(gallery))


def test_one_that_comes_with_hearth_is_added_by_keyboard(
    qtbot: QtBot, gallery: GalleryDialog, services: Services
) -> None:
    name = builtin.offers()[0].persona.name
    gallery.search.setFocus()
    gallery.search.setText(name)
    assert gallery.list.entry is not None
    assert gallery.list.entry.group is Group.BUILT_IN
    QTest.keyClick(gallery.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: name in names(gallery, Group.OWN), timeout=WAIT_MS)
    assert name not in names(gallery, Group.BUILT_IN)
    added = services.personas.shelf.get(builtin.ORDER[0])
    assert added.usable
    with qtbot.waitSignal(gallery.chat_requested, timeout=WAIT_MS) as asked:
        qtbot.waitUntil(lambda: gallery.list.choose(Group.OWN, builtin.ORDER[0]), timeout=WAIT_MS)
        gallery.details.act()
    assert asked.args == [builtin.ORDER[0]]


def test_a_strangers_is_shown_before_it_may_be_used(qtbot: QtBot, gallery: GalleryDialog, services: Services) -> None:
    lawyer = next(each for each in entries(gallery) if each.name == "Lawyer")
    gallery.list.choose(lawyer.group, lawyer.key)
    gallery.details.act()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), PersonaReview), timeout=WAIT_MS)
    assert not services.personas.shelf.get("lawyer").usable
    review = QApplication.activeModalWidget()
    assert isinstance(review, PersonaReview)
    review.use.click()
    qtbot.waitUntil(lambda: services.personas.shelf.get("lawyer").usable, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: gallery.details.main_button.text() == "Chat", timeout=WAIT_MS)


def test_what_a_persona_remembers_is_listed_changed_and_taken_back(
    qtbot: QtBot, workspace: Workspace, gallery: GalleryDialog, services: Services
) -> None:
    memory = services.personas.memory("poet")
    memory.keep("I live in Bonn")
    dialog = MemoryDialog(workspace, services, "poet")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: [each.text() for each in dialog.fields] == ["I live in Bonn"], timeout=WAIT_MS)
    assert not dialog.switch.isChecked()
    dialog.switch.click()
    qtbot.waitUntil(lambda: memory.read().on, timeout=WAIT_MS)
    dialog.new_field.setText("I like rain")
    dialog.add_button.click()
    qtbot.waitUntil(lambda: len(dialog.fields) == 2, timeout=WAIT_MS)
    field = dialog.fields[0]
    field.setText("I live in Rome")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: memory.read().facts[0].text == "I live in Rome", timeout=WAIT_MS)
    emptied = dialog.fields[1]
    emptied.clear()
    QTest.keyClick(emptied, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [each.text() for each in dialog.fields] == ["I live in Rome"], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: dialog.toasts.current is not None, timeout=WAIT_MS)
    toast = dialog.toasts.current
    assert toast is not None
    assert toast.button is not None
    toast.button.click()
    qtbot.waitUntil(lambda: len(dialog.fields) == 2, timeout=WAIT_MS)
    assert [each.text for each in memory.read().used] == ["I live in Rome", "I like rain"]


def test_a_pasted_page_of_a_gpt_becomes_a_draft(qtbot: QtBot, workspace: Workspace, gallery: GalleryDialog) -> None:
    dialog = RebuildDialog(workspace, gallery)
    dialog.rebuilt.connect(gallery.ways.edit_draft)
    dialog.show()
    dialog.instructions.setPlainText(PAGE)
    assert dialog.name.text() == "Travel helper"
    assert dialog.instructions.toPlainText() == "You plan trips."
    dialog.go_button.click()
    editor = next(iter(gallery.findChildren(PersonaEditor)))
    qtbot.waitUntil(editor.isEnabled, timeout=WAIT_MS)
    persona = editor.form.draft.persona
    assert (persona.name, persona.description) == ("Travel helper", "Plans trips")
    assert persona.starters == ("Plan a weekend", "Pack a bag")
    with qtbot.waitSignal(editor.saved, timeout=WAIT_MS):
        editor.save()
    assert workspace.services is not None
    assert workspace.services.personas.shelf.get("travel-helper").usable
    trial = editor.trial.trial
    assert trial is not None
    editor.done(0)
    trial.wait_closed()
