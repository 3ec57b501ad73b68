"""What Markdown reads as: the constructs of CommonMark and GitHub, formulas, and what must stay text."""

from __future__ import annotations

import pytest

from app.ui.markdown.blocks import (
    Block,
    CodeBlock,
    Level,
    MathBlock,
    Paragraph,
    RuleBlock,
    SpanKind,
    Style,
    TableBlock,
    Task,
)
from app.ui.markdown.plain import plain_blocks, plain_spans
from app.ui.markdown.reader import MarkdownReader
from app.ui.markdown.verbatim import verbatim_blocks

READER = MarkdownReader()


def read(source: str) -> list[Block]:
    return list(READER.read(source).blocks)


def paragraph(source: str) -> Paragraph:
    (block,) = read(source)
    assert isinstance(block, Paragraph)
    return block


def formulas(source: str) -> list[str]:
    return [
        span.text
        for block in read(source)
        if isinstance(block, Paragraph)
        for span in block.spans
        if span.kind is SpanKind.MATH
    ]


def test_inline_styles() -> None:
    styles = {span.text: span.style for span in paragraph("a **b** *c* ***d*** ~~e~~ `f`").spans}
    assert styles["b"] == Style.BOLD
    assert styles["c"] == Style.ITALIC
    assert styles["d"] == Style.BOLD | Style.ITALIC
    assert styles["e"] == Style.STRIKE
    assert styles["f"] == Style.CODE


def test_headings() -> None:
    assert [block.heading for block in read("# a\n## b\n###### c\nd") if isinstance(block, Paragraph)] == [1, 2, 6, 0]


def test_line_breaks() -> None:
    assert plain_spans(paragraph("soft\nsoft  \nhard\\\nhard").spans) == "soft soft\nhard\nhard"


@pytest.mark.parametrize(
    "source",
    ["<script>alert(1)</script>", "a <b>c</b> <img src=x onerror=y>", "<div>\n\nx\n\n</div>", "<!-- hidden -->"],
)
def test_html_is_text(source: str) -> None:
    assert plain_blocks(read(source)).replace("\n", "") == source.replace("\n", "")
    assert all(isinstance(block, Paragraph) for block in read(source))


def test_lists_nest_and_count() -> None:
    blocks = read("3. three\n4. four\n   - in\n     - deeper\n\n5. five")
    assert [block.place.marker for block in blocks] == ["3.", "4.", "•", "•", "5."]
    assert [len(block.place.levels) for block in blocks] == [1, 1, 2, 3, 1]
    assert [block.place.spaced for block in blocks] == [True, False, False, False, True]


def test_task_list() -> None:
    blocks = read("- [ ] open\n- [x] done\n- [y] neither")
    assert [block.place.task for block in blocks] == [Task.OPEN, Task.DONE, None]
    assert plain_blocks(blocks) == "☐ open\n☑ done\n• [y] neither"


def test_code_in_a_list_keeps_its_place() -> None:
    item, code, after = read("1. step:\n   ```sh\n   ls -l\n   ```\n   after")
    assert isinstance(item, Paragraph)
    assert code == CodeBlock("ls -l", "sh", after.place)
    assert after.place.levels == (Level.LIST,)


def test_item_that_begins_with_code_keeps_its_marker() -> None:
    marker, code = read("- ```\n  x\n  ```")
    assert isinstance(marker, Paragraph)
    assert (marker.place.marker, marker.spans) == ("•", ())
    assert isinstance(code, CodeBlock)


def test_quotes() -> None:
    first, second = read("> a\n>\n> - b")
    assert first.place.levels == (Level.QUOTE,)
    assert second.place.levels == (Level.QUOTE, Level.LIST)


def test_fences() -> None:
    assert read("~~~ Python title\na\n\n b\n~~~") == [CodeBlock("a\n\n b", "Python")]
    assert read("    indented") == [CodeBlock("indented")]
    (block,) = read("```py\nx")
    assert isinstance(block, CodeBlock)
    assert not block.closed


def test_table() -> None:
    (table,) = read("| a | b |\n|:--|--:|\n| `x` | **y** |\n| only |")
    assert isinstance(table, TableBlock)
    assert table.alignments == ("left", "right")
    assert [[plain_spans(cell) for cell in row] for row in table.rows] == [["a", "b"], ["x", "y"], ["only", ""]]


def test_rule_and_footnote() -> None:
    text, rule, note = read("a[^x]\n\n---\n\n[^x]: the note")
    assert isinstance(text, Paragraph)
    assert text.spans[-1].style == Style.RAISED
    assert isinstance(rule, RuleBlock)
    assert isinstance(note, Paragraph)
    assert note.note
    assert plain_spans(note.spans) == "the note"


@pytest.mark.parametrize(
    "source",
    [
        "it costs $5 and $10",
        "$5-$10 a month",
        "from US$5 to AU$7",
        "$HOME/$USER and $PATH",
        "a $ b $ c",
        r"\$x\$",
        "`$x$`",
        "between $20k and $30k",
        "cost: $5, then $6.",
    ],
)
def test_prices_and_variables_are_not_formulas(source: str) -> None:
    assert formulas(source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$x$", ["x"]),
        ("($x^2$)", ["x^2"]),
        ("so $a_1, b$ and $c$.", ["a_1, b", "c"]),
        (r"\(a*b*c\)", ["a*b*c"]),
        (r"in line $$a$$ too", ["a"]),
        (r"price \$5 is $p$", ["p"]),
        ("$a$-axis", ["a"]),
    ],
)
def test_inline_formulas(source: str, expected: list[str]) -> None:
    assert formulas(source) == expected


@pytest.mark.parametrize(
    "source",
    ["$$\nx = 1\n$$", "\\[\nx = 1\n\\]", "$$x = 1$$", "\\[x = 1\\]", "text\n\\[ x = 1 \\]", "- item\n  $$x = 1$$"],
)
def test_displayed_formulas(source: str) -> None:
    assert [block.latex for block in read(source) if isinstance(block, MathBlock)] == ["x = 1"]


def test_an_unclosed_formula_is_one_only_while_more_may_come() -> None:
    assert not any(isinstance(block, MathBlock) for block in read("$$\nx = 1"))
    (block,) = READER.read("$$\nx = 1", open_ended=True).blocks
    assert block == MathBlock("x = 1", closed=False)


def test_addresses_are_kept_as_written() -> None:
    spans = paragraph("[a](javascript:alert(1)) [b](<file:///etc/passwd>) https://example.com/x ![c](//host/d)").spans
    assert [(span.text, span.href) for span in spans if span.href] == [
        ("a", "javascript:alert(1)"),
        ("b", "file:///etc/passwd"),
        ("https://example.com/x", "https://example.com/x"),
        ("c", "//host/d"),
    ]


def test_deep_nesting_ends() -> None:
    assert read(">" * 5000 + " x")
    assert read("- " * 3000 + "x")
    assert read("[" * 3000 + "x" + "](y)" * 3000)
    assert read("*" * 20_000)


def test_own_words_stay_as_typed() -> None:
    blocks = verbatim_blocks("a  *b*\n  c <b>\n\n\nd\n```py\nx = 1\n```\n# e")
    assert plain_blocks(blocks) == "a  *b*\n  c <b>\n\nd\n\nx = 1\n\n# e"
    assert [type(block) for block in blocks] == [Paragraph, Paragraph, CodeBlock, Paragraph]
