"""Rows of a list, reckoned from how many files there are."""

from __future__ import annotations

from pathlib import Path

from app.ui.documents_flow import _around, _placed
from app.ui.documents_outline import Outline
from rag.store.types import FilePosition, FileState, Source, SourceKind, SourceOutline, StoredFile


def source(number: int, n_files: int, kind: SourceKind = SourceKind.FOLDER) -> SourceOutline:
    return SourceOutline(Source(number, 1, kind, Path(f"/{number}"), str(number)), n_files)


SOURCES = (source(1, 3), source(2, 1, SourceKind.FILE), source(3, 0, SourceKind.FILE), source(4, 0), source(5, 100_000))


def test_every_row_is_something_and_is_found_again() -> None:
    for folded in (frozenset[int](), frozenset({1}), frozenset({1, 5})):
        outline = Outline(SOURCES, folded)
        rows = range(min(len(outline), 20))
        for row in rows:
            each, place = outline.at(row)
            assert outline.row_of(each.source.id, place) == row
        assert [outline.at(row)[0].source.id for row in rows] == sorted(outline.at(row)[0].source.id for row in rows)
    assert len(Outline(SOURCES)) == 4 + 1 + 1 + 1 + 100_001
    assert len(Outline(SOURCES, frozenset({5}))) == 8
    assert len(Outline()) == 0


def test_what_is_folded_or_gone_has_no_row() -> None:
    outline = Outline(SOURCES, frozenset({1}))
    assert outline.row_of(1, None) == 0
    assert outline.row_of(1, 0) is None
    assert outline.row_of(5, 100_000) is None
    assert outline.row_of(9, None) is None
    assert outline.row_of(3, 0) is None
    assert outline.row_of(2, None) is None


def test_spans_hold_the_files_of_rows_and_no_others() -> None:
    outline = Outline(SOURCES)
    assert outline.spans(0, 9) == [(1, 0, 3), (2, 0, 1), (5, 0, 1)]
    assert outline.spans(2, 4) == [(1, 1, 2)]
    assert outline.spans(-50, 1) == []
    assert outline.spans(100_000, 200_000) == [(5, 99_992, 8)]
    assert Outline().spans(0, 100) == []


def test_shapes() -> None:
    outline = Outline(SOURCES)
    same = (*SOURCES[:4], SourceOutline(SOURCES[4].source, 100_000, n_waiting=7))
    assert outline.is_shaped_as(Outline(same))
    assert not outline.is_shaped_as(Outline(SOURCES, frozenset({1})))
    assert not outline.is_shaped_as(Outline((*SOURCES[:4], source(5, 99_999))))
    assert not outline.is_shaped_as(Outline((SOURCES[0], source(2, 0, SourceKind.FILE), *SOURCES[2:])))


def file(source_id: int, name: str) -> StoredFile:
    return StoredFile(hash(name), source_id, 1, Path(f"/{source_id}/{name}"), 1, 1, FileState.READ)


def test_files_come_to_their_places_also_where_some_are_missing() -> None:
    a, b, c, d = file(1, "a"), file(1, "b"), file(2, "c"), file(5, "d")
    spans = [(1, 7, 3), (2, 0, 1), (3, 0, 1), (5, 4, 2)]
    assert _placed(spans, (a, b, c, d)) == {(1, 7): a, (1, 8): b, (2, 0): c, (5, 4): d}
    assert _placed(spans, (d,)) == {(5, 4): d}
    assert _placed([], (a,)) == {}


def test_the_chosen_file_is_asked_for_too() -> None:
    spans = ((1, 7, 3),)
    assert _around(FilePosition(1, 1, 9, Path("/x")), spans) == spans
    assert _around(FilePosition(1, 1, 10, Path("/x")), spans) == (*spans, (1, 10, 1))
