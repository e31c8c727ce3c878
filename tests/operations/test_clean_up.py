"""Clean up on real files: closed, manifold and without crossings in the eyes of other programs, or honestly not."""

from __future__ import annotations

from pathlib import Path

import lib3mf
import numpy as np
import pytest

from app.errors import InvalidInput, LikenessError
from app.formats.opening import open_mesh
from app.mesh.mesh import Mesh
from app.mesh.transform import scaled, scaled_to_height
from app.operations.running import apply, apply_in_worker
from app.preflight.export import export
from app.preflight.profiles import profile
from tests.meshes import grid_soup
from tests.operations.checks import assert_sound, bits
from tests.operations.defects import assert_closed, ball, crossing_faces, run, shell_count, together

_HEIGHT = 150.0

# File, most shells that may be left.
_FIGURES = [
    ("ai_generated/trellis_vine_totem.glb", 1),
    ("ai_generated/trellis_shark.glb", 1),
    ("ai_generated/trellis_bicycle.glb", 1),
    ("ai_generated/rodin_zombie_person.glb", 1),
    ("ai_generated/hunyuan3d_room.glb", 1),
    ("ai_generated/triposr_chair_vcolor.obj", 1),
    ("scans/skull_scan_textured.glb", 1),
    ("scans/robot_expressive.glb", 4),
    ("scans/demosthenes_lowres.obj", 1),
    ("scans/human_man.obj", 1),
    ("scans/lee_perry_smith/LeePerrySmith.glb", 1),
]


def _upright(path: Path) -> Mesh:
    return scaled_to_height(open_mesh(path).mesh, _HEIGHT)


@pytest.mark.parametrize(("name", "shells"), _FIGURES)
def test_figures_become_closed_bodies(shared: Path, name: str, shells: int) -> None:
    mesh = _upright(shared / name)
    before = bits(mesh)
    outcome = apply(mesh, "clean_up")
    assert bits(mesh) == before
    result = outcome.mesh
    assert_sound(result)
    assert_closed(result)
    assert crossing_faces(result) == 0
    assert shell_count(result) <= shells
    assert result.has_texture == mesh.has_texture
    assert (result.colors is None) == (mesh.colors is None)
    if outcome.color_change is not None:
        assert outcome.color_change.mean < 0.1
    assert (result.size() < mesh.size() + 0.002 * _HEIGHT).all()
    if (result.size() < mesh.size() - 0.02 * _HEIGHT).any():
        assert "floaters removed" in " ".join(outcome.notes)
    changed = abs(result.size()[2] - _HEIGHT) > 0.003 * _HEIGHT
    assert changed == any("Scale to height" in note for note in outcome.notes)


def test_size_in_the_file_does_not_matter(shared: Path) -> None:
    mesh = _upright(shared / "ai_generated/trellis_vine_totem.glb")
    for factor in (1 / 150, 20.0):
        result = run(scaled(mesh, factor), "clean_up").mesh
        assert_closed(result)


def test_twice_is_the_same_as_once_and_in_a_worker_too(shared: Path) -> None:
    mesh = _upright(shared / "ai_generated/trellis_bicycle.glb")
    once = apply(mesh, "clean_up").mesh
    assert bits(apply(mesh, "clean_up").mesh) == bits(once)
    assert bits(apply(once, "clean_up").mesh) == bits(once)
    assert bits(apply_in_worker(mesh, "clean_up").mesh) == bits(once)


def test_lib3mf_calls_the_export_manifold_and_oriented(shared: Path, tmp_path: Path) -> None:
    for name in ("trellis_vine_totem.glb", "trellis_bicycle.glb"):
        mesh = apply(_upright(shared / "ai_generated" / name), "clean_up").mesh
        path = tmp_path / "figure.3mf"
        path.unlink(missing_ok=True)
        export(mesh, path, profile("wjp"))
        model = lib3mf.get_wrapper().CreateModel()
        reader = model.QueryReader("3mf")
        reader.SetStrictModeActive(True)
        reader.ReadFromFile(str(path))
        objects = model.GetMeshObjects()
        assert objects.MoveNext()
        assert objects.GetCurrentMeshObject().IsManifoldAndOriented()


# Sheets, fans and a soup of triangles: nothing of which a body could be made without inventing it.
_NO_BODY = {
    "deg_faces.obj",
    "extra_vertex.obj",
    "fan3.obj",
    "moebius.obj",
    "multiple_isolated_triangles.obj",
    "non_manifold_wrap.obj",
    "notenoughindices.obj",
    "polygonfaces.obj",
    "soup.stl",
    "triple_vierbein.obj",
}
_NO_AREA = {"degenerate_mesh.obj"}
_UNREADABLE = {"inf_nan.obj", "empty.obj", "empty.ply", "empty.stl", "points_emptyface.ply"}


def test_broken_meshes_are_repaired_or_honestly_not(shared: Path) -> None:
    for path in sorted((shared / "broken_meshes").glob("*/*")):
        if path.name in _UNREADABLE:
            with pytest.raises(LikenessError):
                open_mesh(path)
            continue
        mesh = open_mesh(path).mesh
        if path.name not in _NO_BODY | _NO_AREA:
            result = run(mesh, "clean_up").mesh
            assert_sound(result)
            assert_closed(result)
            assert crossing_faces(result) == 0, path.name
            continue
        if path.name in _NO_AREA:
            with pytest.raises(InvalidInput, match="no surface"):
                run(mesh, "clean_up")
            continue
        assert any("still open" in note for note in run(mesh, "clean_up").notes), path.name


def test_triangles_without_any_area_are_refused() -> None:
    flat = grid_soup(3)
    flat.positions[:, 1] = 0
    with pytest.raises(InvalidInput, match="no surface"):
        run(together(flat), "clean_up")


def test_eyes_in_their_sockets_are_not_taken_for_floaters() -> None:
    head, eye = ball(40.0, subdivisions=4), ball(4.0, (0, -39.0, 5.0), 3)
    result = run(together(head, eye), "clean_up")
    assert np.abs(result.mesh.positions[:, 1]).max() > 42
    assert_closed(result.mesh)
    assert shell_count(result.mesh) == 1
