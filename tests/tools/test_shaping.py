"""What each brush that moves the surface means, against hand calculation or a slow reference."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.sculpt.brush import brushes
from app.sculpt.falloff import Falloff
from app.sculpt.history import History
from app.sculpt.stroke import StrokeInHand
from tests.meshes import grid, grid_soup, sphere
from tests.sculpting import Owner, bumpy_sphere, samples, settings_of, stroke

UP = np.array([0.0, 0.0, 1.0])
ORIGIN = np.zeros(3)
FLAT = {"falloff": Falloff("constant")}


def waves(height: float = 0.5) -> Mesh:
    """An open square of 20 mm with waves, around z = 0."""
    soup = grid_soup(60)
    x, y, _ = soup.positions.T
    soup.positions[:, 2] = height * np.sin(2.0 * x) * np.cos(1.7 * y)
    return build_mesh(soup)


def at_origin(mesh: Mesh, brush: str, **changes: object) -> None:
    stroke(mesh, brush, samples([ORIGIN], UP), **changes)


def line(mesh: Mesh, brush: str, **changes: object) -> None:
    """A stroke along x through the middle of a flat square."""
    stroke(mesh, brush, samples([np.array([x, 0.0, 0.0]) for x in np.linspace(-8, 8, 30)], UP), **changes)


def volume(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.positions.astype(float)[mesh.triangles], 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def smooth_falloff(distance: np.ndarray, radius: float) -> np.ndarray:
    p = np.clip(1 - distance / radius, 0, 1)
    return 3 * p**2 - 2 * p**3


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_draw_raises_a_flat_square_by_the_falloff(invert: bool, sign: int):
    mesh = grid(60)
    start = mesh.positions.copy()
    at_origin(mesh, "draw", radius_mm=5.0, strength=0.4, invert=invert)
    # One dab: strength x radius x spacing / 2.
    wanted = sign * 0.4 * 5.0 * 0.2 / 2 * smooth_falloff(np.linalg.norm(start, axis=1), 5.0)
    np.testing.assert_allclose(mesh.positions[:, 2], wanted, atol=1e-5)
    assert np.array_equal(mesh.positions[:, :2], start[:, :2])


@pytest.mark.parametrize("spacing", [0.05, 0.2, 0.4])
def test_a_stroke_of_draw_is_half_a_radius_high_whatever_the_spacing(spacing: float):
    mesh = grid(80)
    line(mesh, "draw", radius_mm=3.0, strength=0.5, spacing=spacing)
    middle = np.linalg.norm(mesh.positions[:, :2], axis=1) < 1e-3
    assert mesh.positions[middle, 2] == pytest.approx(0.5 * 3.0 / 2, rel=0.06)


def test_inflate_grows_a_ball_evenly_and_deflate_shrinks_it():
    for invert, sign in ((False, 1), (True, -1)):
        mesh = sphere(4, radius=10.0)
        before = volume(mesh)
        stroke(mesh, "inflate", samples([ORIGIN], UP), radius_mm=40.0, strength=0.25, invert=invert, **FLAT)
        length = np.linalg.norm(mesh.positions, axis=1)
        # One dab of strength x radius x spacing / 2 = 1 mm, along normals that point away from the middle.
        np.testing.assert_allclose(length, 10.0 + sign, atol=0.01)
        assert volume(mesh) == pytest.approx(before * (1 + sign / 10) ** 3, rel=2e-3)


def slow_smooth(mesh: Mesh, strength: float) -> np.ndarray:
    """One pass over the whole mesh from the definition, with edges found by counting."""
    triangles, positions = mesh.triangles, mesh.positions.astype(float)
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    rim = set(unique[counts != 2].ravel().tolist())
    neighbours: list[list[int]] = [[] for _ in positions]
    for a, b in unique.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    out = positions.copy()
    for v, ring in enumerate(neighbours):
        chosen = [n for n in ring if n in rim] if v in rim else ring
        if chosen:
            out[v] += strength * (positions[chosen].mean(axis=0) - positions[v])
    return out


@pytest.mark.parametrize("make", [lambda: bumpy_sphere(4), waves], ids=["closed", "open"])
def test_smooth_is_the_mean_of_the_ring(make):
    mesh = make()
    wanted = slow_smooth(mesh, 0.8)
    # A fifth of full strength is one pass of 0.8.
    at_origin(mesh, "smooth", radius_mm=100.0, strength=0.2, **FLAT)
    np.testing.assert_allclose(mesh.positions, wanted, atol=2e-6)


def test_smooth_lowers_bumps_sharpen_raises_them_and_a_border_does_not_creep_in():
    mesh = waves()
    width = np.ptp(mesh.positions[:, 0])
    rough = mesh.positions[:, 2].std()
    at_origin(mesh, "smooth", radius_mm=100.0, strength=1.0, **FLAT)
    assert mesh.positions[:, 2].std() < 0.9 * rough
    assert np.ptp(mesh.positions[:, 0]) > 0.98 * width
    mesh = waves()
    at_origin(mesh, "smooth", radius_mm=100.0, strength=1.0, invert=True, **FLAT)
    assert mesh.positions[:, 2].std() > 1.005 * rough


def test_auto_smooth_is_a_smoothing_after_the_dab():
    one, two = waves(), waves()
    settings = {"radius_mm": 100.0, "strength": 0.02, **FLAT}
    at_origin(one, "inflate", auto_smooth=0.4, **settings)
    at_origin(two, "inflate", **settings)
    at_origin(two, "smooth", **{**settings, "strength": 0.4})
    np.testing.assert_allclose(one.positions, two.positions, atol=1e-6)


def test_flatten_goes_to_the_plane_and_contrast_away_from_it():
    mesh = waves()
    rough = mesh.positions[:, 2].std()
    at_origin(mesh, "flatten", radius_mm=100.0, strength=0.5, **FLAT)
    assert mesh.positions[:, 2].std() == pytest.approx(rough / 2, rel=1e-2)
    mesh = waves()
    at_origin(mesh, "flatten", radius_mm=100.0, strength=1.0, **FLAT)
    assert np.ptp(mesh.positions[:, 2]) < 0.1  # the plane is tilted a little by the uneven border
    mesh = waves()
    at_origin(mesh, "flatten", radius_mm=100.0, strength=1.0, invert=True, **FLAT)
    assert mesh.positions[:, 2].std() == pytest.approx(1.1 * rough, rel=1e-2)


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_clay_lays_one_layer_however_often_it_goes_over_a_place(invert: bool, sign: int):
    mesh = grid(80)
    there_and_back = [np.array([x, 0.0, 0.0]) for x in (-6.0, 6.0, -6.0, 6.0, -6.0, 6.0)]
    layer = {"parameters": {"height": 20.0}}
    stroke(mesh, "clay", samples(there_and_back, UP), radius_mm=3.0, strength=0.8, invert=invert, **layer)
    height = sign * mesh.positions[:, 2]
    assert height.max() == pytest.approx(0.2 * 3.0, rel=0.02)
    assert height.min() > -1e-6


def test_clay_fills_hollows_more_than_heights():
    mesh = waves(0.2)
    before = mesh.positions.copy()
    at_origin(mesh, "clay", radius_mm=8.0, strength=1.0, parameters={"height": 15.0}, **FLAT)
    moved = np.linalg.norm(before, axis=1) < 7.9
    np.testing.assert_allclose(mesh.positions[moved, 2], 0.15 * 8.0, atol=0.06)


@pytest.mark.parametrize(("invert", "sign"), [(False, -1), (True, 1)])
def test_crease_cuts_a_narrow_valley_and_draws_its_sides_together(invert: bool, sign: int):
    mesh = grid(100)
    start = mesh.positions.copy()
    line(mesh, "crease", radius_mm=3.0, strength=0.5, invert=invert, parameters={"pinch": 60.0})
    x, y = start[:, 0], start[:, 1]
    middle = (np.abs(x) < 4) & (np.abs(y) < 0.1)
    assert (sign * mesh.positions[middle, 2] > 0.25).all()
    beside = (np.abs(x) < 4) & (np.abs(y) > 0.5) & (np.abs(y) < 1.5)
    assert (np.abs(mesh.positions[beside, 1]) < np.abs(y[beside])).all()
    # Toward the line, not toward each dab: along the stroke nothing is bunched up.
    assert np.abs(mesh.positions[beside, 0] - x[beside]).max() < 0.05


def test_pinch_draws_together_along_the_surface_and_spread_apart():
    for invert, closer in ((False, True), (True, False)):
        mesh = grid(60)
        start = mesh.positions.copy()
        at_origin(mesh, "pinch", radius_mm=5.0, strength=1.0, invert=invert)
        distance = np.linalg.norm(start, axis=1)
        moved = (distance > 0.5) & (distance < 4.5)
        after = np.linalg.norm(mesh.positions[moved], axis=1)
        assert (after < distance[moved]).all() if closer else (after > distance[moved]).all()
        assert np.abs(mesh.positions[:, 2]).max() < 1e-6


def test_grab_follows_the_pointer_from_where_it_took_hold():
    mesh = grid(60)
    start = mesh.positions.copy()
    way = np.array([[0, 0, 0], [3, 1, 2], [-4, 2, 9], [1.0, -0.5, 3.0]])
    stroke(mesh, "grab", samples(way, UP), radius_mm=5.0)
    # Only the last place counts, and the region is that of the first.
    wanted = start + smooth_falloff(np.linalg.norm(start, axis=1), 5.0)[:, None] * way[-1]
    np.testing.assert_allclose(mesh.positions, wanted, atol=2e-4)


def test_grab_that_returns_to_its_start_changes_nothing():
    mesh = grid(30)
    before = mesh.positions.copy()
    history, changed = stroke(mesh, "grab", samples([ORIGIN, UP, ORIGIN], UP), radius_mm=5.0)
    assert not changed
    assert history.steps == []
    assert mesh.positions.tobytes() == before.tobytes()


def test_a_thin_wall_is_shaped_by_the_side_that_is_seen():
    """The back of an ear lies within the brush too; it must not turn the area normal round."""
    soup = grid_soup(40)
    back = soup.positions - np.array([0, 0, 0.3], np.float32)
    count = len(soup.positions)
    soup.positions = np.concatenate((soup.positions, back))
    soup.triangles = np.concatenate((soup.triangles, soup.triangles[:, ::-1] + count))
    mesh = build_mesh(soup)
    front = mesh.normals[:, 2] > 0
    at_origin(mesh, "draw", radius_mm=4.0, strength=1.0)
    assert mesh.positions[front, 2].max() > 0.35
    assert mesh.positions[front, 2].min() > -1e-6


def test_draw_sharp_cuts_by_the_sharp_falloff_and_does_not_lean_where_it_crosses_itself():
    mesh = grid(60)
    start = mesh.positions.copy()
    at_origin(mesh, "draw_sharp", radius_mm=5.0, strength=0.4)
    wanted = -0.4 * 5.0 * 0.2 / 2 * np.clip(1 - np.linalg.norm(start, axis=1) / 5.0, 0, 1) ** 2
    np.testing.assert_allclose(mesh.positions[:, 2], wanted, atol=1e-5)
    leaning = {}
    for brush in ("draw", "draw_sharp"):
        mesh = grid(60)
        in_hand = StrokeInHand(
            mesh, History(Owner(mesh)), brushes()[brush], settings_of(brushes()[brush], strength=1.0)
        )
        for point in [(x, y, 0.0) for y in (0.0, 2.0, 4.0) for x in (-4.0, 4.0)]:
            in_hand.add(samples([np.array(point)], UP)[0])
            mesh.refresh()
        in_hand.finish()
        leaning[brush] = np.abs(mesh.positions - start)[:, :2].max() / np.abs(mesh.positions[:, 2]).max()
    assert leaning["draw_sharp"] < 0.01 < leaning["draw"]


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_blob_rises_as_a_ball_and_is_pushed_apart(invert: bool, sign: int):
    mesh = grid(60)
    start = mesh.positions.astype(float)
    at_origin(mesh, "blob", radius_mm=5.0, strength=0.5, invert=invert, parameters={"magnify": 80.0})
    p = np.clip(1 - np.linalg.norm(start, axis=1) / 5.0, 0, 1)
    factor = np.sqrt(p * (2 - p))
    np.testing.assert_allclose(mesh.positions[:, 2], sign * 0.5 * 5.0 * 0.2 / 2 * factor, atol=2e-3)
    # Apart both ways: by the part strength x spacing x magnify of the distance from the middle.
    apart = start[:, :2] * (1 + 0.5 * 0.2 * 0.8 * factor)[:, None]
    np.testing.assert_allclose(mesh.positions[:, :2], apart, atol=4e-3)


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_layer_has_one_height_within_a_stroke_and_the_next_stroke_adds_another(invert: bool, sign: int):
    mesh = grid(80)
    there_and_back = samples([np.array([x, 0.0, 0.0]) for x in (-6.0, 6.0, -6.0, 6.0)], UP)
    for stroke_count in (1, 2):
        layer = {"radius_mm": 3.0, "invert": invert, "parameters": {"height": 0.4}}
        stroke(mesh, "layer", there_and_back, **layer)
        height = sign * mesh.positions[:, 2]
        assert height.max() == pytest.approx(0.4 * stroke_count, rel=1e-3)
        under = (np.abs(mesh.positions[:, 0]) < 4) & (np.abs(mesh.positions[:, 1]) < 1)
        np.testing.assert_allclose(height[under], 0.4 * stroke_count, rtol=1e-2)
        mesh.refresh()


def test_layer_on_a_ball_is_an_even_shell():
    mesh = sphere(4, radius=10.0)
    everywhere = {"radius_mm": 40.0, "strength": 0.5, "parameters": {"height": 0.8}, **FLAT}
    stroke(mesh, "layer", samples([ORIGIN] * 20, UP), method="dots", **everywhere)
    np.testing.assert_allclose(np.linalg.norm(mesh.positions, axis=1), 10.8, atol=1e-3)


def test_crease_polish_is_a_crease_on_top_of_smoothing_that_spares_the_cut():
    mesh = waves(0.1)
    start, normals = mesh.positions.astype(float), mesh.normals.astype(float)
    smoothing = slow_smooth(mesh, 1.0) - start
    at_origin(mesh, "crease_polish", radius_mm=4.0, strength=0.5, parameters={"pinch": 40.0, "polish": 70.0})
    factor = np.clip(1 - np.linalg.norm(start, axis=1) / 4.0, 0, 1)[:, None] ** 2
    normal = (normals * factor).sum(axis=0)
    normal /= np.linalg.norm(normal)
    beside = start - (start @ normal)[:, None] * normal
    part = np.clip(np.linalg.norm(beside, axis=1) / (0.3 * 4.0), 0, 1)[:, None]
    shoulders = 0.5 * 0.7 * smoothing * part**2 * (3 - 2 * part)
    crease = -0.5 * 0.2 * 0.4 * beside - 0.5 * 4.0 * 0.2 / 2 * normal
    np.testing.assert_allclose(mesh.positions, start + factor * (shoulders + crease), atol=2e-5)


def test_crease_polish_cuts_as_deep_as_crease_and_leaves_smoother_shoulders():
    roughness, depth = {}, {}
    for brush in ("crease", "crease_polish"):
        soup = grid_soup(100)
        soup.positions[:, 2] = np.random.default_rng(3).normal(0, 0.03, len(soup.positions))
        mesh = build_mesh(soup)
        parameters = {"pinch": 0.0, "polish": 100.0}
        for _ in range(3):
            line(mesh, brush, radius_mm=3.0, strength=0.5, parameters=parameters)
        x, y, z = mesh.positions.T
        beside = (np.abs(x) < 5) & (np.abs(y) > 0.9) & (np.abs(y) < 1.6)
        roughness[brush] = (mesh.positions - slow_smooth(mesh, 1.0))[beside, 2].std()
        depth[brush] = -z[(np.abs(x) < 5) & (np.abs(y) < 0.01)].mean()
    assert roughness["crease_polish"] < 0.8 * roughness["crease"]
    assert depth["crease_polish"] == pytest.approx(depth["crease"], rel=0.1)
