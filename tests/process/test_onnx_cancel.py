"""A run of a real network is ended in its middle."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest

from engine.cancel import CancelToken
from engine.onnx_session import run_until, session
from tests.voice_weights import whisper_tiny
from voice.log_mel import HOP, log_mel
from voice.stt.ggml_weights import read_weights
from voice.stt.whisper_graph import MEL, hearing_graph


@pytest.mark.weights
def test_a_run_ends_between_two_nodes() -> None:
    hearing = session(hearing_graph(read_weights(whisper_tiny())), 1)
    feed = {MEL: log_mel(np.zeros(2 * 1500 * HOP, np.float32))[np.newaxis]}
    began_s = time.monotonic()
    whole = run_until(hearing, feed, CancelToken())
    whole_s = time.monotonic() - began_s
    assert [each.shape for each in run_until(hearing, feed, None)] == [each.shape for each in whole]
    cancel = CancelToken()
    threading.Timer(whole_s / 5, cancel.cancel).start()
    with pytest.raises(CancelledError):
        while True:
            run_until(hearing, feed, cancel)
    with pytest.raises(CancelledError):
        run_until(hearing, feed, cancel)
