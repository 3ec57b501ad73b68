"""Who may be answered now: so many answers at once, so many requests in line, in the order they came.

Says honestly when there is no place, and when to come back, by how long answers have taken lately. One event loop.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from app.api.faults import BusyError, TooManyError
from app.limits import API_ANSWERS, API_LINE, API_PATIENCE_S

_FIRST_GUESS_S = 5.0
_NEWEST = 0.3
"""Weight of the newest answer in the mean."""


class Place:
    """The right to have `weight` answers written. `leave` may be called more than once."""

    def __init__(self, admission: Admission, weight: int, now: float) -> None:
        self._admission: Admission | None = admission
        self.weight = weight
        self.since = now

    def leave(self) -> None:
        """Make room for the next."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission._left(self)


class Admission:
    """`answers` are written at once, `line` requests wait, each `patience_s` at most."""

    def __init__(
        self,
        answers: int = API_ANSWERS,
        line: int = API_LINE,
        patience_s: float = API_PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers = answers
        self._line_length = line
        self._patience_s = patience_s
        self._clock = clock
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._mean_s = _FIRST_GUESS_S
        self.running = 0
        """Answers that are written now."""

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return len(self._line)

    async def enter(self, weight: int = 1) -> Place:
        """Wait for a place. Raises `TooManyError` where the line is full, `BusyError` after `patience_s`.

        More answers than there are places for count as all of them.
        """
        weight = min(weight, self._answers)
        if self._line or self.running + weight > self._answers:
            if len(self._line) >= self._line_length:
                raise TooManyError(
                    "{count} requests are waiting already.", count=len(self._line), retry_after_s=self._wait_s()
                )
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = (weight, turn)
            self._line.append(entry)
            try:
                async with asyncio.timeout(self._patience_s):
                    await turn
            except TimeoutError as error:
                self._give_up(entry)
                raise BusyError(
                    "No answer could be begun within {seconds} s.",
                    seconds=round(self._patience_s),
                    retry_after_s=self._wait_s(),
                ) from error
            except BaseException:
                self._give_up(entry)
                raise
        else:
            self.running += weight
        return Place(self, weight, self._clock())

    def _give_up(self, entry: tuple[int, asyncio.Future[None]]) -> None:
        if entry in self._line:
            self._line.remove(entry)
        elif entry[1].done() and not entry[1].cancelled():
            self.running -= entry[0]  # its turn came in the very moment
        self._next()

    def _left(self, place: Place) -> None:
        self.running -= place.weight
        self._mean_s += _NEWEST * (self._clock() - place.since - self._mean_s)
        self._next()

    def _next(self) -> None:
        while self._line and self.running + self._line[0][0] <= self._answers:
            weight, turn = self._line.popleft()
            if not turn.done():
                self.running += weight
                turn.set_result(None)

    def _wait_s(self) -> int:
        """Until the line is likely to have moved on, in whole seconds."""
        waiting = sum(weight for weight, _turn in self._line)
        return max(1, math.ceil(self._mean_s * (1 + waiting / self._answers)))
