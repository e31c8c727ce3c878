"""Worker processes: results come back whole, failures come back as errors, nothing stays behind."""

from __future__ import annotations

import copy
import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from app import worker
from app.errors import Cancelled, InvalidInput, LikenessError, UnreadableFile, WorkerFailed
from app.project.in_use import FileInUse
from app.worker import WorkerLimits
from tests.meshes import sphere

_PATIENCE_SECONDS = 20.0
_prepared: list[int] = []


def _echo(value: object) -> object:
    return value


def _double(values: np.ndarray) -> np.ndarray:
    return values * 2


def _count(steps: int, progress: Callable[[float, str], None]) -> int:
    for step in range(steps):
        progress(step / steps, f"Step {step}")
    return steps


def _refuse(path: str) -> None:
    raise UnreadableFile("is cut off", path, "Download it again")


def _stumble() -> None:
    {}["nothing here"]


def _die(progress: Callable[[float, str], None]) -> None:
    progress(0.5, "Walking the plank")
    os.abort()


def _read_nothing(progress: Callable[[float, str], None]) -> None:
    progress(0.5, "Reading at address zero")
    ctypes.string_at(0)


def _leave(progress: Callable[[float, str], None]) -> None:
    progress(0.1, "Packing the bags")
    os._exit(3)


def _sleep(note: str) -> None:
    Path(note).write_text(str(os.getpid()), "ascii")
    time.sleep(10 * _PATIENCE_SECONDS)


def _stand_still(progress: Callable[[float, str], None]) -> None:
    """As a library that hangs: Python's lock is held, so no other thread of the worker runs."""
    progress(0.3, "Counting sheep")
    ctypes.PyDLL(None).sleep(int(10 * _PATIENCE_SECONDS))


def _walk_on(note: str, progress: Callable[[float, str], None]) -> None:
    progress(0.2, "Walking on")
    time.sleep(0.1)  # the report is on its way
    _sleep(note)


def _devour(count: int, progress: Callable[[float, str], None]) -> int:
    progress(0.5, "Eating")
    return len([np.ones(1 << 27, np.uint8) for _ in range(count)])


def _prepare() -> None:
    _prepared.append(os.getpid())


def _prepared_here() -> tuple[int, list[int]]:
    return os.getpid(), _prepared


def _unpicklable(progress: Callable[[float, str], None]) -> object:
    progress(0.9, "Wrapping up")
    return lambda: None


class _FallsApart:
    """Can be sent, and cannot be put together again."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[int, ...]]:
        return _divided, (1, 0)


def _divided(number: int, by: int) -> float:
    return number / by


def _fall_apart() -> object:
    return {"positions": np.zeros((3, 3)), "rest": _FallsApart()}


class _OddError(InvalidInput):
    """As somebody may write one: with parameters of its own, and something that cannot be sent."""

    def __init__(self, number: int, with_lock: bool) -> None:
        super().__init__(f"is odd: {number}")
        self.lock = threading.Lock() if with_lock else None


def _be_odd(with_lock: bool, progress: Callable[[float, str], None]) -> None:
    progress(0.5, "Counting odd ones")
    raise _OddError(3, with_lock)


def _make_more_than_fits() -> np.ndarray:
    return np.ones(1 << 20, np.uint8)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    worker.cool_down()
    assert multiprocessing.active_children() == []


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_arrays_come_back_bit_for_bit_and_writable() -> None:
    values = {
        "floats": np.array([[np.nan, -0.0, 1e-45], [np.inf, 1 / 3, 7]], np.float32),
        "empty": np.empty((0, 3), np.int32),
        "strided": np.arange(20, dtype=np.int64)[::3],
        "bytes": bytes(range(256)),
        "text": "größe",
    }
    back = worker.run(_echo, values)
    assert isinstance(back, dict)
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            assert back[name].dtype == value.dtype
            assert back[name].shape == value.shape
            assert back[name].tobytes() == value.tobytes()
            assert back[name].flags.writeable
        else:
            assert back[name] == value


def test_a_whole_mesh_comes_back() -> None:
    mesh = sphere(4, colored=True)
    back = worker.run(_echo, mesh)
    assert isinstance(back, type(mesh))
    for name in ("positions", "triangles", "normals", "colors", "mask", "file_vertex", "file_triangle"):
        np.testing.assert_array_equal(getattr(back, name), getattr(mesh, name))
    np.testing.assert_array_equal(back.topology.ring, mesh.topology.ring)
    np.testing.assert_array_equal(back.chunks.lower, mesh.chunks.lower)


def test_progress_arrives_in_order_in_the_calling_thread() -> None:
    reports: list[tuple[float, str, int]] = []
    steps = worker.run(_count, 5, progress=lambda done, doing: reports.append((done, doing, threading.get_ident())))
    assert steps == 5
    assert [doing for _, doing, _ in reports] == [f"Step {step}" for step in range(5)]
    assert [done for done, _, _ in reports] == [step / 5 for step in range(5)]
    assert {thread for _, _, thread in reports} == {threading.get_ident()}


def test_an_error_for_the_user_keeps_its_type_and_parts() -> None:
    with pytest.raises(UnreadableFile) as caught:
        worker.run(_refuse, "figure.glb")
    assert (caught.value.what, caught.value.where, caught.value.advice) == (
        "is cut off",
        "figure.glb",
        "Download it again",
    )


def test_a_fault_becomes_worker_failed_with_the_traceback_as_a_note() -> None:
    with pytest.raises(WorkerFailed, match="KeyError") as caught:
        worker.run(_stumble)
    assert "_stumble" in caught.value.__notes__[0]


def _is_told(caught: pytest.ExceptionInfo[WorkerFailed], step: str) -> bool:
    """The error names the step and says what to do, in one line; and the next call works as ever."""
    text = str(caught.value)
    return step in text and bool(caught.value.advice) and "\n" not in text and worker.run(_echo, "next") == "next"


@pytest.mark.parametrize(
    ("function", "step", "reason"),
    [
        (_read_nothing, "reading at address zero", "SIGSEGV"),
        (_die, "walking the plank", "SIGABRT"),
        (_leave, "packing the bags", "exit code 3"),
        (_unpicklable, "wrapping up", "pickle"),
        (_fall_apart, "starting fall apart", "division by zero"),
    ],
)
def test_what_ends_badly_names_the_step_and_harms_nobody(
    function: Callable[..., object], step: str, reason: str
) -> None:
    with pytest.raises(WorkerFailed, match=reason) as caught:
        worker.run(function)
    assert _is_told(caught, step)


@pytest.mark.parametrize("with_lock", [False, True])
def test_an_error_that_cannot_travel_as_it_is(with_lock: bool) -> None:
    with pytest.raises(WorkerFailed) as caught:
        worker.run(_be_odd, with_lock)
    assert _is_told(caught, "counting odd ones")


def test_a_result_that_does_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(worker.np, "empty", no_room)
    with pytest.raises(WorkerFailed, match="fits into memory") as caught:
        worker.run(_make_more_than_fits)
    monkeypatch.undo()
    assert _is_told(caught, "starting make more than fits")


def _run_until_noted(note: Path, limits: WorkerLimits, meanwhile: Callable[[int], None]) -> None:
    """Run `_walk_on` and do something to its process, from outside, once it walks."""

    def disturb() -> None:
        _wait_until(lambda: note.exists() and note.read_text() != "")
        meanwhile(int(note.read_text()))

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        worker.run(_walk_on, str(note), limits=limits)
    finally:
        disturber.join()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_worker_that_is_killed_from_outside(how: signal.Signals, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    reason = "lack of memory" if how == signal.SIGKILL else how.name
    with pytest.raises(WorkerFailed, match=reason) as caught:
        _run_until_noted(note, WorkerLimits(), lambda process: os.kill(process, how))
    assert _is_told(caught, "walking on")
    assert not _is_running(int(note.read_text()))


def test_a_worker_that_is_stopped_from_outside_runs_out_of_time(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(WorkerFailed, match="longer than") as caught:
        _run_until_noted(note, WorkerLimits(seconds=3.0), lambda process: os.kill(process, signal.SIGSTOP))
    assert _is_told(caught, "walking on")
    assert not _is_running(int(note.read_text()))


def test_a_worker_that_hangs_in_a_library() -> None:
    with pytest.raises(WorkerFailed, match="longer than") as caught:
        worker.run(_stand_still, limits=WorkerLimits(seconds=1.0))
    assert _is_told(caught, "counting sheep")


def test_cancel_ends_the_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(Cancelled):
        worker.run(_sleep, str(note), cancelled=lambda: note.exists() and note.read_text() != "")
    assert not _is_running(int(note.read_text()))


def test_an_exception_in_the_progress_callback_ends_the_process() -> None:
    def refuse(done: float, doing: str) -> None:
        raise InvalidInput("enough")

    with pytest.raises(InvalidInput, match="enough"):
        worker.run(_count, 3, progress=refuse)


def test_the_time_limit_ends_the_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(WorkerFailed, match="longer than"):
        worker.run(_sleep, str(note), limits=WorkerLimits(seconds=0.5))
    assert not note.exists() or not _is_running(int(note.read_text()))


@pytest.mark.parametrize(("count", "fits"), [(2, True), (16, False)])
def test_the_memory_limit_holds(count: int, fits: bool) -> None:
    limits = WorkerLimits(memory_bytes=1 << 30)
    if fits:
        assert worker.run(_devour, count, limits=limits) == count
    else:
        with pytest.raises(WorkerFailed, match="memory") as caught:
            worker.run(_devour, count, limits=limits)
        assert _is_told(caught, "eating")


def test_calls_from_several_threads_do_not_mix() -> None:
    results: dict[int, np.ndarray] = {}

    def call(number: int) -> None:
        results[number] = worker.run(_double, np.full(1000, number))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((results[number] == 2 * number).all() for number in range(3))


def test_a_spare_is_prepared_before_it_is_needed() -> None:
    worker.warm_up(_prepare)
    process_id, prepared = worker.run(_prepared_here)
    assert prepared == [process_id]


def _descriptors() -> Counter[str]:
    """What this process has open, and how often."""
    gc.collect()  # what waits for the collector is no leak
    open_now: Counter[str] = Counter()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists the folder is gone by now
            open_now[str(descriptor.readlink())] += 1
    return open_now


def test_many_calls_leak_no_file_descriptors() -> None:
    worker.run(_echo, 0)
    before = _descriptors()
    for number in range(3):
        worker.run(_echo, number)
    # Compared by what they are: a file of an earlier test that is closed meanwhile cannot make up for a new one.
    assert _descriptors() - before == Counter()


_SCRIPT = """
import sys
from app import worker
from tests.test_worker import _double, _sleep
import numpy as np
if __name__ == "__main__":
    if len(sys.argv) > 1:
        worker.run(_sleep, sys.argv[1])
    print(worker.run(_double, np.arange(3)).sum())
"""


@pytest.mark.parametrize("way", ["script", "module", "command"])
def test_it_works_however_python_was_started(way: str, tmp_path: Path) -> None:
    (tmp_path / "started.py").write_text(_SCRIPT, "utf-8")
    arguments = {"script": [str(tmp_path / "started.py")], "module": ["-m", "started"], "command": ["-c", _SCRIPT]}
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parent.parent)])
    done = subprocess.run(
        [sys.executable, *arguments[way]],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.strip() == "6", done.stderr


def test_a_worker_does_not_outlive_a_caller_that_was_killed(tmp_path: Path) -> None:
    note, script = tmp_path / "pid", tmp_path / "started.py"
    script.write_text(_SCRIPT, "utf-8")
    caller = subprocess.Popen(
        [sys.executable, str(script), str(note)], env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    )
    _wait_until(lambda: note.exists() and note.read_text() != "")
    process_id = int(note.read_text())
    assert _is_running(process_id)
    caller.kill()
    caller.wait()
    _wait_until(lambda: not _is_running(process_id))


def test_every_error_class_survives_the_journey() -> None:
    def classes(parent: type[LikenessError]) -> Iterator[type[LikenessError]]:
        yield parent
        for child in parent.__subclasses__():
            yield from classes(child)

    made = {Cancelled: Cancelled(), FileInUse: FileInUse("where", "host", "user", 7.0, this_machine=True)}
    for error_class in set(classes(LikenessError)) - {_OddError}:
        error = made.get(error_class) or error_class("what", "where", "advice")
        back = copy.copy(error)  # by the same protocol as pickle
        assert type(back) is error_class
        assert str(back) == str(error)
