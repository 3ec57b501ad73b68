"""P2: rendering leaks nothing. Thousands of hostile answers go through the real views; no planted file is read, no
connection is made, and no resource is asked of anything but the empty answer.

File reads are watched by the kernel (inotify), for Qt's do not pass Python.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget
from pytestqt.qtbot import QtBot

from app.ui.markdown.reader import MarkdownReader
from app.ui.markdown.verbatim import verbatim_blocks
from app.ui.math_images import MathImages, typeset
from app.ui.message_body import MessageBody
from app.ui.message_formats import Formats
from app.ui.message_selection import SelectionGroup
from app.ui.safe_document import SafeDocument, SafeTextView
from app.ui.theme import Theme, ThemeChoice

_IN_ACCESS, _IN_OPEN, _IN_NONBLOCK = 0x1, 0x20, 0o4000
OUTPUTS = 2600

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class ReadWatch:
    """Counts opens and reads of files in a folder, by whatever part of the process."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(_IN_NONBLOCK)
        assert self._handle >= 0
        assert self._libc.inotify_add_watch(self._handle, os.fsencode(folder), _IN_ACCESS | _IN_OPEN) >= 0

    def names(self) -> list[str]:
        """What was touched since the last call."""
        found: list[str] = []
        while True:
            try:
                data = os.read(self._handle, 65536)
            except BlockingIOError:
                return found
            offset = 0
            while offset < len(data):
                _, _, _, length = struct.unpack_from("iIII", data, offset)
                found.append(data[offset + 16 : offset + 16 + length].rstrip(b"\0").decode())
                offset += 16 + length

    def close(self) -> None:
        os.close(self._handle)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with files worth stealing."""
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(0xFF0000)
    assert image.save(str(tmp_path / "secret.png"))
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "secret.css").write_text("p { color: red }", encoding="utf-8")
    (tmp_path / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    (tmp_path / "secret.html").write_text("<p>secret</p>", encoding="utf-8")
    return tmp_path


@pytest.fixture
def watch(planted: Path) -> Iterator[ReadWatch]:
    watch = ReadWatch(planted)
    yield watch
    watch.close()


def hostile_outputs(folder: Path, count: int) -> list[str]:
    """Markdown and HTML that tries to read, fetch or run something, by itself and nested."""
    files = [str(folder / name) for name in ("secret.png", "secret.txt", "secret.svg", "secret.html", "secret.css")]
    targets = [
        *files,
        *(f"file://{file}" for file in files),
        *(f"FILE://localhost{file}" for file in files),
        f"file:{files[0]}",
        f"file:////{files[0]}",
        f"%66ile://{files[0]}",
        f"file&#58;//{files[0]}",
        f"fi\tle://{files[0]}",
        os.path.relpath(files[0]),
        "//127.0.0.1:9/x.png",
        "\\\\127.0.0.1\\share\\x.png",
        "http://127.0.0.1:9/x.png?leak=1",
        "https://[::1]:9/x.svg",
        "ftp://127.0.0.1:9/x",
        "qrc:/x.png",
        ":/qt-project.org/styles/commonstyle/images/file-16.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml,<svg><image href='" + files[0] + "'/></svg>",
        "javascript:fetch('http://127.0.0.1:9')",
        "formula:1",
    ]
    shapes = [
        "![x]({0})",
        '![x](<{0}> "t")',
        "[![x]({0})]({0})",
        "[x]({0})",
        "<{0}>",
        "{0}",
        "![r][a]\n\n[a]: <{0}>",
        "[a]: {0}\n\n[a] ![a]",
        "[^n]\n\n[^n]: ![x]({0})",
        "| ![x]({0}) | `{0}` |\n|---|---|\n| <img src={0}> | [x](<{0}>) |",
        '<img src="{0}">',
        "<IMG SRC='{0}' onerror='alert(1)'>",
        '<img srcset="{0} 2x">',
        '<picture><source srcset="{0}"></picture>',
        '<link rel="stylesheet" href="{0}">',
        "<style>@import url({0}); body {{ background: url({0}) }}</style>",
        '<p style="background-image: url({0})">x</p>',
        '<table background="{0}"><tr><td background="{0}">x</td></tr></table>',
        '<iframe src="{0}"></iframe><object data="{0}"></object><embed src="{0}">',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="{0}"/><use href="{0}"/></svg>',
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{0}">]><x>&e;</x>',
        '<a href="{0}" ping="{0}">x</a><base href="{0}">',
        '<video src="{0}" poster="{0}"></video><audio src="{0}"></audio>',
        '<body onload="x()" background="{0}">',
        '<meta http-equiv="refresh" content="0;url={0}">',
        "&lt;img src=&quot;{0}&quot;&gt;",
        "```html\n<img src='{0}'>\n```",
        "```svg\n<svg><image href='{0}'/></svg>",
        "`<img src='{0}'>`",
        r"$\includegraphics{{{0}}}$ $\href{{{0}}}{{x}}$ $\input{{{0}}}$",
        "$$\\text{{<image href='{0}'/>}}$$",
        "\\[ \\url{{{0}}} \\]",
        "<!-- <img src='{0}'> -->",
        "<![CDATA[<img src='{0}'>]]>",
    ]
    wraps = [
        "{0}",
        "> {0}",
        "- {0}",
        "1. {0}",
        "# {0}",
        "**{0}**",
        "> - > {0}",
        "~~{0}~~",
        "text {0} text",
        "- [ ] {0}",
    ]
    everything = list(itertools.product(range(len(shapes)), range(len(targets)), range(len(wraps))))
    chance = random.Random(2)
    chance.shuffle(everything)
    every_pair = {(shape, target): (shape, target, wrap) for shape, target, wrap in everything}
    chosen = list(every_pair.values()) + everything
    outputs = []
    for shape, target, wrap in dict.fromkeys(chosen):
        inner = shapes[shape].format(targets[target])
        first, *rest = inner.split("\n")
        indent = " " * 2 if wraps[wrap].startswith(("-", "1")) else "> " if wraps[wrap].startswith(">") else ""
        outputs.append("\n".join([wraps[wrap].format(first), *(indent + line for line in rest)]))
        if len(outputs) == count:
            break
    assert len(set(outputs)) == count
    return outputs


@pytest.fixture
def body(qtbot: QtBot) -> Iterator[MessageBody]:
    theme = Theme(ThemeChoice.LIGHT)
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(640, 480)
    maths = MathImages(window)
    body = MessageBody(Formats(theme), maths, SelectionGroup(window), window)
    body.resize(640, 480)
    window.show()
    yield body
    maths.close()


@linux
def test_hostile_outputs_read_and_fetch_nothing(
    qtbot: QtBot, body: MessageBody, planted: Path, watch: ReadWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connections: list[str] = []
    plain_load = SafeDocument.loadResource

    def noted_load(self: SafeDocument, kind: int, name: QUrl | str) -> object:
        answer = plain_load(self, kind, name)
        asked.append(str(name))
        assert not (isinstance(answer, QImage) and answer.width() > 1)
        return answer

    monkeypatch.setattr(SafeDocument, "loadResource", noted_load)
    armed = [True]

    def audit(event: str, args: tuple[object, ...]) -> None:
        if armed and event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen"):
            connections.append(event)

    sys.addaudithook(audit)
    loaded_before = set(sys.modules)
    reader = MarkdownReader()
    outputs = hostile_outputs(planted, OUTPUTS)
    assert len(outputs) >= 2500
    watch.names()
    for number, output in enumerate(outputs):
        blocks = reader.read(output).blocks if number % 10 else verbatim_blocks(output)
        body.set_blocks(blocks)
        body.resize(640, max(1, body.lay_out(640)))
        body.grab()
    armed.clear()
    assert watch.names() == []
    assert connections == []
    assert "PySide6.QtNetwork" not in set(sys.modules) - loaded_before
    formulas = [name for name in asked if "formula:" in name]
    assert [name for name in asked if name not in formulas] == []


@linux
def test_positive_control_a_plain_browser_reads_the_file(qtbot: QtBot, planted: Path, watch: ReadWatch) -> None:
    browser = QTextBrowser()
    qtbot.addWidget(browser)
    browser.setHtml(f'<img src="file://{planted}/secret.png">')
    browser.grab()
    assert "secret.png" in watch.names()


@linux
def test_the_safe_view_reads_nothing_even_when_given_html(qtbot: QtBot, planted: Path, watch: ReadWatch) -> None:
    """The second wall: if HTML ever reached a view."""
    view = SafeTextView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    for target in (f"file://{planted}/secret.png", str(planted / "secret.png")):
        view.setHtml(
            f'<link rel="stylesheet" href="{target}"><img src="{target}"><p style="background:url({target})">x'
        )
        view.grab()
    view.setSource(QUrl.fromLocalFile(str(planted / "secret.html")))
    view.document().resource(QTextDocument.ResourceType.ImageResource.value, QUrl.fromLocalFile(str(planted / "x.png")))
    assert watch.names() == []


@linux
def test_formulas_read_nothing(planted: Path, watch: ReadWatch) -> None:
    for latex in (
        rf"\input{{{planted}/secret.txt}}",
        rf"\includegraphics{{{planted}/secret.png}}",
        rf"\href{{file://{planted}/secret.txt}}{{x}}",
        rf"\text{{<image href='file://{planted}/secret.png'/>}}",
        rf"\text{{</mtext><image href='{planted}/secret.png'/><mtext>}}",
        r"\def\a{\a\a}\a",
        "{" * 3000,
        r"\frac" * 500,
        r"\sqrt{" * 30 + "x" + "}" * 30,
    ):
        typeset(latex, True, 15)
    assert watch.names() == []


def test_no_view_imports_the_network() -> None:
    """In a process of its own: nothing that the transcript needs loads Qt's network."""
    program = "import sys, app.ui.transcript; sys.exit('PySide6.QtNetwork' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
