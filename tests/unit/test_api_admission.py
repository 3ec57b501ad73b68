"""The line before the engine: order, limits, patience, and places that come back."""

from __future__ import annotations

import asyncio

import pytest

from app.api.admission import Admission
from app.api.faults import BusyError, TooManyError


def test_places_are_given_in_order_and_come_back() -> None:
    async def run() -> list[str]:
        admission = Admission(answers=2, line=4)
        first = await admission.enter(2)
        order: list[str] = []

        async def wait(name: str) -> None:
            place = await admission.enter()
            order.append(name)
            place.leave()

        tasks = [asyncio.create_task(wait(name)) for name in "abc"]
        await asyncio.sleep(0)
        assert admission.waiting == 3
        first.leave()
        first.leave()  # once more does nothing
        await asyncio.gather(*tasks)
        assert (admission.running, admission.waiting) == (0, 0)
        return order

    assert asyncio.run(run()) == ["a", "b", "c"]


def test_a_small_request_does_not_overtake_a_large_one() -> None:
    async def run() -> None:
        admission = Admission(answers=3, line=4)
        running = await admission.enter(2)
        large = asyncio.create_task(admission.enter(3))
        await asyncio.sleep(0)
        small = asyncio.create_task(admission.enter(1))
        await asyncio.sleep(0)
        assert admission.waiting == 2
        running.leave()
        place = await large
        assert not small.done()
        place.leave()
        (await small).leave()
        assert admission.running == 0

    asyncio.run(run())


@pytest.mark.parametrize(("before", "refused"), [(2, False), (3, True)])
def test_the_line_has_an_end(before: int, refused: bool) -> None:
    async def run() -> None:
        admission = Admission(answers=1, line=3)
        running = await admission.enter()
        tasks = [asyncio.create_task(admission.enter()) for _ in range(before)]
        await asyncio.sleep(0)
        if refused:
            with pytest.raises(TooManyError) as error:
                await admission.enter()
            assert error.value.retry_after_s >= 1
        else:
            tasks.append(asyncio.create_task(admission.enter()))
            await asyncio.sleep(0)
            assert admission.waiting == 3
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        running.leave()
        assert (admission.running, admission.waiting) == (0, 0)

    asyncio.run(run())


def test_patience_ends() -> None:
    async def run() -> None:
        admission = Admission(answers=1, line=3, patience_s=0.0)
        running = await admission.enter()
        with pytest.raises(BusyError) as error:
            await admission.enter()
        assert error.value.retry_after_s >= 1
        assert admission.waiting == 0
        running.leave()
        (await admission.enter()).leave()

    asyncio.run(run())


def test_who_gives_up_just_when_the_turn_comes_gives_it_back() -> None:
    async def run() -> None:
        admission = Admission(answers=1, line=3)
        running = await admission.enter()
        task = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        running.leave()  # its turn
        task.cancel()  # before it could run
        await asyncio.gather(task, return_exceptions=True)
        assert (admission.running, admission.waiting) == (0, 0)

    asyncio.run(run())


def test_how_long_to_wait_follows_what_answers_took() -> None:
    async def run() -> tuple[int, int]:
        now = 0.0
        admission = Admission(answers=1, line=0, clock=lambda: now)
        waits = []
        for took in (1.0, 100.0):
            for _ in range(20):
                place = await admission.enter()
                now += took
                place.leave()
            place = await admission.enter()
            with pytest.raises(TooManyError) as error:
                await admission.enter()
            waits.append(error.value.retry_after_s)
            now += took
            place.leave()
        return waits[0], waits[1]

    short, long = asyncio.run(run())
    assert short <= 3
    assert long >= 90
