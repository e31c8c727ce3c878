"""Timings of what a stroke costs the viewport, for `likeness bench`. Off-screen, so that they run without a display.

Drawing itself is the graphics card's business, and on a machine without one it would drown the rest: the benchmarks
draw a single triangle over the full point arrays, so that uploads and VTK's own work are all that is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.mesh.mesh import Mesh
from app.viewport.offscreen import OffscreenView
from app.viewport.render_copy import Group
from app.viewport.upload import finish

_PICTURE = (320, 240)
_ROUNDS = 15


def bench_upload(mesh: Mesh, vertices: int = 80_000, rounds: int = _ROUNDS) -> dict[str, float]:
    """Upload of positions and normals of a dab's range against VTK's full rebuild of the same arrays.

    vertices: about how many a dab touches, taken from the middle of the mesh's order; fewer where it has fewer.
    Returns medians in ms: `sub_range_ms` and `rebuild_ms` until all is handed over, `sub_range_finish_ms` and
    `rebuild_finish_ms` until the graphics card is done; and `vertices`, the count that was sent.
    The mesh is not changed. Raises LikenessError where the machine offers no OpenGL.
    """
    view = OffscreenView(_PICTURE)
    try:
        _one_triangle(view, mesh)
        rows = _dab(mesh, vertices)

        def mark() -> None:
            mesh.touched("positions", rows)
            mesh.refresh()

        def sub_range() -> None:
            view.window.MakeCurrent()
            view.scene.upload()

        def rebuild() -> None:
            view.scene.rebuild("positions", "normals")
            view.window.Render()

        view.render()
        idle, idle_finish = _medians(lambda: None, view.window.Render, rounds)
        sub, sub_finish = _medians(mark, sub_range, rounds)
        full, full_finish = _medians(lambda: None, rebuild, rounds)
        return {
            "vertices": float(len(rows)),
            "sub_range_ms": sub,
            "sub_range_finish_ms": sub_finish,
            # Less what VTK needs for a frame in which nothing changed.
            "rebuild_ms": max(0.0, full - idle),
            "rebuild_finish_ms": max(0.0, full_finish - idle_finish),
        }
    finally:
        view.close()


def bench_frame(mesh: Mesh, change: Callable[[], None], rounds: int = 60) -> dict[str, float]:
    """From a change of the mesh to the frame handed to OpenGL, without the drawing of the mesh itself.

    change: does what a pointer event does to the mesh (a dab), marking it as touched; called once per frame.
    Returns ms: `median_ms`, `p95_ms`, `max_ms` over `rounds` frames after one that warms up.
    Raises LikenessError where the machine offers no OpenGL.
    """
    view = OffscreenView(_PICTURE)
    try:
        _one_triangle(view, mesh)
        view.render()
        times = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            change()
            mesh.refresh()
            view.render()
            times.append((time.perf_counter() - start) * 1e3)
            finish()
        taken = np.array(times[1:])
        return {
            "median_ms": float(np.median(taken)),
            "p95_ms": float(np.percentile(taken, 95)),
            "max_ms": float(taken.max()),
        }
    finally:
        view.close()


def _one_triangle(view: OffscreenView, mesh: Mesh) -> None:
    """Show the mesh's arrays with one triangle of it."""
    view.scene.set_mesh(mesh)
    view.camera = view.camera.framing(*mesh.bounds(), _PICTURE)
    view.scene.draw_only([Group(group.material, group.triangles[:1]) for group in view.scene.groups()])


def _dab(mesh: Mesh, vertices: int) -> np.ndarray:
    count = min(vertices, mesh.vertex_count)
    start = (mesh.vertex_count - count) // 2
    return np.arange(start, start + count, dtype=np.int32)


def _medians(prepare: Callable[[], None], act: Callable[[], None], rounds: int) -> tuple[float, float]:
    """Median ms of `act` until handed over, and until the graphics card is done."""
    handed, done = [], []
    for _ in range(rounds + 1):
        prepare()
        finish()
        start = time.perf_counter()
        act()
        handed.append(time.perf_counter() - start)
        finish()
        done.append(time.perf_counter() - start)
    return float(np.median(handed[1:])) * 1e3, float(np.median(done[1:])) * 1e3
