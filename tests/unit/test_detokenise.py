"""Whole characters only, and stop strings found wherever the pieces are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.model.detokenise import StopStrings, TextDecoder


@given(st.text(), st.lists(st.integers(1, 5)))
def test_any_cut_gives_the_text_back(text: str, sizes: list[int]) -> None:
    raw = text.encode("utf-8", "replace")
    decoder, out, start = TextDecoder(), "", 0
    for size in [*sizes, len(raw)]:
        out += decoder.feed(raw[start : start + size])
        start += size
    assert out + decoder.finish() == raw.decode("utf-8")


def test_half_a_character_waits_and_a_broken_one_is_marked() -> None:
    decoder = TextDecoder()
    assert decoder.feed("é".encode()[:1]) == ""
    assert decoder.feed("é".encode()[1:]) == "é"
    decoder.feed(b"\xe2\x82")
    assert decoder.finish() == "\ufffd"


def feed(stops: StopStrings, text: str, size: int) -> tuple[str, bool]:
    shown = ""
    for start in range(0, len(text), size):
        part, stopped = stops.feed(text[start : start + size])
        shown += part
        if stopped:
            return shown, True
    return shown + stops.finish(), False


@given(st.text(alphabet="abE", max_size=30), st.integers(1, 4))
def test_same_result_for_any_pieces(text: str, size: int) -> None:
    wanted = ["abE", "EE"]
    cuts = [index for stop in wanted if (index := text.find(stop)) >= 0]
    # With several stop strings in one piece the earliest wins; piece by piece, the one that ends first.
    ends = sorted((text.find(stop) + len(stop), text.find(stop)) for stop in wanted if stop in text)
    shown, stopped = feed(StopStrings(wanted), text, size)
    assert stopped == bool(cuts)
    if stopped:
        assert shown in {text[: min(cuts)], text[: ends[0][1]]}
    else:
        assert shown == text


def test_the_beginning_of_a_stop_string_is_held_back_until_it_is_decided() -> None:
    stops = StopStrings(["<end>"])
    assert stops.feed("go <en") == ("go ", False)
    assert stops.feed("try") == ("<entry", False)
    assert stops.feed("<") == ("", False)
    assert stops.finish() == "<"


def test_without_stop_strings_nothing_is_held() -> None:
    assert StopStrings(["", ""]).feed("<en") == ("<en", False)
