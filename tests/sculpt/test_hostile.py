"""Numbers without sense in strokes and meshes: refused in words, or without effect; never a crash of the program."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.errors import InvalidInput
from app.sculpt.brush import brushes
from app.sculpt.dabs import Sample, Stabiliser
from app.sculpt.history import History
from app.sculpt.scripted import run_strokes
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import StrokeInHand
from tests.meshes import sphere


def _stroke(**fields: Any) -> dict[str, Any]:
    return {"strokes": [{"brush": "draw", "radius_mm": 3.0, "points": [[0, 0, 10], [2, 0, 10]], **fields}]}


def _run(document: Any) -> int:
    owner = SimpleNamespace(mesh=sphere(2, colored=True))
    return run_strokes(owner.mesh, History(owner, 1 << 28), document)


@pytest.mark.parametrize("radius", [0.0, -1.0, 1e-300, 5e-324, 1e-20, 1e20, 1e300, math.inf, math.nan])
def test_a_radius_that_no_float_can_square_is_refused(radius: float) -> None:
    with pytest.raises(InvalidInput, match="radius"):
        BrushSettings(radius_mm=radius)


@pytest.mark.parametrize("radius", [1e-15, 1e-9, 1e9, 1e16])
@pytest.mark.parametrize("pressure", [0.0, 1.0])
def test_the_smallest_and_the_largest_radius_work(radius: float, pressure: float) -> None:
    mesh = sphere(2)
    history = History(SimpleNamespace(mesh=mesh), 1 << 28)
    stroke = StrokeInHand(mesh, history, brushes()["draw"], BrushSettings(radius_mm=radius, pressure_size=True))
    stroke.add(Sample(mesh.positions[0].astype(float), np.array([0.0, 0.0, 1.0]), pressure))  # exactly on a vertex
    stroke.finish()
    assert np.isfinite(mesh.positions).all()


@pytest.mark.parametrize("brush", sorted(brushes()))
@pytest.mark.parametrize("place", [math.nan, math.inf, -math.inf, 1e30])
def test_vertices_that_are_nowhere_are_left_alone(brush: str, place: float) -> None:
    """An undone step of a damaged project may leave such ones."""
    mesh = sphere(2, colored=True)
    mesh.positions[::7] = place
    mesh.touched_all("positions")
    mesh.refresh()
    history = History(SimpleNamespace(mesh=mesh), 1 << 28)
    # Clone takes from a place that has vertices to take from and such that are nowhere.
    settings = replace(brushes()[brush].defaults(), radius_mm=6.0, auto_smooth=0.5, source=(0.0, 0.0, -10.0))
    stroke = StrokeInHand(mesh, history, brushes()[brush], settings)
    for x in (0.0, 1.0, 2.0):
        stroke.add(Sample(np.array([x, 0.0, 10.0]), np.array([0.0, 0.0, 1.0])))
    stroke.finish()
    history.undo()
    assert len(mesh.positions) == sphere(2).vertex_count


@pytest.mark.parametrize("number", [10**400, -(10**400), math.nan, math.inf, True, None, "1", [1]])
@pytest.mark.parametrize("field", ["radius_mm", "strength", "hardness", "spacing", "stabiliser"])
def test_settings_that_are_no_numbers_are_refused(field: str, number: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        _run(_stroke(**{field: number}))
    assert len(str(caught.value)) < 1000


def test_what_is_refused_is_quoted_at_a_readable_length() -> None:
    with pytest.raises(InvalidInput) as caught:
        _run(_stroke(points=[list(range(100_000))]))
    assert len(str(caught.value)) < 1000


def test_brackets_without_end_are_refused() -> None:
    document = _stroke()
    document["strokes"][0]["invert"] = json.loads("[" * 900 + "]" * 900)
    with pytest.raises(InvalidInput):
        _run(document)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("length", [1e3, 1e12, 1e150])
@pytest.mark.parametrize("rope", [1e-15, 1.0, 1e-300])
def test_the_rope_of_the_lazy_mouse_ends(length: float, rope: float) -> None:
    stabiliser = Stabiliser(rope)
    view = np.array([0.0, 0.0, 1.0])
    assert len(list(stabiliser.add(Sample(np.zeros(3), view)))) == 1
    assert len(list(stabiliser.add(Sample(np.array([length, 0.0, 0.0]), view)))) <= 100_000
