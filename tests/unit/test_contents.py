"""Tables of contents are told from all else that has leaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chunking import Chunker
from rag.contents import is_contents
from rag.types import Page

DEBIAN = """1.3 OK, now I know what Debian is... what is Linux?! . . . . . . . . . . . . . . . . . . . . . . 2
1.4 Does Debian just do GNU/Linux? . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . 2
1.5 What is the difference between Debian GNU/Linux and other Linux distributions? Why
should I choose Debian over some other distribution? . . . . . . . . . . . . . . . . . . . . 2
1.6 How does the Debian project fit in or compare with the Free Software Foundation’s GNU
project? . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . 3"""
ENGLISH = (
    "Contents\n\nPreface ........ ix\nChapter 1 ....... 1\nChapter 2 ....... 17\nChapter 3 ......... 41\n"
    "Index ..... 312\n"
)
GERMAN = "Inhaltsverzeichnis\n1 Willkommen 1\n1.1 Was ist es? . . . . . . . 1\n1.2 Woher kommt es? . . . . . . . 3\n"
WIDE = "A.1 Rules…………12\nA.2 Fees…………14\nA.3 Guests…………14\nA.4 Boats…………20"
FIGURES = "List of Figures\nA boat . . . . . . . . 3\nA bridge . . . . . . . . 7\nA harbour . . . . . . 44"


@pytest.mark.parametrize("text", [DEBIAN, ENGLISH, GERMAN, WIDE, FIGURES], ids=["en", "named", "de", "wide", "figures"])
def test_tables_of_contents(text: str) -> None:
    assert is_contents(text, n_pages=400)
    assert is_contents(text)


def test_a_passage_may_begin_and_end_within_an_entry() -> None:
    torn = ". . . . . . 2\n" + DEBIAN.split("\n", 1)[1] + "\n1.7 Who takes care of it? . . . . . . . ."
    assert is_contents(torn, n_pages=400)
    assert is_contents("2\n" + torn, after=True, n_pages=400)


def test_what_goes_on_without_its_heading() -> None:
    rest = "Boats ........ 41\nHarbours ....... 52\nFees ...... 60\n"
    assert is_contents(rest, after=True, n_pages=400)
    assert is_contents(rest, section="Handbook > Contents", n_pages=400)
    assert not is_contents(rest, n_pages=400)
    assert not is_contents(rest, section="Handbook > Table contents explained", n_pages=400)


MENU = "Soup ........ 6\nSalad ........ 8\nFish ........ 19\nSteak ........ 24\nCake ....... 27"
NUMBERED_MENU = "1. Soup ........ 6\n2. Salad ........ 8\n3. Fish ........ 19\n4. Steak ........ 24"
PRICES = "Soup ........ 6.50\nSalad ........ 8.00 €\nFish ........ $19\nSteak ........ 24,-\nCake ....... 7"
FORM = "Name: ......................\nStreet: ......................\nTown: .................\nDate: ............"
PHONES = "Anna Berg ........ 555123\nNils Dahl ........ 555124\nOla Eng ........ 555980"
QUANTITIES = "1.1 Digging ........ 120\n1.2 Concrete ........ 340\n1.3 Walls ........ 990\n1.4 Roof ....... 1200"
PROSE = (
    "And then . . . . nothing. He waited . . . . 3 hours.\nThe sea was calm...... 12 boats lay in the harbour.\n"
    "Chapter 3 tells more of it, and of the year 1912.\n"
)
CODE = "for i in range(4):\n    print(i) # ........ 1\nreturn x ........ 2\n"
SCORES = "1.1 Berlin ....... 12\n1.2 Hamburg ....... 4\n1.3 Bonn ....... 30\n1.4 Kiel ........ 2\n1.5 Ulm ....... 9"
MIXED = (
    ENGLISH + "\nThe club was founded in 1912 by nine rowers.\nIt has 240 members.\nThey row.\nIn winter they ski.\n"
)


@pytest.mark.parametrize(
    "text",
    [MENU, NUMBERED_MENU, PRICES, FORM, PHONES, PROSE, CODE, SCORES, MIXED, "", "Contents", "Contents\n1 Boats 3\n"],
)
@pytest.mark.parametrize("n_pages", [None, 3, 400])
def test_all_else_stays(text: str, n_pages: int | None) -> None:
    assert not is_contents(text, n_pages=n_pages)


def test_numbers_that_are_no_pages_of_the_document() -> None:
    assert not is_contents(QUANTITIES, n_pages=12)
    assert not is_contents(f"Contents\n{MENU}", n_pages=2)
    assert is_contents(QUANTITIES, n_pages=1300), "positive control: only the pages tell it from a table of contents"


def test_the_chunker_leaves_them_out_and_nothing_else() -> None:
    chunker = Chunker()
    chunker.begin(400)
    entries = "\n".join(
        f"{n}.1 Of boats and harbours . . . . . . . . . . . . . . . . . . . {3 * n}" for n in range(1, 60)
    )
    first = chunker.chunks_of(Page(1, f"Contents\n{entries}"))
    assert first == []
    names = "\n".join(f"Boat number {n} . . . . . . . . . . . . . . . . . {180 + n}" for n in range(30))
    text = "Preface\n\nThis book is about boats. " * 20
    second = chunker.chunks_of(Page(2, f"{names}\n\n{text}"))
    assert all("preface" in Page(2, f"{names}\n\n{text}").text[c.start : c.end].casefold() for c in second[-2:])
    assert "This book is about boats." in "".join(f"{names}\n\n{text}"[c.start : c.end] for c in second)
    third = Page(3, "The harbour is open from May to September.")
    assert len(chunker.chunks_of(third)) == 1
    chunker.begin(3)
    assert len(chunker.chunks_of(Page(1, names))) > 1, "another document knows nothing of the one before"


@pytest.mark.skipif(not Path("/usr/share/doc").is_dir(), reason="no PDF files of others at hand")
def test_of_manuals_only_the_first_pages_go() -> None:
    from tests.unit.foreign_documents import read

    manuals = [path for path in sorted(Path("/usr/share/doc").glob("*/*.pdf")) if path.stat().st_size < 3_000_000][:3]
    if not manuals:
        pytest.skip("no manual at hand")
    for path in manuals:
        _info, pages = read(path)
        chunker = Chunker()
        chunker.begin(len(pages))
        for page in pages:
            kept = chunker.chunks_of(page)
            lost = len(page.text) - sum(chunk.end - chunk.start for chunk in kept)
            dotted = sum(len(line) for line in page.text.splitlines() if ". . ." in line or "...." in line)
            assert lost <= dotted + 0.1 * len(page.text) + 200


def test_endless_leaders_take_no_endless_time() -> None:
    """Each letter is looked at a few times, however the lines are made; a timeout would tell."""
    for line in ("." * 200_000, ". " * 100_000 + "x", "1 " * 100_000, "." * 900 + "x\n" * 1, "Contents " * 20_000):
        assert not is_contents(f"{line}\n" * 3)
