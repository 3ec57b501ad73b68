"""Jupyter notebooks (nbformat 4 and 3): a page a cell, its text and what it printed. Runs nothing, shows no image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rag.loaders.detect import text_of
from rag.loaders.limits import WHOLE_BYTES
from rag.loaders.line_headings import code_headings, markdown_headings
from rag.loaders.loader import DAMAGED, OpenDocument, Source
from rag.loaders.visible import title_of, visible
from rag.types import DocumentInfo, Page, Unit

_OUTPUT_CHARACTERS = 20_000
"""Of one cell: what a program printed in a loop is not what somebody wrote."""


def open_notebook(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    try:
        notebook = json.loads(text_of(source, WHOLE_BYTES))
    except (ValueError, RecursionError) as error:
        raise source.error(DAMAGED) from error
    cells = _cells(notebook)
    if cells is None:
        raise source.error(DAMAGED)
    metadata = notebook.get("metadata")
    title = title_of(metadata.get("title") if isinstance(metadata, dict) else None, source.title)
    info = DocumentInfo(title, Unit.CELL, "application/x-ipynb+json", len(cells))
    return OpenDocument(info, _pages(cells))


def _cells(notebook: Any) -> list[Any] | None:
    if not isinstance(notebook, dict):
        return None
    cells = notebook.get("cells")
    if cells is None and isinstance(sheets := notebook.get("worksheets"), list):
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or []]
    return cells if isinstance(cells, list) else None


def _pages(cells: list[Any]) -> Iterator[Page]:
    line = 1
    for number, each in enumerate(cells, 1):
        cell = each if isinstance(each, dict) else {}
        is_code = cell.get("cell_type") == "code"
        written = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") == "heading":
            written = f"# {written}"
        printed = "\n".join(_outputs(cell.get("outputs")))[:_OUTPUT_CHARACTERS] if is_code else ""
        text, hidden = visible("\n\n".join(part.strip("\n") for part in (written, printed) if part.strip()))
        yield Page(number, text, "", line, code_headings(text) if is_code else markdown_headings(text), hidden)
        line += text.count("\n") + 1


def _outputs(outputs: Any) -> Iterator[str]:
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        plain = data.get("text/plain") if isinstance(data, dict) else None
        for part in (output.get("text"), plain, output.get("evalue")):
            if text := _joined(part):
                yield text.rstrip("\n")


def _joined(part: Any) -> str:
    if isinstance(part, list):
        return "".join(each for each in part if isinstance(each, str))
    return part if isinstance(part, str) else ""
