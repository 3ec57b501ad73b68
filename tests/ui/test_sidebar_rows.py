"""What the sidebar lists, in which order, for ten thousand conversations too."""

from __future__ import annotations

import datetime as dt
import time

from PySide6.QtCore import QModelIndex
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.store.types import Conversation, Folder
from app.ui.sidebar_model import RowKind, SidebarModel, build_rows

TODAY = dt.date(2026, 3, 15)
NOON = dt.datetime(2026, 3, 15, 12).astimezone().timestamp()
DAY = 86_400.0


def conversation(name: str, age_days: float = 0, **fields: object) -> Conversation:
    moment = NOON - age_days * DAY
    return Conversation(name, name, False, moment, moment, **fields)  # type: ignore[arg-type]


def test_groups_follow_the_calendar() -> None:
    rows = build_rows(
        [
            conversation("now"),
            conversation("yesterday", 1),
            conversation("five days", 5),
            conversation("three weeks", 21),
            conversation("january", 60),
            conversation("last year", 200),
        ],
        [],
        today=TODAY,
    )
    titles = [row.title for row in rows if row.kind is RowKind.SECTION]
    assert titles[:4] == ["Today", "Yesterday", "Previous 7 days", "Previous 30 days"]
    assert "2025" in titles[5]
    assert "2026" not in titles[4]


def test_pinned_come_first_and_only_once() -> None:
    rows = build_rows(
        [conversation("a", pinned=True, folder_id="f"), conversation("b")], [Folder("f", "F")], today=TODAY
    )
    assert [row.key for row in rows if row.kind is RowKind.CONVERSATION] == ["a", "b"]
    assert rows[0].title == "Pinned"


def test_a_folder_holds_its_own_and_folds() -> None:
    folders = [Folder("f", "Garden")]
    conversations = [conversation("inside", folder_id="f"), conversation("loose")]
    open_rows = build_rows(conversations, folders, today=TODAY)
    folded = build_rows(conversations, folders, today=TODAY, collapsed={"f"})
    assert "inside" in [row.key for row in open_rows]
    assert "inside" not in [row.key for row in folded]
    assert next(row for row in folded if row.kind is RowKind.FOLDER).count == 1


def test_a_conversation_of_a_lost_folder_is_not_lost() -> None:
    rows = build_rows([conversation("orphan", folder_id="gone")], [], today=TODAY)
    assert "orphan" in [row.key for row in rows]


def test_a_tag_shows_only_what_carries_it() -> None:
    rows = build_rows(
        [conversation("a", tags=("x",)), conversation("b", tags=("y",), folder_id="f")],
        [Folder("f", "F"), Folder("g", "G")],
        today=TODAY,
        tag="y",
    )
    assert [row.key for row in rows if row.kind is not RowKind.SECTION] == ["f", "b"]


def test_an_untitled_conversation_still_has_words() -> None:
    rows = build_rows([Conversation("id", "", True, NOON, NOON)], [], today=TODAY)
    assert rows[-1].title


def test_the_model_keeps_qts_rules_and_its_place(qtbot: QtBot) -> None:
    model = SidebarModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show(build_rows([conversation("a"), conversation("b")], [], today=TODAY))
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    changed: list[int] = []
    model.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    renamed = Conversation("b", "B!", False, NOON, NOON)
    model.show(build_rows([conversation("a"), renamed], [], today=TODAY))
    assert (resets, changed) == ([], [2])
    model.show(build_rows([conversation("a")], [], today=TODAY))
    assert resets == [1]


def test_a_drop_moves_into_a_folder_and_out(qtbot: QtBot) -> None:
    model = SidebarModel()
    model.show(build_rows([conversation("a"), conversation("b", folder_id="f")], [Folder("f", "F")], today=TODAY))
    moves: list[tuple[str, object]] = []
    model.moved.connect(lambda key, folder: moves.append((key, folder)))
    data = model.mimeData([model.index_of("a")])
    model.dropMimeData(data, model.supportedDropActions(), -1, -1, model.index_of("f"))
    today = next(
        model.index(row)
        for row in range(model.rowCount())
        if (found := model.row(model.index(row))) and found.key == "today"
    )
    out = model.mimeData([model.index_of("b")])
    model.dropMimeData(out, model.supportedDropActions(), -1, -1, today)
    assert moves == [("a", "f"), ("b", None)]
    assert not model.dropMimeData(out, model.supportedDropActions(), -1, -1, QModelIndex())


def test_ten_thousand_rows_are_built_within_a_blink(qtbot: QtBot) -> None:
    many = [conversation(f"c{number}", number / 20) for number in range(10_000)]
    model = SidebarModel()
    start = time.perf_counter()
    model.show(build_rows(many, [], today=TODAY))
    assert time.perf_counter() - start < 1.0
    assert len(model.conversation_ids()) == 10_000


def test_neighbours_on_both_sides_of_midnight_are_in_their_own_groups() -> None:
    midnight = dt.datetime(2026, 3, 15).astimezone().timestamp()
    moments = {"after": midnight, "before": midnight - 1, "morning before": midnight - 80_000}
    chats = [Conversation(name, name, False, moment, moment) for name, moment in moments.items()]
    rows = [(row.kind, row.title) for row in build_rows(chats, [], today=TODAY)]
    section, chat = RowKind.SECTION, RowKind.CONVERSATION
    assert rows == [
        (section, "Today"),
        (chat, "after"),
        (section, "Yesterday"),
        (chat, "before"),
        (chat, "morning before"),
    ]
