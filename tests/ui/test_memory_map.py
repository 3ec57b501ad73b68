"""The memory map: drawn to scale, by colour and by pattern, the same as a list, and what keys and buttons ask for."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.memory_pages import PromptWords, WhyOut
from app.memory_view import MemoryView, view_of_start
from app.ui.memory_grid import MemoryGrid, round_number
from app.ui.memory_key import MapKey
from app.ui.memory_map_model import MemoryMapModel
from app.ui.memory_paint import pale
from app.ui.memory_section import MemorySection
from app.ui.theme import Theme, ThemeChoice
from engine.pages import PageState, PromptPage, Region, RegionUse
from engine.types import Started

N_CTX = 4096
OUT, NEXT = PageState.OUT, PageState.NEXT_OUT
PAGES = (
    PromptPage("persona", 200, Region.SYSTEM),
    PromptPage("user", 300, Region.OLDER, OUT, "gone"),
    PromptPage("user", 60, Region.OLDER, OUT, "taken"),
    PromptPage("assistant", 400, Region.OLDER, NEXT, "old"),
    PromptPage("document", 700, Region.RETRIEVED, message_id="ask", label="lease.pdf, page 3"),
    PromptPage("user", 100, Region.PINNED, message_id="ask", pinned=True),
    PromptPage("app", 60, Region.RECENT),
)
USED, CACHED = 1460, 1300
TEXTS = {("old", "assistant", ""): "Once upon\na time", ("ask", "user", ""): "<b>What</b> is this?"}
WORDS = PromptWords(TEXTS, {"taken": WhyOut.PERSON})


def a_view(pages: tuple[PromptPage, ...] = PAGES, *, cached: int = CACHED, n_ctx: int = N_CTX) -> MemoryView:
    used = sum(page.tokens for page in pages if page.state is not OUT)
    regions = (RegionUse(Region.ANSWER, 0, 512),)
    return view_of_start(Started("r", used, cached, n_ctx, 1, pages=pages, regions=regions), WORDS)


@pytest.fixture
def section(qtbot: QtBot) -> MemorySection:
    section = MemorySection(Theme(ThemeChoice.LIGHT))
    qtbot.addWidget(section)
    section.setStyleSheet("background: #f6f4f1;")
    section.resize(320, 700)
    section.show()
    section.show_view(a_view())
    return section


def row_of(section: MemorySection, message_id: str, origin: str) -> QModelIndex:
    pages = section.model.pages()
    return section.model.index(next(i for i, p in enumerate(pages) if (p.message_id, p.origin) == (message_id, origin)))


def picture(section: MemorySection) -> QImage:
    return section.map.viewport().grab().toImage()


def middle(section: MemorySection, index: QModelIndex, *, share: float = 0.5) -> QPoint:
    """A point in the widest rectangle of a page, away from icons and edges."""
    rect = max(section.map.page_rects(index), key=lambda each: each.width())
    return QPointF(rect.left() + rect.width() * share, rect.top() + rect.height() / 3).toPoint()


def spoken(section: MemorySection) -> list[str]:
    model = section.model
    return [str(model.index(row).data(Qt.ItemDataRole.AccessibleTextRole)) for row in range(model.rowCount())]


@pytest.mark.parametrize("total", [1, 37, 512, 4096, 8192, 131_072, 1_000_000])
@pytest.mark.parametrize("width", [180, 320.5, 700])
def test_areas_are_proportional_to_tokens(total: int, width: float) -> None:
    grid = MemoryGrid.fitted(left=3, top=3, width=width, pitch=16, rows=15, total=total)
    assert grid.height <= 15 * grid.pitch + 1e-6
    assert grid.width == pytest.approx(width, abs=1e-6)
    cuts = sorted({0, total // 7, total // 3, total // 2, total})
    area_of_cell = grid.width / grid.columns * (grid.pitch - grid.gap)
    for start, end in itertools.pairwise(cuts):
        area = sum(rect.width() * rect.height() for rect in grid.stretch(start, end))
        assert area / area_of_cell == pytest.approx((end - start) / grid.cell, abs=0.01)
    assert grid.stretch(0, 2 * total) == grid.stretch(0, total)


def test_every_token_is_found_where_it_is_drawn() -> None:
    grid = MemoryGrid.fitted(left=3, top=3, width=320, pitch=16, rows=15, total=4096)
    for token in range(0, 4096, 17):
        (rect,) = grid.stretch(token, token + 1)
        assert grid.token_at(rect.center()) == token
    assert grid.token_at(QPointF(1, 1)) is None
    assert grid.token_at(QPointF(310, 3 + grid.height + 1)) is None


def test_a_cell_holds_a_round_number() -> None:
    assert [round_number(n) for n in (1, 3, 5, 7, 9, 11, 13, 17, 33, 100, 129)] == [
        1,
        3,
        5,
        8,
        10,
        12,
        16,
        20,
        40,
        128,
        160,
    ]


def test_what_is_painted(section: MemorySection) -> None:
    theme, image = section._theme, picture(section)
    persona = section.model.index(0)
    assert image.pixelColor(middle(section, persona)) == theme.origin_color("persona")
    assert image.pixelColor(middle(section, row_of(section, "ask", "document"))) == theme.origin_color("document")
    # 60 of the question's 160 tokens are the chat format's; none of them is known.
    question = row_of(section, "ask", "user")
    assert image.pixelColor(middle(section, question, share=0.3)) == pale(theme, "user")
    free = section.map.inside.cells(USED + 400, USED + 500)[1].center().toPoint()
    assert image.pixelColor(free) == theme.color("pressed")


def test_patterns_say_what_colours_say(section: MemorySection) -> None:
    theme, image = section._theme, picture(section)

    def colors(index: QModelIndex) -> set[str]:
        rect = max(section.map.page_rects(index), key=lambda each: each.width()).toRect()
        xs = range(rect.left() + rect.width() // 2, rect.right() - 4)
        return {QColor(image.pixel(x, y)).name() for x in xs for y in range(rect.top() + 2, rect.bottom() - 3)}

    solid, hatched = colors(section.model.index(0)), colors(row_of(section, "old", "assistant"))
    assert solid == {theme.origin_color("persona").name()}
    assert theme.origin_color("assistant").name() in hatched
    assert len(hatched) > 2
    left_out = row_of(section, "gone", "user")
    assert theme.origin_color("user").name() not in colors(left_out)
    unread = row_of(section, "ask", "user")
    rect = max(section.map.page_rects(unread), key=lambda each: each.width())
    foot = QPointF(rect.left() + rect.width() * 0.3, rect.bottom() - 1.2).toPoint()
    assert image.pixelColor(foot) != image.pixelColor(middle(section, unread, share=0.3))


def test_what_is_left_out_lies_below(section: MemorySection) -> None:
    bottom = section.map.inside.top + section.map.inside.height
    for message_id in ("gone", "taken"):
        assert all(rect.top() > bottom for rect in section.map.page_rects(row_of(section, message_id, "user")))
    assert section.map.outside.cell == section.map.inside.cell
    section.show_view(a_view(PAGES[:1]))
    assert section.map.height() < bottom + 10


def test_what_is_left_out_takes_nothing_of_the_window(section: MemorySection) -> None:
    section.show_view(a_view((PromptPage("user", 100_000, Region.OLDER, OUT, "gone"), *PAGES)))
    assert section.model.used == USED


def test_much_that_is_left_out_is_drawn_smaller(section: MemorySection) -> None:
    section.show_view(a_view((PromptPage("user", 100_000, Region.OLDER, OUT, "gone"), *PAGES)))
    assert section.map.outside.height <= 4 * section.map.outside.pitch
    assert section.map.height() < 420


def test_the_map_of_a_huge_window_is_as_high(section: MemorySection) -> None:
    section.show_view(a_view(n_ctx=131_072))
    assert 170 <= section.map.inside.height <= 260
    label = next(each for each in section.findChildren(QLabel) if "square" in each.text())
    assert label.text() == f"One square is {section.map.cell_tokens} tokens"


def test_a_click_selects_and_shows_the_page(section: MemorySection) -> None:
    QTest.mouseClick(
        section.map.viewport(), Qt.MouseButton.LeftButton, pos=middle(section, row_of(section, "old", "assistant"))
    )
    assert section.details.isVisible()
    texts = [label.text() for label in section.details.findChildren(QLabel) if label.isVisible()]
    assert texts == ["Answer", "400 tokens · known already · among the first to be left out", "Once upon\na time"]
    assert section.list.currentIndex().row() == section.map.currentIndex().row()


def test_a_strangers_words_are_not_markup(section: MemorySection) -> None:
    index = row_of(section, "ask", "user")
    section.map.setCurrentIndex(index)
    text = next(each for each in section.details.findChildren(QLabel) if "What" in each.text())
    assert text.textFormat() is Qt.TextFormat.PlainText
    evil = PromptPage("document", 50, Region.RETRIEVED, message_id="e", label="<img src=x>")
    section.show_view(a_view((evil,)))
    tip = str(section.model.index(0).data(Qt.ItemDataRole.ToolTipRole))
    assert "&lt;img" in tip
    assert "<img" not in tip


def test_the_list_says_everything(section: MemorySection) -> None:
    assert spoken(section) == [
        "Instructions, 200 tokens, known already",
        "Answer, 400 tokens, known already, among the first to be left out: Once upon a time",
        "File: lease.pdf, page 3, 700 tokens, known already",
        "Your message, 160 tokens, to be read anew, pinned: <b>What</b> is this?",
        "Your message, 300 tokens, left out, as there was no room",
        "Your message, 60 tokens, left out by you",
    ]


@pytest.mark.parametrize("which", ["map", "list"])
def test_a_screen_reader_finds_the_pages(section: MemorySection, which: str) -> None:
    section.toggle.setChecked(which == "list")
    view = section.map if which == "map" else section.list
    found = QAccessible.queryAccessibleInterface(view)
    assert found.childCount() == section.model.rowCount()
    assert [found.child(row).text(QAccessible.Text.Name) for row in range(found.childCount())] == spoken(section)
    assert view.accessibleName()


@pytest.mark.parametrize("which", ["map", "list"])
def test_keys_ask_for_the_same_in_map_and_list(section: MemorySection, which: str) -> None:
    section.toggle.setChecked(which == "list")
    view = section.map if which == "map" else section.list
    asked: list[tuple[object, ...]] = []
    section.message_requested.connect(lambda each: asked.append(("show", each)))
    section.pin_requested.connect(lambda each, on: asked.append(("pin", each, on)))
    section.evict_requested.connect(lambda each, on: asked.append(("evict", each, on)))
    view.setFocus()
    view.setCurrentIndex(section.model.index(0))
    for key in (Qt.Key.Key_P, Qt.Key.Key_Delete, Qt.Key.Key_Return):
        QTest.keyClick(view, key)
    assert asked == []  # instructions stay where they are
    QTest.keyClick(view, Qt.Key.Key_Right if which == "map" else Qt.Key.Key_Down)
    for key in (Qt.Key.Key_P, Qt.Key.Key_Delete, Qt.Key.Key_Return):
        QTest.keyClick(view, key)
    assert asked == [("pin", "old", True), ("evict", "old", True), ("show", "old")]
    asked.clear()
    view.setCurrentIndex(row_of(section, "ask", "user"))
    for key in (Qt.Key.Key_P, Qt.Key.Key_Delete):
        QTest.keyClick(view, key)
    assert asked == [("pin", "ask", False)]  # what is pinned is not left out
    asked.clear()
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.currentIndex() == row_of(section, "taken", "user")
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert asked == [("evict", "taken", False)]
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0


def test_arrows_up_and_down_keep_the_column(section: MemorySection) -> None:
    section.map.setFocus()
    section.map.setCurrentIndex(section.model.index(0))
    rows = [0]
    for _ in range(4):
        QTest.keyClick(section.map, Qt.Key.Key_Down)
        rows.append(section.map.currentIndex().row())
    assert rows == sorted(set(rows))
    QTest.keyClick(section.map, Qt.Key.Key_Up)
    assert section.map.currentIndex().row() < rows[-1]


def test_the_buttons_fit_the_page(qtbot: QtBot, section: MemorySection) -> None:
    details = section.details
    section.map.setCurrentIndex(row_of(section, "gone", "user"))
    assert details.pin_button.isVisible()
    assert not details.evict_button.isVisible()  # it would find no room
    section.map.setCurrentIndex(row_of(section, "taken", "user"))
    assert details.evict_button.text() == "Take back in"
    section.map.setCurrentIndex(row_of(section, "ask", "document"))
    with qtbot.waitSignal(section.evict_requested) as asked:
        QTest.mouseClick(details.evict_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["ask", True]
    with qtbot.waitSignal(section.message_requested) as shown:
        QTest.mouseClick(details.show_button, Qt.MouseButton.LeftButton)
    assert shown.args == ["ask"]


def test_the_selection_outlives_another_view(section: MemorySection) -> None:
    section.map.setCurrentIndex(row_of(section, "old", "assistant"))
    section.show_view(a_view((PAGES[0], *PAGES[3:])))
    assert section.map.currentIndex() == row_of(section, "old", "assistant")
    section.show_view(a_view(PAGES[:1]))
    assert not section.details.isVisible()


def test_a_growing_answer_repaints_its_own_cells_only(
    qtbot: QtBot, section: MemorySection, monkeypatch: pytest.MonkeyPatch
) -> None:
    section.model.set_live(USED, 10, "new")
    QApplication.processEvents()
    painted: list[int] = []
    real = section.map.paintEvent

    def count(event: object) -> None:
        painted.append(event.region().boundingRect().height())  # type: ignore[attr-defined]
        real(event)  # type: ignore[arg-type]

    monkeypatch.setattr(section.map, "paintEvent", count)
    section.model.set_live(USED, 14, "new")
    qtbot.waitUntil(lambda: bool(painted))
    assert max(painted) <= 3 * section.map.inside.pitch < section.map.height() / 2
    answer = section.model.pages()[row_of(section, "new", "assistant").row()]
    assert (answer.start, answer.tokens) == (USED, 14)
    assert "The answer being written, 14 tokens" in spoken(section)
    section.model.set_live(USED, 300, "new")
    image = picture(section)
    assert image.pixelColor(middle(section, row_of(section, "new", "assistant"))) == section._theme.origin_color(
        "assistant"
    )


def test_reading_turns_pale_into_solid(section: MemorySection) -> None:
    theme, question = section._theme, row_of(section, "ask", "user")
    at = middle(section, question, share=0.3)
    assert picture(section).pixelColor(at) == pale(theme, "user")
    section.model.set_live(USED, 0)
    assert picture(section).pixelColor(at) == theme.origin_color("user")
    assert "Your message, 160 tokens, read anew, pinned: <b>What</b> is this?" in spoken(section)


def test_another_theme_and_zoom(section: MemorySection) -> None:
    theme = section._theme
    theme.choose(ThemeChoice.DARK)
    persona = section.model.index(0)
    assert picture(section).pixelColor(middle(section, persona)) == theme.origin_color("persona")
    height = section.map.height()
    for zoom in (0.8, 1.5):
        theme.set_zoom(zoom)
        assert section.map.inside.pitch >= theme.space(4)
        assert picture(section).pixelColor(middle(section, persona)) == theme.origin_color("persona")
    assert section.map.height() > height


def test_the_key_names_what_occurs(section: MemorySection) -> None:
    key = section.findChild(MapKey)
    assert key is not None
    assert key.accessibleName() == "known already, to be read, goes first, kept for the answer"
    section.show_view(a_view(PAGES[:1], cached=200))
    assert key.accessibleName() == "known already, kept for the answer"
    assert key.height() > 0


def test_the_model_keeps_to_the_rules_of_qt(qtbot: QtBot, qtmodeltester: object) -> None:
    model = MemoryMapModel()
    qtmodeltester.check(model)  # type: ignore[attr-defined]
    model.show(a_view())
    model.set_live(USED, 5)
    model.set_live(USED, 9)
    model.show(a_view())
    model.show(a_view(PAGES[:2]))
    assert model.rowCount() == 2


def test_a_summary_can_be_edited_and_undone(qtbot: QtBot, section: MemorySection) -> None:
    page = PromptPage("summary", 90, Region.OLDER, message_id="sum")
    texts = PromptWords({("sum", "summary", ""): "They spoke of one."})
    section.show_view(view_of_start(Started("r", 90, 0, N_CTX, 1, pages=(page,)), texts))
    section.map.setCurrentIndex(section.model.index(0))
    details = section.details
    assert not details.pin_button.isVisible()
    assert not details.evict_button.isVisible()
    assert not details.show_button.isVisible()
    details.edit_button.click()
    assert details.editor.toPlainText() == "They spoke of one."
    assert details.undo_button.text() == "Cancel"
    details.undo_button.click()
    assert not details.editor.isVisible()
    details.edit_button.click()
    details.editor.setPlainText("They spoke of two.")
    with qtbot.waitSignal(section.summary_edited) as edited:
        details.edit_button.click()
    assert edited.args == ["sum", "They spoke of two."]
    with qtbot.waitSignal(section.summary_undone) as undone:
        details.undo_button.click()
    assert undone.args == ["sum"]
