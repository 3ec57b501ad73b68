"""Streams an answer through the real transcript and measures the window's thread.

`probe()` feeds a fixed number of deltas a second, paced by another thread as the engine's reader thread would, and
reports the share of a core that the main thread used and the longest time its event loop did not turn.
Run as a module for the table: python -m tests.benchmarks.stream_probe
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QThread, Signal
from PySide6.QtWidgets import QApplication

from app.store.types import MessageState, StoredMessage, TextPart
from app.ui.fonts import load_fonts
from app.ui.style import apply_style
from app.ui.theme import Theme, ThemeChoice
from app.ui.transcript import Transcript
from engine.context.segments import Role
from engine.types import Finished, FinishReason, TextDelta
from tests.benchmarks.event_loop import EventLoopWatch

_SECTION = """## Part {n}: walking through the data

The function reads **every record** once and keeps a running total, so memory stays flat however long the file is.
It uses `collections.Counter` for the counts, and a *generator* so that nothing is read before it is needed.

1. Open the file and skip its header.
2. For each line, split it at the commas:
   - drop what is empty,
   - strip the spaces of the rest.
3. Count, with $O(n)$ steps in all.

```python
def count_words(path, limit={n}):
    \"\"\"Count the words of a file, at most `limit` of them.\"\"\"
    counts = Counter()
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number >= limit:  # enough
                break
            counts.update(word.strip(".,;:") for word in line.lower().split())
    return counts.most_common(10)
```

| Step | Time | Memory |
|:-----|-----:|-------:|
| read | 12 ms | 4 kB |
| count | {n} ms | 9 kB |

> A note: the last step is the slow one, see [the notes](https://example.com/{n}).

"""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """`cpu_share` of one core; times in milliseconds; `deltas` were fed.

    `longest_work_ms` is the most processor time the main thread took between two turns of its event loop: what a stall
    would be on a machine that does nothing else. `finish_ms` is how long the end of the answer took.
    """

    deltas: int
    seconds: float
    cpu_share: float
    longest_stall_ms: float
    stalls_over_50_ms: int
    p99_stall_ms: float
    longest_work_ms: float
    finish_ms: float


class _Feeder(QObject):
    """Emits pieces at a fixed rate from its own thread; received on the main thread."""

    piece = Signal(str)
    done = Signal()

    def __init__(self, pieces: list[str], rate: float) -> None:
        super().__init__()
        self._pieces, self._rate = pieces, rate
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        began = time.perf_counter()
        for number, piece in enumerate(self._pieces):
            wait = began + number / self._rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            self.piece.emit(piece)
        self.done.emit()


def long_answer(tokens: int) -> str:
    """Markdown of about that many tokens (four characters each)."""
    text = ""
    number = 0
    while len(text) < tokens * 4:
        number += 1
        text += _SECTION.replace("{n}", str(number))
    return text[: tokens * 4]


def conversation(messages: int) -> list[StoredMessage]:
    """A path of that many messages, answers of a usual length."""
    path = []
    for number in range(messages):
        role = Role.USER if number % 2 == 0 else Role.ASSISTANT
        text = f"Question {number}: how does this work, and why?" if role is Role.USER else long_answer(220)
        path.append(StoredMessage(f"m{number}", "c", None, role, (TextPart(text),), MessageState.COMPLETE, 0.0))
    return path


def probe(
    transcript: Transcript, *, rate: float = 100, seconds: float = 10, before: str = "", text: str | None = None
) -> StreamReport:
    """Stream into a shown transcript. `before` stands in the answer already when it begins."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    source = text if text is not None else long_answer(round(rate * seconds))
    pieces = [source[start : start + 4] for start in range(0, round(rate * seconds) * 4, 4)]
    pieces = [piece for piece in pieces if piece]
    answer = StoredMessage("probe", "c", None, Role.ASSISTANT, (TextPart(before),), MessageState.STREAMING, 0.0)
    transcript.add_message(answer)
    _settle(app, 0.5)
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # what others left is not this answer's cost
    gc.collect()
    feeder = _Feeder(pieces, rate)

    def received(piece: str) -> None:
        assert QThread.currentThread() is app.thread()
        transcript.streamed("probe", TextDelta("r", piece))

    feeder.piece.connect(received, Qt.ConnectionType.QueuedConnection)
    loop = QEventLoop()
    feeder.done.connect(loop.quit, Qt.ConnectionType.QueuedConnection)
    watch = EventLoopWatch()
    began, cpu = time.perf_counter(), time.thread_time()
    watch.start()
    feeder.start()
    loop.exec()
    wall, used = time.perf_counter() - began, time.thread_time() - cpu
    watch.stop()
    feeder.join()
    transcript.streamed("probe", Finished("r", FinishReason.STOP))
    final = StoredMessage(
        "probe", "c", None, Role.ASSISTANT, (TextPart(before + "".join(pieces)),), MessageState.COMPLETE, 0.0
    )
    ended = time.thread_time()
    transcript.finish_message(final)
    app.processEvents()
    finish = (time.thread_time() - ended) * 1000
    return StreamReport(
        len(pieces),
        round(wall, 2),
        round(used / wall, 3),
        round(max(watch.stalls), 1),
        sum(stall > 50 for stall in watch.stalls),
        round(watch.quantile(0.99), 1),
        round(max(watch.work), 1),
        round(finish, 1),
    )


def open_time_ms(transcript: Transcript, messages: int = 1000) -> float:
    """Milliseconds from `show_path` until the messages are painted."""
    path = conversation(messages)
    transcript.show_path([])
    began = time.perf_counter()
    transcript.show_path(path)
    transcript.grab()
    return round((time.perf_counter() - began) * 1000, 1)


def scroll_stalls_ms(transcript: Transcript, steps: int = 120) -> tuple[float, float]:
    """Scroll up by wheel steps from the end: the median and the longest time of a step, painted."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    bar = transcript.scroll_bar
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        bar.setValue(bar.value() - 72)
        transcript.repaint()
        times.append((time.perf_counter() - began) * 1000)
        app.processEvents()
    times.sort()
    return round(times[len(times) // 2], 1), round(times[-1], 1)


def _settle(app: QApplication, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        app.processEvents()
        time.sleep(0.002)


def _memory_mb() -> float:
    import psutil

    return round(psutil.Process().memory_info().rss / 1e6, 1)


def main() -> None:
    app = QApplication(sys.argv[:1])
    load_fonts()
    theme = Theme(ThemeChoice.LIGHT)
    with tempfile.TemporaryDirectory() as assets:
        apply_style(app, theme, Path(assets))
        transcript = Transcript(theme)
        transcript.resize(980, 860)
        transcript.show()
        _settle(app, 0.5)
        gc.freeze()  # as the program does once it has started
        empty = _memory_mb()
        report: dict[str, object] = {"open_20_ms": open_time_ms(transcript, 20)}
        report["open_1000_ms"] = open_time_ms(transcript)
        _settle(app, 1.5)
        report["memory_1000_mb"] = round(_memory_mb() - empty, 1)
        report["scroll_ms"] = scroll_stalls_ms(transcript)
        _settle(app, 0.5)
        report["memory_scrolled_mb"] = round(_memory_mb() - empty, 1)
        transcript.scroll_to_end()
        report["stream"] = asdict(probe(transcript))
        transcript.show_path([])
        report["stream_after_4000_tokens"] = asdict(probe(transcript, before=long_answer(4000)))
        transcript.show_path([])
        report["stream_one_paragraph"] = asdict(probe(transcript, text="word and *more* of it, " * 400, seconds=10))
        transcript.show_path([])
        code = "```python\n" + "def f(x):\n    return [x + 1 for _ in range(10)]  # list\n\n" * 300
        report["stream_one_code_block"] = asdict(probe(transcript, before=code[:12000], text=code[12000:], seconds=5))
        transcript.close()
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
