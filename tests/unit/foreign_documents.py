"""Documents of every format, made by the libraries that people's programs use, for tests of what reads them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TextMode

from rag.loaders.reading import open_document
from rag.types import DocumentInfo, Page

Draw = Callable[[FPDF], None]


def read(path: Path) -> tuple[DocumentInfo, list[Page]]:
    document = open_document(path, lambda: None)
    return document.info, list(document.pages)


def text_of(path: Path) -> str:
    return "\n".join(page.text for page in read(path)[1])


def pdf(path: Path, *pages: Draw | str, title: str = "") -> Path:
    """A page a function that draws it, or a text."""
    document = FPDF(format="A4", unit="pt")
    document.set_auto_page_break(False)
    if title:
        document.set_title(title)
    for page in pages:
        document.add_page()
        document.set_font("Helvetica", size=12)
        if callable(page):
            page(document)
        else:
            document.multi_cell(0, 16, page)
    document.output(str(path))
    return path


def at(document: FPDF, x: float, y: float, text: str) -> None:
    document.set_xy(x, y)
    document.cell(text=text)


def invisible_mode(document: FPDF) -> None:
    document.text_mode = TextMode.INVISIBLE


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    """Not packed, so that no member is refused for how tightly it is."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def epub(path: Path, chapters: dict[str, str], title: str = "A Book", extra: dict[str, str] | None = None) -> Path:
    """Chapter name -> the page's HTML body."""
    names = [f"text/c{number}.xhtml" for number in range(1, len(chapters) + 1)]
    manifest = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(names)))
    links = "".join(f'<li><a href="{name}">{label}</a></li>' for name, label in zip(names, chapters, strict=True))
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>{title}</dc:title></metadata><manifest>{manifest}"
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>'
        f"<spine>{spine}</spine></package>",
        "OEBPS/nav.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body><ol>{links}</ol></body></html>',
    }
    for name, body in zip(names, chapters.values(), strict=True):
        members[f"OEBPS/{name}"] = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
    return zipped(path, members | dict(extra or {}))


def png(width: int, height: int, draw: Callable[[object], None] | None = None) -> bytes:
    """A white picture, drawn on by Pillow."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "white")
    if draw is not None:
        draw(ImageDraw.Draw(image))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def raw_pdf(
    path: Path,
    content: bytes,
    *,
    page: bytes = b"",
    resources: bytes = b"",
    objects: tuple[bytes, ...] = (),
    catalogue: bytes = b"",
) -> Path:
    """A PDF of one page, written by hand: what no library writes. `objects` are numbered from 6."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R" + catalogue + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>" + resources + b">>" + page + b">>",
        stream(content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *objects,
    ]
    out = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table
    end += b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(out))
    path.write_bytes(out + end)
    return path


def stream(content: bytes, keys: bytes = b"") -> bytes:
    return b"<</Length %d" % len(content) + keys + b">>stream\n" + content + b"\nendstream"
