"""LocalAgreement-2: stable words never change, and what two decodings agree on is stable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice.stt.partials import LocalAgreement, Partial


def test_what_two_decodings_agree_on_is_stable() -> None:
    agreement = LocalAgreement()
    assert agreement.heard("Go") == Partial("", "Go")
    assert agreement.heard("go four") == Partial("go", "four")
    assert agreement.heard("Go forward ten") == Partial("go", "forward ten")
    assert agreement.heard("Go forward, ten metres") == Partial("go forward, ten", "metres")


def test_a_decoding_that_loses_its_beginning_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    agreement.heard("one two three")
    assert agreement.heard("one two three four").stable == "one two three"
    assert agreement.heard("").text == "one two three"
    assert agreement.heard("one two three four five").stable == "one two three"


_TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "c."]), max_size=6).map(" ".join), max_size=12)


@given(_TEXTS)
def test_stable_words_only_grow(texts: list[str]) -> None:
    agreement = LocalAgreement()
    before = ""
    for text in texts:
        partial = agreement.heard(text)
        assert f"{partial.stable} ".startswith(f"{before} ".lstrip())
        before = partial.stable
