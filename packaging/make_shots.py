"""Make the screenshots of the README: `python packaging/make_shots.py FOLDER`.

Opens the real window on a throw-away data folder with made-up conversations and the scripted engine, without a
screen, and photographs one view after the other.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("QT_SCALE_FACTOR", "2")

from PySide6.QtGui import QColor, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.events import ChatEvent, VoiceHappened
from app.paths import Paths, default_models_folder, resolve_paths
from app.services import Services
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.types import AttachmentPart, MessageUsage, Part, ReasoningPart, StoredMessage, TextPart
from app.ui.application import Application
from app.ui.main_window import MainWindow
from app.ui.model_dialog import open_model_picker
from app.ui.persona_editor import open_editor
from app.ui.persona_gallery import open_gallery
from app.ui.settings_dialog import SettingsDialog
from app.ui.shortcuts_dialog import ShortcutsDialog
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar, VoiceEvent, VoiceLevel, VoiceState, VoiceUse
from app.weights_bundle import VOICE
from engine.context.segments import Role
from engine.fake import FakeEngine
from engine.model.discovery_stores import Places
from engine.pages import CacheEntry, CacheReport, PageState, PromptPage, PromptPlan, Region, RegionUse
from engine.types import ModelSpec
from voice.audio.devices import AudioDevice
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase
from voice.types import VoiceName

WIDTH, HEIGHT = 1280, 820
QWEN = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
PATIENCE_S = 60.0
DAY = 86_400

CODE_QUESTION = "How can I read a large CSV in Python and sum one column per month without loading it all?"
CODE_ANSWER = '''Read it row by row; `csv.DictReader` holds one row at a time, so the size of the file does not matter:

```python
import csv
from collections import defaultdict
from pathlib import Path


def monthly_totals(path: Path, date: str, amount: str) -> dict[str, float]:
    """Sum `amount` per month ("2026-03") over the rows of a CSV file."""
    totals: defaultdict[str, float] = defaultdict(float)
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            totals[row[date][:7]] += float(row[amount])
    return dict(totals)
```

How the common ways compare for a file of 2 GB:

| way | memory | time | needs |
|---|---:|---:|---|
| `csv.DictReader` | 12 MB | 41 s | nothing |
| `pandas`, in chunks | 180 MB | 19 s | pandas |
| `duckdb` | 95 MB | 3 s | duckdb |

For a single report I would stay with the first. If you do this daily, **DuckDB** is worth the dependency.'''
MATH_QUESTION = "Why does the average of many dice become a bell curve? Show me the formula too."
MATH_ANSWER = r"""Each die has mean $\mu = 3.5$ and variance $\sigma^2 = \tfrac{35}{12}$. For the average of $n$ dice

$$\bar{X}_n = \frac{1}{n}\sum_{i=1}^{n} X_i, \qquad \operatorname{Var}(\bar{X}_n) = \frac{\sigma^2}{n}.$$

The *central limit theorem* says what shape it takes:

$$\frac{\bar{X}_n - \mu}{\sigma / \sqrt{n}} \longrightarrow \mathcal{N}(0, 1).$$

Intuitively, there are **many ways** to reach a middling sum and only one way to roll all sixes:

1. With 2 dice, 7 can be made in 6 ways, 12 in only one.
2. With 10 dice, 35 can be made in 4,395,456 ways, 60 still in only one.
3. The more dice, the more the middle outnumbers the ends."""
MATH_THOUGHT = "The person wants intuition and the formula. Start from one die, then the mean, then count combinations."
LETTER = """Dear Mr Alder,

since Monday the radiator in the living room stays cold, though the valve is open. Could you send someone this week?
Mornings before ten suit me best."""

LEASE = (
    """LEASE AGREEMENT

7. Heating. The landlord keeps the heating in working order from 1 October to 30 April and has faults repaired within
two working days after they are reported. Where a living room stays below 20 °C for longer, the rent is reduced."""
    * 3
)
LEASE_TURNS = (
    ("I have attached my lease. In one sentence: who repairs the heating?", "The landlord, within two working days."),
    (
        "What counts as a fault?",
        "Any living room that stays below 20 °C between October and April, says clause 7. " * 3,
    ),
    ("The radiator has been cold since Monday. What should I do first?", "Report it in writing and keep a copy. " * 4),
    ("By e-mail?", "Yes. Ask for a confirmation, and note the day and hour of your message. " * 3),
    ("Here are my notes of the temperatures.", "Thank you. Three evenings lie clearly below 20 °C. " * 5),
    ("Which days exactly?", "Tuesday (17.5 °C), Wednesday (16 °C) and Thursday (16.5 °C). " * 2),
    ("How much less rent would that be?", "Courts often allow a tenth to a fifth for one cold living room. " * 6),
    ("Remember: I do not want to quarrel.", "Understood. I will keep the tone friendly. "),
    ("Is there a deadline?", "Clause 7 gives two working days, so the landlord is late since Thursday. " * 3),
    ("Can I call a plumber myself?", "Only after a second reminder, or in an emergency. " * 4),
    ("And if nobody answers?", "Then set a date in writing, one week ahead, and say what you will do after it. " * 3),
    ("Good. Draft the reminder.", LETTER),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """A made-up conversation, `age_days` old."""

    title: str
    age_days: float
    turns: Sequence[tuple[str, tuple[Part, ...]]] = ()
    folder: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False
    files: Sequence[tuple[int, AttachmentPart]] = ()
    """(turn, file)."""


def short(question: str, answer: str) -> list[tuple[str, tuple[Part, ...]]]:
    return [(question, (TextPart(answer),))]


DEMOS = (
    Demo("Monthly totals from a large CSV", 0.01, short(CODE_QUESTION, CODE_ANSWER), tags=("python",)),
    Demo("Dice and the bell curve", 0.03, [(MATH_QUESTION, (ReasoningPart(MATH_THOUGHT, 4.0), TextPart(MATH_ANSWER)))]),
    Demo("Letter about the cold radiator", 0.2, short("Write to my landlord: the radiator is cold.", LETTER)),
    Demo("Sourdough, week by week", 9, short("Feeding plan?", "Once a day."), pinned=True, tags=("kitchen",)),
    Demo("Which radiator valve fits?", 1.1, short("M30 or M28?", "M30 × 1.5 is the common radiator thread.")),
    Demo("Names for a bakery", 1.3, short("Ideas?", "Crumb & Co.")),
    Demo("Outline for the quarterly report", 2, short("Outline?", "Start with the result."), folder="Work"),
    Demo("Minutes from meeting notes", 3, short("Minutes, please.", "Decisions first."), folder="Work"),
    Demo("Tomato blight", 4, short("Brown spots?", "Remove the leaves."), folder="Garden"),
    Demo("When to prune the apple tree", 12, short("When?", "In late winter."), folder="Garden"),
    Demo(
        "My lease and the cold radiator",
        4.5,
        [(question, (TextPart(answer),)) for question, answer in LEASE_TURNS],
        files=(
            (0, AttachmentPart("lease.pdf, page 3", LEASE, 48_000)),
            (4, AttachmentPart("temperatures.txt", "Mon 18.5\nTue 17.5\nWed 16.0\nThu 16.5\n" * 8, 400)),
        ),
    ),
    Demo("Packing list for Lisbon", 5, short("What to pack?", "Layers.")),
    Demo("Explain a lease clause", 8, short("Clause 7?", "It is about heating.")),
    Demo("SQL window functions", 16, short("How?", "`OVER (PARTITION BY …)`"), tags=("sql",)),
    Demo("A toast for Ruth and Tom", 24, short("A toast?", "To laughter.")),
    Demo("Haiku about fog", 45, short("Fog?", "Harbour without edge.")),
)


def seed(paths: Paths) -> None:
    """Fill the store with the made-up conversations."""
    store = ConversationStore.open(paths.conversations_db)
    folders = {name: store.create_folder(name).id for name in sorted({demo.folder for demo in DEMOS} - {""})}
    usage = MessageUsage(1284, 1031, 412, 8192, 0.21, 9.8)
    ages: list[tuple[float, str]] = []
    for demo in sorted(DEMOS, key=lambda each: -each.age_days):
        conversation = store.create_conversation(title=demo.title, folder_id=folders.get(demo.folder))
        parent = None
        for turn, (question, answer) in enumerate(demo.turns):
            files = tuple(file for at, file in demo.files if at == turn)
            parts = (*files, TextPart(question))
            asked = store.add_message(conversation.id, parent_id=parent, role=Role.USER, parts=parts)
            told = store.add_message(conversation.id, parent_id=asked.id, role=Role.ASSISTANT, parts=answer)
            parent = store.update_message(told.id, usage=usage).id
        store.set_tags(conversation.id, demo.tags)
        store.set_pinned(conversation.id, demo.pinned)
        ages.append((time.time() - demo.age_days * DAY, conversation.id))
    store.close()
    _make_old(paths.conversations_db, ages)


def _make_old(database: Path, ages: Sequence[tuple[float, str]]) -> None:
    with sqlite3.connect(database) as connection:
        connection.executemany("UPDATE conversations SET updated_at = ? WHERE id = ?", ages)
    connection.close()


def memory_plan(path: Sequence[StoredMessage], n_ctx: int) -> PromptPlan:
    """What an engine might say of a long conversation: one turn left out, two to go next, a summary, a pinned one."""
    pages = [PromptPage("persona", 118, Region.SYSTEM)]
    pinned = path[14].id
    for place, message in enumerate(path):
        state = PageState.OUT if place in (2, 3) else PageState.NEXT_OUT if 4 <= place < 8 else PageState.IN_WINDOW
        if place == 2:
            pages.append(PromptPage("summary", 96, Region.OLDER))
        region = Region.RECENT if place > 15 else Region.OLDER
        region = Region.PINNED if message.id == pinned else region
        common = (region, state, message.id)
        pages += [
            PromptPage("document", len(part.text) // 3, Region.RETRIEVED, state, message.id, part.name)
            for part in message.parts
            if isinstance(part, AttachmentPart)
        ]
        origin = "user" if message.role is Role.USER else "assistant"
        pages.append(PromptPage(origin, len(message.text) // 3, *common, pinned=message.id == pinned))
        pages.append(PromptPage("app", 6, *common))
    inside = [page for page in pages if page.state is not PageState.OUT]
    held = {region: sum(page.tokens for page in inside if page.region is region) for region in Region}
    shares = {Region.SYSTEM: 512, Region.PINNED: 512, Region.RECENT: 1536, Region.RETRIEVED: 1024, Region.OLDER: 1024}
    regions = (*(RegionUse(each, held[each], shares[each]) for each in shares), RegionUse(Region.ANSWER, 0, 512))
    used = sum(held.values())
    return PromptPlan(tuple(pages), regions, used, used - 60, n_ctx, tuple(path[place].id for place in (2, 3)))


class Photographer:
    """Opens the window and takes the pictures."""

    def __init__(self, app: QApplication, folder: Path) -> None:
        self._app, self._folder = app, folder

    def wait(self, until: Callable[[], bool], *, settle_s: float = 0.4) -> None:
        """Let the window work until something is true, and then until it has settled."""
        end = time.monotonic() + PATIENCE_S
        while not until():
            self._app.processEvents()
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            time.sleep(0.01)
        end = time.monotonic() + settle_s
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.01)

    def take(self, widget: QWidget, name: str) -> None:
        path = self._folder / f"{name}.png"
        widget.grab().save(str(path))
        print(path)

    def over(self, window: MainWindow, dialog: QWidget, name: str) -> None:
        """Photograph a dialog in front of its dimmed window."""
        dialog.show()
        self.wait(dialog.isVisible)
        picture = window.grab()
        painter = QPainter(picture)
        painter.fillRect(0, 0, window.width(), window.height(), QColor(0, 0, 0, 90))
        corner_x, corner_y = (window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 2
        painter.drawPixmap(corner_x, corner_y, dialog.grab())
        painter.end()
        path = self._folder / f"{name}.png"
        picture.save(str(path))
        print(path)
        dialog.close()
        self.wait(lambda: True, settle_s=0.1)


def open_window(app: QApplication, paths: Paths, engine: FakeEngine, theme: str) -> Application:
    nowhere = Places(home=paths.data / "nobody", environment={}, system=paths.data / "nowhere")

    def open_services(paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None]) -> Services:
        return Services.open(paths, publish=publish, settings=settings, engine=engine, places=nowhere)

    settings = Settings.load(paths.settings_file)
    settings.set("appearance.theme", theme)
    application = Application(app, paths, open_services=open_services)
    application.start()
    application.windows[0].resize(WIDTH, HEIGHT)
    return application


def _engine(model: Path | None) -> FakeEngine:
    engine = FakeEngine(loaded=False, n_ctx=8192)
    if model is not None:
        engine.load(ModelSpec(model)).result()
    return engine


def _conversation(window: MainWindow, title: str) -> str:
    return next(each.id for each in window.workspace.library.conversations if each.title == title)


def shoot_first_run(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    paths = replace(resolve_paths(root / f"first-{theme}"), models=root / "empty")
    application = open_window(app, paths, FakeEngine(loaded=False), theme)
    window = application.windows[0]
    camera.wait(lambda: window.centre.currentWidget() is window.first_run)
    camera.take(window, f"first-run-{theme}")
    application.close()


def shoot_chats(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    paths = resolve_paths(root / f"chats-{theme}")
    paths.create()
    seed(paths)
    engine = _engine(default_models_folder() / QWEN)
    application = open_window(app, paths, engine, theme)
    window = application.windows[0]
    camera.wait(lambda: window.workspace.library.loaded and window.workspace.models.scanned)
    camera.take(window, f"start-{theme}")
    window.open_conversation(_conversation(window, DEMOS[0].title))
    camera.wait(lambda: len(window.page.path) == 2)
    camera.take(window, f"chat-code-{theme}")
    window.open_conversation(_conversation(window, DEMOS[1].title))
    window.panel.show_context()
    window.panel.show()
    shoot_memory(camera, window, engine, theme)
    window.panel.show_parameters()
    camera.wait(lambda: True)
    camera.take(window, f"chat-parameters-{theme}")
    window.panel.hide()
    window.sidebar.search.setText("radiator")
    camera.wait(lambda: bool(window.sidebar.results.model.hits))
    camera.take(window, f"search-{theme}")
    window.sidebar.search.clear()
    settings = SettingsDialog(window.workspace, window)
    settings.open_group("Chat")
    camera.over(window, settings, f"settings-{theme}")
    camera.over(
        window, ShortcutsDialog(window.workspace.theme, window.workspace.commands, window), f"shortcuts-{theme}"
    )
    camera.over(window, open_model_picker(window.workspace.theme, window.workspace.models, window), f"models-{theme}")
    application.close()


def shoot_memory(camera: Photographer, window: MainWindow, engine: FakeEngine, theme: str) -> None:
    """The memory map of a long conversation, and the same pages as a list."""
    title = next(demo.title for demo in DEMOS if demo.files)
    others = [_conversation(window, each.title) for each in DEMOS[:2]]
    window.open_conversation(_conversation(window, title))
    camera.wait(lambda: len(window.page.path) == 2 * len(LEASE_TURNS), settle_s=0)
    engine.planned = memory_plan(window.page.path, 4096)
    entries = (CacheEntry(others[0], 3980, False, False, 60.0), CacheEntry(others[1], 1284, True, False, 900.0))
    engine.cached = CacheReport(entries, 6000, 8192, 48_000_000, 4_000_000_000)
    panel = window.panel.context
    assert panel is not None
    panel.shown.emit()
    camera.wait(lambda: panel.memory.model.rowCount() > 0, settle_s=1.0)
    camera.take(window, f"chat-context-{theme}")
    panel.memory.map.setCurrentIndex(panel.memory.model.index(4))
    panel.memory.map.setFocus()
    camera.wait(lambda: True)
    camera.take(window, f"memory-page-{theme}")
    panel.memory.toggle.setChecked(True)
    camera.wait(lambda: True)
    camera.take(window, f"memory-list-{theme}")
    panel.memory.toggle.setChecked(False)
    panel.verticalScrollBar().setValue(panel.verticalScrollBar().maximum())
    camera.wait(lambda: True)
    camera.take(window, f"memory-foot-{theme}")
    panel.verticalScrollBar().setValue(0)


HANDBOOK = (
    (
        "The harbour",
        "The lighthouse of Norrholm was built in 1847 by the engineer Ada Lindqvist. It stands 23 metres high and was "
        "lit by rape oil until 1921.",
    ),
    (
        "Ferries",
        "The ferry to the mainland sails twice a day, at 7:15 and at 18:40. In storms above force 9 it stays in port; "
        "a red flag at the pier says so.",
    ),
    ("The school", "Twelve children go to the school of the island. Lessons begin when the morning ferry has left."),
)
HANDBOOK_ANSWER = (
    "The lighthouse was built in 1847 by the engineer Ada Lindqvist and stands 23 metres high [1]. The ferry to the "
    "mainland sails twice a day, at 7:15 and at 18:40 [2]. The lighthouse was lit by electricity from 1905 [1]."
)


def _write_handbook(path: Path) -> None:
    from fpdf import FPDF  # noqa: PLC0415  # a tool of the developers'

    pdf = FPDF()
    pdf.set_title("Norrholm handbook")
    for title, text in HANDBOOK:
        pdf.add_page()
        pdf.set_font("times", "B", 22)
        pdf.multi_cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("times", size=13)
        for paragraph in (f"{title}: what visitors ask most. " * 12, text, "More is told at the pier. " * 15):
            pdf.multi_cell(0, 7, paragraph.strip(), new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    pdf.output(str(path))


def shoot_documents(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    """A question to a document, its sources, the page that is cited, and the library."""
    from app.ui.documents_dialog import open_documents  # noqa: PLC0415  # as the window does
    from app.ui.documents_preview import show_passage  # noqa: PLC0415
    from app.ui.sources_flow import place_of_source  # noqa: PLC0415

    paths = resolve_paths(root / f"documents-{theme}")
    paths.create()
    handbook = root / "Norrholm handbook.pdf"
    _write_handbook(handbook)
    engine = FakeEngine([HANDBOOK_ANSWER], n_ctx=8192)
    application = open_window(app, paths, engine, theme)
    window = application.windows[0]
    window.workspace.settings.override("chat.automatic_titles", False)
    camera.wait(lambda: window.workspace.library.loaded and window.workspace.models.scanned)
    page = window.page
    page.composer.add_files([handbook])
    camera.wait(lambda: [chip.state for chip in page.documents.chips] == ["3 pages"])
    page.composer.insert_text("Who built the lighthouse, and when does the ferry sail?")
    page.composer.submit()
    window.panel.show_sources()
    window.panel.show()
    camera.wait(lambda: len(page.path) == 2 and not page.is_generating and page.path[0].sources is not None)
    camera.take(window, f"documents-answer-{theme}")
    sources = page.path[0].sources
    assert sources is not None
    preview = show_passage(page, window.workspace, place_of_source(sources.passages[0]))
    assert preview is not None
    camera.wait(lambda: preview.stack.currentWidget() is preview.picture, settle_s=1.0)
    camera.over(window, preview, f"documents-page-{theme}")
    library = open_documents(window.workspace, window)
    assert library is not None
    camera.wait(library.isVisible, settle_s=1.0)
    camera.over(window, library, f"documents-library-{theme}")
    application.close()


SPOKEN_QUESTION = "How do I keep basil alive through the winter?"
SPOKEN_ANSWER = (
    "Give it light and warmth: a bright window, above eighteen degrees. Water it from below when the soil feels dry, "
    "and pinch the tips so that it stays bushy. In January a small lamp helps more than any fertiliser."
)


class SilentVoice:
    """Stands in for the voice service: the pictures need no microphone."""

    is_ready = True

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_arguments: None


def shoot_voice(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    """A conversation by speech: listening, thinking, speaking, and what is left of it when it was interrupted."""
    paths = replace(resolve_paths(root / f"voice-{theme}"), models=root / f"voice-{theme}" / "models")
    engine = FakeEngine([SPOKEN_ANSWER], loaded=False, n_ctx=8192)
    engine.load(ModelSpec(default_models_folder() / QWEN)).result()
    application = open_window(app, paths, engine, theme)
    window, workspace = application.windows[0], application.workspace
    camera.wait(lambda: workspace.library.loaded and workspace.models.scanned)
    services = workspace.services
    assert services is not None
    for key, value in (("chat.automatic_titles", False), ("voice.mode", "hands_free")):
        services.settings.override(key, value)
    voice = SilentVoice()
    services._voice = voice  # type: ignore[assignment]
    voice.is_ready = False
    window.actions_of.action("talk").trigger()
    flow = window._voice
    assert flow is not None
    camera.wait(lambda: flow._fetch is not None)
    camera.take(window, f"voice-fetch-{theme}")
    voice.is_ready = True
    flow.close()
    flow.open()
    known: str | None = None

    def tell(event: VoiceEvent) -> None:
        workspace.bridge.publish(VoiceHappened(event))

    def show(phase: Phase, level: float, name: str, mode: Mode = Mode.HANDS_FREE) -> None:
        tell(VoiceState(VoiceUse.CONVERSATION, phase, mode, conversation_id=known))
        picture = flow.view.picture
        picture.show_level(level)
        picture.advance(2.0)
        camera.wait(lambda: True, settle_s=0.1)
        picture.show_level(level)
        picture.advance(1.0)
        camera.take(window, f"{name}-{theme}")

    camera.wait(lambda: True)
    tell(VoiceState(VoiceUse.CONVERSATION, Phase.USER_SPEAKING, Mode.HANDS_FREE))
    tell(HeardSoFar("How do I keep basil", "a life"))
    show(Phase.USER_SPEAKING, 0.06, "voice-listening")
    tell(HeardText(SPOKEN_QUESTION, TextStatus.COMMITTED))
    known = services.chat.send(None, SPOKEN_QUESTION).result()
    show(Phase.THINKING, 0.0, "voice-thinking")
    camera.wait(lambda: len(window.page.path) == 2 and not window.page.is_generating)
    answer = window.page.path[1]
    tell(SpokenSoFar(answer.id, SPOKEN_ANSWER.index(" Water")))
    show(Phase.SPEAKING, 0.12, "voice-speaking")
    services.chat.keep_heard(answer.id, SPOKEN_ANSWER.index(" In January")).result()
    show(Phase.LISTENING, 0.0, "voice-hold", Mode.PUSH_TO_TALK)
    flow.close()
    camera.wait(window.page.transcript.isVisible)
    camera.take(window, f"voice-transcript-{theme}")
    application.close()


class PosedVoice:
    """See `app.voice.VoiceService`: listens to nobody, and says whatever a picture shows."""

    def __init__(self, publish: Callable[[ChatEvent], None]) -> None:
        self._publish = publish

    def tell(self, event: VoiceEvent) -> None:
        self._publish(VoiceHappened(event))

    def take(self, event: ChatEvent) -> None: ...

    def close(self) -> None: ...

    def end_dictation(self) -> None:
        self.tell(VoiceState())

    end = end_dictation

    def dictate(self) -> None:
        self.tell(VoiceState(VoiceUse.DICTATION, Phase.LISTENING, Mode.DICTATION))

    def read_aloud(self, message_id: str, _text: str) -> None:
        self.tell(VoiceState(VoiceUse.READING, message_id=message_id))

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        found: Future[tuple[AudioDevice, ...]] = Future()
        microphone = AudioDevice("Built-in Microphone", "Built-in Microphone", 48_000, 2, 0, is_default_input=True)
        found.set_result((microphone, AudioDevice("Speakers", "Speakers", 48_000, 0, 2, is_default_output=True)))
        return found

    def voices(self) -> Future[tuple[tuple[str, VoiceName], ...]]:
        found: Future[tuple[tuple[str, VoiceName], ...]] = Future()
        found.set_result((("hibari:heart", VoiceName("heart", "Heart", "en")),))
        return found


def shoot_dictation(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    """Dictation into the message field, an answer that is read aloud, and the settings of voice."""
    paths = replace(resolve_paths(root / f"dictation-{theme}"), models=root / "empty")
    paths.create()
    paths.voice.mkdir(parents=True, exist_ok=True)
    for file in VOICE.files:
        with (paths.voice / file.file_name).open("wb") as written:
            written.truncate(file.size_bytes)
    seed(paths)
    application = open_window(app, paths, FakeEngine(n_ctx=8192), theme)
    window, page = application.windows[0], application.windows[0].page
    camera.wait(lambda: window.workspace.library.loaded and window.workspace.services is not None)
    services = window.workspace.services
    assert services is not None
    voice = PosedVoice(services._publish)
    services._voice = voice  # type: ignore[assignment]
    window.open_conversation(_conversation(window, DEMOS[2].title))
    camera.wait(lambda: len(page.path) == 2)
    page.dictation.begin()
    camera.wait(lambda: True)
    camera.take(window, f"dictation-empty-{theme}")
    page.composer.insert_text("Dear Mr Alder, thank you for")
    voice.tell(VoiceState())
    page.dictation.begin()
    voice.tell(HeardText("Your letter of last week.", TextStatus.COMMITTED))
    voice.tell(HeardSoFar("The plumber came on Tuesday and", "changed the bell"))
    voice.tell(VoiceLevel(0.08, 0.0))
    camera.take(window, f"dictation-{theme}")
    page.read_last_aloud()
    camera.wait(lambda: True)
    camera.take(window, f"reading-aloud-{theme}")
    settings = SettingsDialog(window.workspace, window)
    settings.open_group("Voice")
    camera.over(window, settings, f"settings-voice-{theme}")
    application.close()


def shoot_personas(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    """Those that come with Hearth: the start of a chat with one, the picker, the gallery and the editor."""
    paths = resolve_paths(root / f"personas-{theme}")
    paths.create()
    seed(paths)
    application = open_window(app, paths, _engine(default_models_folder() / QWEN), theme)
    window = application.windows[0]
    workspace = window.workspace
    camera.wait(lambda: workspace.library.loaded and workspace.personas.get("spanish-tutor") is not None)
    window.personas.begin("spanish-tutor")
    camera.wait(lambda: window.page.persona.shelved is not None, settle_s=2.0)
    camera.take(window, f"persona-start-{theme}")
    window.page.composer.field.setFocus()
    QTest.keyClicks(window.page.composer.field, "@")
    camera.wait(lambda: True, settle_s=1.0)
    camera.take(window, f"persona-picker-{theme}")
    window.page.composer.field.clear()
    gallery = open_gallery(window, workspace)
    editor = open_editor(window, workspace, "contract-reader")
    assert gallery is not None and editor is not None
    camera.wait(lambda: True, settle_s=2.0)
    camera.over(window, gallery, f"persona-gallery-{theme}")
    camera.over(window, editor, f"persona-editor-{theme}")
    application.close()


def shoot_desktop(camera: Photographer, app: QApplication, root: Path, theme: str) -> None:
    """What is beside the chats: a quick question, the report, and the settings of the desktop and other programs."""
    from app.ui.diagnostics_dialog import DiagnosticsDialog  # noqa: PLC0415  # the window does so too
    from app.ui.quick_ask import QuickAsk  # noqa: PLC0415  # likewise

    paths = resolve_paths(root / f"desktop-{theme}")
    paths.create()
    seed(paths)
    application = open_window(app, paths, _engine(default_models_folder() / QWEN), theme)
    window = application.windows[0]
    camera.wait(lambda: window.workspace.library.loaded)
    for group, name in (("Desktop", "desktop"), ("Other programs", "programs")):
        settings = SettingsDialog(window.workspace, window)
        settings.open_group(group)
        camera.over(window, settings, f"settings-{name}-{theme}")
    report = DiagnosticsDialog(window.workspace, window)
    report.open()
    camera.wait(report.copy_button.isEnabled)
    camera.over(window, report, f"diagnostics-{theme}")
    quick = QuickAsk(window.workspace)
    quick.show()
    camera.wait(lambda: True, settle_s=1.0)
    camera.take(quick, f"quick-question-{theme}")
    quick.close()
    application.close()


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out/shots")
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    app.setStyle("Fusion")
    camera = Photographer(app, folder)
    with tempfile.TemporaryDirectory() as root:
        for theme in ("light", "dark"):
            shoot_first_run(camera, app, Path(root), theme)
            shoot_chats(camera, app, Path(root), theme)
            shoot_documents(camera, app, Path(root), theme)
            shoot_voice(camera, app, Path(root), theme)
            shoot_dictation(camera, app, Path(root), theme)
            shoot_personas(camera, app, Path(root), theme)
            shoot_desktop(camera, app, Path(root), theme)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
