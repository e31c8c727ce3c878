"""Disks that fill up, become read-only, or lose their folder, under the program without its window.

    python -m tests.crash.disks FOLDER [--real]

The work goes on, everything is kept, it is said once what is wrong, and when the disk is well again all of it is
written; a project file that cannot be replaced stays as it is. By default the system's limit for file sizes plays the
full disk, which needs no rights; `--real` mounts small disks in memory (tmpfs) and needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Protocol

from app.document import Document
from app.errors import LikenessError, WriteFailed
from app.preflight.profiles import profile
from app.project.opening import open_project
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.warmup import warm_up
from tests.crash import moves
from tests.crash.kills import REPOSITORY
from tests.crash.recovery import litter
from tests.crash.states import identity, mesh_digest, state_of

_SEGMENTS = 96  # 4,600 vertices
_STROKES_BEFORE, _STROKES_FULL = 30, 200
_WAIT_SECONDS = 60.0
_DISK_BYTES = 24 << 20
_BLOCK = 1 << 16
_MEGABYTE = 1 << 20
# What the process may grow by beside what the history itself holds: the pages of one mesh, packed, and room to move.
_MOST_GROWTH_MB = 40.0
_TIMEOUT_SECONDS = 600.0
_HISTORY_BYTES = 1 << 30


class Disk(Protocol):
    """A disk that can be full."""

    folder: Path

    def full(self) -> contextlib.AbstractContextManager[None]: ...


class LimitedDisk:
    """Full: no file grows, by the system's limit for file sizes, which holds for all files of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


class MemoryDisk:
    """A tmpfs. Full: a file of another program takes all the room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        ballast = self.folder / "somebody else's film.mkv"
        with ballast.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while True:
                stream.write(bytes(_BLOCK))
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


class Program:
    """The program on a state folder and a job folder; what it says is written down."""

    def __init__(self, state: Path, job: Path, seed: int = 1) -> None:
        self.target = job / "figurine.likeness"
        self.random = Random(seed)
        self.failures: list[str] = []
        self.recoveries = 0
        self._told = threading.Condition()
        self.document = moves.open_document(moves.textured_ball(_SEGMENTS), job / "ball.glb", _HISTORY_BYTES)
        self.session = Session.begin(state)
        self.copy = WorkingCopy(self.document, self.session)
        self.copy.failed.connect(self._failed)
        self.copy.recovered.connect(self._recovered)
        self.copy.begin()
        self.work(_STROKES_BEFORE)
        must(self.copy.flush(_WAIT_SECONDS), "the working copy is written while all is well")

    def _failed(self, error: LikenessError) -> None:
        with self._told:
            self.failures.append(str(error))
            self._told.notify_all()

    def _recovered(self) -> None:
        with self._told:
            self.recoveries += 1
            self._told.notify_all()

    def work(self, count: int) -> None:
        """So many moves of the hand."""
        for _ in range(count):
            moves.any_move(self.document, self.random)

    def stroke(self) -> None:
        """A stroke for certain: what is masked does not move."""
        mesh = self.document.mesh
        assert mesh is not None
        if mesh.mask.any():
            moves.write_mask(self.document, invert=False)
        must(moves.stroke(self.document, self.random, "inflate"), "the stroke changes something")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        with self._told:
            must(self._told.wait_for(condition, _WAIT_SECONDS), what)

    def must_fail(self, word: str) -> None:
        """It says once that the working copy cannot be written, and why."""
        self.wait_for(lambda: bool(self.failures), "a working copy that cannot be written says so")
        must(word in self.failures[0], f"the message says {word!r}: {self.failures[0]}")
        must(self.copy.pending and self.copy.failure is not None, "what is not written is kept")

    def must_recover(self) -> None:
        """All is well again: it says so once, and all of the work is on the disk, to the bit."""
        self.copy.retry_now()
        must(self.copy.flush(_WAIT_SECONDS), "everything is written when the disk is well again")
        self.wait_for(lambda: self.recoveries == 1, "it says once that the working copy can be written again")
        must(len(self.failures) == 1, f"it says once that it cannot: {self.failures}")
        must(self.copy.failure is None and not self.copy.pending, "nothing is pending")
        self.must_be_on_disk()

    def must_be_on_disk(self) -> None:
        """What a recovery finds is this work, at every position of its history."""
        with tempfile.TemporaryDirectory() as folder:
            dead = Path(folder) / "dead"
            shutil.copytree(self.session.folder, dead)
            content = open_project(dead / self.session.working_path.name, Path(folder) / "working.likeness")
        other = Document(profile(), _HISTORY_BYTES)
        other.open_project(content, None)
        must(identity(state_of(other)) == identity(state_of(self.document)), "what is on the disk is the work in hand")
        must(_walk(other) == _walk(self.document), "all of its history is there")

    def end(self) -> None:
        self.copy.close()
        self.session.end()


def _walk(document: Document) -> list[str]:
    position, digests = document.history.position, []
    for place in range(len(document.history.steps) + 1):
        document.go_to(place)
        assert document.mesh is not None
        digests.append(mesh_digest(document.mesh))
    document.go_to(position)
    return digests


def must(well: bool, what: str) -> None:
    """Raise unless it is so."""
    if not well:
        raise AssertionError(f"not so: {what}")


# What may happen to a disk


def state_folder_full(state: Disk, job: Disk) -> dict[str, Any]:
    """Strokes go on for long; the memory does not run away; Save to another disk works meanwhile."""
    program = Program(state.folder, job.folder)
    with state.full():
        program.stroke()
        program.must_fail("")
        before = _memory_mb() - program.document.history.bytes / _MEGABYTE
        program.work(_STROKES_FULL)
        growth = _memory_mb() - program.document.history.bytes / _MEGABYTE - before
        if isinstance(state, MemoryDisk):
            must("full" in program.failures[0], f"the message says that the disk is full: {program.failures[0]}")
            program.copy.save(program.target)
            must(program.target.exists(), "Save works on another disk")
    must(growth < _MOST_GROWTH_MB, f"{growth:.0f} MB more memory after {_STROKES_FULL} strokes on a full disk")
    program.must_recover()
    program.end()
    return {"strokes": _STROKES_FULL, "memory growth, MB": round(growth, 1)}


def target_disk_full(state: Disk, job: Disk) -> dict[str, Any]:
    """Save fails with what to do; the old file stays; the session goes on; the next Save works."""
    program = Program(state.folder, job.folder)
    program.copy.save(program.target)
    before = _digest(program.target)
    program.stroke()
    with job.full():
        message = _save_fails(program)
        must(_digest(program.target) == before, "the old file is untouched")
        must(not litter(program.target) or isinstance(job, MemoryDisk), "no other file stays")
        program.stroke()
    program.copy.save(program.target)
    must(_digest(program.target) != before, "the next Save works")
    must(not litter(program.target), "no other file stays")
    must(_digest(program.target.with_name(f"{program.target.name}.bak")) == before, ".bak is the file before")
    must(program.copy.flush(_WAIT_SECONDS), "the working copy goes on")
    program.must_be_on_disk()
    program.end()
    return {"message": message}


def state_folder_gone(state: Disk, job: Disk) -> dict[str, Any]:
    """Somebody deletes the session's folder: it is made again, with everything."""
    program = Program(state.folder, job.folder)
    shutil.rmtree(program.session.folder)
    program.stroke()
    program.work(10)
    program.copy.retry_now()
    must(program.copy.flush(_WAIT_SECONDS), "the folder is made again")
    program.must_be_on_disk()
    program.end()
    return {"messages": len(program.failures)}


def target_folder_gone(state: Disk, job: Disk) -> dict[str, Any]:
    """The project's folder vanishes, as a network drive does."""
    program = Program(state.folder, job.folder)
    folder = job.folder / "share"
    folder.mkdir()
    program.target = folder / program.target.name
    program.copy.save(program.target)
    folder.rename(job.folder / "away")
    message = _save_fails(program)
    (job.folder / "away").rename(folder)
    program.work(5)
    program.copy.save(program.target)
    program.end()
    return {"message": message}


def no_permission(state: Disk, job: Disk) -> dict[str, Any]:
    """The right to write is taken away from both folders, and given back. Not for root, whom no right is missing."""
    program = Program(state.folder, job.folder)
    program.copy.save(program.target)
    before = _digest(program.target)
    program.work(3)
    must(program.copy.flush(_WAIT_SECONDS), "the working copy is written")
    for folder in (program.session.folder, job.folder):
        folder.chmod(0o000 if folder == program.session.folder else 0o555)
    try:
        message = _save_fails(program)
        must("permission" in message, f"the message says that there is no permission: {message}")
        program.stroke()
        program.must_fail("")
    finally:
        for folder in (program.session.folder, job.folder):
            folder.chmod(0o755)
    must(_digest(program.target) == before, "the old file is untouched")
    program.must_recover()
    program.copy.save(program.target)
    program.end()
    return {"message": message, "working copy": program.failures[0]}


def read_only_disks(state: Disk, job: Disk) -> dict[str, Any]:
    """Both disks are mounted again as read-only, and back."""
    assert isinstance(state, MemoryDisk)
    assert isinstance(job, MemoryDisk)
    program = Program(state.folder, job.folder)
    program.copy.save(program.target)
    before = _digest(program.target)
    program.copy.close()  # a disk with files open for writing cannot be made read-only
    program.session.end()
    with job.read_only():
        program = Program(state.folder, job.folder, seed=2)
        message = _save_fails(program)
        must("read-only" in message, f"the message says that the disk is read-only: {message}")
        must(_digest(program.target) == before, "the old file is untouched")
    program.copy.save(program.target)
    program.end()
    with state.read_only():
        try:
            Session.begin(state.folder)
        except OSError:
            return {"message": message}
    raise AssertionError("not so: no session begins on a read-only disk")


def _save_fails(program: Program) -> str:
    try:
        program.copy.save(program.target)
    except WriteFailed as error:
        must(bool(error.what and error.advice and error.where), f"the message says what, where, what to do: {error}")
        return str(error)
    raise AssertionError("not so: Save says that it failed")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _memory_mb() -> float:
    """Memory of this process that is in use."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE


_ALWAYS = (state_folder_full, target_disk_full, state_folder_gone, target_folder_gone)
_NOBODY = 65534


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args(arguments)
    warm_up()  # as at the start of the program, so that memory that kernels take is not taken for unwritten work
    kind = MemoryDisk if options.real else LimitedDisk
    results: dict[str, Any] = {}
    for scenario in (*_ALWAYS, *([read_only_disks] if options.real else [no_permission])):
        disks = [kind(options.folder / scenario.__name__ / name) for name in ("state", "job")]
        if scenario is no_permission:
            _be_nobody(options.folder / scenario.__name__)
        try:
            results[scenario.__name__] = scenario(*disks)
        except AssertionError as error:
            results[scenario.__name__] = {"fault": str(error)}
        finally:
            for disk in disks:
                if isinstance(disk, MemoryDisk):
                    disk.close()
    sys.stdout.write(json.dumps(results) + "\n")
    return 0


def _be_nobody(folder: Path) -> None:
    """Go on as a user whom rights concern."""
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, _NOBODY, _NOBODY)
        for parent in folder.parents:
            if Path(tempfile.gettempdir()) in parent.parents:
                parent.chmod(0o755)
        os.environ["LIKENESS_HOME"] = str(folder / "home")
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def results_of(folder: Path, *, real: bool) -> dict[str, Any]:
    """What `main` says, in a process of its own: its limits and its user are changed."""
    command = [sys.executable, "-m", "tests.crash.disks", str(folder)]
    environment = {**os.environ, "LIKENESS_HOME": str(folder / "home")}
    done = subprocess.run(
        command + ["--real"] * real,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


def run(folder: Path, options: argparse.Namespace) -> bool:
    """Both kinds of disks, with figures. Returns whether all was as it must be."""
    well = True
    for real in (False, True):
        results = results_of(folder / ("real" if real else "limited"), real=real)
        sys.stdout.write("disks in memory\n" if real else "file size limits\n")
        for scenario, facts in results.items():
            sys.stdout.write(f"  {scenario:20s} {facts}\n")
            well = well and "fault" not in facts
    return well


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
