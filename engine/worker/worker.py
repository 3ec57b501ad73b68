"""The worker process: one model, one pipe, two threads.

The reader thread takes commands, so that cancels and pings are seen while llama.cpp computes; the main
thread loads and generates. Knows no window. Ends with its parent, in whatever way that ends.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from engine.errors import HearthError, sentence
from engine.types import Failed, Finished, FinishReason, ModelSpec
from engine.worker.jobs import Job, Jobs
from engine.worker.no_network import forbid_network
from engine.worker.outbox import Outbox, Stream
from engine.worker.protocol import (
    COMMAND_BYTES,
    Answered,
    Ask,
    Cancel,
    CountTokens,
    Forget,
    Hello,
    Load,
    Loaded,
    LoadProgress,
    LoadRefused,
    LogLine,
    Ping,
    Pong,
    ProtocolError,
    Question,
    Quit,
    Refused,
    Submit,
    Taken,
    TokenCounts,
    decode_command,
    fault_of,
    receive,
)

if TYPE_CHECKING:
    from engine.model.runner import Runner

PROTOCOL_EXIT = 70
"""Exit code after a message that was none (EX_SOFTWARE)."""
BUG_EXIT = 71
"""Exit code after an exception that nothing expected."""
_PROGRESS_STEP = 0.01
_LOG_LINE_CHARACTERS = 4000
_PR_SET_PDEATHSIG = 1


def worker_main(connection: Connection) -> None:
    """The child's entry point."""
    _settle()
    Worker(connection).run()


def _settle() -> None:
    """Make this process harmless: no network, no core file, no output, no life without its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the parent's to handle
    forbid_network()
    # OpenMP's threads wait for each other some hundred times a token, by default up to 5 ms each time without
    # leaving the processor. Where another program runs too, that starves the very thread they wait for (5 to 10
    # times slower, measured on 2 cores at load 5). They must outlast the sampling of a token, though: asleep after
    # 1,000 turns of the loop, the smallest model wrote 4 % less.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    os.environ["GGML_NO_BACKTRACE"] = "1"  # a native abort would start a debugger before it ends
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only needed here

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)


class Worker:
    """Has no farewell: the client kills it, or the pipe ends. There is nothing here to be saved."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outbox = Outbox(connection)
        self._jobs = Jobs()
        self._spec: queue.SimpleQueue[ModelSpec] = queue.SimpleQueue()
        self._loading = True
        self._load_beats = 0
        self._runner: Runner | None = None

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
        while runner is not None:
            self._answer(self._jobs.next(), runner)

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
                self._outbox.post(self._answer_to(call_id, question))
            case Quit():
                os._exit(0)
            case Forget():
                pass
            case Ping(number):
                self._outbox.post(Pong(number, self._beats(), self._jobs.busy or self._loading))

    def _answer_to(self, call_id: int, question: Question) -> Answered | Refused:
        assert self._runner is not None
        match question:
            case CountTokens(texts):
                return Answered(call_id, TokenCounts(self._runner.count(texts)))
            case _:
                return Refused(call_id, fault_of(HearthError(sentence("This model cannot do that."))))

    def _beats(self) -> int:
        return self._load_beats + (self._runner.beats if self._runner is not None else 0)

    # The main thread

    def _load(self, spec: ModelSpec) -> Runner | None:
        # Imported here: llama.cpp comes into the process only after `_settle`.
        from engine.model.llama_library import LlamaLog, start_library  # noqa: PLC0415
        from engine.model.runner import Runner  # noqa: PLC0415

        log = LlamaLog()
        log.listen(self.report)
        start_library(log, self.report)
        try:
            runner = Runner.load(spec, log, self._progress())
        except HearthError as error:
            self._outbox.post(LoadRefused(fault_of(error)))
            return None
        self._jobs.connect(abort=runner.abort, clear_abort=runner.clear_abort)
        self._runner = runner
        self._loading = False
        self._outbox.post(Loaded(runner.loaded))
        return runner

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

    def _answer(self, job: Job, runner: Runner) -> None:
        request_id = job.request.request_id
        stream = Stream(self._outbox, request_id)
        self._outbox.post(Taken(request_id))
        try:
            if job.cancelled:
                stream.event(Finished(request_id, FinishReason.CANCELLED))
            else:
                runner.generate(job.request, _JobHooks(job, stream, lambda: self._give_way(runner)))
        except HearthError as error:
            fault = fault_of(error)
            stream.event(Failed(request_id, fault.code, fault.template, fault.fields))
        finally:
            self._jobs.done(job)

    def _give_way(self, runner: Runner) -> None:
        """Inside a background job: answer everything that a person waits for."""
        while (job := self._jobs.next_foreground()) is not None:
            self._answer(job, runner)


class _JobHooks:
    """Implements `engine.model.generation.Hooks` for one job."""

    def __init__(self, job: Job, stream: Stream, give_way: Callable[[], None]) -> None:
        self._job = job
        self._stream = stream
        self.event = stream.event
        self.text = stream.text
        self.reasoning = stream.reasoning
        self._give_way = give_way

    def cancelled(self) -> bool:
        return self._job.cancelled

    def pause(self) -> None:
        self._stream.flush()
        self._give_way()
