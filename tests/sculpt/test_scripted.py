"""Strokes from JSON: the same engine as by hand, and clear words for every mistake."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.errors import InvalidInput, LikenessError
from app.sculpt.brush import brushes
from app.sculpt.falloff import Falloff
from app.sculpt.history import History
from app.sculpt.scripted import run_strokes
from app.sculpt.stroke import Sample
from app.sculpt.symmetry import Symmetry
from tests.meshes import sphere
from tests.sculpting import PLACE, Owner, bits, bumpy_sphere, stroke, surface_points

POINTS = [[0.0, -10.0, 0.0], [1.0, -10.0, 1.0]]
GOOD = {"brush": "inflate", "radius_mm": 3.0, "points": POINTS}


def run(document, mesh=None) -> tuple[History, int]:
    owner = Owner(mesh or bumpy_sphere(4))
    history = History(owner)
    return history, run_strokes(owner.mesh, history, document)


def test_a_document_does_what_the_same_samples_do_by_hand():
    by_hand, scripted = bumpy_sphere(), bumpy_sphere()
    places = surface_points(by_hand, PLACE, 5.0, 6)
    view = np.array([0.0, -1.0, 0.0])
    stroke(
        by_hand,
        "crease",
        [Sample(point, view, 0.1 * index + 0.3) for index, point in enumerate(places)],
        radius_mm=2.5,
        strength=0.8,
        falloff=Falloff("custom", ((0, 1), (0.5, 0.9), (1, 0))),
        hardness=0.1,
        spacing=0.3,
        auto_smooth=0.2,
        stabiliser=0.1,
        invert=True,
        front_faces_only=True,
        pressure_size=True,
        pressure_strength=True,
        symmetry=Symmetry((True, False, True), (0.5, 0.0, 0.0)),
        parameters={"pinch": 80.0},
    )
    entry = {
        "brush": "crease",
        "radius_mm": 2.5,
        "strength": 0.8,
        "falloff": {"points": [[0, 1], [0.5, 0.9], [1, 0]]},
        "hardness": 0.1,
        "spacing": 0.3,
        "auto_smooth": 0.2,
        "stabiliser": 0.1,
        "invert": True,
        "front_faces_only": True,
        "pressure_size": True,
        "pressure_strength": True,
        "symmetry": {"axes": "xz", "origin": [0.5, 0, 0]},
        "parameters": {"pinch": 80},
        "points": [
            {"point": point.tolist(), "view": [0, -2, 0], "pressure": 0.1 * index + 0.3}
            for index, point in enumerate(places)
        ],
    }
    document = json.loads(json.dumps({"strokes": [entry]}))
    assert run(document, scripted)[1] == 1
    assert bits(scripted) == bits(by_hand)


def test_every_brush_runs_and_each_stroke_is_a_step():
    every = {**GOOD, "symmetry": "x", "color": "#ff8000", "source": [0, 10, 0]}
    strokes = [{**every, "brush": name} for name in brushes()]
    history, changed = run({"strokes": strokes})
    assert changed == len(brushes())
    assert [step.label for step in history.steps] == [brush.label for brush in brushes().values()]


def test_a_view_that_is_not_given_is_the_surface_normal():
    front, plain = bumpy_sphere(4), bumpy_sphere(4)
    run({"strokes": [{**GOOD, "front_faces_only": True}]}, front)
    run({"strokes": [GOOD]}, plain)
    np.testing.assert_allclose(front.positions, plain.positions, atol=1e-6)


def test_progress_counts_the_strokes():
    owner, said = Owner(sphere(3)), []
    run_strokes(owner.mesh, History(owner), {"strokes": [GOOD, GOOD]}, lambda part, doing: said.append((part, doing)))
    assert said == [(0.0, "Inflate (1 of 2)"), (0.5, "Inflate (2 of 2)")]


def test_strokes_that_touch_nothing_are_noted():
    owner, noted = Owner(sphere(3)), []
    far = {**GOOD, "points": [[0.0, -40.0, 0.0], [0.0, -50.0, 0.0]]}
    weak = {**GOOD, "strength": 0.0}  # touches, but changes nothing
    grab = {**far, "brush": "grab"}
    document = {"strokes": [far, GOOD, weak, grab]}
    assert run_strokes(owner.mesh, History(owner), document, note=noted.append) == 1
    assert noted == ["stroke 1 touched no vertex", "stroke 4 touched no vertex"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "strokes"),
        ({"strokes": {}}, "strokes"),
        ({"strokes": [3]}, "stroke 1.*not an object"),
        ({"strokes": [{"brush": "draw", "points": POINTS}]}, 'stroke 1.*"radius_mm" is missing'),
        ({"strokes": [GOOD, {**GOOD, "brush": "drawr"}]}, "stroke 2.*drawr.*Use one of.*draw"),
        ({"strokes": [{**GOOD, "brush": ["draw"]}]}, "no brush"),
        ({"strokes": [{**GOOD, "strenght": 1}]}, '"strenght"'),
        ({"strokes": [{**GOOD, "radius_mm": -1}]}, "stroke 1.*radius"),
        ({"strokes": [{**GOOD, "radius_mm": "3"}]}, "radius_mm.*not a finite number"),
        ({"strokes": [{**GOOD, "radius_mm": float("nan")}]}, "not a finite number"),
        ({"strokes": [{**GOOD, "strength": True}]}, "not a finite number"),
        ({"strokes": [{**GOOD, "strength": 7}]}, "stroke 1.*strength is 7"),
        ({"strokes": [{**GOOD, "invert": 1}]}, "neither true nor false"),
        ({"strokes": [{**GOOD, "falloff": "soft"}]}, "soft"),
        ({"strokes": [{**GOOD, "falloff": 3}]}, "not a falloff"),
        ({"strokes": [{**GOOD, "falloff": {"points": [[1, 0], [0, 1]]}}]}, "not a curve"),
        ({"strokes": [{**GOOD, "symmetry": "w"}]}, "names no axes"),
        ({"strokes": [{**GOOD, "symmetry": {"axes": "x", "origin": [1, 2]}}]}, "3 numbers"),
        ({"strokes": [{**GOOD, "color": "#12345"}]}, "not a colour"),
        ({"strokes": [{**GOOD, "color": [2, 0, 0]}]}, "colour"),
        ({"strokes": [{**GOOD, "parameters": {"pinch": 50}}]}, "no parameter of Inflate"),
        ({"strokes": [{**GOOD, "brush": "crease", "parameters": {"pinch": 500}}]}, "pinch from 0 to 100"),
        ({"strokes": [{**GOOD, "points": []}]}, "not a list of points"),
        ({"strokes": [{**GOOD, "points": [[1, 2]]}]}, "stroke 1, point 1.*3 or 4 numbers"),
        ({"strokes": [{**GOOD, "points": [[1, 2, 3], "x"]}]}, "point 2.*not a point"),
        ({"strokes": [{**GOOD, "points": [{"point": [1, 2, 3], "presure": 1}]}]}, "presure"),
        ({"strokes": [{**GOOD, "points": [{"point": [1, 2, 3], "view": [0, 0, 0]}]}]}, "view has no direction"),
    ],
)
def test_a_mistake_is_named_before_anything_changes(document, message: str):
    mesh = bumpy_sphere(3)
    before = bits(mesh)
    with pytest.raises(InvalidInput, match=message):
        run(document, mesh)
    assert bits(mesh) == before


def test_painting_a_mesh_without_colours_leaves_the_strokes_before_it():
    mesh = sphere(3)
    owner = Owner(mesh)
    history = History(owner)
    with pytest.raises(LikenessError, match="Add vertex colours"):
        run_strokes(mesh, history, {"strokes": [GOOD, {**GOOD, "brush": "paint"}]})
    assert [step.label for step in history.steps] == ["Inflate"]
