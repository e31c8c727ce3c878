"""Brushes timed as Blender's were: strokes of 20 dabs at fixed places, with the undo capture, nothing drawn.

dab               the whole stroke divided by its dabs: chunk query, factors, capture, kernel, write, dirty marking
normals           `mesh.refresh` after a stroke of one dab
first dab         a stroke of one dab, begin and end included, and its normals
undo              taking the stroke of 20 dabs back, and its normals
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from app.bench.ball import STARTS, dab_path, radius_for
from app.mesh.mesh import Mesh
from app.sculpt.brush import Brush, brushes
from app.sculpt.dabs import Dab, Sample, dab_at
from app.sculpt.history import History
from app.sculpt.methods import stroke_dabs
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import StrokeSurface

DABS = 20
_TARGETS = (2_000, 20_000, 100_000)
# Brush and strength. Smooth at 0.1 is one pass, at 0.7 three, as in Blender.
_BRUSHES = (
    ("draw", 0.1),
    ("inflate", 0.1),
    ("smooth", 0.1),
    ("smooth", 0.7),
    ("crease", 0.1),
    ("grab", 0.1),
    ("clay", 0.1),
)
# As the brush comes.
_OWN = None
_REPEATS = 12
_SPACING = 0.2
# No row of a small mesh dabs more than this part of it.
_LARGEST_PART = 0.5
_GRAB_STEP = 0.05
# How far from the stroke's start Clone takes its colour from.
_SOURCE_RADII = 1.5


class Owner:
    """The least that a History needs."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh: Mesh | None = mesh


def stroke_rows(
    mesh: Mesh,
    radius_mm: float,
    progress: Callable[[float, str], None],
    repeats: int = _REPEATS,
    *,
    every_brush: bool = False,
) -> list[dict[str, Any]]:
    """One row per brush and size. radius_mm: of the ball. The mesh is left as it was.

    every_brush: then each brush there is as well, as it comes: at its own strength, falloff and alpha.
    """
    history = History(Owner(mesh))
    directions = mesh.positions / np.linalg.norm(mesh.positions, axis=1, keepdims=True)
    targets = [target for target in _TARGETS if target <= _LARGEST_PART * mesh.vertex_count]
    brush_cases: list[tuple[Brush, float | None]] = [(brushes()[name], strength) for name, strength in _BRUSHES]
    if every_brush:
        brush_cases += [(brush, _OWN) for brush in brushes().values()]
    cases = [(brush, strength, target) for brush, strength in brush_cases for target in targets]
    rows = []
    came_with = mesh.original_colors
    if every_brush and mesh.colors is not None:
        mesh.original_colors = 1 - mesh.colors  # so that Erase has something to do
    for number, (brush, strength, target) in enumerate(cases):
        progress(number / len(cases), f"{brush.label}, {target:,} vertices")
        runs = []
        for repeat in range(repeats + 1):
            start = STARTS[repeat % len(STARTS)]
            settings, dabs = _dabs(mesh, brush, strength, target, start, directions, radius_mm)
            runs.append(_run(mesh, history, brush, settings, dabs))
        rows.append(_row(brush, strength, runs[1:]))
    mesh.original_colors = came_with
    return rows


def _dabs(
    mesh: Mesh,
    brush: Brush,
    strength: float | None,
    target: int,
    start: tuple[float, ...],
    directions: np.ndarray,
    ball_mm: float,
) -> tuple[BrushSettings, list[Dab]]:
    first = mesh.positions[int(np.argmax(directions @ (np.array(start) / np.linalg.norm(start))))].astype(float)
    radius = radius_for(mesh.positions, first, target)
    x, y, z = mesh.positions[dab_path(directions, start, _SOURCE_RADII * radius / ball_mm, 2)[1]].tolist()
    settings = replace(brush.defaults(), radius_mm=radius, spacing=_SPACING, source=(x, y, z))
    if strength is not None:
        settings = replace(settings, strength=strength, falloff=BrushSettings().falloff)
    if brush.drags:
        place = stroke_dabs(settings, holds=brush.from_stroke_start, pulls=brush.pulls)
        aside = np.cross(first, (0.0, 0.0, 1.0)) if strength is None else np.zeros(3)  # Twist turns to the side
        pulled = (first + (first + aside) * (_GRAB_STEP * step * radius / ball_mm) for step in range(DABS))
        return settings, [dab for point in pulled for dab in place(_sample(point))]
    path = mesh.positions[dab_path(directions, start, _SPACING * radius / ball_mm, DABS)].astype(float)
    steps = np.diff(path, axis=0)[[0, *range(DABS - 1)]]  # the first dab as if the stroke had come from before it
    return settings, [
        replace(dab_at(_sample(point), settings, np.zeros(3)), step=step, origin=path[0])
        for point, step in zip(path, steps, strict=True)
    ]


def _sample(point: np.ndarray) -> Sample:
    return Sample(point, point / np.linalg.norm(point))


def _run(mesh: Mesh, history: History, brush: Brush, settings: BrushSettings, dabs: list[Dab]) -> dict[str, float]:
    """One timed round, from and back to the untouched mesh; times in ms."""
    # The first sample of a drag only takes hold.
    one = dabs[:2] if brush.drags else dabs[:1]
    first = _timed(lambda: _stroke(mesh, history, brush, settings, one))
    normals = _timed(mesh.refresh)
    vertices = history.steps[-1].vertices
    history.undo()
    mesh.refresh()
    whole = _timed(lambda: _stroke(mesh, history, brush, settings, dabs))
    mesh.refresh()
    stroke_vertices = history.steps[-1].vertices
    undo = _timed(history.undo) + _timed(mesh.refresh)
    return {
        "dab": whole / len(dabs),
        "normals": normals,
        "first": first + normals,
        "undo": undo,
        "vertices": vertices,
        "stroke_vertices": stroke_vertices,
    }


def _stroke(mesh: Mesh, history: History, brush: Brush, settings: BrushSettings, dabs: list[Dab]) -> None:
    with history.record(brush.label) as recorder:
        surface = StrokeSurface(mesh, recorder, brush, settings)
        for dab in dabs:
            surface.apply(dab)


def _timed(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - start)


def _row(brush: Brush, strength: float | None, runs: list[dict[str, float]]) -> dict[str, Any]:
    def middle(name: str) -> float:
        return round(median(run[name] for run in runs), 3)

    named = {_BRUSHES[0][1]: brush.id, _OWN: f"{brush.id}*"}
    return {
        "brush": named.get(strength, f"{brush.id}@{strength}"),
        "strength": brush.strength if strength is None else strength,
        "vertices": round(middle("vertices")),
        "dab_ms_median": middle("dab"),
        "dab_ms_min": round(min(run["dab"] for run in runs), 3),
        "normals_ms_median": middle("normals"),
        "first_dab_and_normals_ms_median": middle("first"),
        "undo_ms_median": middle("undo"),
        "stroke_vertices": round(middle("stroke_vertices")),
    }
