"""Worker processes killed with SIGKILL under a living window: the work in hand stays, and the message names the step.

python -m tests.crash.workers FOLDER [--runs N] [--seed S]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox

from app import worker
from app.application import Application
from app.preflight.checks.running import run_checks
from app.project.opening import prepare
from app.settings import Settings
from app.viewport.viewport import prepare_surface_format
from app.widgets.commands import ExportCommands
from app.widgets.main_window import MainWindow
from tests.crash import moves
from tests.crash.kills import REPOSITORY
from tests.crash.states import identity, state_of
from tests.crash.window import write_ball

_SEGMENTS = 128
_WAIT_SECONDS = 180.0
_TIMEOUT_SECONDS = 1800.0
_LOOK_MS = 5
_JOBS = ("import", "project", "export")


class Bench:
    """A window with work in hand that is saved, so that opening something else asks no question."""

    def __init__(self, folder: Path, seed: int, seconds: float | None) -> None:
        """seconds: how long a job takes, about; None measures it."""
        self.folder, self.random = folder, Random(seed)
        self.application = Application(Settings(folder / "settings.json"))
        self.window: MainWindow = self.application.window
        self.window.show()
        self.base, self.project, self.other = folder / "ball.glb", folder / "job.likeness", folder / "other.likeness"
        write_ball(self.base, _SEGMENTS)
        self.window.commands.model.set_profile("ply")  # which takes any number of triangles, without a question
        self.open(self.base)
        self.strokes(3)
        for path in (self.other, self.project):
            self.save(path)
        self.seconds = {job: seconds or self.timed(job) for job in _JOBS}

    def open(self, path: Path) -> None:
        self.window.commands.opening.open_file(path)
        self.wait_for_job()

    def save(self, path: Path) -> None:
        self.window.commands.saving.save_as(path)
        self.wait_for_job()

    def strokes(self, count: int) -> None:
        for _ in range(count):
            moves.stroke(self.window.document, self.random, self.random.choice(("draw", "inflate", "clay", "mask")))

    def wait_for_job(self) -> None:
        until = time.monotonic() + _WAIT_SECONDS
        QTest.qWait(1)
        while self.window.jobs.busy:
            if time.monotonic() > until:
                raise RuntimeError("the job does not end")
            QTest.qWait(_LOOK_MS)
        QTest.qWait(_LOOK_MS)

    def start(self, job: str) -> None:
        opening, exporting = self.window.commands.opening, self.window.commands.exporting
        starts: dict[str, Callable[[], object]] = {
            "import": lambda: opening.open_file(self.base),
            "project": lambda: opening.open_file(self.other),
            "export": lambda: self._export(exporting),
        }
        starts[job]()
        if not self.window.jobs.busy:
            raise RuntimeError(f"{job} does not start")

    def _export(self, exporting: ExportCommands) -> None:
        """Writing alone: what the checks before it say is known."""
        document = self.window.document
        assert document.mesh is not None
        self.window.preflight.take(run_checks(document.mesh, document.profile))
        exporting.export_as(self.folder / "figurine.ply")

    def timed(self, job: str) -> float:
        """How long it takes when nobody kills it, in seconds; afterwards the work is in hand again."""
        started = time.monotonic()
        self.start(job)
        self.wait_for_job()
        seconds = time.monotonic() - started
        self._put_back()
        return seconds

    def kill(self, job: str) -> tuple[str, list[str]]:
        """One job, its worker killed at a moment by chance. Returns "killed" or "too late", and what must not be."""
        self.strokes(1)
        self.save(self.project)
        before, faults = identity(state_of(self.window.document)), []
        (self.folder / "figurine.ply").unlink(missing_ok=True)
        files = set(self.folder.iterdir())
        self.start(job)
        delay = round(1000 * self.random.uniform(0, self.seconds[job]))
        QTimer.singleShot(delay, _kill_workers)
        self.wait_for_job()
        text = self._message()
        if text is None:
            self._put_back()
            return "too late", []
        if identity(state_of(self.window.document)) != before or self.window.document.modified:
            faults.append(f"{job}: the work in hand is another")
        if " while " not in text:
            faults.append(f"{job}: the message names no step: {text}")
        if set(self.folder.iterdir()) != files:
            faults.append(f"{job}: files were left: {set(self.folder.iterdir()) ^ files}")
        self.strokes(1)
        if not self.application.keep():
            faults.append(f"{job}: the working copy does not go on")
        return "killed", faults

    def _message(self) -> str | None:
        """What the box says that tells of the failure; it is closed."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QMessageBox) and widget.isVisible():
                text = f"{widget.text()} {widget.informativeText()}"
                widget.close()
                QTest.qWait(_LOOK_MS)
                return text
        return None

    def _put_back(self) -> None:
        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        if self.window.document.project_path != self.project:
            self.open(self.project)

    def close(self) -> None:
        self.window.close_without_asking()
        self.application.shut_down()


def _kill_workers() -> None:
    for child in multiprocessing.active_children():
        child.kill()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="how long a job takes, about; measured by default")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True)
    worker.warm_up(prepare)
    prepare_surface_format()
    qt = QApplication(sys.argv[:1])
    figures: Counter[str] = Counter()
    faults: list[str] = []
    bench = Bench(options.folder, options.seed, options.seconds)
    for number in range(options.runs):
        job = _JOBS[number % len(_JOBS)]
        outcome, wrong = bench.kill(job)
        figures[f"{job} {outcome}"] += 1
        faults += wrong
    bench.close()
    del qt
    sys.stdout.write(json.dumps({"figures": figures, "faults": faults}) + "\n")
    return 0


def results_of(folder: Path, runs: int, seed: int, seconds: float | None = None) -> dict[str, Any]:
    """What `main` says, in a process of its own, which has a window."""
    command = [sys.executable, "-m", "tests.crash.workers", str(folder / "job"), "--runs", str(runs)]
    done = subprocess.run(
        [*command, "--seed", str(seed), *(["--seconds", str(seconds)] if seconds else [])],
        cwd=REPOSITORY,
        env={**os.environ, "LIKENESS_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


def run(folder: Path, options: argparse.Namespace) -> bool:
    """The long form. Returns whether all was as it must be."""
    results = results_of(folder, 60, options.seed)
    for name, count in sorted(results["figures"].items()):
        sys.stdout.write(f"  {name:20s} {count}\n")
    sys.stdout.write("".join(f"  FAULT {fault}\n" for fault in results["faults"]))
    return not results["faults"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
