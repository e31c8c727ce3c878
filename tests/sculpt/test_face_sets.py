"""Face sets and visibility against what they mean, computed the slow way."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material
from app.sculpt import face_sets
from app.sculpt.history import History
from app.sculpt.masking import write
from tests.meshes import cube_soup, grid, sphere
from tests.sculpt.test_automask import two_sheets
from tests.sculpt.test_masking import rings
from tests.sculpting import Owner


def three_sets() -> Mesh:
    mesh = sphere(3)
    mesh.face_sets[:] = np.digitize(mesh.positions[:, 2], (-4, 3)) * 2  # 0, 2 and 4
    return mesh


def test_a_new_set_from_the_mask():
    mesh = three_sets()
    mesh.mask[:] = np.linspace(0, 1, mesh.vertex_count)
    sets = face_sets.from_mask(mesh)
    assert set(sets[mesh.mask >= 0.5]) == {5}
    np.testing.assert_array_equal(sets[mesh.mask < 0.5], mesh.face_sets[mesh.mask < 0.5])


def test_shells_are_numbered_from_one():
    mesh = two_sheets()
    sets = face_sets.from_shells(mesh)
    assert sets[0] == 1
    upper = mesh.positions[:, 2] > 0.5
    assert set(sets) == {1, 2}
    assert len(set(sets[upper])) == len(set(sets[~upper])) == 1


def test_materials_are_numbered_from_one():
    soup = cube_soup()
    soup.materials = [Material("a"), Material("b")]
    soup.triangle_material = np.array([1] * 6 + [0] * 6, np.int16)
    mesh = build_mesh(soup)
    sets = face_sets.from_materials(mesh)
    for vertex in range(mesh.vertex_count):
        first = int(np.flatnonzero((mesh.triangles == vertex).any(axis=1))[0])
        assert sets[vertex] == mesh.triangle_material[first] + 1


def test_a_set_grows_by_its_ring():
    mesh = three_sets()
    wanted = [
        2 if any(mesh.face_sets[o] == 2 for o in ring) else mesh.face_sets[v] for v, ring in enumerate(rings(mesh))
    ]
    np.testing.assert_array_equal(face_sets.grown(mesh, 2), wanted)


def test_a_set_shrinks_by_its_ring():
    mesh = three_sets()
    wanted = mesh.face_sets.copy()
    for vertex, ring in enumerate(rings(mesh)):
        others = [mesh.face_sets[o] for o in ring if mesh.face_sets[o] != 2]
        if mesh.face_sets[vertex] == 2 and others:
            wanted[vertex] = max(others)
    assert (wanted != mesh.face_sets).any()
    np.testing.assert_array_equal(face_sets.shrunk(mesh, 2), wanted)


def test_clear():
    assert not face_sets.cleared(three_sets()).any()


def test_hide_isolate_and_show():
    mesh = three_sets()
    mesh.hidden[:] = face_sets.hide(mesh, 4)
    np.testing.assert_array_equal(mesh.hidden, mesh.face_sets == 4)
    mesh.hidden[:] = face_sets.isolate(mesh, 2)
    np.testing.assert_array_equal(mesh.hidden, mesh.face_sets != 2)
    np.testing.assert_array_equal(face_sets.invert_visibility(mesh), mesh.face_sets == 2)
    assert not face_sets.show_all(mesh).any()


def test_hide_what_is_masked():
    mesh = sphere(2)
    mesh.hidden[0] = 1
    mesh.mask[3:5] = 1
    assert np.flatnonzero(face_sets.hide_masked(mesh)).tolist() == [0, 3, 4]


def test_whether_anything_is_left_to_see():
    mesh = grid(2)
    hidden = np.ones(mesh.vertex_count, np.float32)
    hidden[mesh.triangles[3]] = 0
    assert face_sets.shows_anything(mesh, hidden)
    hidden[mesh.triangles[3, 1]] = 1
    assert not face_sets.shows_anything(mesh, hidden)


@pytest.mark.parametrize("attribute", ["face_sets", "hidden"])
def test_a_write_is_one_step_exact_to_the_bit(attribute: str):
    mesh = three_sets()
    history, before = History(Owner(mesh)), mesh.attribute(attribute).copy()
    values = face_sets.from_shells(mesh) if attribute == "face_sets" else face_sets.isolate(mesh, 2)
    assert write(history, mesh, "Step", attribute, values)
    history.undo()
    assert mesh.attribute(attribute).tobytes() == before.tobytes()
    history.redo()
    np.testing.assert_array_equal(mesh.attribute(attribute), values)


def test_what_is_hidden_keeps_its_set():
    mesh = three_sets()
    mesh.hidden[mesh.face_sets == 4] = 1
    before = mesh.face_sets.copy()
    write(History(Owner(mesh)), mesh, "Clear Face Sets", "face_sets", face_sets.cleared(mesh))
    np.testing.assert_array_equal(mesh.face_sets, np.where(before == 4, 4, 0))
