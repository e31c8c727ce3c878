"""A face, sculpted by mouse events as a sculptor does it: eye sockets, nose and hairline on a service's base mesh.

Pictures of before and after are left in `out/face/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.application import Application
from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.preflight.counts import inspect
from tests.conftest import REPOSITORY
from tests.test_job import OPEN_MS, open_mesh, program, state_of, warm_worker

__all__ = ["program", "warm_worker"]

TRIANGLES = 1_600_000
PICTURES = REPOSITORY / "out" / "face"
NO_KEY, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
# Places of the face, mm, as (x, z) seen from the front; x = 0 is the middle of the head, which is 19 mm tall.
EYE, TIP, WING = (2.3, 140.2), (0.0, 135.9), (0.9, 136.2)
RIM = ((1.2, 140.0), (1.6, 140.9), (2.3, 141.1), (3.1, 141.0), (3.6, 140.3), (3.1, 139.4), (2.3, 139.1), (1.5, 139.3))
HAIRLINE = ((0.0, 147.0), (1.4, 146.9), (2.8, 146.1), (3.7, 144.9), (4.2, 143.4))


class Hand:
    """A hand that works on what the viewport shows."""

    def __init__(self, program: Application, qtbot: QtBot) -> None:
        self.window, self.qtbot = program.window, qtbot
        self.viewport = self.window.viewport

    @property
    def mesh(self) -> Mesh:
        mesh = self.window.document.mesh
        assert mesh is not None
        return mesh

    def take(self, brush: str, **options: Any) -> None:
        self.window.brush_actions[brush].trigger()
        self.window.hand.reset()
        self.window.hand.update(**options)

    def look(self, view: str, radius_mm: float = 9.0) -> None:
        self.viewport.standard_view(view)
        self.viewport.frame_point(np.array((0.0, -4.0, 139.5)), radius_mm)

    def pixel(self, place: Sequence[float]) -> QPoint:
        """Where the viewport shows a place: (x, z) of the face's surface, or (x, y, z)."""
        point = self.front(*place) if len(place) == 2 else np.asarray(place, np.float64)
        return QPoint(*(round(value) for value in self.viewport.project(point)))

    def front(self, x: float, z: float) -> np.ndarray:
        hit = cast(self.mesh, np.array((x, -100.0, z)), np.array((0.0, 1.0, 0.0)))
        assert hit is not None
        return hit.point

    def stroke(self, places: Sequence[Sequence[float]], key: Qt.KeyboardModifier = NO_KEY, *, step_px: int = 5) -> None:
        """A drag with the left button from place to place."""
        pixels = [self.pixel(place) for place in places]
        self.qtbot.mousePress(self.viewport, Qt.MouseButton.LeftButton, key, pixels[0])
        for start, end in pairwise(pixels):
            steps = max(1, (end - start).manhattanLength() // step_px)
            for step in range(1, steps + 1):
                self.qtbot.mouseMove(self.viewport, start + (end - start) * (step / steps))
        self.qtbot.mouseRelease(self.viewport, Qt.MouseButton.LeftButton, key, pixels[-1])

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for view in ("front", "left"):
            self.look(view)
            if view == "left":
                self.viewport.orbit(-140, 0)
            Image.fromarray(self.viewport.image()).save(PICTURES / f"{name}-{view}.png")
        self.look("front")


def eye_sockets(hand: Hand) -> None:
    """Deeper sockets around the eyeballs, brows above them, and the folds of the lids."""
    hand.take("draw", radius_mm=0.7, strength=0.5)
    for _ in range(2):
        hand.stroke([*RIM, RIM[0]], CTRL)
    hand.stroke(RIM[:5], CTRL)
    hand.take("clay_strips", radius_mm=0.7, strength=0.5)
    hand.stroke([(0.9, 142.2), (2.2, 142.6), (3.7, 142.0)])
    hand.take("smooth", radius_mm=0.6, strength=0.3)
    hand.stroke([*RIM, RIM[0]])
    hand.take("inflate", radius_mm=1.5, strength=0.3)
    hand.stroke([EYE, (2.4, 140.2)])
    hand.take("draw_sharp", radius_mm=0.35, strength=0.8)
    hand.stroke([(1.5, 140.1), (1.9, 140.6), (2.6, 140.7), (3.2, 140.1)])
    hand.stroke([(1.5, 140.0), (2.3, 139.6), (3.2, 140.0)])


def nose(hand: Hand) -> None:
    """A shorter nose with a bridge, a round tip and wings."""
    hand.look("left")
    for brush, radius, back in (("grab", 4.5, 2.0), ("elastic_grab", 3.0, 0.6)):
        hand.take(brush, radius_mm=radius, strength=1.0)
        held = hand.front(*TIP) + np.array((0.0, 0.3, 0.1))
        hand.stroke([held, held + np.array((0.0, back, 0.2))])
    hand.look("front")
    hand.take("clay", radius_mm=0.8, strength=0.5)
    hand.stroke([(0.2, 141.2), (0.2, 138.0)])
    hand.take("inflate", radius_mm=0.7, strength=0.7)
    hand.stroke([WING, (1.0, 136.4), WING])
    hand.take("surface_smooth", radius_mm=1.0, strength=0.5)
    hand.stroke([(0.3, 140.5), (0.5, 138.0), (0.3, 136.4)])
    hand.take("draw_sharp", radius_mm=0.35, strength=0.8)
    hand.stroke([(1.0, 137.3), (1.4, 136.9), (1.5, 136.3)])


def hairline(hand: Hand) -> None:
    """The forehead is masked, hair grows above it, and gets strands; then pores in the cheek."""
    hand.take("mask", radius_mm=1.2, strength=1.0, hardness=0.8)
    hand.stroke([(x, z - 1.1) for x, z in HAIRLINE])
    hand.stroke([(0.9 * x, z - 2.2) for x, z in HAIRLINE])
    hand.take("inflate", radius_mm=2.0, strength=0.5)
    hand.stroke([(x, z + 0.3) for x, z in HAIRLINE])
    hand.look("top")
    hand.stroke([(0.0, -3.5, 148.3), (2.5, -2.5, 148.3), (4.0, 0.0, 147.0)])
    for back in (0.0, 2.5, 5.0):
        hand.stroke([(0.0, back - 1.0, 149.6), (2.0, back, 149.6), (3.8, back + 1.0, 148.0)])
    hand.look("front")
    hand.window.actions_by_id["clear-mask"].trigger()
    hand.take("draw_sharp", radius_mm=0.3, strength=0.7)
    for x, z in zip(*along(HAIRLINE, 16), strict=True):
        hand.stroke([(x, z - 0.2), (0.93 * x, z + 0.7), (0.75 * x, z + 1.6)], step_px=3)
    hand.take("pores", radius_mm=1.2, strength=0.3)
    hand.stroke([(2.2, 138.0), (3.2, 137.6)])


def along(places: Sequence[Sequence[float]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """x and z of places at even distances on a way."""
    x, z = np.array(places).T
    way = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))))
    at = np.linspace(0.05, way[-1], count)
    return np.interp(at, way, x), np.interp(at, way, z)


def depths(hand: Hand, places: Sequence[Sequence[float]]) -> np.ndarray:
    """How far back the surface lies at places of both sides of the face, (2, n), mm."""
    return np.array([[hand.front(side * x, z)[1] for x, z in places] for side in (1, -1)])


def foremost(hand: Hand) -> float:
    """Where the nose ends, mm along Y, which points to the back."""
    x, _, z = np.abs(hand.mesh.positions.T)
    return float(hand.mesh.positions[(x < 1.5) & (z > 134) & (z < 140), 1].min())


def test_eye_sockets_nose_and_hairline(shared: Path, program: Application, qtbot: QtBot) -> None:
    open_mesh(program, qtbot, shared / "ai_generated/rodin_zombie_person.glb")
    hand = Hand(program, qtbot)
    for operation, values in (("clean_up", {}), ("retarget", {"triangles": TRIANGLES})):
        program.commands.operating.operate(operation, values)
        qtbot.waitUntil(lambda: not hand.window.jobs.busy, timeout=OPEN_MS)
    assert hand.mesh.triangle_count == TRIANGLES
    hand.viewport.set_shading("clay")
    hand.window.hand.set_mirror(0, True)
    hand.picture("before")
    history, first = hand.window.document.history, state_of(program)
    start = history.position

    rim, eye = depths(hand, RIM), depths(hand, [EYE])
    eye_sockets(hand)
    hand.picture("eyes")
    deeper = depths(hand, RIM) - rim
    assert (deeper.mean(axis=1) > 0.25).all()  # the sockets go in, alike on both sides, the eyeballs do not
    assert abs(deeper[0].mean() - deeper[1].mean()) < 0.1
    assert (np.abs(depths(hand, [EYE]) - eye) < 0.2).all()

    tip = foremost(hand)
    nose(hand)
    hand.picture("nose")
    assert 1.0 < foremost(hand) - tip < 4.0

    above, below = ([(x, z + up) for x, z in HAIRLINE[:4]] for up in (0.3, -1.2))
    hair, forehead = depths(hand, above), depths(hand, below)
    hairline(hand)
    hand.picture("after")
    assert (hair - depths(hand, above) > 0.15).all()
    assert np.abs(depths(hand, below) - forehead).max() < 0.05  # it was masked
    assert not hand.mesh.mask.any()
    hand.window.grab().save(str(PICTURES / "window.png"))

    counts = inspect(hand.mesh)
    assert (counts.triangles, counts.open_edges, counts.non_manifold_edges) == (TRIANGLES, 0, 0)
    assert np.isfinite(hand.mesh.positions).all()
    last, steps = state_of(program), history.position - start
    assert steps > 30
    for verb, wanted in (("undo", first), ("redo", last)):
        for _ in range(steps):
            hand.window.actions_by_id[verb].trigger()
        assert state_of(program) == wanted
