"""What the project file costs at 1.6 million triangles: the hand's thread, the disk, opening and saving.

    python -m tests.benchmarks.project_file [--triangles 1600000] [--strokes 500]

commit, hand's thread    from the history saying that a step is finished until the hand may go on
committed                from there until it is on disk; strokes as fast as they can be made, and with pauses
dab                      with a working copy that follows, beside without one
bytes per vertex         what a step takes in the file, by brush
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from app.bench.ball import bumpy_ball, frequency_for, radius_for
from app.document import Document
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.preflight.profiles import profile
from app.project.opening import open_project, open_project_in_worker, prepare
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.brush import brushes
from app.sculpt.history import History
from app.sculpt.packed import PackedStep
from app.sculpt.stroke import Sample, StrokeInHand
from app.sculpt.warmup import warm_up
from app.worker import cool_down
from app.worker import warm_up as warm_up_worker

_RADIUS_MM = 75.0
_FIRST_DAB = 9_000
_DABS = 6
_ALONE = 60
_PAUSE_SECONDS = 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triangles", type=int, default=1_600_000)
    parser.add_argument("--strokes", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["LIKENESS_HOME"] = home
        warm_up_worker(prepare)
        warm_up()
        mesh = build_mesh(bumpy_ball(frequency_for(options.triangles), _RADIUS_MM))
        _say(f"{mesh.triangle_count:,} triangles, {mesh.vertex_count:,} vertices")
        _measure(mesh, options.strokes, Path(home) / "figurine.likeness")
        cool_down()


def _measure(mesh: Mesh, strokes: int, target: Path) -> None:
    document = Document(profile(), 4 << 30)
    document.open(mesh, Path("ball.ply"), height_known=True)
    hand = _Hand(mesh, document.history)
    alone = [hand.stroke(number) for number in range(_ALONE)]
    document.history.go_to(0)
    document.history.clear()
    session = Session.begin()
    begun, costs, work, sent, landed = [0.0, 0.0], [], [], [], []
    document.history.changed.connect(lambda: begun.__setitem__(slice(2), (time.perf_counter(), time.thread_time())))
    copy = WorkingCopy(document, session)

    def followed() -> None:
        now = time.perf_counter()
        costs.append(1e3 * (now - begun[0]))
        work.append(1e3 * (time.thread_time() - begun[1]))
        sent.append(now)

    document.history.changed.connect(followed)
    copy.committed.connect(lambda state: landed.append((time.perf_counter(), state.step_number or 0)))
    begin, written = _timed(copy.begin), _timed(lambda: copy.flush(60))
    _say(f"begin: {begin:.0f} ms on the hand's thread, on disk after {written:.0f} ms, {_size(copy.path)}")
    del sent[:], landed[:], costs[:], work[:]
    before = _bytes(copy.path)
    quick = [hand.stroke(number) for number in range(strokes - _ALONE)]
    copy.flush(60)
    _say(f"strokes of {_middle(document.history):,} vertices; without a working copy: dab {_times(alone)}")
    _say(f"  without a pause: dab {_times(quick)}")
    _say(f"    commit, hand's thread {_times(costs)}; committed after {_times(_waits(sent, landed))}")
    _say(f"    of that its own work, without waiting for a core: {_times(work)}")
    del sent[:], landed[:], costs[:], work[:]
    slow = []
    for number in range(strokes - _ALONE, strokes):
        slow.append(hand.stroke(number))
        time.sleep(_PAUSE_SECONDS)
    copy.flush(60)
    _say(f"  with pauses: dab {_times(slow)}")
    _say(f"    commit, hand's thread {_times(costs)}; committed after {_times(_waits(sent, landed))}")
    _say(f"    of that its own work, without waiting for a core: {_times(work)}")
    moved = sum(step.vertices for step in document.history.steps)
    log = _bytes(Path(f"{copy.path}-wal"))
    _say(f"working copy grew by {(_bytes(copy.path) - before) / moved:.2f} bytes per moved vertex; log {log >> 20} MB")
    document.undo()
    copy.flush(60)
    first, again = _timed(lambda: copy.save(target)), _timed(lambda: copy.save(target))
    _say(f"save: {first:.0f} ms, over the file from before {again:.0f} ms, {_size(target)}")
    copy.close()
    _open(target, mesh, document)
    session.end()


def _open(target: Path, mesh: Mesh, document: Document) -> None:
    time.sleep(3)  # for the spare worker
    for how, act in (("in a worker", open_project_in_worker), ("here", open_project)):
        session = Session.begin()
        start = time.perf_counter()
        content = act(target, session.working_path)
        seconds = time.perf_counter() - start
        same = all(getattr(mesh, name).tobytes() == getattr(content.mesh, name).tobytes() for name in mesh.unsaved)
        _say(f"open {how}: {seconds:.2f} s, {len(content.steps)} steps, same bits: {same}")
        session.end()
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for step in content.steps:
        assert isinstance(step, PackedStep)
        sizes[step.label][0] += step.bytes
        sizes[step.label][1] += step.vertices
    for label, (size, vertices) in sorted(sizes.items()):
        _say(f"  {label:10} {size / vertices:5.2f} bytes per vertex of {vertices:,}")
    other = Document(profile(), 4 << 30)
    other.open_project(content, target)
    _say(f"undo of a packed step: {_times([_timed(other.undo) for _ in range(20)])}")
    _say(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


class _Hand:
    """Strokes of about 13 k vertices each, all brushes in turn, all over the ball."""

    def __init__(self, mesh: Mesh, history: History) -> None:
        self._mesh, self._history = mesh, history
        self._unit = mesh.positions / np.linalg.norm(mesh.positions, axis=1, keepdims=True)
        self._radius = radius_for(mesh.positions, mesh.positions[0].astype(float), _FIRST_DAB)
        self._random = np.random.default_rng(1)
        self._brushes = list(brushes().values())

    def stroke(self, number: int) -> float:
        """Milliseconds per dab."""
        brush = self._brushes[number % len(self._brushes)]
        settings = replace(brush.defaults(), radius_mm=self._radius)
        start, side = self._random.normal(size=(2, 3))
        ways = start / np.linalg.norm(start) + np.linspace(0, 0.06, _DABS)[:, None] * side / np.linalg.norm(side)
        points = [self._mesh.positions[np.argmax(self._unit @ way.astype(np.float32))].astype(float) for way in ways]
        begin = time.perf_counter()
        in_hand = StrokeInHand(self._mesh, self._history, brush, settings)
        for point in points:
            in_hand.add(Sample(point, point / np.linalg.norm(point)))
        in_hand.finish()
        return 1e3 * (time.perf_counter() - begin) / _DABS


def _waits(sent: list[float], landed: list[tuple[float, int]]) -> list[float]:
    """Milliseconds from each step to the first transaction that has it; steps are numbered in their order."""
    first = (landed[-1][1] if landed else 0) - len(sent) + 1
    return [
        1e3 * (next(at for at, number in landed if number >= first + place) - moment)
        for place, moment in enumerate(sent)
    ]


def _middle(history: History) -> int:
    return round(median(step.vertices for step in history.steps))


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - start)


def _times(values: list[float]) -> str:
    return f"median {median(values):.2f} ms, p95 {np.percentile(values, 95):.2f} ms, most {max(values):.2f} ms"


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _size(path: Path) -> str:
    return f"{_bytes(path) / (1 << 20):.1f} MB"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
