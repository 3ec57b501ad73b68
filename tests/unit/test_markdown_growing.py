"""A text read in pieces gives the blocks of the text read whole, and settled blocks are not read again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ui.markdown.growing import GrowingMarkdown
from app.ui.markdown.reader import MarkdownReader, Reading

READER = MarkdownReader()
SAMPLE = """# Title

Some *text* with **bold** and $x$,
on two lines.
Setext
---

1. one
2. two
   ```python
   def f(x):

       return x
   ```
   after

3. three
   - nested
   - [x] done

     para in item

   > quote in list
1. next
1. next

- a
- b
* c

> quote
lazy
>
> - item
>
> ```
> code
> ```

| a | b |
|---|--:|
| 1 | `2` |
| 3 |

$$
\\int x
$$
text
\\[ E \\] and
\\[ F
= G \\]

~~~
open ```
~~~

    indented

    more

[link][ref] and note[^1].

***

[ref]: https://example.com
[^1]: A note.

#
#not
last line"""


def grown(pieces: list[str]) -> GrowingMarkdown:
    growing = GrowingMarkdown(READER)
    for piece in pieces:
        growing.append(piece)
    growing.finish()
    return growing


@pytest.mark.parametrize("seed", range(25))
def test_sample_in_random_pieces(seed: int) -> None:
    chance = random.Random(seed)
    pieces, start = [], 0
    while start < len(SAMPLE):
        step = chance.randint(1, 9)
        pieces.append(SAMPLE[start : start + step])
        start += step
    assert grown(pieces).blocks == list(READER.read(SAMPLE).blocks)


def test_sample_by_single_characters() -> None:
    assert grown(list(SAMPLE)).blocks == list(READER.read(SAMPLE).blocks)


PIECES = "a|- b|  - c|1. d|2. e|   f|> g|||```|~~~|# h|---|    i|$$|$k$|\\[ l \\]|* m|3) n|#|-|>|***o***|[p](q)|\t- r"
TABLE = ("| x | y |", "|---|---|")
LINES = st.lists(st.sampled_from([*PIECES.split("|"), *TABLE]), max_size=14)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(LINES, st.integers(1, 7))
def test_any_lines_in_pieces(lines: list[str], step: int) -> None:
    source = "\n".join(lines)
    pieces = [source[start : start + step] for start in range(0, len(source), step)]
    assert grown(pieces).blocks == list(READER.read(source).blocks)


def test_only_the_end_is_read_again() -> None:
    read: list[int] = []

    class Counting(MarkdownReader):
        def read(self, source: str, **options: object) -> Reading:
            read.append(len(source))
            return super().read(source, **options)  # type: ignore[arg-type]

    growing = GrowingMarkdown(Counting())
    text = "".join(f"Paragraph {number} is here.\n\n- item\n- item {number}\n\n" for number in range(300))
    for start in range(0, len(text), 40):
        growing.append(text[start : start + 40])
    assert max(read) < 200
    assert sum(read) < 12 * len(text)
    growing.finish()
    assert len(growing.blocks) == 900


def test_settled_blocks_stay_the_same_objects() -> None:
    growing = GrowingMarkdown(READER)
    growing.append("one\n\ntwo\n\nthree\nlines")
    before = growing.blocks
    growing.append(" more")
    after = growing.blocks
    assert before[0] is after[0]
    assert before[1] is after[1]
    assert before[2] != after[2]
