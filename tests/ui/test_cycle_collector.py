"""Cycles go away between two events of the main thread, and not where objects happen to be made."""

from __future__ import annotations

import gc
import threading
import weakref

from pytestqt.qtbot import QtBot

from app.ui.cycle_collector import CycleCollector, collect_due


class Knot:
    """Part of a cycle: only the collector can take it away."""

    def __init__(self) -> None:
        self.self = self


def test_cycles_go_on_the_main_thread_only(qtbot: QtBot) -> None:
    collector = CycleCollector()
    gone_on: list[str] = []
    knots = [Knot() for _number in range(3000)]
    weakref.finalize(knots[0], lambda: gone_on.append(threading.current_thread().name))
    try:
        knots.clear()
        thread = threading.Thread(target=lambda: [Knot() for _number in range(30_000)])
        thread.start()
        thread.join()
        assert not gone_on, "making objects collects nothing"
        qtbot.waitUntil(lambda: bool(gone_on), timeout=10_000)
        assert gone_on == [threading.main_thread().name]
    finally:
        collector.close()
    assert gc.isenabled()


def test_nothing_is_collected_before_it_is_due() -> None:
    gc.collect()
    gc.disable()
    try:
        assert collect_due() == 0
        knots = [Knot() for _number in range(3000)]
        knots.clear()
        assert collect_due() >= 3000
    finally:
        gc.enable()
