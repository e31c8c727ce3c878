"""Jobs: one at a time, progress, cancel, failure; the window's thread stays free."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from app.errors import Cancelled, InvalidInput
from app.widgets import jobs as module
from app.widgets.jobs import JobBar, JobRunner


@pytest.fixture
def jobs() -> JobRunner:
    return JobRunner()


@pytest.fixture
def bar(jobs: JobRunner, qtbot: QtBot) -> JobBar:
    bar = JobBar(jobs)
    qtbot.addWidget(bar)
    return bar


def run(jobs: JobRunner, qtbot: QtBot, work: Any) -> tuple[list[Any], list[BaseException]]:
    done: list[Any] = []
    failed: list[BaseException] = []
    with qtbot.waitSignal(jobs.finished, timeout=10_000):
        assert jobs.start("Working", work, done.append, failed.append)
    return done, failed


def test_the_result_arrives_on_the_windows_thread(jobs: JobRunner, qtbot: QtBot) -> None:
    threads: list[Any] = []

    def work(progress: Any, cancelled: Any) -> int:
        threads.append(threading.current_thread())
        return 42

    with qtbot.waitSignal(jobs.finished, timeout=10_000):
        jobs.start("Working", work, lambda result: threads.append((result, threading.current_thread())))
    assert threads[0] is not threading.main_thread()
    assert threads[1] == (42, threading.main_thread())


def test_a_failure_goes_to_failed(jobs: JobRunner, qtbot: QtBot) -> None:
    def work(progress: Any, cancelled: Any) -> None:
        raise InvalidInput("is wrong", "a.toml", "Mend it")

    done, failed = run(jobs, qtbot, work)
    assert not done
    assert isinstance(failed[0], InvalidInput)
    assert not jobs.busy


def test_only_one_at_a_time(jobs: JobRunner, qtbot: QtBot) -> None:
    go = threading.Event()
    with qtbot.waitSignal(jobs.finished, timeout=10_000):
        assert jobs.start("First", lambda progress, cancelled: go.wait(10), lambda result: None)
        assert not jobs.start("Second", lambda progress, cancelled: None, lambda result: None)
        assert jobs.busy
        go.set()
    assert jobs.start("Third", lambda progress, cancelled: None, lambda result: None)
    qtbot.waitUntil(lambda: not jobs.busy)


def test_a_job_may_start_the_next_one_when_it_is_done(jobs: JobRunner, qtbot: QtBot) -> None:
    results: list[str] = []

    def next_one(result: str) -> None:
        results.append(result)
        assert jobs.start("Second", lambda progress, cancelled: "second", results.append)

    jobs.start("First", lambda progress, cancelled: "first", next_one)
    qtbot.waitUntil(lambda: results == ["first", "second"])


def test_the_bar_shows_what_is_done_and_goes(jobs: JobRunner, bar: JobBar, qtbot: QtBot) -> None:
    shown, go = threading.Event(), threading.Event()

    def work(progress: Any, cancelled: Any) -> None:
        progress(0.25, "Reading triangles")
        shown.set()
        go.wait(10)

    assert bar.isHidden()
    jobs.start("Opening bust.glb", work, lambda result: None)
    qtbot.waitUntil(lambda: shown.is_set() and bar._bar.value() == 250)
    assert not bar.isHidden()
    assert bar._label.text() == "Reading triangles"
    go.set()
    qtbot.waitUntil(bar.isHidden)


def test_cancel_ends_the_job_at_its_next_progress(jobs: JobRunner, bar: JobBar, qtbot: QtBot) -> None:
    started = threading.Event()
    done: list[Any] = []
    failed: list[BaseException] = []

    def work(progress: Any, cancelled: Any) -> None:
        while True:
            started.set()
            progress(0.5, "Counting")
            threading.Event().wait(0.01)

    jobs.start("Counting", work, done.append, failed.append)
    qtbot.waitUntil(started.is_set)
    with qtbot.waitSignal(jobs.finished, timeout=10_000):
        bar.cancel_button.click()
        assert bar._label.text() == "Cancelling"
    assert not done
    assert isinstance(failed[0], Cancelled)


def test_work_that_asks_sees_the_cancel(jobs: JobRunner, qtbot: QtBot) -> None:
    started = threading.Event()

    def work(progress: Any, cancelled: Any) -> None:
        started.set()
        while not cancelled():
            threading.Event().wait(0.01)
        raise Cancelled

    failed: list[BaseException] = []
    with qtbot.waitSignal(jobs.finished, timeout=10_000):
        jobs.start("Waiting", work, lambda result: None, failed.append)
        qtbot.waitUntil(started.is_set)
        jobs.cancel()
    assert isinstance(failed[0], Cancelled)


def test_shut_down_waits_and_calls_nobody(jobs: JobRunner, qtbot: QtBot) -> None:
    called: list[Any] = []
    ended = threading.Event()

    def work(progress: Any, cancelled: Any) -> None:
        while not cancelled():
            threading.Event().wait(0.01)
        ended.set()

    jobs.start("Waiting", work, called.append, called.append)
    jobs.shut_down()
    assert ended.is_set()
    qtbot.wait(50)
    assert not called
    assert not jobs.busy


def test_a_job_that_does_not_stop_outlives_its_runner(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    """A thread destroyed while it runs ends the program, and the test with it."""
    monkeypatch.setattr(module, "_STOP_MS", 10)
    runner, go_on, ended = JobRunner(), threading.Event(), threading.Event()

    def stubborn(progress: object, cancelled: object) -> None:
        go_on.wait(30)
        ended.set()

    assert runner.start("Compiling", stubborn, lambda result: None)
    runner.shut_down()
    shiboken6.delete(runner)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(30)
    (thread,) = module._never_ending
    assert thread.wait(30_000)
    module._never_ending.clear()
