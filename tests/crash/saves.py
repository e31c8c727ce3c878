"""Save, and a commit of the working copy, stopped or failing at every single write call.

A `Saver` is the program in a forked child: it opens the project (or recovers), makes strokes, saves. Before the thread
that is to be disturbed goes on, a `Fault` is laid in its way:

    Size     the system's own limit for file sizes: the write that would pass it fails, or kills the process
    Call     a call of the `os` module fails, or kills the process before or after it
    Traced   strace makes one system call of that thread fail, or kills the process at it; the long form's

The parent stays without threads and without open files of its own, so that it may fork. What does not live here:
what is tried in which order (`saves_short`, `saves_long`).
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Protocol

from app.document import Document
from app.errors import LikenessError
from app.preflight.profiles import profile
from app.project.in_use import claim
from app.project.opening import open_project
from app.project.sessions import Session, recoverable
from app.project.working_copy import WorkingCopy
from tests.crash import moves
from tests.crash.states import identity, state_of

_SEGMENTS = 32
_WAIT_SECONDS = 60.0
_HISTORY_BYTES = 1 << 30
_STRACE_SECONDS = 20.0
_DEFAULT, _IGNORE = ctypes.c_void_p(0), ctypes.c_void_p(1)  # SIG_DFL, SIG_IGN

Identity = tuple[Any, ...]


class Fault(Protocol):
    """What disturbs one thread. `outside` is entered by the parent, `inside` by the thread itself.

    hit: whether it was met; known after both have been left.
    """

    hit: bool

    def outside(self, thread: int) -> contextlib.AbstractContextManager[None]: ...

    def inside(self) -> contextlib.AbstractContextManager[None]: ...


@dataclass
class Nothing:
    """All goes well."""

    hit = False

    def outside(self, thread: int) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def inside(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@dataclass
class Size(Nothing):
    """No file grows beyond so many bytes: writing there fails with EFBIG, or kills the process (SIGXFSZ)."""

    limit: int
    kill: bool = False

    @contextmanager
    def inside(self) -> Iterator[None]:
        libc = ctypes.CDLL(None)  # Python sets signals on its main thread only
        libc.signal(signal.SIGXFSZ, _DEFAULT if self.kill else _IGNORE)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass
class Call(Nothing):
    """The `number`-th call of a function of `os`: fails with `error`; or, without one, the process dies before it, or
    after it."""

    name: str
    number: int
    error: int = 0
    after: bool = False

    @contextmanager
    def inside(self) -> Iterator[None]:
        real, here, calls = getattr(os, self.name), threading.get_ident(), [0]

        def disturbed(*arguments: Any, **options: Any) -> Any:
            if threading.get_ident() == here:
                calls[0] += 1
                if calls[0] == self.number:
                    self.hit = True
                    if self.error:
                        raise OSError(self.error, os.strerror(self.error))
                    if self.after:
                        with contextlib.suppress(OSError):
                            real(*arguments, **options)
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        setattr(os, self.name, disturbed)
        try:
            yield
        finally:
            setattr(os, self.name, real)


@dataclass
class Traced(Nothing):
    """The `number`-th system call of this name: fails with `error`, or, without one, the process dies at it."""

    name: str
    number: int
    error: str = ""

    @contextmanager
    def outside(self, thread: int) -> Iterator[None]:
        effect = f"error={self.error}" if self.error else "signal=KILL"
        log = Path(tempfile.mkstemp(prefix="likeness-strace-")[1])
        command = ["strace", "-q", "-p", str(thread), "-o", str(log), "-e", f"trace={self.name}"]
        inject = f"inject={self.name}:{effect}:when={self.number}"
        tracer = subprocess.Popen([*command, "-e", inject], stderr=subprocess.PIPE)
        until = time.monotonic() + _STRACE_SECONDS
        while f"TracerPid:\t{tracer.pid}\n" not in Path(f"/proc/{thread}/status").read_text("ascii", "replace"):
            if tracer.poll() is not None or time.monotonic() > until:
                assert tracer.stderr is not None
                raise RuntimeError(f"strace does not trace: {tracer.stderr.read().decode()}")
            time.sleep(0.002)
        try:
            yield
        finally:
            tracer.terminate()
            tracer.wait()
            self.hit = "(INJECTED)" in log.read_text("utf-8", "replace")
            log.unlink()


@dataclass(frozen=True)
class Answer:
    """What became of a Save or a commit: "done", "failed" with a message, or "died". hit: the fault was met."""

    outcome: str
    message: str = ""
    hit: bool = False


class Saver:
    """The program in a child process. `began`: the identity of the state it began with."""

    def __init__(self, home: Path, target: Path) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(home, target, theirs))
        self._process.start()
        theirs.close()
        self.began: Identity = self._receive()

    def stroke(self) -> Identity:
        """A stroke that is reported as safe. Returns the state after it."""
        return self._ask("stroke")

    def disturbed_stroke(self, fault: Fault) -> tuple[Identity, Answer]:
        """A stroke whose commit is disturbed: the state after it, and "done", "failed" (and then done), or "died"."""
        return self._disturb("disturbed stroke", fault)

    def save(self, fault: Fault | None = None) -> Answer:
        """Save into the target."""
        return self._disturb("save", fault or Nothing())[1]

    def _disturb(self, what: str, fault: Fault) -> tuple[Identity, Answer]:
        thread = self._ask(what, fault)
        with fault.outside(thread):
            state = self._ask("go")
            try:
                answer = self._receive()
            except (EOFError, ConnectionError):
                self._process.join()
                answer = Answer("died", hit=True)
        if answer.outcome != "died":
            return state, replace(answer, hit=answer.hit or fault.hit)
        if self._process.exitcode not in (-signal.SIGKILL, -signal.SIGXFSZ):
            raise RuntimeError(f"the saver ended with {self._process.exitcode}")
        return state, answer

    def leave(self) -> None:
        """End as if by a power cut, with the work still in the working copy."""
        self._process.kill()
        self._process.join()

    def _ask(self, *question: Any) -> Any:
        self._connection.send(question)
        return self._receive()

    def _receive(self) -> Any:
        if not self._connection.poll(_WAIT_SECONDS):
            raise RuntimeError("the saver does not answer")
        return self._connection.recv()


def _live(home: Path, target: Path, connection: Connection) -> None:
    os.environ["LIKENESS_HOME"] = str(home)
    document = Document(profile(), _HISTORY_BYTES)
    session, left = Session.begin(), recoverable()
    if left or target.exists():
        content = open_project(left[0].working_path if left else target, session.working_path)
        document.open_project(content, target)
        copy = WorkingCopy(document, session)
        copy.adopt(content)
    else:
        document.open(moves.textured_ball(_SEGMENTS), target.with_suffix(".glb"), height_known=True)
        copy = WorkingCopy(document, session)
        copy.begin()
    _must(copy.flush(_WAIT_SECONDS))
    for work in left:
        work.discard()
    claim(target, session)
    connection.send(identity(state_of(document)))
    random = Random(1)
    while True:
        try:
            question, *arguments = connection.recv()
        except EOFError:
            os._exit(0)
        if question == "stroke":
            moves.stroke(document, random, "inflate")
            _must(copy.flush(_WAIT_SECONDS))
            connection.send(identity(state_of(document)))
        elif question == "save":
            _save(document, copy, target, arguments[0], connection)
        else:
            _disturbed_stroke(document, copy, random, arguments[0], connection)


def _save(document: Document, copy: WorkingCopy, target: Path, fault: Fault, connection: Connection) -> None:
    """Save on a thread of its own, as the window does."""
    mark, answers, go = document.mark(), [], threading.Event()

    def work() -> None:
        go.wait()
        with fault.inside():
            try:
                copy.save(target)
            except LikenessError as error:
                answers.append(Answer("failed", str(error)))
            else:
                answers.append(Answer("done"))

    job = threading.Thread(target=work)
    job.start()
    connection.send(job.native_id)
    connection.recv()
    connection.send(identity(state_of(document)))
    go.set()
    job.join()
    if answers[0].outcome == "done":
        document.saved(mark, target)
        _must(copy.flush(_WAIT_SECONDS))
    connection.send(replace(answers[0], hit=fault.hit))


def _disturbed_stroke(
    document: Document, copy: WorkingCopy, random: Random, fault: Fault, connection: Connection
) -> None:
    """A stroke; when its commit has failed, the disturbance ends and the working copy tries again."""
    failed = threading.Event()
    messages: list[str] = []

    def note(error: LikenessError) -> None:
        messages.append(str(error))
        failed.set()

    def announce() -> None:
        connection.send(identity(state_of(document)))

    copy.failed.connect(note)
    (writer,) = (thread for thread in threading.enumerate() if thread.name == "working-copy")
    connection.send(writer.native_id)
    connection.recv()
    with fault.inside():
        document.history.changed.connect(announce, priority=1000)  # before the working copy hears of it
        moves.stroke(document, random, "inflate")
        document.history.changed.disconnect(announce)
        while not (failed.wait(0.01) or not copy.pending):
            pass
    copy.retry_now()
    _must(copy.flush(_WAIT_SECONDS))
    copy.failed.disconnect(note)
    connection.send(Answer("failed", messages[0]) if messages else Answer("done"))


def _must(well: bool) -> None:
    if not well:
        raise RuntimeError("the working copy cannot be written")


class Looker:
    """A child that opens project files, so that this process stays fit to fork."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_look, args=(theirs,))
        self._process.start()
        theirs.close()

    def state_in(self, path: Path) -> Identity | str | None:
        """See the function `state_in`."""
        self._connection.send(path)
        return self._connection.recv()

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.join()


def _look(connection: Connection) -> None:
    while True:
        try:
            path = connection.recv()
        except EOFError:
            return
        connection.send(state_in(path))


def state_in(path: Path) -> Identity | str | None:
    """The state that a project file holds; None without a file, a text where it cannot be opened."""
    if not path.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            content = open_project(path, Path(folder) / "working.likeness")
        except LikenessError as error:
            return str(error)
    document = Document(profile(), _HISTORY_BYTES)
    document.open_project(content, path)
    return identity(state_of(document))
