"""What every brush promises, whatever it does."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy.spatial import cKDTree

from app.mesh.build import build_mesh
from app.mesh.chunks import Chunks
from app.mesh.jit import threads_from
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.sculpt.brush import brushes
from app.sculpt.history import History
from app.sculpt.stroke import Sample, StrokeInHand
from app.sculpt.symmetry import Symmetry
from tests.meshes import grid_soup
from tests.sculpting import (
    PLACE,
    Owner,
    bits,
    bumpy_sphere,
    dab,
    reference_normals,
    samples,
    settings_of,
    stroke,
    surface_points,
)

RADIUS = 3.0
every_brush = pytest.mark.parametrize("name", list(brushes()))
_VERTEX_BY_VERTEX = (
    *("inflate", "smooth", "grab", "paint", "snake_hook", "elastic_grab", "relax", "surface_smooth"),
    *("boundary_smooth", "smear", "blur", "clone", "erase"),
)
# The part of the vertices within its radius that a brush changes at least. These leave some alone by what they mean: on
# the other side of the plane, beside a square tip, where a stamp is black.
_LEAST_CHANGED = {"scrape": 0.2, "fill": 0.2, "trim": 0.5, "clay_strips": 0.5, "pores": 0.5}
both_ways = pytest.mark.parametrize("invert", [False, True], ids=["normal", "inverted"])


def place(mesh: Mesh) -> np.ndarray:
    return surface_points(mesh, PLACE, 0.0, 1)[0]


def path_on(mesh: Mesh) -> list[Sample]:
    return samples(surface_points(mesh, PLACE, 6.0, 9))


def several_sets(mesh: Mesh) -> None:
    """A set for each vertex: going on with one changes all others."""
    mesh.face_sets[:] = np.arange(mesh.vertex_count)


def changed_by(mesh: Mesh, name: str, before: np.ndarray) -> np.ndarray:
    values = mesh.attribute(brushes()[name].attribute)
    return (values != before).reshape(mesh.vertex_count, -1).any(axis=1)


def test_a_brush_is_one_short_file_and_a_full_declaration():
    files = {path.stem: path for path in (Path(__file__).parents[2] / "app" / "tools").glob("*.py")}
    assert set(files) - {"__init__"} == set(brushes())
    for brush in brushes().values():
        assert len(files[brush.id].read_text().splitlines()) <= 60
        assert re.fullmatch(r"[A-Z].*\.", brush.tooltip)
        assert brush.label
        for parameter in brush.parameters:
            assert parameter.minimum <= parameter.default <= parameter.maximum
    shortcuts = [brush.shortcut for brush in brushes().values() if brush.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)
    wanted = {"draw", "inflate", "smooth", "crease", "flatten", "clay", "pinch", "grab", "mask", "paint"}
    assert wanted <= set(brushes())


@every_brush
@both_ways
def test_a_dab_changes_finite_values_inside_its_radius_only(name: str, invert: bool):
    mesh = bumpy_sphere()
    if name == "mask" and invert:
        mesh.mask[:] = 0.75
    several_sets(mesh)
    start = mesh.positions.copy()
    before = mesh.attribute(brushes()[name].attribute).copy()
    other = {key: value for key, value in bits(mesh).items() if key != brushes()[name].attribute}
    center = place(mesh)
    dab(mesh, name, center, radius_mm=RADIUS, invert=invert)
    changed = changed_by(mesh, name, before)
    inside = np.linalg.norm(start - center, axis=1) <= RADIUS
    assert changed.sum() > _LEAST_CHANGED.get(name, 0.8) * inside.sum()
    assert not (changed & ~inside).any()
    assert np.isfinite(mesh.attribute(brushes()[name].attribute)).all()
    assert {key: bits(mesh)[key] for key in other} == other


@pytest.mark.parametrize("name", [name for name in brushes() if name != "mask"])
def test_what_the_mask_protects_keeps_its_bits_and_half_a_mask_halves(name: str):
    bare, masked = bumpy_sphere(), bumpy_sphere()
    full, half = masked.positions[:, 2] > 5.0, masked.positions[:, 2] < 4.0
    masked.mask[full] = 1.0
    masked.mask[half] = 0.5
    attribute = brushes()[name].attribute
    before = masked.attribute(attribute).copy()
    center = place(bare)
    # A quarter of full strength is a single pass, also for brushes that smooth.
    dab(bare, name, center, radius_mm=RADIUS, strength=0.25)
    dab(masked, name, center, radius_mm=RADIUS, strength=0.25)
    assert masked.attribute(attribute)[full].tobytes() == before[full].tobytes()
    if name in _VERTEX_BY_VERTEX:  # the others look at averages, which a mask shifts
        whole = bare.attribute(attribute)[half] - before[half]
        np.testing.assert_allclose(masked.attribute(attribute)[half] - before[half], whole / 2, atol=2e-6)


@every_brush
@both_ways
def test_undo_redo_and_cancel_are_exact_to_the_bit(name: str, invert: bool):
    mesh = bumpy_sphere()
    mesh.mask[:] = 0.25
    several_sets(mesh)
    untouched = bits(mesh)
    history = History(Owner(mesh))
    states = []
    for radius in (RADIUS, 1.2 * RADIUS):  # the second has something left to do, also where a dab does all at once
        _, changed = stroke(mesh, name, path_on(mesh), history, radius_mm=radius, invert=invert, auto_smooth=0.2)
        assert changed
        states.append(bits(mesh))
    assert states[0] != states[1]
    in_hand = StrokeInHand(mesh, history, brushes()[name], settings_of(brushes()[name], radius_mm=RADIUS))
    for sample in path_on(mesh):
        in_hand.add(sample)
    in_hand.cancel()
    assert bits(mesh) == states[1]
    assert len(history.steps) == 2
    for _ in range(2):
        history.undo()
        assert bits(mesh) == states[0]
        history.undo()
        assert bits(mesh) == untouched
        history.redo()
        assert bits(mesh) == states[0]
        history.redo()
        assert bits(mesh) == states[1]
    mesh.refresh()
    np.testing.assert_allclose(mesh.normals, reference_normals(mesh), atol=2e-5)
    assert np.array_equal(mesh.chunks.lower, Chunks.of(mesh.positions, mesh.triangles).lower)


@every_brush
@pytest.mark.parametrize("axes", [(True, False, False), (True, True, True)], ids=["x", "xyz"])
@pytest.mark.parametrize("radius", [2.0, 6.0], ids=["apart", "overlapping"])
def test_mirrored_strokes_leave_a_mirrored_surface(name: str, axes: tuple[bool, bool, bool], radius: float):
    mesh = bumpy_sphere()
    tree = cKDTree(mesh.positions)
    stroke(mesh, name, path_on(mesh), radius_mm=radius, symmetry=Symmetry(axes), auto_smooth=0.1)
    for axis in np.flatnonzero(axes):
        flip = np.ones(3, np.float32)
        flip[axis] = -1
        distance, image = tree.query(tree.data * flip)
        assert distance.max() < 1e-5
        attribute = brushes()[name].attribute
        values = mesh.attribute(attribute)
        mirrored = values[image] * flip if attribute == "positions" else values[image]
        np.testing.assert_allclose(values, mirrored, atol=2e-4)


@pytest.mark.parametrize("name", [name for name in brushes() if name != "twist"])  # a turn and its image cancel out
def test_a_mirror_plane_through_the_dab_does_not_double_it(name: str):
    mesh, alone = bumpy_sphere(), bumpy_sphere()
    center = alone.positions[np.argmin(np.abs(alone.positions[:, 0]) - alone.positions[:, 2])].astype(float)
    assert abs(center[0]) < 1e-6
    unstamped = {"radius_mm": RADIUS, "alpha": None}  # a stamp is not its own mirror image
    dab(alone, name, center, **unstamped)
    dab(mesh, name, center, symmetry=Symmetry((True, False, False)), **unstamped)
    attribute = brushes()[name].attribute
    np.testing.assert_allclose(mesh.attribute(attribute), alone.attribute(attribute), atol=1e-5)


@every_brush
def test_normals_after_a_stroke_equal_a_full_recompute(name: str):
    mesh = bumpy_sphere()
    in_hand = StrokeInHand(mesh, History(Owner(mesh)), brushes()[name], settings_of(brushes()[name], radius_mm=RADIUS))
    for sample in path_on(mesh):
        in_hand.add(sample)
        mesh.refresh()
    in_hand.finish()
    np.testing.assert_allclose(mesh.normals, reference_normals(mesh), atol=2e-5)


@every_brush
def test_the_result_depends_on_neither_chunk_size_nor_threads(name: str):
    results = []
    cores = numba.get_num_threads()
    for chunk_size, threads, threaded_from in ((1024, cores, 0), (1024, 1, 0), (64, cores, 0), (5000, cores, 1 << 40)):
        mesh = bumpy_sphere()
        mesh = Mesh(
            mesh.positions,
            mesh.triangles,
            colors=mesh.colors,
            original_colors=mesh.original_colors,
            chunks=Chunks.of(mesh.positions, mesh.triangles, chunk_size),
        )
        numba.set_num_threads(threads)
        try:
            with threads_from(threaded_from):
                history, _ = stroke(mesh, name, path_on(mesh), radius_mm=RADIUS, auto_smooth=0.1, front_faces_only=True)
                results.append((bits(mesh), [(step.bytes, step.vertices) for step in history.steps]))
        finally:
            numba.set_num_threads(cores)
    assert all(result == results[0] for result in results)


@every_brush
def test_front_faces_only_leaves_the_back_alone(name: str):
    mesh = bumpy_sphere()
    view = np.array([0.0, -1.0, 0.0])
    back = mesh.normals @ view <= 0
    before = mesh.attribute(brushes()[name].attribute).copy()
    center = mesh.positions[np.argmin(np.abs(mesh.positions[:, 1]))].astype(float)
    path = samples([center, center * 1.05 + np.array([1.0, 0.0, 1.0])], view)
    stroke(mesh, name, path, radius_mm=RADIUS, front_faces_only=True)
    changed = changed_by(mesh, name, before)
    assert changed.any()
    assert not (changed & back).any()


@every_brush
@both_ways
def test_open_and_non_manifold_surfaces_can_be_sculpted(name: str, invert: bool):
    flat = grid_soup(20)
    standing = flat.positions[:, [0, 2, 1]]  # a second sheet through the first: they share a row of vertices
    soup = Soup(np.concatenate((flat.positions, standing)), np.concatenate((flat.triangles, flat.triangles + 441)))
    soup.colors = np.linspace(0, 1, 3 * 882, dtype=np.float32).reshape(-1, 3)
    mesh = build_mesh(soup)
    assert mesh.vertex_count == 2 * 441 - 21
    before = bits(mesh)
    path = [np.array([x, 0.2, 0.0]) for x in (-11.0, -5.0, 0.0, 5.0, 11.0)]
    history, _ = stroke(mesh, name, samples(path, np.array([0.0, 0.0, 1.0])), radius_mm=4.0, invert=invert)
    assert np.isfinite(mesh.attribute(brushes()[name].attribute)).all()
    history.go_to(0)
    assert bits(mesh) == before


@every_brush
def test_samples_that_are_not_finite_are_ignored(name: str):
    mesh, reference = bumpy_sphere(), bumpy_sphere()
    path = path_on(mesh)
    stroke(reference, name, path, radius_mm=RADIUS)
    spoilt = [Sample(np.array([np.nan, 0, 0]), np.ones(3)), Sample(np.ones(3) * 9, np.ones(3), pressure=np.inf)]
    stroke(mesh, name, [spoilt[0], *path[:4], *spoilt, *path[4:], spoilt[1]], radius_mm=RADIUS)
    assert bits(mesh) == bits(reference)


@every_brush
def test_a_stroke_beside_the_surface_is_no_step(name: str):
    mesh = bumpy_sphere()
    before = bits(mesh)
    history, changed = stroke(mesh, name, samples([np.array([50.0, 0, 0]), np.array([60.0, 0, 0])]), radius_mm=RADIUS)
    assert not changed
    assert history.steps == []
    assert bits(mesh) == before


@every_brush
def test_a_stroke_allocates_nothing_the_size_of_the_mesh(name: str):
    mesh = bumpy_sphere(7)
    history = History(Owner(mesh))
    brush = brushes()[name]
    path = path_on(mesh)
    in_hand = StrokeInHand(mesh, history, brush, settings_of(brush, radius_mm=0.5))
    in_hand.add(path[0])
    tracemalloc.start()
    try:
        for sample in path[1:]:
            in_hand.add(sample)
            mesh.refresh()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    in_hand.finish()
    assert peak < mesh.vertex_count  # bytes: not even one byte per vertex
