"""Workbooks (XLSX, XLSB, XLS, ODS) and CSV files: a row is a line, and says the names of its columns.

"name: Ada; born: 1815" is found by words and by meaning wherever a chunk begins, and a model reads it without the
header; a table without one is written with tabs. Lines are rows, so a citation names the row. Knows no formulas.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from rag.loaders.archive import open_archive
from rag.loaders.flow import Block, Item, NewPage, Unseen, pages_of
from rag.loaders.limits import CELL_CHARACTERS, PART_CHARACTERS, SHEET_COLUMNS
from rag.loaders.loader import DAMAGED, PROTECTED, OpenDocument, Source
from rag.loaders.plain import parts
from rag.types import DocumentInfo, HiddenReason, Unit

_EMPTY_ROWS = 50
"""After so many empty rows, lines are not kept empty; a new part begins with its own row."""
_NAME_CHARACTERS = 60
_SNIFFED = 20_000
_HIDDEN_ROWS = 200


def open_workbook(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    import python_calamine  # noqa: PLC0415  # only for this format

    if source.beginning(2) == b"PK":
        open_archive(source).close()
    source.file.seek(0)
    try:
        workbook = python_calamine.load_workbook(source.file)
    except python_calamine.PasswordError as error:
        raise source.error(PROTECTED) from error
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise source.error(DAMAGED) from error

    def items() -> Iterator[Item]:
        for name, sheet in zip(workbook.sheet_names, workbook.sheets_metadata, strict=False):
            try:
                rows = workbook.get_sheet_by_name(name).iter_rows() if _is_table(sheet) else iter(())
            except (python_calamine.CalamineError, ValueError) as error:
                raise source.error(DAMAGED) from error
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible:
                yield from _sheet(name, rows)
            else:
                yield Unseen(HiddenReason.INVISIBLE, _some_rows(rows))

    def _is_table(sheet: Any) -> bool:
        return bool(sheet.typ == python_calamine.SheetTypeEnum.WorkSheet)

    info = DocumentInfo(source.title, Unit.SHEET, "application/vnd.ms-excel")
    return OpenDocument(info, pages_of(items(), Unit.SHEET))


def open_csv(source: Source) -> OpenDocument:
    """Comma, semicolon, tab or bar as the beginning tells. Raises `DocumentError`."""

    def items() -> Iterator[Item]:
        texts = (text for text, _line in parts(source))
        first = next(texts, "")
        delimiter = "\t" if source.suffix in (".tsv", ".tab") else _delimiter(first[:_SNIFFED])
        csv.field_size_limit(10 * PART_CHARACTERS)
        try:
            yield from _sheet("", csv.reader(_lines(first, texts), delimiter=delimiter))
        except csv.Error as error:
            raise source.error(DAMAGED) from error

    return OpenDocument(DocumentInfo(source.title, Unit.SHEET, "text/csv"), pages_of(items(), Unit.SHEET))


def _sheet(name: str, rows: Iterable[Sequence[object]]) -> Iterator[Item]:
    header: list[str] | None = None
    looked = False
    row_number = n_empty = 0
    for row in rows:
        row_number += 1
        cells = [_written(value) for value in row[:SHEET_COLUMNS]]
        if not any(cells):
            n_empty += 1
            continue
        if not looked or n_empty > _EMPTY_ROWS:
            yield NewPage(name, row_number)
        else:
            for _ in range(n_empty):
                yield Block("", close=True)
        n_empty = 0
        if not looked:
            looked = True
            header = _header(row, cells)
            yield Block(" | ".join(filter(None, cells)) if header else "\t".join(cells).rstrip(), close=True)
        else:
            yield Block(_line(header, cells), close=True)


def _header(row: Sequence[object], cells: list[str]) -> list[str] | None:
    """The names of the columns, if the first row looks like names: at least two, all words, none twice."""
    named = [cell for cell in cells if cell]
    if len(named) < 2 or len(set(named)) < len(named) or not all(isinstance(value, str) for value in row):
        return None
    if any(len(cell) > _NAME_CHARACTERS or cell.replace(".", "").replace(",", "").isdigit() for cell in named):
        return None
    return cells


def _line(header: list[str] | None, cells: list[str]) -> str:
    if header is None:
        return "\t".join(cells).rstrip()
    named = [*header, *([""] * (len(cells) - len(header)))]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(named, cells, strict=False) if cell)


def _written(value: object) -> str:
    """A cell as a person would write it, on one line."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="minutes") if value.time() != datetime.time() else str(value.date())
    return " ".join(str(value)[:CELL_CHARACTERS].split())


def _some_rows(rows: Iterable[Sequence[object]]) -> str:
    lines = ("\t".join(map(_written, row[:SHEET_COLUMNS])).strip() for row in islice(rows, _HIDDEN_ROWS))
    return "\n".join(filter(None, lines))


def _delimiter(sample: str) -> str:
    """The candidate that cuts the first lines into the most equal parts."""
    lines = [line for line in sample.split("\n")[:20] if line.strip()]
    best, most = ",", 0
    for candidate in ",;\t|":
        counts = [line.count(candidate) for line in lines]
        least = min(counts, default=0)
        score = least * 100 + sum(count == least for count in counts) if least else 0
        if score > most:
            best, most = candidate, score
    return best


def _lines(first: str, rest: Iterator[str]) -> Iterator[str]:
    """Lines with their ends, across the cuts between parts."""
    pending = ""
    for text in chain((first,), rest):
        lines = (pending + text).split("\n")
        pending = lines.pop()
        if len(pending) > 100 * PART_CHARACTERS:
            raise csv.Error("a line without an end")
        for line in lines:
            yield line + "\n"
    if pending:
        yield pending
