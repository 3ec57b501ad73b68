"""The worker process: one model, one pipe, two threads.

The reader thread takes commands, so that cancels and pings are seen while llama.cpp computes; the main
thread loads and generates. Knows no window. Ends with its parent, in whatever way that ends.
"""

from __future__ import annotations

import os
import queue
import threading
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

from engine.errors import HearthError
from engine.types import ModelSpec
from engine.worker.answering import Answers, ChatLoop
from engine.worker.envelope import ProtocolError, fault_of, receive
from engine.worker.jobs import Jobs
from engine.worker.outbox import Outbox
from engine.worker.protocol import (
    COMMAND_BYTES,
    Answer,
    Answered,
    Ask,
    Cancel,
    CountTokens,
    Embeddings,
    EmbedTexts,
    Forget,
    Hello,
    Load,
    Loaded,
    LoadProgress,
    LoadRefused,
    LogLine,
    Ping,
    PlanPrompt,
    Pong,
    Question,
    Quit,
    Refused,
    ReportCache,
    Submit,
    TokenCounts,
    decode_command,
)
from engine.worker.settle import settle

PROTOCOL_EXIT = 70
"""Exit code after a message that was none (EX_SOFTWARE)."""
BUG_EXIT = 71
"""Exit code after an exception that nothing expected."""
_PROGRESS_STEP = 0.01
_LOG_LINE_CHARACTERS = 4000


def worker_main(connection: Connection) -> None:
    """The child's entry point."""
    # OpenMP's threads wait for each other some hundred times a token, by default up to 5 ms each time without
    # leaving the processor. Where another program runs too, that starves the very thread they wait for: beside one
    # busy program on 2 cores 20,000 turns of the loop halve what 5,000 give (4 and 8 tokens a second), and 100,000
    # leave a fifth. Asleep too soon, they are woken too late: with 1,000 turns an idle machine writes 10 % less.
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    os.environ["GGML_NO_BACKTRACE"] = "1"  # a native abort would start a debugger before it ends
    settle()
    Worker(connection).run()


class Worker:
    """Ends when it is told to, when the pipe ends, or when it is killed; only `Quit` leaves it time to save."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outbox = Outbox(connection)
        self._jobs = Jobs()
        self._spec: queue.SimpleQueue[ModelSpec] = queue.SimpleQueue()
        self._loading = True
        self._load_beats = 0
        self._runner: Answers | None = None

    def run(self) -> None:
        """Load, then answer until the process is ended; returns only where the model cannot be loaded."""
        threading.Thread(target=self._guard, args=(self._read,), name="commands", daemon=True).start()
        self._guard(self._work)

    def _guard(self, work: Callable[[], None]) -> None:
        """Both threads end the process when they cannot go on: half a worker is of no use."""
        try:
            work()
        except (EOFError, ConnectionError):
            os._exit(0)  # the parent is gone; whatever is being computed, nobody waits for it
        except ProtocolError:
            os._exit(PROTOCOL_EXIT)
        except Exception as error:  # noqa: BLE001 - a bug: tell where, but not the message, which may quote a prompt
            places = "".join(traceback.format_tb(error.__traceback__))
            self.report(f"{type(error).__name__}\n{places}")
            os._exit(BUG_EXIT)

    def _work(self) -> None:
        self._outbox.post(Hello(os.getpid()))
        runner = self._load(self._spec.get())
        if runner is not None:
            ChatLoop(runner, self._jobs, self._outbox).run()

    # The reader thread

    def _read(self) -> None:
        while True:
            self._take(receive(self._connection, COMMAND_BYTES))

    def _take(self, raw: bytes) -> None:
        match decode_command(raw):
            case Load(spec):
                self._spec.put(spec)
            case Submit(request):
                self._jobs.put(request)
            case Cancel(request_id):
                self._jobs.cancel(request_id)
            case Ask(call_id, question):
                self._answer(call_id, question)
            case Forget(cache_key):
                self._jobs.run(partial(self._forget, cache_key))
            case Quit(within_s):
                self._jobs.run(partial(self._quit, within_s))
            case Ping(number):
                self._outbox.post(Pong(number, self._beats(), self._jobs.busy or self._loading))

    def _answer(self, call_id: int, question: Question) -> None:
        match question:
            case EmbedTexts(texts):
                self._jobs.run(lambda: self._reply(call_id, lambda runner: Embeddings(tuple(runner.embed(texts)))))
            case CountTokens(texts):
                self._reply(call_id, lambda runner: TokenCounts(runner.count(texts)))
            case PlanPrompt(request):
                self._reply(call_id, lambda runner: runner.plan(request))
            case ReportCache():
                # Behind what was to be forgotten before.
                self._jobs.run(lambda: self._reply(call_id, lambda runner: runner.cache()))

    def _reply(self, call_id: int, find: Callable[[Answers], Answer]) -> None:
        assert self._runner is not None
        try:
            self._outbox.post(Answered(call_id, find(self._runner)))
        except HearthError as error:
            self._outbox.post(Refused(call_id, fault_of(error)))

    def _beats(self) -> int:
        return self._load_beats + (self._runner.beats if self._runner is not None else 0)

    # The main thread

    def _load(self, spec: ModelSpec) -> Answers | None:
        # Imported here: llama.cpp comes into the process only after `settle`.
        from engine.model.embedding_runner import EmbeddingRunner, is_embedding_model  # noqa: PLC0415
        from engine.model.llama_library import LlamaLog, start_library  # noqa: PLC0415
        from engine.model.runner import Runner  # noqa: PLC0415

        log = LlamaLog()
        log.listen(self.report)
        start_library(log, self.report)
        runner: Answers
        try:
            if is_embedding_model(spec):
                runner = EmbeddingRunner.load(spec, log, self._progress())
            else:
                runner = Runner.load(spec, log, self._progress(), report=self.report, news=lambda: self._jobs.news)
        except HearthError as error:
            self._outbox.post(LoadRefused(fault_of(error)))
            return None
        self._jobs.connect(abort=runner.abort, clear_abort=runner.clear_abort)
        self._runner = runner
        self._loading = False
        self._outbox.post(Loaded(runner.loaded))
        return runner

    def _forget(self, cache_key: str) -> None:
        if self._runner is not None:
            self._runner.forget(cache_key)

    def _quit(self, within_s: float) -> None:
        if self._runner is not None:
            self._runner.save(within_s)
        os._exit(0)

    def report(self, line: str) -> None:
        """Tell the client's log."""
        self._outbox.post(LogLine(line[:_LOG_LINE_CHARACTERS]))

    def _progress(self) -> Callable[[float], None]:
        reported = -1.0

        def progress(fraction: float) -> None:
            nonlocal reported
            self._load_beats += 1
            if fraction - reported >= _PROGRESS_STEP:
                reported = fraction
                self._outbox.post(LoadProgress(fraction))

        return progress
