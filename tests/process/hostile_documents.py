"""Files made to hurt whoever reads them: bombs, loops, depth, lies about sizes, broken bytes."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import docx
import xlsxwriter

from tests.unit.foreign_documents import epub, pdf, png, raw_pdf, stream, zipped

MIB = 1024 * 1024
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def make_all(folder: Path) -> list[Path]:
    """Every hostile document, in a folder of its own."""
    found = []
    for name, make in _MAKERS.items():
        path = folder / name
        make(path)
        found.append(path)
    return found


def _docx(path: Path, body: bytes, member: str = "word/document.xml") -> None:
    """A real Word document with one member replaced, not packed: what is tried is the reader of its XML."""
    out = io.BytesIO()
    docx.Document().save(out)
    with zipfile.ZipFile(out) as whole, zipfile.ZipFile(path, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, body if name == member else whole.read(name))


def _word_body(inner: bytes, before: bytes = b"") -> bytes:
    head = b'<?xml version="1.0"?>' + before
    return head + b'<w:document xmlns:w="' + WORD.encode() + b'"><w:body>' + inner + b"</w:body></w:document>"


LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 12) for n in range(9))
    + b"]>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY h SYSTEM "http://127.0.0.1:9/x">]>'


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(700):
                member.write(bytes(MIB))
        archive.writestr("[Content_Types].xml", "<Types/>")


def _many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "x")
        for number in range(30_000):
            archive.writestr(f"{number}", "")


def _lying_sizes(path: Path) -> None:
    """The directory says 10 bytes, the member unpacks to 100 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(100 * MIB))
    raw = out.getvalue().replace(struct.pack("<I", 100 * MIB), struct.pack("<I", 10))
    path.write_bytes(raw)


def _overlapping(path: Path) -> None:
    """Many names for one packed member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", os.urandom(50_000))
        for number in range(2_000):
            info = zipfile.ZipInfo(f"word/{number}.xml")
            first = archive.getinfo("word/document.xml")
            info.header_offset, info.CRC = first.header_offset, first.CRC
            info.compress_size, info.file_size, info.compress_type = first.compress_size, first.file_size, 8
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
        archive._didModify = True  # type: ignore[attr-defined]
    path.write_bytes(out.getvalue())


def _quine_like(path: Path) -> None:
    inner = b"PK\x05\x06" + bytes(18)
    for _ in range(200):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.zip", inner)
        inner = out.getvalue()
    path.write_bytes(inner)


def _sparse_sheet(path: Path) -> None:
    """Two cells at the far corners of the largest sheet."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, "b")


def _repeated_cells(path: Path) -> None:
    """An OpenDocument sheet that says: this row a billion times."""
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="A"><table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    zipped(path, {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


def _shared_strings(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for row in range(5_000):
            for column in range(10):
                sheet.write_string(row, column, "ha" * 1000)


def _open_text(path: Path, inner: str, before: str = "") -> None:
    content = (
        f'<?xml version="1.0"?>{before}<office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text>'
        f"{inner}</office:text></office:body></office:document-content>"
    )
    zipped(path, {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def _pdf_with(path: Path, raw: bytes) -> None:
    path.write_bytes(b"%PDF-1.7\n" + raw + b"\ntrailer<</Root 1 0 R>>\n%%EOF")


def _page_loop(path: Path) -> None:
    _pdf_with(
        path,
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2000000000>>endobj "
        b"3 0 obj<</Type/Pages/Kids[2 0 R]/Count 5/Parent 3 0 R>>endobj",
    )


def _many_pages(path: Path) -> None:
    _pdf_with(
        path,
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids["
        + b"3 0 R " * 200_000
        + b"]/Count 200000>>"
        b"endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj",
    )


def _form_loop(path: Path) -> None:
    form = stream(b"/X1 Do /X1 Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X1 6 0 R>>>>")
    raw_pdf(path, b"/X1 Do", resources=b"/XObject<</X1 6 0 R>>", page=b"/MediaBox[0 0 600 800]", objects=(form,))


def _form_tree(path: Path) -> None:
    """Forms that draw the next one ten times, nine deep: a billion texts."""
    forms = []
    for depth in range(9):
        keys = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</Font<</F1 5 0 R>>/XObject<</X1 %d 0 R>>>>"
        forms.append(stream(b"/X1 Do " * 10, keys % (7 + depth)))
    forms.append(stream(b"BT /F1 9 Tf (ha) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]"))
    raw_pdf(path, b"/X1 Do", resources=b"/XObject<</X1 6 0 R>>", page=b"/MediaBox[0 0 600 800]", objects=tuple(forms))


def _stream_bomb(path: Path) -> None:
    """A content stream of a gigabyte of operators in a megabyte, packed twice."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"0 0 m 9 9 l S\n" * 75_000) for _ in range(1000)) + packer.flush()
    body = zlib.compress(packed, 9)
    raw_pdf(path, b"", page=b"/MediaBox[0 0 600 800]")
    raw = path.read_bytes().replace(
        b"<</Length 0>>stream\n\nendstream",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n" % len(body) + body + b"\nendstream",
    )
    path.write_bytes(raw)


def _image_bomb(path: Path) -> None:
    """A picture that says it has 60,000 times 60,000 pixels, behind an invisible text."""
    image = stream(
        zlib.compress(bytes(MIB)),
        b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB"
        b"/Filter/FlateDecode",
    )
    content = b"q 600 0 0 800 0 0 cm /I1 Do Q BT 3 Tr /F1 12 Tf 50 50 Td (words) Tj ET"
    raw_pdf(path, content, resources=b"/XObject<</I1 6 0 R>>", page=b"/MediaBox[0 0 600 800]", objects=(image,))


def _outline_loop(path: Path) -> None:
    raw_pdf(path, b"BT /F1 12 Tf 50 50 Td (words) Tj ET", page=b"/MediaBox[0 0 600 800]", objects=(
        b"<</Type/Outlines/First 7 0 R/Last 8 0 R>>",
        b"<</Title(a)/Parent 6 0 R/Next 8 0 R/First 6 0 R>>",
        b"<</Title(b)/Parent 6 0 R/Next 7 0 R/First 7 0 R>>",
    ))  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"/Pages 2 0 R", b"/Pages 2 0 R/Outlines 6 0 R", 1))


def _huge_page(path: Path) -> None:
    raw_pdf(path, b"1 g BT /F1 12 Tf 50 50 Td (words) Tj ET", page=b"/MediaBox[0 0 1000000000 1000000000]")


def _many_objects(path: Path) -> None:
    line = b"1 g BT /F1 9 Tf 50 50 Td (ha) Tj ET 0 0 300 300 re f\n"
    raw_pdf(path, line * 60_000, page=b"/MediaBox[0 0 600 800]")


def _deep_arrays(path: Path) -> None:
    _pdf_with(path, b"1 0 obj" + b"[" * 1_000_000 + b"]" * 1_000_000 + b"endobj")


def _slow_shading(path: Path) -> None:
    """Ten thousand transparent, shaded, overlapping areas over a text."""
    shading = b"/Shading<</S1<</ShadingType 3/ColorSpace/DeviceRGB/Coords[0 0 0 400 400 900]/Function<</FunctionType 2"
    shading += (
        b"/Domain[0 1]/C0[1 0 0]/C1[0 0 1]/N 1.7>>/Extend[true true]>>>>/ExtGState<</G1<</ca 0.5/BM/Luminosity>>>>"
    )
    raw_pdf(
        path,
        b"BT /F1 12 Tf 50 50 Td (words) Tj ET /G1 gs " + b"/S1 sh " * 10_000,
        resources=shading,
        page=b"/MediaBox[0 0 600 800]",
    )


def _cut_pdf(path: Path) -> None:
    raw = pdf(path, *["words " * 200] * 5).read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def _noisy_pdf(path: Path) -> None:
    raw = bytearray(pdf(path, *["words " * 200] * 5).read_bytes())
    chance = random.Random(1)
    for _ in range(300):
        raw[chance.randrange(20, len(raw))] = chance.randrange(256)
    path.write_bytes(bytes(raw))


def _nested_mail(path: Path) -> None:
    raw = b"Subject: x\nFrom: a@example.org\nTo: b@example.org\n"
    for number in range(3_000):
        raw += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number)
    path.write_bytes(raw + b"\nwords")


def _mail_headers(path: Path) -> None:
    path.write_bytes(b"Subject: " + b"=?utf-8?q?a?= " * 500_000 + b"\nFrom: " + b"(" * 100_000 + b"\n\nwords\n")


def _image(path: Path, width: int, height: int) -> None:
    """A PNG file whose head says it is as large as that."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(64 * MIB))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b""))


_MAKERS: dict[str, Callable[[Path], object]] = {
    "zip-bomb.docx": _zip_bomb,
    "many-members.docx": _many_members,
    "lying-sizes.docx": _lying_sizes,
    "overlapping.docx": _overlapping,
    "zip-in-zip.docx": _quine_like,
    "laughs.docx": lambda path: _docx(path, _word_body(b"<w:p><w:r><w:t>&j;</w:t></w:r></w:p>", LAUGHS)),
    "outside.docx": lambda path: _docx(path, _word_body(b"<w:p><w:r><w:t>&e;&h;</w:t></w:r></w:p>", OUTSIDE)),
    "deep.docx": lambda path: _docx(path, _word_body(b"<w:sdt>" * 100_000 + b"</w:sdt>" * 100_000)),
    "deep-tables.docx": lambda path: _docx(
        path, _word_body(b"<w:tbl><w:tr><w:tc>" * 80 + b"<w:p/>" + b"</w:tc></w:tr></w:tbl>" * 80)
    ),
    "wide.docx": lambda path: _docx(path, _word_body(b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 600_000)),
    "style-loop.docx": lambda path: _docx(
        path,
        f'<w:styles xmlns:w="{WORD}"><w:style w:styleId="Normal" w:type="paragraph"><w:basedOn w:val="Normal"/>'
        "</w:style></w:styles>".encode(),
        "word/styles.xml",
    ),
    "laughs.odt": lambda path: _open_text(path, "<text:p>&j;</text:p>", LAUGHS.decode()),
    "deep.odt": lambda path: _open_text(path, "<text:section>" * 50_000 + "</text:section>" * 50_000),
    "deep-spans.odt": lambda path: _open_text(
        path, "<text:p>" + "<text:span>" * 240 + "x" + "</text:span>" * 240 + "</text:p>"
    ),
    "spaces.odt": lambda path: _open_text(path, '<text:p><text:s text:c="2000000000"/></text:p>'),
    "sparse.xlsx": _sparse_sheet,
    "repeated.ods": _repeated_cells,
    "strings.xlsx": _shared_strings,
    "laughs.epub": lambda path: epub(
        path, {"a": "x"}, extra={"META-INF/encryption.xml": LAUGHS.decode() + "<x>&j;</x>"}
    ),
    "deep.epub": lambda path: epub(path, {"a": "<div>" * 200_000}),
    "climbing.epub": lambda path: epub(path, {"a": "x"}, extra={"../../../../tmp/evil": "x"}),
    "page-loop.pdf": _page_loop,
    "many-pages.pdf": _many_pages,
    "form-loop.pdf": _form_loop,
    "form-tree.pdf": _form_tree,
    "stream-bomb.pdf": _stream_bomb,
    "image-bomb.pdf": _image_bomb,
    "outline-loop.pdf": _outline_loop,
    "huge-page.pdf": _huge_page,
    "many-objects.pdf": _many_objects,
    "deep-arrays.pdf": _deep_arrays,
    "slow-shading.pdf": _slow_shading,
    "cut.pdf": _cut_pdf,
    "noisy.pdf": _noisy_pdf,
    "only-the-mark.pdf": lambda path: path.write_bytes(b"%PDF-1.4"),
    "deep.html": lambda path: path.write_text("<div><span>" * 300_000 + "words"),
    "attributes.html": lambda path: path.write_text("<p " + " ".join(f"a{n}=1" for n in range(300_000)) + ">words"),
    "styles.html": lambda path: path.write_text("<style>" + "a{" * 400_000 + "</style><p>words"),
    "comments.html": lambda path: path.write_text("<!--" * 1_000_000 + "<p>words"),
    "nested-mail.eml": _nested_mail,
    "headers.eml": _mail_headers,
    "deep.ipynb": lambda path: path.write_text('{"cells":' + "[" * 500_000),
    "odd.ipynb": lambda path: path.write_text(
        json.dumps({"cells": [1, None, {"source": {"a": 1}, "outputs": 7}, "x"]})
    ),
    "braces.rtf": lambda path: path.write_text("{\\rtf1 " + "{" * 3_000_000),
    "words.rtf": lambda path: path.write_text("{\\rtf1 " + "\\u1000000000000 \\bin99999999999 " * 300_000),
    "times.srt": lambda path: path.write_text("1\n99999999:99:99,999 --> 00:00:00,000\nx\n\n" * 50_000),
    "one-line.csv": lambda path: path.write_text('"' + "a,b\n" * 3_000_000),
    "many-columns.csv": lambda path: path.write_text("a," * 2_000_000 + "\n1,2\n"),
    "long-line.txt": lambda path: path.write_text("a" * 30 * MIB),
    "backticks.md": lambda path: path.write_text("`" * 5_000_000 + "\n" + "#" * 100_000 + " ="),
    "escapes.txt": lambda path: path.write_text("\x1b]" + "a" * 5_000_000 + "\x1b[" * 500_000),
    "tags.txt": lambda path: path.write_text("words" + "\U000e0041" * 1_000_000),
    "huge.png": lambda path: _image(path, 100_000, 100_000),
    "broken.png": lambda path: path.write_bytes(png(9, 9)[:50]),
}
