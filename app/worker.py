"""Work that may take long or crash, in a process of its own: progress, cancel, a time limit, a memory limit.

    caller's thread                     worker process (spawned, never forked: Qt and GL are not fork-safe)
    run(function, *args) ── call ──────> imports the function's module, runs it under a memory limit
        progress(0.3, "Welding") <────── progress
        result or error <─────────────── done

Each worker serves one call and exits: a crash, a leak or a memory limit then never reaches the next call. `warm_up`
keeps one idle worker that has already imported and prepared what a call needs. Small messages go through a pipe;
arguments and results go, with their arrays out of band (pickle protocol 5), through a file without a name that lives in
memory where the system has such a thing, so nothing is left behind whoever dies.

Nothing here knows what the work is: no meshes, no files, no Qt.
"""

from __future__ import annotations

import contextlib
import inspect
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from app.errors import Cancelled, LikenessError, WorkerFailed

T = TypeVar("T")

_POLL_SECONDS = 0.03
_PROGRESS_SECONDS = 0.03
_PREPARATION_SECONDS = 300.0
# The caller has work to do with what it got; a new spare does not compete with that.
_SPARE_DELAY_SECONDS = 2.0
_BACKGROUND_NICE = 5
_DETAILS = 20_000  # letters of a traceback that go with an error
_WRITE_BYTES = 1 << 30  # one write() moves less than 2 GiB on Linux
_ADVICE = "The model in hand is unchanged; save it, then try again"


@dataclass(frozen=True)
class WorkerLimits:
    """seconds: from the worker being ready to the result. memory_bytes: what the work may allocate on top of an idle
    worker. Starting up and preparing is not counted: the first time, preparing compiles kernels for half a minute.

    The memory limit is the system's own (RLIMIT_DATA) and holds on Linux. macOS accepts such limits without enforcing
    them and Windows has none, so there only the time limit holds.
    """

    seconds: float = 900.0
    memory_bytes: int = 4 << 30


def run(
    function: Callable[..., T],
    *args: Any,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: WorkerLimits | None = None,
) -> T:
    """Call a module-level function in a worker process and return its result. May be called from any thread.

    A function with a parameter named `progress` is given a callable for it; its reports arrive at `progress` in the
    calling thread. `cancelled` is asked about thirty times a second.
    Raises what the function raises if that is a LikenessError, Cancelled when `cancelled` says so, and WorkerFailed
    for everything else: any other exception, a crash, a limit.
    """
    worker = _take()
    try:
        return worker.call(function, args, progress, cancelled, limits or WorkerLimits())
    finally:
        worker.close()
        _keep_spare(_SPARE_DELAY_SECONDS)


def step_back() -> None:
    """Let other processes go first; for a worker to call whose result nobody waits for."""
    if hasattr(os, "nice"):
        os.nice(_BACKGROUND_NICE)


def warm_up(preparation: Callable[[], None] | None = None) -> None:
    """Start a spare worker, and from now on one after each call. Returns at once.

    preparation: module-level function that every spare runs before it waits for work: imports, compiled kernels.
    """
    with _lock:
        _wanted.update(spare=True, preparation=preparation)
    _keep_spare()


def cool_down() -> None:
    """Stop the spare worker and start no more of them."""
    with _lock:
        _wanted.update(spare=False, preparation=None)
        spares = list(_spares)
        _spares.clear()
    for spare in spares:
        spare.close()


_lock = threading.Lock()
_spares: list[_Worker] = []
_wanted: dict[str, Any] = {"spare": False, "preparation": None}


def _take() -> _Worker:
    with _lock:
        while _spares:
            spare = _spares.pop()
            if spare.alive():
                return spare
            spare.close()
        return _Worker(_wanted["preparation"])


def _keep_spare(delay: float = 0.0) -> None:
    if delay and _wanted["spare"]:
        timer = threading.Timer(delay, _keep_spare)
        timer.daemon = True
        timer.start()
        return
    with _lock:
        if _wanted["spare"] and not _spares:
            # Without one, the next call starts its own worker, or says why it cannot.
            with contextlib.suppress(WorkerFailed):
                _spares.append(_Worker(_wanted["preparation"]))


class _Exchange:
    """A file both processes read and write in turns: `sizes[0]` bytes of pickle, then its out-of-band buffers."""

    def __init__(self, source: Any = None) -> None:
        self._path: str | None = None
        if source is None and sys.platform == "linux":
            descriptor = os.memfd_create("likeness-worker")
        elif source is None:
            descriptor, self._path = tempfile.mkstemp(prefix="likeness-worker-")
        elif isinstance(source, str):
            descriptor = os.open(source, os.O_RDWR | getattr(os, "O_BINARY", 0))
        else:
            descriptor = source.detach()
        self._file = os.fdopen(descriptor, "r+b", buffering=0)

    def for_child(self) -> Any:
        """What the child makes its own _Exchange of; only valid as an argument of a process being started."""
        return self._path or DupFd(self._file.fileno())

    def write(self, value: Any) -> list[int]:
        """Store a value; returns the sizes that `read` needs."""
        buffers: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        parts = [memoryview(pickled), *(buffer.raw() for buffer in buffers)]
        self._file.seek(0)
        self._file.truncate()
        for part in parts:
            written = 0
            while written < len(part):
                written += self._file.write(part[written : written + _WRITE_BYTES])
        return [len(part) for part in parts]

    def read(self, sizes: list[int]) -> Any:
        """The stored value; its arrays are private to this process and writable. Empties the file."""
        self._file.seek(0)
        parts = [np.empty(size, np.uint8).data for size in sizes]
        for part in parts:
            filled = 0
            while filled < len(part):
                count = self._file.readinto(part[filled : filled + _WRITE_BYTES])
                if not count:
                    raise EOFError("the exchange file is shorter than announced")
                filled += count
        self._file.truncate(0)
        return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - written by our own process

    def close(self) -> None:
        """Give the memory back."""
        self._file.close()
        if self._path:
            Path(self._path).unlink(missing_ok=True)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """What is started here never sees Ctrl-C, which a terminal sends to all its processes: it ends with its caller.

    An interpreter that is interrupted while it starts would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """The caller's side of one worker process."""

    def __init__(self, preparation: Callable[[], None] | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._exchange = _Exchange()
        self._process = context.Process(
            target=_Serving(theirs, self._exchange, preparation), name="likeness-worker", daemon=True
        )
        try:
            with _no_interrupts():
                self._process.start()
        except OSError as error:
            self._connection.close()
            self._exchange.close()
            reason = f"a worker process cannot be started: {error.strerror or error}"
            raise WorkerFailed(reason, "", "Close other programs, then try again") from error
        finally:
            theirs.close()

    def alive(self) -> bool:
        return self._process.is_alive()

    def call(
        self,
        function: Callable[..., T],
        args: tuple[Any, ...],
        progress: Callable[[float, str], None] | None,
        cancelled: Callable[[], bool] | None,
        limits: WorkerLimits,
    ) -> T:
        deadline = time.monotonic() + _PREPARATION_SECONDS
        doing = f"starting {function.__name__.strip('_').replace('_', ' ')}"
        try:
            self._connection.send((self._exchange.write((function, args)), limits.memory_bytes))
            while True:
                if cancelled is not None and cancelled():
                    raise Cancelled
                if time.monotonic() > deadline:
                    what = f"took longer than {limits.seconds:.0f} s and was stopped while {doing.lower()}"
                    raise WorkerFailed(what, "", "Try a smaller or simpler file")
                if not self._connection.poll(_POLL_SECONDS):
                    continue
                kind, *content = self._understood(self._connection.recv, doing)
                if kind == "ready":
                    deadline = time.monotonic() + limits.seconds
                elif kind == "progress":
                    doing = content[1]
                    if progress is not None:
                        progress(*content)
                elif kind == "result":
                    return self._understood(partial(self._exchange.read, content[0]), doing)
                else:
                    raise _failure(kind, content, doing, limits)
        except (EOFError, ConnectionError) as error:
            raise self._death(doing) from error

    def _understood(self, receive: Callable[[], Any], doing: str) -> Any:
        """What the worker sent. Raises WorkerFailed where it cannot be put together here, EOFError from a dead one."""
        try:
            return receive()
        except (EOFError, ConnectionError):
            raise
        except MemoryError as error:
            what = f"made more than fits into memory, while {doing.lower()}"
            raise WorkerFailed(what, "", "Close other programs, or try a smaller file") from error
        except Exception as error:  # an object that comes apart on its way must not look like a fault of the session
            what = f"gave an answer that cannot be read, while {doing.lower()}: {type(error).__name__}: {error}"
            raise WorkerFailed(what, "", _ADVICE) from error

    def _death(self, doing: str) -> WorkerFailed:
        self._process.join(1.0)
        code = self._process.exitcode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
                reason = "the system stopped it, probably for lack of memory" if name == "SIGKILL" else name
                return WorkerFailed(f"the work crashed while {doing.lower()} ({reason})", "", _ADVICE)
        return WorkerFailed(f"the work ended without a result while {doing.lower()} (exit code {code})", "", _ADVICE)

    def close(self) -> None:
        """End the process, whatever it does, and leave no zombie."""
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()
        self._exchange.close()


def _failure(kind: str, content: list[Any], doing: str, limits: WorkerLimits) -> LikenessError:
    if kind == "error":
        return content[0]
    if kind == "memory":
        allowed = limits.memory_bytes / (1 << 30)
        what = f"needs more than the {allowed:.1f} GiB of memory that it may use, while {doing.lower()}"
        return WorkerFailed(what, "", "Try a smaller file, or reduce its triangles or textures first")
    summary, details = content
    failure = WorkerFailed(
        f"failed while {doing.lower()}: {summary}", "", "This is a fault in Likeness; please report it"
    )
    failure.add_note(details)
    return failure


class _Serving:
    """What the worker process runs: prepare, wait for one call, serve it."""

    def __init__(self, connection: Connection, exchange: _Exchange, preparation: Callable[[], None] | None) -> None:
        self._connection, self._exchange, self._preparation = connection, exchange, preparation

    def __getstate__(self) -> tuple[Any, ...]:
        return self._connection, self._exchange.for_child(), self._preparation

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._connection, self._exchange, self._preparation = state[0], _Exchange(state[1]), state[2]

    def __call__(self) -> None:
        # Ctrl-C in a terminal reaches the whole group; the caller decides what becomes of the worker.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_die_with_parent, daemon=True).start()
        try:
            if self._preparation is not None:
                self._preparation()
            self._connection.send(("ready",))
            sizes, memory_bytes = self._connection.recv()
            self._answer(self._serve(sizes, memory_bytes))
        except (EOFError, ConnectionError):
            return  # the caller is gone

    def _answer(self, answer: tuple[Any, ...]) -> None:
        try:
            self._connection.send(answer)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - an error for the user that cannot be sent as it is
            self._connection.send(("failed", f"{type(error).__name__}: {error}", traceback.format_exc()[-_DETAILS:]))

    def _serve(self, sizes: list[int], memory_bytes: int) -> tuple[Any, ...]:
        try:
            function, args = self._exchange.read(sizes)
            options = {"progress": self._reporter()} if "progress" in inspect.signature(function).parameters else {}
            with _memory_limit(memory_bytes):
                result = function(*args, **options)
            return "result", self._exchange.write(result)
        except LikenessError as error:
            return "error", error
        except MemoryError:
            return ("memory",)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - everything else becomes a message in the caller
            return "failed", f"{type(error).__name__}: {error}", traceback.format_exc()[-_DETAILS:]

    def _reporter(self) -> Callable[[float, str], None]:
        last: list[Any] = [0.0, ""]

        def report(fraction: float, doing: str) -> None:
            now = time.monotonic()
            if doing != last[1] or now - last[0] > _PROGRESS_SECONDS:
                last[:] = now, doing
                self._connection.send(("progress", float(fraction), str(doing)))

        return report


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _memory_limit(extra_bytes: int) -> Iterator[None]:
    """Let allocations beyond `extra_bytes` more than now fail with MemoryError, where the system can.

    RLIMIT_DATA counts private writable memory; RLIMIT_AS would also count the address space that the allocator
    reserves per thread, gigabytes of it on a machine with many cores.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    status = Path("/proc/self/status").read_text("ascii", "replace")
    mapped = int(status.split("VmData:")[1].split()[0]) * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = mapped + extra_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
