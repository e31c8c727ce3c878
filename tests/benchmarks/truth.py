"""Our checks beside independent judges on every real file: python -m tests.benchmarks.truth [PART OF NAME...] [--all]

A row for each file and question where a judge says something else than we do, with the reason; with --all also for
those where they agree. A reason is never taken for granted: it is what the judge counts instead, counted by us in that
judge's way, or exact fractions for each triangle that only one side calls intersecting. What has no such reason is
UNEXPLAINED, and the exit code is then 1. The answers of all files are in `truth.csv` beside this module.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import LikenessError
from app.formats.opening import open_mesh
from app.formats.registry import formats
from app.mesh.edges import Edges, names_twice
from app.mesh.mesh import Mesh
from app.preflight.counts import inspect
from app.preflight.places import bow_ties
from app.preflight.self_intersection import self_intersections
from tests.preflight import judges, rational
from tests.preflight.test_judges import balanced, joined_by_edges

DATA = Path(__file__).parents[3] / "shared" / "data"
UNEXPLAINED = "UNEXPLAINED"
_JUDGE_SECONDS = 300.0
# Exact fractions are slow; so many seconds of a processor for a file, and what is not decided then is said.
_EXACT_SECONDS = 60.0
_VOLUME_WITHIN = 1e-3
# Cuts shorter than this part of the model may be lost by rounding.
_TINY_PART = 1e-5


@dataclass(frozen=True)
class Row:
    """One question about one file. reason: why the judge says something else; "" where it does not."""

    question: str
    ours: object
    judge: str
    theirs: object
    reason: str = ""


class Apart:
    """Calls in a process of their own, which is given up when it crashes or takes too long."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """The result, or None where there was none."""
        self._pool = self._pool or ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            return self._pool.submit(function, *args).result(_JUDGE_SECONDS)
        except (TimeoutError, BrokenProcessPool):
            self.close()
            return None

    def close(self) -> None:
        if self._pool:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def main() -> int:
    """Print the table and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="only files whose name holds one of these")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    out, apart = csv.writer(sys.stdout), Apart()
    out.writerow(("file", "triangles", "question", "ours", "judge", "theirs", "reason"))
    files, answers, reasons = 0, 0, Counter[str]()
    try:
        for name in _names(args.parts):
            try:
                mesh = open_mesh(DATA / name).mesh
            except LikenessError:
                continue
            files += 1
            for row in rows_of(mesh, apart):
                answers += 1
                reasons[row.reason.split(":")[0]] += bool(row.reason)
                if row.reason or args.all:
                    shown = (row.question, row.ours, row.judge, row.theirs, row.reason)
                    out.writerow((name, mesh.triangle_count, *shown))
            sys.stdout.flush()
    finally:
        apart.close()
    sys.stderr.write(f"{files} files, {answers:,} answers, {sum(reasons.values()):,} other than ours\n")
    for reason, count in reasons.most_common():
        if count:
            sys.stderr.write(f"{count:6,}  {reason}\n")
    return 1 if reasons[UNEXPLAINED] else 0


def _names(parts: list[str]) -> Iterator[str]:
    suffixes = {suffix for known in formats().values() if known.read for suffix in known.suffixes}
    with (DATA / "FILES.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            name = row["file"]
            if Path(name).suffix.lower() in suffixes and (not parts or any(part in name for part in parts)):
                yield name


def rows_of(mesh: Mesh, apart: Apart) -> Iterator[Row]:
    """All questions about one file."""
    proper = np.ascontiguousarray(mesh.triangles[~names_twice(mesh.triangles)])
    if not len(proper):
        return
    yield from _solid(mesh, proper)
    yield from _counted(mesh, proper, apart)
    yield from _crossing(mesh, apart)


def _solid(mesh: Mesh, proper: np.ndarray) -> Iterator[Row]:
    """Closed, oriented, and how much is inside."""
    counts = inspect(mesh)
    oriented = counts.watertight and counts.winding_conflicts == 0
    taken, volume = judges.manifold3d_says(mesh.positions, proper)
    found = judges.trimesh_says(mesh.positions, proper)
    yield _same("closed", counts.watertight, "trimesh", found.watertight)
    if counts.watertight:
        yield _same("oriented", oriented, "trimesh", found.consistent)
    yield _same("closed and oriented", oriented, "lib3mf", judges.lib3mf_takes(mesh.positions, proper))
    reason = "takes edges with as many triangles one way as the other"
    both_ways = taken == balanced(Edges.of(proper), proper)
    yield _same("closed and oriented", oriented, "manifold3d", taken, reason if both_ways else UNEXPLAINED)
    yield _same("duplicates", counts.duplicates, "trimesh", found.duplicates)
    yield _same("without area", counts.without_area, "trimesh", found.without_area)
    if oriented:
        for judge, theirs in (("trimesh", found.volume), ("manifold3d", volume)):
            near = abs(counts.volume_mm3 - theirs) <= _VOLUME_WITHIN * abs(theirs) + 1e-9
            yield Row("volume", counts.volume_mm3, judge, theirs, "" if near else UNEXPLAINED)


def _counted(mesh: Mesh, proper: np.ndarray, apart: Apart) -> Iterator[Row]:
    """Edges, parts and the like, beside PyMeshLab."""
    found: judges.PymeshlabSays | None = apart.call(judges.pymeshlab_says, mesh.positions, proper)
    if found is None:
        yield Row("counts", "", "PyMeshLab", "", "no answer: it crashed or took too long")
        return
    counts, edges, judge = inspect(mesh), Edges.of(proper), "PyMeshLab"
    yield _same("open edges", counts.open_edges, judge, found.open_edges)
    for_each = found.non_manifold == edges.uses[edges.uses > 2].sum()
    reason = "counts a non-manifold edge once for each of its triangles" if for_each else UNEXPLAINED
    yield _same("non-manifold edges", counts.non_manifold_edges, judge, found.non_manifold, reason)
    by_edges = found.components == joined_by_edges(edges, len(proper))
    reason = "parts that touch in a vertex only are several" if by_edges else UNEXPLAINED
    yield _same("shells", counts.shells, judge, found.components, reason)
    ties = bow_ties(mesh)
    on_bad_edges = np.unique(edges.ends[edges.uses > 2])
    left_out = np.setdiff1d(ties, found.bow_ties)
    known = np.isin(left_out, on_bad_edges).all() and np.isin(found.bow_ties, ties).all()
    reason = "does not look for bow-ties at non-manifold edges" if known else UNEXPLAINED
    yield _same("bow-ties", len(ties), judge, len(found.bow_ties), reason if len(left_out) or not known else "")
    yield _same("duplicates", counts.duplicates, judge, found.duplicates)
    yield _same("without area", counts.without_area, judge, found.without_area)
    if counts.watertight and counts.winding_conflicts == 0 and found.volume is not None:
        near = abs(counts.volume_mm3 - found.volume) <= _VOLUME_WITHIN * abs(found.volume) + 1e-9
        yield Row("volume", counts.volume_mm3, judge, found.volume, "" if near else UNEXPLAINED)


def _same(question: str, ours: object, judge: str, theirs: object, reason: str = UNEXPLAINED) -> Row:
    return Row(question, ours, judge, theirs, "" if ours == theirs else reason)


def _crossing(mesh: Mesh, apart: Apart) -> Iterator[Row]:
    """Triangles that go through others: PyMeshLab's, and exact fractions for each that only one side names."""
    pairs = self_intersections(mesh)
    ours = np.unique(pairs)
    theirs = apart.call(judges.pymeshlab_crossing_faces, mesh.positions, mesh.triangles)
    if theirs is None:
        yield Row("intersecting", len(ours), "PyMeshLab", "", "no answer: it crashed or took too long")
        return
    missed, wrong = np.setdiff1d(ours, theirs), np.setdiff1d(theirs, ours)
    if not len(missed) + len(wrong):
        yield Row("intersecting", len(ours), "PyMeshLab", len(theirs))
        return
    deadline = time.process_time() + _EXACT_SECONDS
    kinds, refuted, asked = Counter[str](), 0, 0
    # In turns, so that both kinds are looked at however many there are.
    partner, size = _partners(mesh, pairs), float(np.linalg.norm(mesh.size()))
    for face in np.random.default_rng(1).permutation(np.concatenate((missed, wrong))).tolist():
        if time.process_time() > deadline:
            break
        asked += 1
        if partner[face] >= 0:
            one, other = mesh.positions[mesh.triangles[[face, partner[face]]]]
            refuted += not rational.meet(one, other)
            kinds[f"it misses {_how_they_meet(one, other, size)}"] += 1
        else:
            refuted += bool(rational.meeting_faces(mesh.positions, mesh.triangles, [face]))
            kinds[f"it counts {_how_they_do_not(mesh.positions[mesh.triangles[face]])}"] += 1
    told = [f"exact fractions say as we do: {asked:,} asked"] if not refuted else [f"{UNEXPLAINED}: {refuted:,}"]
    still = len(missed) + len(wrong) - asked
    told += [f"{still:,} not asked for lack of time"] if still else []
    told += [f"{kind} ({count:,})" for kind, count in kinds.most_common()]
    yield Row("intersecting", len(ours), "PyMeshLab", len(theirs), "; ".join(told))


def _partners(mesh: Mesh, pairs: np.ndarray) -> np.ndarray:
    """(T,) a triangle that each meets, one that shares as few corners with it as any; -1 where it meets none."""
    order = np.argsort(-_shared(*mesh.positions[mesh.triangles[pairs]].swapaxes(0, 1)), kind="stable")
    partner = np.full(mesh.triangle_count, -1)
    for side in (0, 1):
        partner[pairs[order, side]] = pairs[order, 1 - side]
    return partner


def _shared(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(...,) corners at the same places in two (..., 3, 3) triangles."""
    return (one[..., :, None, :] == other[..., None, :, :]).all(axis=-1).any(axis=-1).sum(axis=-1)


def _how_they_meet(one: np.ndarray, other: np.ndarray, size: float) -> str:
    """In what way two triangles meet, and so why it may be missed."""
    sides = [[rational.side_of_plane(np.vstack((a, corner))) for corner in b] for a, b in ((one, other), (other, one))]
    if not any(sides[0]):
        return "triangles on each other in one plane"
    shared = int(_shared(one, other))
    if shared:
        return "cuts that start at a corner that both share"
    if any(min(side) >= 0 or max(side) <= 0 for side in sides):
        return "triangles that touch another without going through"
    corners = np.array(rational.common_corners(rational.exact(one), rational.exact(other)), dtype=float)
    length = np.linalg.norm(corners.max(axis=0) - corners.min(axis=0))
    return f"cuts {'shorter' if length < _TINY_PART * size else 'longer'} than {_TINY_PART:g} of the model"


def _how_they_do_not(corners: np.ndarray) -> str:
    if not rational.has_area(rational.exact(corners)):
        return "triangles without area"
    return "triangles that have nothing but their borders in common with others"


if __name__ == "__main__":
    sys.exit(main())
