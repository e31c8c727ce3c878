"""Time all of preflight at the size of a figurine: `python tests/benchmarks/preflight.py [FILE] [--triangles N]`.

Without FILE on the bumpy ball of the other benchmarks. Kernels are compiled first; each part is timed three times and
the best is told, because what else runs on the machine only ever makes it slower.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.bench.ball import bumpy_ball, frequency_for
from app.formats.opening import open_mesh
from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.mesh.thickness import thickness
from app.mesh.topology import Topology
from app.mesh.transform import scaled_to_height
from app.preflight import places, warm
from app.preflight.checks.check import CHEAP
from app.preflight.checks.running import run_checks
from app.preflight.counts import inspect
from app.preflight.features import near_skins, widths
from app.preflight.profiles import profile
from app.preflight.self_intersection import self_intersections
from app.preflight.shells import shells_of

_HEIGHT_MM = 150.0
_TIMES = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--triangles", type=int, default=1_600_000)
    args = parser.parse_args()
    if args.file:
        mesh = scaled_to_height(open_mesh(args.file).mesh, _HEIGHT_MM)
    else:
        mesh = build_mesh(bumpy_ball(frequency_for(args.triangles), _HEIGHT_MM / 2))
    warm.prepare()
    sys.stdout.write(f"{mesh.triangle_count:,} triangles\n")
    tree = Bvh.of(mesh.positions, mesh.triangles)
    walls = thickness(mesh, at_most_mm=10.0, tree=tree)
    rows: dict[str, Callable[[], Any]] = {
        "tree of boxes": lambda: Bvh.of(mesh.positions, mesh.triangles),
        "counts of a new topology": lambda: inspect(_forgotten(mesh)),
        "bow-ties": lambda: places.bow_ties(mesh),
        "shells": lambda: shells_of(mesh),
        "all cheap checks": lambda: run_checks(_forgotten(mesh), profile(), only=CHEAP),
        "self-intersections, with tree": lambda: self_intersections(mesh),
        "walls up to 10 mm": lambda: thickness(mesh, at_most_mm=10.0, tree=tree),
        "walls up to 20 mm": lambda: thickness(mesh, at_most_mm=20.0, tree=tree),
        "walls without limit": lambda: thickness(mesh, tree=tree),
        "pins under 10 mm": lambda: widths(mesh, walls, 10.0, tree=tree),
        "double skins": lambda: near_skins(mesh, 0.1, tree=tree),
        "all checks": lambda: run_checks(_forgotten(mesh), profile()),
    }
    for name, work in rows.items():
        sys.stdout.write(f"{name:<32}{min(_seconds(work) for _ in range(_TIMES)):8.2f} s\n")
        sys.stdout.flush()


def _forgotten(mesh: Mesh) -> Mesh:
    """The mesh with a topology that nothing is remembered of."""
    known = mesh.topology
    topology = Topology(known.triangle_offsets, known.vertex_triangles, known.ring_offsets, known.ring, known.boundary)
    return Mesh(mesh.positions, mesh.triangles, topology=topology, chunks=mesh.chunks, normals=mesh.normals)


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
