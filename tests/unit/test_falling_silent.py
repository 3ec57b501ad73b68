"""Falling silent for who may be interrupting: at once, without a click, and going on where it stopped."""

from __future__ import annotations

import numpy as np
import pytest

from voice.audio.ring import SampleRing
from voice.audio.scripted import RecordingSink
from voice.audio.streams import FADE_S
from voice.mixer import Mixer, SentenceSound

RATE = 16_000
BLOCK = RATE // 50


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_what_waits_for_the_loudspeaker_falls_silent_and_takes_its_time() -> None:
    clock = Clock()
    sink = RecordingSink(RATE, clock=clock)
    sink.start()
    clock.now_s += 0.01
    for _ in range(2):
        assert sink.write(np.full(BLOCK, 0.5, np.float32), 0.0)
    assert sink.hush() == 2 * BLOCK
    assert not sink.write(np.full(BLOCK, 0.5, np.float32), 0.0), "there is no more room than before"
    clock.now_s += 0.1
    assert sink.write(np.zeros(BLOCK, np.float32), 0.0)
    (block,) = (played.samples for played in sink.played)
    fades = int(FADE_S * RATE)
    assert block[0] == pytest.approx(0.5, abs=0.01) and not block[fades:].any()
    assert np.abs(np.diff(block)).max() < 0.01, "no click"


def test_a_ring_fades_out_across_its_end() -> None:
    ring = SampleRing(100)
    ring.put(np.zeros(70, np.float32))
    ring.take_into(np.zeros(70, np.float32))
    ring.put(np.ones(60, np.float32))
    assert ring.fade_out(20) == 60 and len(ring) == 60
    out = np.zeros(60, np.float32)
    ring.take_into(out)
    assert out[0] == 1.0 and (np.diff(out[:20]) < 0).all() and not out[20:].any()


def test_a_sentence_goes_on_where_it_fell_silent() -> None:
    mixer = Mixer(RATE)
    said = np.linspace(0.1, 0.9, 10 * BLOCK, dtype=np.float32)
    mixer.add(SentenceSound(1, 0, said))
    mixer.open(1)
    for _ in range(4):
        mixer.render(BLOCK)
    mixer.still(3 * BLOCK)
    for _ in range(5):
        block, touched = mixer.render(BLOCK)
        assert not block.any() and not touched
    mixer.go_on()
    block, (heard,) = mixer.render(BLOCK)
    assert heard.played == 2 * BLOCK
    assert (block <= said[BLOCK : 2 * BLOCK]).all() and block[-1] == pytest.approx(said[2 * BLOCK - 1], abs=1e-3)
    block, _ = mixer.render(BLOCK)
    assert np.array_equal(block, said[2 * BLOCK : 3 * BLOCK])


@pytest.mark.parametrize("goes_on", [False, True])
def test_silence_since_it_fell_silent_was_no_part_of_the_sentence(goes_on: bool) -> None:
    mixer = Mixer(RATE)
    mixer.add(SentenceSound(1, 0, np.full(10 * BLOCK, 0.5, np.float32)))
    mixer.open(1)
    for _ in range(4):
        mixer.render(BLOCK)
    mixer.still(2 * BLOCK)
    for _ in range(5):
        mixer.render(BLOCK)
    if goes_on:
        mixer.go_on()
    heard = mixer.flush(1, 2 * BLOCK)
    assert heard is not None and heard.played == 2 * BLOCK
