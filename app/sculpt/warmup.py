"""Compile, or load from the cache on disk, every kernel that strokes and masks will need, so that none stalls.

To be run at start-up, behind the splash. It really sculpts, on a tiny mesh: whatever a brush calls is covered, with the
argument types of reality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.mesh.build import build_mesh
from app.mesh.jit import threads_from
from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.mesh.sight import in_sight
from app.mesh.soup import Soup
from app.sculpt import face_sets, masking
from app.sculpt.alpha import multiply_by_image, stamp_frame
from app.sculpt.automask import Automask, Protection
from app.sculpt.brush import Brush, brushes
from app.sculpt.history import AttributeStep, History, Step
from app.sculpt.packed import step_differences
from app.sculpt.stroke import Sample, StrokeInHand
from app.sculpt.symmetry import Symmetry
from app.sculpt.transform import FreePart, Transform, TransformInHand

_NEVER = 1 << 60


class _Owner:
    def __init__(self, mesh: Mesh) -> None:
        self.mesh: Mesh | None = mesh


def warm_up(progress: Callable[[float, str], None] = lambda fraction, doing: None) -> None:
    """Run every brush once with and once without threads. progress: fraction done 0 to 1, what is being done."""
    mesh = _square()
    history = History(_Owner(mesh))
    cast(mesh, np.array([0.1, 0.2, 5.0]), np.array([0.0, 0.0, -1.0]))
    for index, brush in enumerate(brushes().values()):
        progress(index / len(brushes()), f"Preparing {brush.label}")
        for work in (0, _NEVER):
            with threads_from(work):
                for invert in (False, True):
                    _stroke(mesh, history, brush, invert)
                _protect(mesh)
                _pack(history.steps[-1], mesh)
                history.undo()
                mesh.refresh()
    progress(1.0, "Preparing masks")
    _whole(mesh)
    for work in (0, _NEVER):
        with threads_from(work):
            _pose(mesh, history)
    progress(1.0, "Ready")


def _pose(mesh: Mesh, history: History) -> None:
    """A transform, cancelled."""
    part = FreePart(mesh)
    part.border()
    in_hand = TransformInHand(mesh, history, part)
    in_hand.set(Transform(turn=(0.0, 0.0, 1.0)), part.middle())
    in_hand.cancel()
    mesh.refresh()


def _protect(mesh: Mesh) -> None:
    """Every automask and an alpha, which need not leave anything to change."""
    protection = Protection(mesh, Automask(True, True, True, 0.5, 45.0))
    everything = np.arange(mesh.vertex_count, dtype=np.int32)
    factors, up = np.ones(mesh.vertex_count, np.float32), np.array([0.0, 0.0, 1.0])
    protection.begin([0])
    protection.apply(0, everything, factors, up)
    right, top = stamp_frame(up, np.array([1.0, 0.0, 0.0]), None, 0.0, 1.0)
    multiply_by_image(everything, factors, mesh.positions, np.zeros(3), right, top, 2.0, np.ones((2, 2), np.float32))


def _whole(mesh: Mesh) -> None:
    """Masks and face sets over the whole mesh."""
    assert mesh.colors is not None
    for change in (masking.grown, masking.blurred, masking.by_cavity, face_sets.from_shells, face_sets.from_materials):
        change(mesh)
    for resize in (face_sets.grown, face_sets.shrunk):
        resize(mesh, 1.0)
    masking.by_color(mesh, mesh.colors[0], 1.0)
    masking.by_outline(mesh.positions[:, :2], mesh.positions[:, :2])
    flat, near = mesh.positions[:, :2].astype(np.float64), mesh.positions[:, 2].astype(np.float64)
    in_sight(flat, near, mesh.triangles, mesh.hidden, np.arange(mesh.vertex_count), near)
    face_sets.shows_anything(mesh, mesh.hidden)


def _pack(step: Step, mesh: Mesh) -> None:
    """What the working copy does with a finished step."""
    if isinstance(step, AttributeStep):
        for part in step_differences(step, mesh):
            part.pack()


def _square() -> Mesh:
    """Two coloured triangles."""
    positions = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    return build_mesh(Soup(positions, triangles, colors=np.full((4, 3), 0.5, np.float32)))


def _stroke(mesh: Mesh, history: History, brush: Brush, invert: bool) -> None:
    settings = replace(
        brush.defaults(),
        radius_mm=2.0,
        auto_smooth=0.5,
        front_faces_only=True,
        invert=invert,
        source=(0.0, 0.0, 0.0),
        symmetry=Symmetry((True, False, False)),
    )
    stroke = StrokeInHand(mesh, history, brush, settings)
    for x in (0.4, 0.9):
        stroke.add(Sample(np.array([x, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])))
    stroke.finish()
    StrokeInHand(mesh, history, brush, settings).cancel()
