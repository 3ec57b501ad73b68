"""A person drags a 300-page manual and a folder of mixed files into the real program, asks, and opens a cited page.

On a virtual screen, with a window manager, real drag and drop between two programs, and a real model.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import docx
import numpy as np
import pytest
from PIL import Image

from app.answer_citations import citations_of
from app.paths import resolve_paths
from app.settings import Settings
from app.store.store import ConversationStore
from app.store.types import StoredMessage
from engine.context.segments import Role
from rag.citations import Verdict
from tests.end2end.drag_source import TITLE
from tests.end2end.screen import ROOT, Program, Screen, inet_calls, wait_for
from tests.evaluation.retrieval_sets import unpacked

pytestmark = [
    pytest.mark.weights,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Xvfb"),
]
ANSWER_S = 240.0


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    """The manual of gnuplot: 311 pages."""
    try:
        folder = unpacked("gnuplot-doc")
    except (RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"the manual cannot be fetched: {error}")
    return Path(shutil.copy(folder / "usr/share/doc/gnuplot/gnuplot.pdf", tmp_path / "gnuplot.pdf"))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "village"
    folder.mkdir()
    (folder / "lighthouse.md").write_text(
        "# The lighthouse\n\nThe lamp of the Marlund lighthouse was lit for the first time on 3 May 1887.\n", "utf-8"
    )
    (folder / "boats.csv").write_text("boat,owner\nSkarv,Berit Lund\nTerne,Ola Vik\n", "utf-8")
    (folder / "fair.html").write_text("<h1>The fair</h1><p>The fair opens on the second Sunday of June.</p>", "utf-8")
    letter = docx.Document()
    letter.add_heading("The roof of the school", 1)
    letter.add_paragraph("Mending the roof of the school costs 48,200 crowns, says the carpenter Nils Haugen.")
    letter.save(str(folder / "letter.docx"))
    return folder


def dragged(screen: Screen, hearth: Program, paths: list[Path]) -> None:
    """Drag files from another program's window onto the chat."""
    screen.xdotool("windowsize", "--sync", hearth.window, "1080", "850", "windowmove", hearth.window, "0", "0")
    source = subprocess.Popen(
        [sys.executable, "-m", "tests.end2end.drag_source", *map(str, paths)], cwd=ROOT, env=screen.environment
    )
    try:
        window = wait_for("the files", lambda: screen.xdotool("search", "--onlyvisible", "--name", TITLE))
        screen.xdotool("windowmove", "--sync", window, "1100", "100")
        screen.xdotool("windowactivate", "--sync", window)
        screen.xdotool("mousemove", "1160", "170", "sleep", "0.5", "mousedown", "1", "sleep", "1.5")
        for x in range(1160, 640, -40):
            screen.xdotool("mousemove", str(x), "400", "sleep", "0.03")
        screen.xdotool("sleep", "1", "mouseup", "1", "sleep", "1")
        screen.xdotool("windowactivate", "--sync", hearth.window)
    finally:
        source.kill()
        source.wait(10)


def exchanges(data: Path) -> list[tuple[StoredMessage, StoredMessage]]:
    """Questions with their answers, as the store has them."""
    store = ConversationStore.open(data / "conversations.db")
    try:
        (conversation,) = store.conversations()
        path = store.path(conversation.id)
    finally:
        store.close()
    pairs = zip(path[::2], path[1::2], strict=True)
    return [(question, answer) for question, answer in pairs if question.role is Role.USER]


def last_chip(picture: Path) -> tuple[int, int]:
    """Where the lowest citation stands in the transcript: letters in the accent's colour."""
    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)[60:650, 290:1060]
    red, green, blue = pixels.transpose(2, 0, 1)
    accent = (red > 140) & (green < 110) & (blue < 80)
    rows = np.flatnonzero(accent.any(axis=1))
    assert len(rows), "no citation is to be seen"
    band = accent[rows[-1] - 8 : rows[-1] + 1]
    return 290 + int(np.median(np.nonzero(band)[1])), 60 + int(rows[-1]) - 4


def marked_pixels(picture: Path) -> int:
    """Of the yellow that marks a passage on a page."""
    red, green, blue = np.asarray(Image.open(picture).convert("RGB")).astype(int).transpose(2, 0, 1)
    return int(((red > 200) & (green > 180) & (blue < 190) & (red - blue > 60)).sum())


def test_a_manual_and_a_folder_are_asked_and_a_page_opens(
    screen: Screen, starter: Path, manual: Path, mixed: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    Settings.load(resolve_paths(data, portable=False).settings_file).set("documents.tokens", 500)
    asked = {
        "When was the lamp of the Marlund lighthouse lit for the first time?": ("1887", "lighthouse.md"),
        "How much does it cost to mend the roof of the school?": ("48,200", "letter.docx"),
        "What output plot size in pixels does set terminal png default to?": ("640", "gnuplot.pdf"),
    }
    with Program(screen, data, starter, tmp_path / "documents.trace") as hearth:
        dragged(screen, hearth, [manual, mixed])
        for number, question in enumerate(asked, 1):
            hearth.ask(question)
            wait_for(f"answer {number}", lambda n=number: len(hearth.answers("complete")) >= n or None, ANSWER_S)
        answers, page = tmp_path / "answers.png", tmp_path / "page.png"
        wait_for("the chips", lambda: hearth.screenshot(answers) or last_chip(answers))
        x, y = last_chip(answers)
        screen.xdotool("mousemove", str(x), str(y), "sleep", "0.3", "click", "1")

        def is_marked() -> bool | None:
            hearth.screenshot(page)
            return marked_pixels(page) > marked_pixels(answers) + 200 or None

        wait_for("the page with its passage marked", is_marked)
        hearth.key("Escape")
        screen.xdotool("windowactivate", "--sync", hearth.window)
        assert hearth.quit() == 0
    assert not inet_calls(hearth.trace), "nothing leaves the machine"

    for (question, answer), (wanted, file) in zip(exchanges(data), asked.values(), strict=True):
        assert wanted in answer.text, question.text
        assert question.sources is not None
        cited = [each for each in citations_of(answer.text, question.sources) if each.verdict is Verdict.HOLDS]
        files = {Path(question.sources.passages[each.number - 1].path).name for each in cited}
        assert file in files, f"{question.text} {answer.text} {files}"
