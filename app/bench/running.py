"""`run_bench`: everything once, as one dictionary. Files and memory are measured here, brushes in `strokes`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app import worker
from app.bench.ball import STARTS, bumpy_ball, dab_path, frequency_for, radius_for
from app.bench.strokes import DABS, Owner, stroke_rows
from app.errors import LikenessError
from app.formats import opening
from app.formats.registry import WriteOptions, formats
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.preflight.check import check_file
from app.preflight.export import export_in_worker
from app.preflight.profiles import profile
from app.sculpt.brush import brushes
from app.sculpt.history import History
from app.sculpt.stroke import Sample, StrokeInHand
from app.sculpt.warmup import warm_up

_BALL_MM = 75.0
_STROKES = 100
_STROKE_VERTICES = 13_000
_GIB = 1 << 30

Progress = Callable[[float, str], None]


def run_bench(
    triangles: int = 1_600_000,
    progress: Progress = lambda fraction, doing: None,
    *,
    every_brush: bool = False,
) -> dict[str, Any]:
    """Time brushes, upload, opening, checking, export and memory on a ball of about so many triangles.

    every_brush: all there are, and not only those that stand for the rest.

    Returns the JSON object of `likeness bench --json`; times named _ms in milliseconds, _s in seconds. `upload` holds
    the reason where the machine offers no OpenGL.
    """
    progress(0.0, "Making the mesh")
    soup = bumpy_ball(frequency_for(triangles), _BALL_MM)
    with tempfile.TemporaryDirectory(prefix="likeness-bench-") as name:
        path = Path(name) / "ball.glb"
        _write_glb(soup, path)
        progress(0.05, "Preparing brushes")
        warm_up()
        mesh = build_mesh(soup)
        del soup
        measured: dict[str, Any] = {"triangles": mesh.triangle_count, "vertices": mesh.vertex_count}
        measured["rows"] = stroke_rows(
            mesh, _BALL_MM, lambda part, doing: progress(0.1 + 0.5 * part, doing), every_brush=every_brush
        )
        progress(0.6, "Upload")
        measured["upload"] = _upload(mesh)
        progress(0.7, "Opening")
        worker.warm_up(opening.prepare)
        measured["open_s"] = _seconds(lambda: opening.open_in_worker(path))
        progress(0.75, "Exporting")
        target = Path(name) / "ball.3mf"
        measured["export_3mf_s"] = _seconds(lambda: export_in_worker(mesh, target, profile("wjp")))
        progress(0.85, "Checking")
        measured["check_s"] = _seconds(lambda: check_file(target, profile("wjp")))
        progress(0.9, "Memory")
        limits = worker.WorkerLimits(memory_bytes=16 * _GIB)
        measured["rss_mb"], measured["rss_peak_mb"] = worker.run(sculpting_memory, path, limits=limits)
    progress(1.0, "Done")
    return measured


def sculpting_memory(path: Path) -> tuple[float, float]:
    """Memory in MB, now and at its peak, of a process without a window that opens a file and sculpts it.

    100 strokes of 20 dabs, each stroke over 13,000 vertices, all kept for undo. Zeros where the system tells nothing.
    """
    mesh = opening.open_mesh(path).mesh
    history = History(Owner(mesh))
    directions = mesh.positions / np.linalg.norm(mesh.positions, axis=1, keepdims=True)
    inflate = brushes()["inflate"]
    for number in range(_STROKES):
        start = STARTS[number % len(STARTS)]
        center = mesh.positions[dab_path(directions, start, 0.0, 1)[0]].astype(float)
        radius = radius_for(mesh.positions, center, min(_STROKE_VERTICES, mesh.vertex_count // 2) // 4)
        stroke = StrokeInHand(mesh, history, inflate, replace(inflate.defaults(), radius_mm=radius))
        path_vertices = dab_path(directions, start, 0.2 * radius / _BALL_MM, DABS)
        for point in mesh.positions[path_vertices].astype(float):
            stroke.add(Sample(point, point / np.linalg.norm(point)))
        stroke.finish()
        mesh.refresh()
    return _resident_mb("VmRSS"), _resident_mb("VmHWM")


def _write_glb(soup: Soup, path: Path) -> None:
    write = formats()["gltf"].write
    assert write is not None
    write(soup, path, WriteOptions(up="y", unit_mm=1000.0, color="vertex"), lambda fraction, doing: None)


def _upload(mesh: Mesh) -> dict[str, Any]:
    from app.viewport.bench import bench_upload

    try:
        return {key: round(value, 3) for key, value in bench_upload(mesh).items()}
    except LikenessError as error:
        return {"unavailable": str(error)}


def _seconds(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return round(time.perf_counter() - start, 2)


def _resident_mb(key: str) -> float:
    if not sys.platform.startswith("linux"):
        return 0.0
    status = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith(key))
    return round(int(line.split()[1]) / 1024, 1)
