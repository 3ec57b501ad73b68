"""Images in token lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.context.segments import ImageRef, Origin, Segment, image_text
from engine.model.image_tokens import has_images, pseudo_tokens, text_run, whole_images


def test_the_same_image_has_the_same_tokens_in_every_process() -> None:
    assert pseudo_tokens("a.gguf:1:ff:0", 3) == (-1662784009, -1418365456, -435094549)


@given(st.text(max_size=20), st.integers(1, 300))
def test_no_vocabulary_has_them_and_they_fit_32_bits(image_id: str, n: int) -> None:
    tokens = pseudo_tokens(image_id, n)
    assert len(tokens) == n
    assert all(-(2**31) <= token < 0 for token in tokens)
    assert pseudo_tokens(image_id, 300)[:n] == tokens


def test_images_share_no_run() -> None:
    firsts = {pseudo_tokens(f"image {number}", 2) for number in range(10_000)}
    assert len(firsts) == 10_000


def test_a_beginning_cuts_no_image_in_two() -> None:
    tokens = [1, 2, *pseudo_tokens("a", 4), 3, *pseudo_tokens("b", 2)]
    assert [whole_images(tokens, end) for end in range(10)] == [0, 1, 2, 2, 2, 2, 6, 7, 7, 9]
    assert whole_images([], 0) == 0


def test_runs() -> None:
    tokens = [1, 2, *pseudo_tokens("a", 4), 3]
    assert (text_run(tokens, 0), text_run(tokens, 2), text_run(tokens, 6)) == (2, 2, 7)
    assert has_images(tokens)
    assert not has_images([1, 2])


def test_a_segment_says_what_stands_for_its_image() -> None:
    from pathlib import Path

    from engine.worker.codec import from_json, to_json

    segment = Segment(image_text("cat.png"), Origin.USER, label="cat.png", image=ImageRef(Path("/x/cat.png"), "ff"))
    assert segment.text == "[image: cat.png]"
    assert image_text("") == "[image]"
    assert from_json(Segment, to_json(segment)) == segment
