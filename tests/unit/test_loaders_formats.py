"""Documents as people's programs write them come out whole: text, order, headings, pages, lines, titles."""

from __future__ import annotations

import email.message
import json
import mailbox
from pathlib import Path
from typing import Any

import docx
import odfdo
import pptx
import pytest
import xlsxwriter
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from fpdf import FPDF

from engine.errors import DocumentError
from rag.loaders import ocr
from rag.loaders.detect import Format, detect
from rag.loaders.limits import PART_CHARACTERS
from rag.loaders.loader import open_source
from rag.loaders.reading import open_document
from rag.types import HiddenReason, Unit
from tests.unit.foreign_documents import at, epub, pdf, png, read, text_of, zipped

GERMAN = "Straße, Äpfel und größere Öfen: die Übung für müde Bäcker.\n" * 20
RUSSIAN = "Всё, что нужно знать о тёплых домах и длинных зимах.\n" * 20
JAPANESE = "これは日本語の文章です。火のそばで本を読みます。\n" * 20


def test_pdf_pages_labels_outline_and_title(tmp_path: Path) -> None:
    def first(document: FPDF) -> None:
        document.set_page_label(label_style="r")
        document.start_section("1 Installing")
        at(document, 50, 50, "1 Installing")
        at(document, 50, 80, "Put it on a table.")
        document.start_section("Networks", level=1)
        at(document, 50, 120, "Networks")

    info, pages = read(pdf(tmp_path / "manual.pdf", first, "Second page.", title="The Manual"))
    assert (info.title, info.unit, info.n_pages, info.media_type) == ("The Manual", Unit.PAGE, 2, "application/pdf")
    assert [page.number for page in pages] == [1, 2]
    assert pages[0].text == "1 Installing\nPut it on a table.\nNetworks"
    assert [(each.level, each.title, each.start) for each in pages[0].headings] == [
        (1, "1 Installing", 0),
        (2, "Networks", pages[0].text.index("Networks")),
    ]
    assert pages[0].label == "i"
    assert pages[1].text == "Second page."


def test_words_broken_at_the_end_of_a_pdf_line_are_whole(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "a.pdf", lambda page: (at(page, 50, 50, "a wonderful manip-"), at(page, 50, 64, "ulation of lines"))
    )
    assert text_of(path) == "a wonderful manipulation of lines"


def test_pdf_pages_are_not_held(tmp_path: Path) -> None:
    document = open_document(pdf(tmp_path / "a.pdf", *[f"Page {number}" for number in range(30)]), lambda: None)
    pages = document.pages
    assert [next(pages).text for _ in range(3)] == ["Page 0", "Page 1", "Page 2"]
    pages.close()  # type: ignore[attr-defined]


def word_document() -> Any:
    document = docx.Document()
    document.core_properties.title = "Yearly report"
    document.add_heading("Results", 1)
    document.add_paragraph("We sold more.")
    table = document.add_table(rows=2, cols=2)
    for row, words in zip(table.rows, (("Year", "Sales"), ("2024", "17")), strict=True):
        for cell, word in zip(row.cells, words, strict=True):
            cell.text = word
    document.add_heading("Outlook", 2)
    paragraph = document.add_paragraph("Next year ")
    paragraph.add_run("will be good.").bold = True
    return document


def test_docx_in_reading_order(tmp_path: Path) -> None:
    word_document().save(str(tmp_path / "report.docx"))
    info, [page] = read(tmp_path / "report.docx")
    assert (info.title, info.unit) == ("Yearly report", Unit.TEXT)
    assert page.text == "Results\n\nWe sold more.\n\nYear | Sales\n2024 | 17\n\nOutlook\n\nNext year will be good."
    assert [(each.level, each.title) for each in page.headings] == [(1, "Results"), (2, "Outlook")]
    assert all(page.text.startswith(each.title, each.start) for each in page.headings)


def test_docx_pages_where_word_has_noted_them(tmp_path: Path) -> None:
    document = word_document()
    run = document.add_paragraph().add_run("On the second page.")
    run._r.insert(0, parse_xml(f"<w:lastRenderedPageBreak {nsdecls('w')}/>"))
    document.save(str(tmp_path / "report.docx"))
    info, pages = read(tmp_path / "report.docx")
    assert info.unit is Unit.PAGE
    assert [page.number for page in pages] == [1, 2]
    assert pages[1].text == "On the second page."


def test_odt_in_reading_order(tmp_path: Path) -> None:
    document = odfdo.Document("text")
    document.body.clear()
    document.meta.title = "Guide"
    document.body.append(odfdo.Header(1, "Start"))
    document.body.append(odfdo.Paragraph("Hello  there."))
    document.body.append(odfdo.List(["one", "two"]))
    table = odfdo.Table("T", width=2, height=1)
    table.set_values([["Year", "Sales"], [2024, 17]])
    document.body.append(table)
    document.save(str(tmp_path / "guide.odt"))
    info, [page] = read(tmp_path / "guide.odt")
    assert (info.title, info.unit) == ("Guide", Unit.TEXT)
    assert page.text == "Start\n\nHello  there.\n- one\n- two\n\nYear | Sales\n2024 | 17"
    assert [(each.level, each.title, each.start) for each in page.headings] == [(1, "Start", 0)]


def test_odp_slides(tmp_path: Path) -> None:
    document = odfdo.Document("presentation")
    document.body.clear()
    for number in (1, 2):
        page = odfdo.DrawPage(f"p{number}", name=f"Slide {number}")
        page.append(odfdo.Frame.text_frame(f"Words {number}", size=("7cm", "5cm"), position=("1cm", "1cm")))
        document.body.append(page)
    document.save(str(tmp_path / "talk.odp"))
    info, pages = read(tmp_path / "talk.odp")
    assert (info.unit, info.n_pages) == (Unit.SLIDE, 2)
    assert [(page.label, page.text) for page in pages] == [("Slide 1", "Words 1"), ("Slide 2", "Words 2")]


def test_odt_hidden_styles(tmp_path: Path) -> None:
    document = odfdo.Document("text")
    document.body.clear()
    for name, properties in (
        ("gone", {"display": "none"}),
        ("pale", {"color": "#ffffff"}),
        ("red", {"color": "#ff0000"}),
    ):
        style = odfdo.Style("text", name=name, area="text")
        key = "text:display" if name == "gone" else "fo:color"
        style.set_properties({key: next(iter(properties.values()))}, area="text")
        document.insert_style(style, automatic=True)
        paragraph = odfdo.Paragraph(f"Seen {name}. ")
        paragraph.append(odfdo.Span("Perhaps.", style=name))
        document.body.append(paragraph)
    document.save(str(tmp_path / "a.odt"))
    _info, [page] = read(tmp_path / "a.odt")
    assert page.text == "Seen gone.\n\nSeen pale.\n\nSeen red. Perhaps."
    assert {each.reason for each in page.hidden} == {HiddenReason.INVISIBLE, HiddenReason.SAME_COLOUR}


def test_pptx_slides_tables_and_notes(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Plan"
    box = slide.shapes.add_textbox(0, 3_000_000, 2_000_000, 500_000)
    box.text_frame.text = "Build it"
    table = slide.shapes.add_table(1, 2, 0, 4_000_000, 2_000_000, 300_000).table
    table.cell(0, 0).text, table.cell(0, 1).text = "a", "b"
    outside = slide.shapes.add_textbox(20_000_000, 0, 2_000_000, 500_000)
    outside.text_frame.text = "Nobody sees this"
    slide.notes_slide.notes_text_frame.text = "Speak slowly"
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "End"
    presentation.save(str(tmp_path / "talk.pptx"))
    info, pages = read(tmp_path / "talk.pptx")
    assert (info.unit, info.n_pages) == (Unit.SLIDE, 2)
    assert pages[0].text == "Plan\n\nBuild it\n\na | b\n\nSpeak slowly"
    assert pages[0].headings[0].title == "Plan"
    assert [(each.reason, each.text) for each in pages[0].hidden] == [(HiddenReason.OFF_PAGE, "Nobody sees this")]
    assert pages[1].text == "End"


def workbook(path: Path, n_rows: int = 2) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("People")
        sheet.write_row(0, 0, ["Name", "Born", "Note"])
        sheet.write_row(1, 0, ["Ada", 1815, "wrote a\nprogram"])
        sheet.write_row(2, 0, ["Grace", 1906.5])
        for row in range(3, n_rows):
            sheet.write_row(row, 0, [f"Person {row}", row, "x" * 60])
        book.add_worksheet("Secret").write(0, 0, "key")
        book.get_worksheet_by_name("Secret").hide()
        figures = book.add_worksheet("Figures")
        figures.write_row(4, 0, [1, 2.5, True])
    return path


def test_workbook_rows_say_their_columns(tmp_path: Path) -> None:
    info, pages = read(workbook(tmp_path / "people.xlsx"))
    assert info.unit is Unit.SHEET
    assert [page.label for page in pages] == ["People", "Figures"]
    assert (
        pages[0].text == "Name | Born | Note\nName: Ada; Born: 1815; Note: wrote a program\nName: Grace; Born: 1906.5"
    )
    assert [(each.reason, each.text) for each in pages[0].hidden] == [(HiddenReason.INVISIBLE, "key")]
    assert (pages[1].text, pages[1].first_line) == ("1\t2.5\tTrue", 5)


def test_long_sheets_are_cut_between_rows(tmp_path: Path) -> None:
    pages = read(workbook(tmp_path / "people.xlsx", 3000))[1][:-1]
    assert len(pages) > 2
    lines = {page.first_line + n: line for page in pages for n, line in enumerate(page.text.split("\n"))}
    assert lines[2001].startswith("Name: Person 2000; Born: 2000")
    assert all(len(page.text) <= PART_CHARACTERS for page in pages)


@pytest.mark.parametrize(("delimiter", "suffix"), [(",", ".csv"), (";", ".csv"), ("\t", ".tsv")])
def test_csv(tmp_path: Path, delimiter: str, suffix: str) -> None:
    path = tmp_path / f"people{suffix}"
    path.write_bytes(f'Name{delimiter}Ort\nJörg{delimiter}"Köln{delimiter} am Rhein"\n'.encode("cp1252"))
    assert text_of(path) == f"Name | Ort\nName: Jörg; Ort: Köln{delimiter} am Rhein".replace("\t ", " ")


def test_epub_chapters(tmp_path: Path) -> None:
    path = epub(
        tmp_path / "book.epub",
        {"Loomings": "<h1>Loomings</h1><p>Call me Ishmael.</p>", "The End": "<p>The End</p><p>x</p>"},
    )
    info, pages = read(path)
    assert (info.title, info.unit, info.n_pages) == ("A Book", Unit.CHAPTER, 2)
    assert [(page.label, page.text) for page in pages] == [
        ("Loomings", "Loomings\n\nCall me Ishmael."),
        ("The End", "The End\n\nx"),
    ]
    assert [page.headings[0].title for page in pages] == ["Loomings", "The End"]


def test_html_keeps_the_order_and_drops_scripts(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(
        "<!doctype html><meta charset=iso-8859-1><title>Öfen</title><script>var x = 'no'</script>"
        "<h1>Öfen</h1><p>Ein <b>großer</b>\n Ofen.<ul><li>eins<li>zwei</ul><table><tr><th>a<th>b<tr><td>1<td>2</table>"
        "<pre>x  =\n  1</pre><h2>Ende</h2>".encode("latin-1")
    )
    info, [page] = read(path)
    assert info.title == "Öfen"
    assert page.text == "Öfen\n\nEin großer Ofen.\n- eins\n- zwei\na | b\n1 | 2\n\nx  =\n  1\n\nEnde"
    assert [(each.level, each.title) for each in page.headings] == [(1, "Öfen"), (2, "Ende")]


def test_the_main_part_of_a_page_is_read_where_it_is_most_of_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    menu = "<body style='color:#fff;background:#111'><nav><ul><li><a>Home</a> |</li></ul></nav>"
    path.write_text(menu + "<div role=main><h1>Ovens<a>¶</a></h1><p>They are warm, and they bake bread.</div>")
    _info, [page] = read(path)
    assert page.text == "Ovens\n\nThey are warm, and they bake bread."
    path.write_text(menu + "<p>They are warm, and they bake bread. That is all.</p><main>1</main>")
    _info, [page] = read(path)
    assert page.text.startswith("- Home")


def message(subject: str, *, html: str = "") -> email.message.EmailMessage:
    found = email.message.EmailMessage()
    found["From"], found["To"], found["Subject"] = "Jörg <j@example.org>", "ada@example.org", subject
    found["Date"] = "Mon, 3 Mar 2025 10:00:00 +0100"
    found.set_content("Guten Tag,\nbis Dienstag." if not html else "")
    if html:
        found.set_content(html, subtype="html")
    found.add_attachment(b"\x00\x01", maintype="application", subtype="pdf", filename="plan.pdf")
    return found


@pytest.mark.parametrize("name", ["letter.eml", "letter"])
def test_mail(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(message("Grüße aus Köln")))
    info, [page] = read(tmp_path / name)
    assert (info.title, info.unit, page.label) == ("Grüße aus Köln", Unit.MAIL, "Grüße aus Köln")
    assert page.text == (
        "From: Jörg <j@example.org>\nTo: ada@example.org\nDate: Mon, 03 Mar 2025 10:00:00 +0100\n"
        "Subject: Grüße aus Köln\n\nGuten Tag,\nbis Dienstag.\n\nAttachments: plan.pdf"
    )


def test_mail_in_html_hides_as_pages_do(tmp_path: Path) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(bytes(message("Hello", html="<p>Seen</p><p style='display:none'>Unseen</p>")))
    _info, [page] = read(path)
    assert "\n\nSeen\n\n" in page.text
    assert [each.text for each in page.hidden] == ["Unseen"]


def test_mailbox(tmp_path: Path) -> None:
    box = mailbox.mbox(str(tmp_path / "all.mbox"))
    for number in range(3):
        box.add(mailbox.mboxMessage(message(f"Letter {number}")))
    box.close()
    info, pages = read(tmp_path / "all.mbox")
    assert info.unit is Unit.MAIL
    assert [page.label for page in pages] == ["Letter 0", "Letter 1", "Letter 2"]


def test_mhtml(tmp_path: Path) -> None:
    saved = email.message.EmailMessage()
    saved["Subject"] = "Saved"
    saved.set_content("<title>News</title><h1>Rain</h1>", subtype="html")
    saved.make_related()
    (tmp_path / "page.mhtml").write_bytes(bytes(saved))
    info, [page] = read(tmp_path / "page.mhtml")
    assert (info.title, page.text) == ("News", "Rain")


def test_notebook_cells(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Data\n", "We load it."]},
        {"cell_type": "code", "source": "def f():\n    return 1\nf()", "outputs": [{"data": {"text/plain": ["1"]}}]},
    ]
    path = tmp_path / "work.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    info, pages = read(path)
    assert (info.unit, info.n_pages) == (Unit.CELL, 2)
    assert [page.text for page in pages] == ["# Data\nWe load it.", "def f():\n    return 1\nf()\n\n1"]
    assert [page.headings[0].title for page in pages] == ["Data", "f"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "film.srt",
            "1\n00:01:02,000 --> 00:01:04,000\n<i>Good</i> evening.\n\n2\n00:01:05,000 --> 00:01:06,000\nYes.\n",
        ),
        ("film.vtt", "WEBVTT\n\n00:01:02.000 --> 00:01:04.000\nGood evening.\n\n00:01:05.000 --> 00:01:06.000\nYes.\n"),
    ],
)
def test_subtitles(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    info, (page,) = read(tmp_path / name)
    assert (info.unit, page.first_line) == (Unit.TIME, 62)
    assert page.text == "00:01:02 Good evening.\n00:01:05 Yes."


def test_rtf(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_bytes(
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Arial;}\f0 Gr\'fc\'dfe,\par {\b bis} Dienstag\par}"
    )
    assert text_of(tmp_path / "a.rtf") == "Grüße,\nbis Dienstag"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
    ],
)
def test_text_in_its_own_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert text_of(tmp_path / "a.txt") == text


def test_an_encoding_may_show_late(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"plain words\n" * 200_000 + "Öfen\n".encode())
    pages = read(tmp_path / "a.txt")[1]
    assert pages[-1].text.endswith("Öfen\n")
    assert pages[-1].first_line + pages[-1].text.count("\n") == 200_002


def test_parts_keep_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"line {number}\n" for number in range(1, 40_001)))
    pages = read(tmp_path / "a.txt")[1]
    assert len(pages) > 5
    for page in pages:
        assert page.text.startswith(f"line {page.first_line}\n")
        assert len(page.text) <= PART_CHARACTERS
    assert "".join(page.text for page in pages) == (tmp_path / "a.txt").read_text()


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 150_000)
    pages = read(tmp_path / "a.txt")[1]
    assert [len(page.text) for page in pages] == [60_000, 60_000, 30_000]
    assert {page.first_line for page in pages} == {1}


def test_markdown_headings(tmp_path: Path) -> None:
    text = "# One\n\ntext\n\n```\n# no\n```\nTwo *times*\n---\n\n- item\n---\n### Three ###\n#hashtag\n"
    (tmp_path / "a.md").write_text(text)
    info, [page] = read(tmp_path / "a.md")
    assert page.text == text
    assert info.media_type == "text/markdown"
    assert [(each.level, each.title) for each in page.headings] == [(1, "One"), (2, "Two times"), (3, "Three")]
    lines = [text[each.start :].partition("\n")[0] for each in page.headings]
    assert lines == ["# One", "Two *times*", "### Three ###"]


def test_restructured_headings(tmp_path: Path) -> None:
    text = "=====\nTitle\n=====\n\nPart\n====\n\ntext\n\nSmaller\n-------\nMore\n====\n"
    (tmp_path / "a.rst").write_text(text)
    _info, [page] = read(tmp_path / "a.rst")
    found = [(each.level, each.title) for each in page.headings]
    assert found == [(1, "Title"), (2, "Part"), (3, "Smaller"), (2, "More")]
    assert all(text.startswith(each.title, each.start) for each in page.headings)


@pytest.mark.parametrize(
    ("name", "text", "titles"),
    [
        ("a.py", "class Ofen:\n    def heat(self):\n        pass\n", ["Ofen", "heat"]),
        ("a.rs", "pub fn main() {\n}\nimpl Oven {\n    async fn heat() {}\n}\n", ["main", "Oven", "heat"]),
        ("a.ts", "export default class Oven extends Box {\n}\nexport function heat() {}\n", ["Oven", "heat"]),
        ("a.go", "func Heat(x int) int {\n}\ntype Oven struct {\n}\n", ["Heat", "Oven struct"]),
    ],
)
def test_code_headings(tmp_path: Path, name: str, text: str, titles: list[str]) -> None:
    (tmp_path / name).write_text(text)
    _info, [page] = read(tmp_path / name)
    assert page.text == text
    assert [each.title for each in page.headings] == titles


def test_content_goes_before_the_name(tmp_path: Path) -> None:
    def kind(name: str, data: bytes) -> Format:
        (tmp_path / name).write_bytes(data)
        source = open_source(tmp_path / name, lambda: None)
        with source.file:
            return detect(source)

    document = pdf(tmp_path / "a.pdf", "words").read_bytes()
    assert kind("b.txt", document) is Format.PDF
    assert kind("b.docx", b"\n\n" + document) is Format.PDF
    assert kind("c.txt", workbook(tmp_path / "a.xlsx").read_bytes()) is Format.WORKBOOK
    assert kind("d.bin", b"<!DOCTYPE html><p>x") is Format.HTML
    assert kind("e.py", b"<html>this is a template</html>") is Format.CODE
    assert kind("f", b"#!/bin/sh\necho\n") is Format.CODE
    assert kind("g.txt", b"From: the desk of Ada\nTo: whom it may concern\n\nDear") is Format.TEXT


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("nothing.txt", b"", "is empty"),
        ("spaces.txt", b" \n\n ", "no text"),
        ("song.mp3", b"ID3\x03", "sound or video"),
        ("film.mp4", b"\0\0\0\x18ftypisom", "sound or video"),
        ("odd.mp3", bytes(range(256)) * 8, "sound or video"),
        ("photo.heic", b"\0\0\0\x18ftypheic", "PNG or JPEG"),
        ("all.zip", b"PK\x05\x06" + bytes(18), "archive"),
        ("all.gz", b"\x1f\x8b\x08", "archive"),
        ("model.gguf", b"GGUF\x03", "model"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "2007"),
        ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("mail.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__properties_version1.0".encode("utf-16-le"), ".eml"),
        ("a.out", b"\x7fELF\x02\x01\x01\0\0\0", "not hold text"),
        ("noise.csv", bytes(range(256)) * 8, "not hold text"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("broken.docx", b"PK\x03\x04nothing", "damaged"),
        ("broken.ipynb", b'{"cells": 3}', "damaged"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "reads print"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DocumentError, match=words) as raised:
        read(tmp_path / name)
    assert name in str(raised.value)


def test_a_pdf_with_a_password(tmp_path: Path) -> None:
    document = FPDF()
    document.set_encryption(owner_password="a", user_password="b")
    document.add_page()
    document.output(str(tmp_path / "locked.pdf"))
    with pytest.raises(DocumentError, match="password"):
        read(tmp_path / "locked.pdf")


def test_a_document_changed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n" * 50_000)
    document = open_document(path, lambda: None)
    next(document.pages)
    path.write_text("two\n" * 40_000)
    with pytest.raises(DocumentError, match="changed"):
        list(document.pages)


def test_one_broken_member_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        read(zipped(tmp_path / "a.docx", {"word/document.xml": "<w:document"}))


def test_scans_go_to_the_recogniser(tmp_path: Path) -> None:
    sizes = []

    def recognise(pixels: Any) -> str:
        sizes.append(pixels.shape)
        return "Words of a scan"

    path = pdf(
        tmp_path / "scan.pdf",
        "A page with enough words of its own.",
        lambda page: page.image(png(60, 80), 0, 0, 595, 842),
    )
    pages = list(open_document(path, lambda: recognise).pages)
    assert [page.text for page in pages] == ["A page with enough words of its own.", "Words of a scan"]
    assert [max(size) for size in sizes] == [2500]
    with pytest.raises(DocumentError, match="reads print"):
        read(pdf(tmp_path / "scans.pdf", lambda page: page.image(png(60, 80), 0, 0, 595, 842)))


def test_a_small_picture_is_read_where_nothing_else_is_on_the_page(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "receipt.pdf",
        lambda page: page.image(png(60, 40), 100, 100, 300, 200),
        lambda page: (page.image(png(60, 40), 100, 100, 300, 200), at(page, 50, 50, "Page 2")),
        lambda page: page.image(png(10, 10), 100, 100, 50, 50),
    )
    pages = list(open_document(path, lambda: lambda _pixels: "Paid").pages)
    assert [page.text for page in pages] == ["Paid", "Page 2", ""]


def test_words_are_put_in_lines() -> None:
    def box(x: float, y: float) -> list[list[float]]:
        return [[x, y], [x + 50, y], [x + 50, y + 10], [x, y + 10]]

    words = [(box(100, 11), "world"), (box(0, 40), "again"), (box(0, 10), "Hello")]
    assert ocr.in_lines(words) == "Hello world\nagain"
