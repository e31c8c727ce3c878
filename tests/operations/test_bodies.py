"""Union, crossings, cut base, stand, mirror, hollow, thicken, sheets: against formulas and other libraries."""

from __future__ import annotations

import manifold3d
import numpy as np
import pytest
import trimesh

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh
from app.mesh.colors import colors_from_texture
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.running import apply
from tests.meshes import grid, sphere
from tests.operations.checks import assert_sound, bits, open_sheet, painted, textured
from tests.operations.defects import (
    assert_closed,
    ball,
    crossing_faces,
    cube,
    run,
    shell_count,
    together,
    volume,
)

_BALL = 4 / 3 * np.pi


def _overlapping() -> Mesh:
    return together(ball(10.0, (0, 0, 0), 4), ball(8.0, (9, 2, 1), 4), cube(6.0, (-10.1, 0.3, 0.2)))


def _by_manifold3d(mesh: Mesh) -> float:
    solid = manifold3d.Manifold(manifold3d.Mesh(mesh.positions, mesh.triangles.astype(np.uint32)))
    return manifold3d.Manifold.batch_boolean(solid.decompose(), manifold3d.OpType.Add).volume()


@pytest.mark.parametrize("name", ["boolean_union", "resolve_self_intersections"])
def test_overlapping_bodies_become_one(name: str) -> None:
    mesh = _overlapping()
    result = run(mesh, name)
    assert_sound(result.mesh)
    assert_closed(result.mesh)
    assert crossing_faces(result.mesh) == 0
    assert shell_count(result.mesh) == 1
    assert volume(result.mesh) == pytest.approx(_by_manifold3d(mesh), rel=1e-5)
    assert "3 shells became 1." in result.notes


def test_two_spheres_have_the_volume_of_the_formula() -> None:
    mesh = together(ball(10.0, (0, 0, 0), 5), ball(10.0, (12, 0, 0), 5))
    lens = np.pi * (4 * 10 + 12) * (2 * 10 - 12) ** 2 / 12
    assert volume(run(mesh, "boolean_union").mesh) == pytest.approx(2 * _BALL * 1000 - lens, rel=0.005)


def _bent_tube(turns: float, bend: float = 10.0, radius: float = 1.5, steps: int = 120, around: int = 24) -> Mesh:
    """A tube along a circle, closed at both ends: one shell."""
    angle = np.linspace(0, 2 * np.pi * turns, steps)[:, None]
    turn = np.arange(around) * (2 * np.pi / around)
    out = bend + radius * np.cos(turn)
    rings = np.stack((out * np.cos(angle), out * np.sin(angle), radius * np.sin(turn) + 0.03 * angle), axis=2)
    ends = rings[[0, -1]].mean(axis=1)
    a = np.arange((steps - 1) * around).reshape(-1, around)
    b, c = np.roll(a, -1, axis=1), a + around
    d = np.roll(c, -1, axis=1)
    first = np.arange(around)
    last = first + (steps - 1) * around
    start, stop = steps * around, steps * around + 1
    triangles = [np.stack((a, c, b), axis=2), np.stack((b, c, d), axis=2)]
    caps = [
        np.stack((first, np.roll(first, -1), np.full(around, start)), axis=1),
        np.stack((np.roll(last, -1), last, np.full(around, stop)), axis=1),
    ]
    faces = np.concatenate([*(part.reshape(-1, 3) for part in triangles), *caps]).astype(np.int32)
    return build_mesh(Soup(np.concatenate((rings.reshape(-1, 3), ends)).astype(np.float32), faces))


def test_a_body_that_goes_through_itself() -> None:
    mesh = _bent_tube(1.04)
    assert_closed(mesh)
    assert shell_count(mesh) == 1
    assert crossing_faces(mesh) > 0
    result = run(mesh, "resolve_self_intersections").mesh
    assert_closed(result)
    assert crossing_faces(result) == 0
    # The overlap of the ends counts once: what is left is a little more than one turn.
    one_turn = abs(volume(mesh)) / 1.04
    assert one_turn < volume(result) < 1.02 * one_turn
    assert result.size()[:2] == pytest.approx(mesh.size()[:2], rel=1e-4)


def test_union_keeps_cavities() -> None:
    mesh = together(cube(20.0), cube(10.0, inside_out=True), ball(6.0, (12, 0, 0), 3))
    result = run(mesh, "boolean_union").mesh
    assert_closed(result)
    # The ball reaches into the wall, which is 5 mm thick, by 4 mm.
    cap = volume(together(ball(6.0, (12, 0, 0), 3))) - (volume(result) - 7000)
    assert cap == pytest.approx(np.pi * 16 * (18 - 4) / 3, rel=0.05)
    with pytest.raises(InvalidInput, match="inside out"):
        run(together(cube(10.0, inside_out=True)), "boolean_union")


def test_union_carries_colour_exactly() -> None:
    first, second = painted(4), painted(3)
    moved = Soup(second.positions + np.float32(9), second.triangles, colors=1 - second.colors)
    both = Soup(
        np.concatenate((first.positions, moved.positions)),
        np.concatenate((first.triangles, moved.triangles + first.vertex_count)),
        colors=np.concatenate((first.colors, moved.colors)),
    )
    outcome = apply(build_mesh(both), "boolean_union")
    assert outcome.color_change is not None
    assert outcome.color_change.p95 < 0.01
    known = {tuple(p): c for p, c in zip(both.positions.tolist(), both.colors.tolist(), strict=True)}
    result = outcome.mesh
    assert result.colors is not None
    old = [i for i, place in enumerate(result.positions.tolist()) if tuple(place) in known]
    assert len(old) > 0.8 * result.vertex_count
    for i in old:
        np.testing.assert_allclose(result.colors[i], known[tuple(result.positions[i].tolist())], atol=1e-6)


def test_open_surfaces_are_refused_with_advice() -> None:
    for name in ("boolean_union", "resolve_self_intersections", "hollow"):
        with pytest.raises(InvalidInput, match="Clean up"):
            apply(grid(4), name)
    with pytest.raises(InvalidInput, match="Clean up"):
        apply(grid(4), "add_stand", {"sink": 0.0})


def test_cut_base_has_the_volume_of_the_formula_and_a_flat_underside() -> None:
    mesh = sphere(5, 10.0)
    result = run(mesh, "cut_base", height=4.0)
    assert_sound(result.mesh)
    assert_closed(result.mesh)
    cap = np.pi * 16 * (30 - 4) / 3
    assert volume(result.mesh) == pytest.approx(_BALL * 1000 - cap, rel=0.003)
    low = result.mesh.positions[:, 2] == result.mesh.positions[:, 2].min()
    assert result.mesh.positions[:, 2].min() == np.float32(mesh.bounds()[0][2] + 4.0)
    flat = low[result.mesh.triangles].all(axis=1)
    corners = result.mesh.positions[result.mesh.triangles[flat]].astype(float)
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] / 2
    assert (areas < 0).all()
    assert -areas.sum() == pytest.approx(np.pi * (100 - 36), rel=0.01)


def test_cut_base_through_two_legs_and_a_tube() -> None:
    outer = trimesh.creation.annulus(3.0, 6.0, 30.0, sections=48)
    leg = trimesh.creation.cylinder(2.0, 30.0, sections=32)
    leg.apply_translation((20, 0, 0))
    both = trimesh.util.concatenate([outer, leg])
    mesh = build_mesh(Soup(both.vertices.astype(np.float32), both.faces.astype(np.int32)))
    result = run(mesh, "cut_base", height=10.0).mesh
    assert_closed(result)
    assert volume(result) == pytest.approx(volume(mesh) * 2 / 3, rel=1e-4)


def test_cut_base_keeps_colour_above_and_paints_below() -> None:
    for mesh in (painted(4), textured(48, 24)):
        result = run(mesh, "cut_base", height=5.0, color="inside").mesh
        assert_sound(result)
        level = result.positions[:, 2].min()
        looks = result.colors if result.colors is not None else colors_from_texture(result)
        known = {tuple(p): i for i, p in enumerate(mesh.positions.tolist())}
        wanted = mesh.colors if mesh.colors is not None else colors_from_texture(mesh)
        kept = [(i, known[tuple(p)]) for i, p in enumerate(result.positions.tolist()) if p[2] > level]
        new, old = map(np.array, zip(*kept, strict=True))
        np.testing.assert_allclose(looks[new], wanted[old], atol=1e-6)
        assert np.array_equal(result.mask[new], mesh.mask[old])


def test_cut_above_everything_is_refused() -> None:
    with pytest.raises(InvalidInput, match="leaves nothing"):
        run(sphere(3, 10.0), "cut_base", height=20.0)


def test_mirror_of_the_whole_is_exact() -> None:
    for mesh in (painted(3), textured()):
        result = run(mesh, "mirror", axis="x").mesh
        assert_sound(result)
        turned = mesh.positions * np.array([-1, 1, 1], np.float32)
        assert sorted(map(tuple, (result.positions + 0).tolist())) == sorted(map(tuple, (turned + 0).tolist()))
        assert volume(result) == pytest.approx(volume(mesh))
        assert bits(run(result, "mirror", axis="x").mesh) == bits(mesh)


@pytest.mark.parametrize("half", ["positive", "negative"])
def test_a_half_copied_over_is_symmetric_to_the_bit(half: str) -> None:
    mesh = painted(4)
    result = run(mesh, "mirror", axis="y", half=half).mesh
    assert_sound(result)
    assert_closed(result)
    places = {tuple(p) for p in result.positions.tolist()}
    assert {(x, -y, z) for x, y, z in places} == places
    side = 1 if half == "positive" else -1
    kept = {tuple(p) for p in mesh.positions[side * mesh.positions[:, 1] > 0].tolist()}
    assert kept <= places


def test_mirror_with_nothing_on_that_side_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing on that side"):
        run(sphere(3, 10.0), "mirror", half="positive", at=50.0)


def test_a_stand_adds_its_volume() -> None:
    figure = together(cube(10.0, (0, 0, 5)))
    result = run(figure, "add_stand", shape="box", height=3.0, margin=2.0, sink=0.5)
    assert_closed(result.mesh)
    assert shell_count(result.mesh) == 1
    assert volume(result.mesh) == pytest.approx(1000 + 14 * 14 * 3 - 10 * 10 * 0.5)
    assert result.mesh.size()[2] == pytest.approx(12.5)
    apart = run(figure, "add_stand", height=3.0, margin=2.0, unite=False).mesh
    assert shell_count(apart) == 2
    radius = np.hypot(5, 5) + 2
    assert volume(apart) == pytest.approx(1000 + np.pi * radius**2 * 3, rel=0.002)


def test_a_stand_leaves_the_figures_colour_alone() -> None:
    mesh = textured(48, 24)
    result = run(mesh, "add_stand", color="black").mesh
    assert_sound(result)
    assert result.materials[0].texture is mesh.materials[0].texture
    looks = colors_from_texture(result)
    assert looks[result.positions[:, 2] == result.positions[:, 2].min()].max() < 0.1


@pytest.mark.parametrize("wall", [1.0, 2.5])
def test_hollow_leaves_a_wall_of_even_thickness(wall: float) -> None:
    mesh = sphere(5, 10.0)
    result = run(mesh, "hollow", wall=wall, holes=0)
    assert_sound(result.mesh)
    assert_closed(result.mesh)
    radii = np.linalg.norm(result.mesh.positions, axis=1)
    inner = result.mesh.positions[radii < 9.9]
    distance = Bvh.of(mesh.positions, mesh.triangles).closest(inner).distance
    assert np.abs(distance - wall).max() < 0.03 * wall
    assert volume(result.mesh) == pytest.approx(_BALL * (1000 - (10 - wall) ** 3), rel=0.02)


def test_escape_holes_go_through_the_wall() -> None:
    mesh = painted(5)
    result = run(mesh, "hollow", wall=1.5, diameter=2.0, holes=2)
    assert_closed(result.mesh)
    assert crossing_faces(result.mesh) == 0
    # Two holes and no separate cavity: genus 1, where a ball has 0.
    judge = trimesh.Trimesh(result.mesh.positions, result.mesh.triangles, process=False)
    assert judge.body_count == 1
    assert judge.euler_number == 0
    assert "2 escape holes drilled." in result.notes


def test_nothing_left_to_hollow_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing is left"):
        run(sphere(4, 5.0), "hollow", wall=4.9)


def _slab(thickness: float) -> Mesh:
    box = trimesh.creation.box((40, 40, thickness))
    vertices, faces = trimesh.remesh.subdivide_to_size(box.vertices, box.faces, 1.5)
    return build_mesh(Soup(vertices.astype(np.float32), faces.astype(np.int32)))


def test_a_thin_slab_is_thickened_to_the_minimum() -> None:
    mesh = _slab(0.5)
    before = bits(mesh)
    result = run(mesh, "thicken", minimum=1.5).mesh
    assert bits(mesh) == before
    assert_sound(result)
    assert_closed(result)
    assert crossing_faces(result) == 0
    tree = Bvh.of(result.positions, result.triangles)
    origins = np.column_stack((np.random.default_rng(4).uniform(-19, 19, (200, 2)), np.full(200, 5.0)))
    for way in (1, -1):
        depth = tree.first_hits(origins * (1, 1, way), np.tile((0.0, 0.0, -way), (200, 1))).distance
        assert 5 - depth.max() > 0.75
        # Up to a quarter more than the minimum, as the tooltip says.
        assert 5 - depth.min() < 1.25 * 0.75 + 0.02
    assert result.size()[0] < 40 + 2 * 1.25 * 0.75


def test_only_the_thin_part_grows() -> None:
    # A thin fin on a thick block.
    block = trimesh.creation.box((20, 20, 20))
    fin = trimesh.creation.box((0.4, 12, 12))
    fin.apply_translation((0, 0, 15))
    both = [Soup(part.vertices.astype(np.float32), part.faces.astype(np.int32)) for part in (block, fin)]
    mesh = run(together(*both), "boolean_union").mesh
    result = run(mesh, "thicken", minimum=1.0).mesh
    assert_closed(result)
    low = {tuple(p) for p in mesh.positions[mesh.positions[:, 2] < 9].tolist()}
    assert low <= {tuple(p) for p in result.positions.tolist()}
    high = result.positions[(result.positions[:, 2] > 12) & (np.abs(result.positions[:, 1]) < 5)]
    high = high[high[:, 2] < 20]
    assert np.abs(high[:, 0]).min() > 0.5
    assert np.abs(high[:, 0]).max() < 1.25 * 0.5 + 0.02


def test_thick_parts_stay_to_the_bit() -> None:
    mesh = painted(4)
    assert bits(run(mesh, "thicken", minimum=2.0).mesh) == bits(mesh)


def test_a_sheet_becomes_a_body() -> None:
    result = run(grid(10, 20.0), "solidify", thickness=2.0)
    assert_sound(result.mesh)
    assert_closed(result.mesh)
    assert volume(result.mesh) == pytest.approx(800)
    wavy = run(open_sheet(40), "solidify", thickness=0.5).mesh
    assert_closed(wavy)
    assert wavy.colors is not None
    assert np.abs(wavy.colors - (wavy.positions / 40 + 0.5)).max() < 0.02


def test_bodies_with_a_small_hole_are_no_sheets() -> None:
    soup = ball(10.0, subdivisions=3)
    mesh = build_mesh(Soup(soup.positions, soup.triangles[2:]))
    assert "No sheets found." in run(mesh, "solidify").notes


def test_voxel_remesh_closes_whatever_it_gets() -> None:
    soup = ball(10.0, subdivisions=4)
    holed = Soup(soup.positions, soup.triangles[60:])
    mesh = together(holed, ball(6.0, (9, 0, 0), 3))
    result = run(mesh, "voxel_remesh", resolution=0.5).mesh
    assert_sound(result)
    assert_closed(result)
    assert shell_count(result) == 1
    assert crossing_faces(result) == 0
    edges = result.positions[result.triangles]
    lengths = np.linalg.norm(edges - edges[:, [1, 2, 0]], axis=2)
    assert 0.3 < np.median(lengths) < 0.7


def test_voxel_remesh_carries_colour() -> None:
    for mesh in (painted(4), textured(64, 32)):
        outcome = apply(mesh, "voxel_remesh", {"resolution": 0.5})
        assert outcome.color_change is not None
        assert outcome.color_change.mean < 1.0


def test_scale_to_height() -> None:
    result = run(painted(3), "scale_to_height", height=60.0).mesh
    assert result.size()[2] == pytest.approx(60.0, rel=1e-6)
    assert result.bounds()[0][2] == pytest.approx(0.0, abs=1e-5)
