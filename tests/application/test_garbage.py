"""Widgets in cycles are destroyed on the thread of the window, whoever allocates."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.application.garbage import Garbage


class Cycle:
    """Something that only the collector finds, and that says on which thread it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        self.itself, self.went = self, went

    def __del__(self) -> None:
        self.went.append(threading.current_thread())


@pytest.fixture
def enabled() -> Iterator[None]:
    before = gc.isenabled()
    gc.enable()
    yield
    if not before:
        gc.disable()


def allocate_much() -> None:
    """Far more than what starts a collection."""
    kept = [[number] for number in range(200_000)]
    kept.clear()


@pytest.mark.usefixtures("enabled")
def test_garbage_waits_for_the_windows_thread(qtbot: QtBot) -> None:
    went: list[threading.Thread] = []
    busy = True
    garbage = Garbage(lambda: busy)
    for _ in range(2_000):
        Cycle(went)
    thread = threading.Thread(target=allocate_much)
    thread.start()
    thread.join()
    garbage.look()
    assert not went  # a stroke is in hand
    busy = False
    qtbot.waitUntil(lambda: bool(went), timeout=10_000)
    assert set(went) == {threading.main_thread()}
    garbage.stop()
    assert gc.isenabled()


@pytest.mark.usefixtures("enabled")
def test_without_it_any_thread_collects() -> None:
    """What the test above stands on: it could fail."""
    went: list[threading.Thread] = []
    gc.collect()
    Cycle(went)
    thread = threading.Thread(target=allocate_much)
    thread.start()
    thread.join()
    assert went == [thread]
