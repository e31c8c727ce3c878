"""What the brushes that smooth without loss mean, against slow references from the definitions."""

from __future__ import annotations

import numpy as np

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.sculpt.falloff import Falloff
from tests.meshes import grid_soup, icosphere_soup
from tests.sculpting import bumpy_sphere, samples, stroke

UP = np.array([0.0, 0.0, 1.0])
FLAT = {"radius_mm": 100.0, "falloff": Falloff("constant")}


def everywhere(mesh: Mesh, brush: str, **changes: object) -> None:
    stroke(mesh, brush, samples([np.zeros(3)], UP), **{**FLAT, **changes})


def rings(mesh: Mesh) -> list[list[int]]:
    around: list[set[int]] = [set() for _ in range(mesh.vertex_count)]
    for triangle in mesh.triangles.tolist():
        for v in triangle:
            around[v] |= set(triangle) - {v}
    return [sorted(ring) for ring in around]


def means(values: np.ndarray, around: list[list[int]]) -> np.ndarray:
    return np.array([values[ring].mean(axis=0) for ring in around])


def volume(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.positions.astype(float)[mesh.triangles], 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def noisy_ball(noise: float, *, along: bool = False) -> Mesh:
    """A ball of 10 mm with noise across its surface, or along it."""
    soup = icosphere_soup(4, 10.0)
    shake = np.random.default_rng(3).normal(0, noise, soup.positions.shape)
    unit = soup.positions / np.linalg.norm(soup.positions, axis=1, keepdims=True)
    if along:
        moved = soup.positions + shake
        soup.positions = (10.0 * moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    else:
        soup.positions = (soup.positions + unit * shake[:, :1]).astype(np.float32)
    return build_mesh(soup)


def edge_lengths(mesh: Mesh) -> np.ndarray:
    corners = mesh.positions[mesh.triangles]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)


def test_relax_is_the_tangential_part_of_the_ring_mean():
    mesh = bumpy_sphere(3)
    start, normals = mesh.positions.astype(float), mesh.normals.astype(float)
    wanted, around = start.copy(), rings(mesh)
    for strength in (1.0, 0.8):  # 0.45 of full strength are these passes
        wanted += strength * (means(wanted, around) - wanted)
        wanted -= normals * np.einsum("ij,ij->i", normals, wanted - start)[:, None]
    everywhere(mesh, "relax", strength=0.45)
    np.testing.assert_allclose(mesh.positions, wanted, atol=5e-6)


def test_relax_evens_out_triangles_and_leaves_the_shape():
    mesh = noisy_ball(0.15, along=True)
    uneven = edge_lengths(mesh).std()
    everywhere(mesh, "relax", strength=1.0)
    assert edge_lengths(mesh).std() < 0.6 * uneven
    np.testing.assert_allclose(np.linalg.norm(mesh.positions, axis=1), 10.0, atol=0.04)


def test_relax_keeps_a_plane_and_its_border_to_the_bit():
    soup = grid_soup(20)
    inner = (np.abs(soup.positions[:, :2]) < 9.9).all(axis=1)
    soup.positions[inner, :2] += np.random.default_rng(4).normal(0, 0.2, (inner.sum(), 2)).astype(np.float32)
    mesh = build_mesh(soup)
    border = mesh.topology.boundary == 1
    before, uneven = mesh.positions.copy(), edge_lengths(mesh).std()
    everywhere(mesh, "relax", strength=1.0)
    assert edge_lengths(mesh).std() < 0.75 * uneven
    assert (mesh.positions[:, 2] == 0).all()
    assert mesh.positions[border].tobytes() == before[border].tobytes()


def slow_hc(mesh: Mesh, alpha: float, beta: float, strengths: tuple[float, ...]) -> np.ndarray:
    """Figure 3 of Vollmer, Mencl and Mueller 1999; a strength below 1 goes a part of the way."""
    around = rings(mesh)
    o = mesh.positions.astype(float)
    q = o.copy()
    for strength in strengths:
        p = means(q, around)
        b = p - (alpha * o + (1 - alpha) * q)
        p -= beta * b + (1 - beta) * means(b, around)
        q += strength * (p - q)
    return q


def test_surface_smooth_is_the_hc_algorithm():
    for original, own in ((0.0, 50.0), (30.0, 60.0)):
        mesh = bumpy_sphere(3)
        wanted = slow_hc(mesh, original / 100, own / 100, (1.0, 1.0, 0.4))
        everywhere(mesh, "surface_smooth", strength=0.6, parameters={"original": original, "own": own})
        np.testing.assert_allclose(mesh.positions, wanted, atol=5e-6)


def test_surface_smooth_keeps_the_volume_within_a_hundredth_where_smooth_does_not():
    rough, kept, shrunk = (noisy_ball(0.12) for _ in range(3))
    for _ in range(6):
        everywhere(kept, "surface_smooth", strength=1.0)
        everywhere(shrunk, "smooth", strength=1.0)
    noise = np.linalg.norm(kept.positions, axis=1).std() / np.linalg.norm(rough.positions, axis=1).std()
    assert noise < 0.4
    assert abs(volume(kept) / volume(rough) - 1) < 0.01
    assert volume(shrunk) / volume(rough) < 0.96


def test_surface_smooth_leaves_nothing_behind_from_dab_to_dab():
    """The correction of one dab must not reach into the next, which may overlap it."""
    mesh, apart = bumpy_sphere(4), bumpy_sphere(4)
    first, second = mesh.positions[100].astype(float), mesh.positions[130].astype(float)
    stroke(mesh, "surface_smooth", samples([first, second]), method="dots", radius_mm=4.0)
    for point in (first, second):
        stroke(apart, "surface_smooth", samples([point]), radius_mm=4.0)
    assert mesh.positions.tobytes() == apart.positions.tobytes()


def jagged_square() -> Mesh:
    """An open square of 20 mm whose border goes in and out between its corners."""
    soup = grid_soup(20)
    x, y = soup.positions[:, 0].copy(), soup.positions[:, 1].copy()
    jag = np.where(np.arange(len(x)) % 2, 0.25, -0.25).astype(np.float32)
    corner = (np.abs(x) > 9.9) & (np.abs(y) > 9.9)
    soup.positions[:, 1] += np.where((np.abs(y) > 9.9) & ~corner, jag, 0)
    soup.positions[:, 0] += np.where((np.abs(x) > 9.9) & ~corner, jag, 0)
    return build_mesh(soup)


def test_boundary_smooth_straightens_a_border_and_keeps_its_corners():
    mesh = jagged_square()
    corners = [int(np.argmin(np.linalg.norm(mesh.positions - (x, y, 0), axis=1))) for x in (-10, 10) for y in (-10, 10)]
    before = mesh.positions[corners].copy()
    top = np.flatnonzero((mesh.positions[:, 1] > 9.5) & (np.abs(mesh.positions[:, 0]) < 9.0))
    assert np.ptp(mesh.positions[top, 1]) > 0.45
    for _ in range(3):
        everywhere(mesh, "boundary_smooth", strength=1.0)
    assert np.ptp(mesh.positions[top, 1]) < 0.1
    assert mesh.positions[corners].tobytes() == before.tobytes()
    plain = jagged_square()
    everywhere(plain, "smooth", strength=1.0)
    assert (np.linalg.norm(plain.positions[corners] - before, axis=1) > 0.1).all()


def test_boundary_smooth_looks_along_the_border_and_not_across_a_narrow_strip():
    """One triangle wide: every vertex is on the border, and has neighbours across that are, too."""
    x = np.arange(12.0)
    wave = 0.3 * (-1.0) ** np.arange(12)
    soup = grid_soup(1)
    soup.positions = np.concatenate(
        (np.stack((x, wave, 0 * x), axis=1), np.stack((x, wave + 1.0, 0 * x), axis=1))
    ).astype(np.float32)
    low = np.arange(11)
    soup.triangles = np.concatenate(
        (np.stack((low, low + 1, low + 13), axis=1), np.stack((low, low + 13, low + 12), axis=1))
    ).astype(np.int32)
    mesh = build_mesh(soup)
    start = mesh.positions.astype(float)
    everywhere(mesh, "boundary_smooth", strength=0.25)  # one pass
    for row in (0.0, 1.0):
        line = np.flatnonzero(np.abs(start[:, 1] - row) < 0.5)
        line = line[np.argsort(start[line, 0])]
        halfway = start[line[:-2]] / 4 + start[line[1:-1]] / 2 + start[line[2:]] / 4
        np.testing.assert_allclose(mesh.positions[line[2:-2]], halfway[1:-1], atol=1e-5)


def test_boundary_smooth_is_smooth_where_there_is_no_border():
    one, two = bumpy_sphere(4), bumpy_sphere(4)
    everywhere(one, "boundary_smooth", strength=0.6)
    everywhere(two, "smooth", strength=0.6)
    assert one.positions.tobytes() == two.positions.tobytes()
