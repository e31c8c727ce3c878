"""What tests of operations share: coloured models, what any mesh must fulfil, independent measures of a result."""

from __future__ import annotations

import numpy as np
import pymeshlab
import trimesh

from app.mesh.build import build_mesh
from app.mesh.chunks import Chunks
from app.mesh.mesh import ATTRIBUTES, Mesh
from app.mesh.normals import vertex_normals
from app.mesh.soup import Material, Soup
from app.mesh.topology import Topology
from tests.meshes import icosphere_soup, textured_soup


def silent(fraction: float, doing: str) -> None:
    """Progress that nobody watches."""
    assert 0.0 <= fraction <= 1.0
    assert doing


def painted(subdivisions: int = 4, radius: float = 10.0) -> Mesh:
    """A closed bumpy ball with vertex colours that follow the place, and a mask on its upper half."""
    soup = icosphere_soup(subdivisions, radius)
    soup.positions *= (1 + 0.08 * np.sin(soup.positions[:, :1] * 0.9) * np.cos(soup.positions[:, 1:2] * 0.7)).astype(
        np.float32
    )
    soup.colors = (soup.positions / (2.6 * radius) + 0.5).astype(np.float32)
    mesh = build_mesh(soup)
    mesh.mask[:] = mesh.positions[:, 2] > 0
    mesh.face_sets[:] = 5 * (mesh.positions[:, 1] > 1)
    return mesh


def textured(segments: int = 32, rings: int = 16) -> Mesh:
    """A closed ball with an image whose colour follows the place, a seam, and two materials with one image."""
    soup = textured_soup(segments, rings)
    soup.triangle_material = (np.arange(len(soup.triangles)) % 7 == 0).astype(np.int16)
    soup.materials = [soup.materials[0], Material("same", texture=soup.materials[0].texture)]
    mesh = build_mesh(soup)
    mesh.mask[:] = mesh.positions[:, 2] > 0
    mesh.face_sets[:] = 5 * (mesh.positions[:, 1] > 1)
    return mesh


def open_sheet(cells: int = 20) -> Mesh:
    """A wavy sheet with a rim, vertex colours and a hole in its middle."""
    ticks = np.linspace(-10, 10, cells + 1)
    x, y = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    positions = np.stack((x, y, np.sin(x / 4) * np.cos(y / 5)), axis=1).astype(np.float32)
    row, column = np.divmod(np.arange(cells * cells), cells)
    a = row * (cells + 1) + column
    quads = np.stack((a, a + 1, a + cells + 2, a + cells + 1), axis=1)
    outside = np.abs(positions[quads].mean(axis=1)[:, :2]).max(axis=1) > 3
    triangles = np.concatenate((quads[outside][:, [0, 1, 2]], quads[outside][:, [0, 2, 3]])).astype(np.int32)
    return build_mesh(Soup(positions, triangles, colors=(positions / 40 + 0.5).astype(np.float32), unit_mm=1.0))


def crossed_sheets(cells: int = 12) -> Mesh:
    """Two flat sheets through each other along a row of edges with four triangles each; vertex colours."""
    ticks = np.linspace(-6, 6, cells + 1)
    x, y = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    flat = np.stack((x, y, np.zeros(x.size)), axis=1).astype(np.float32)
    row, column = np.divmod(np.arange(cells * cells), cells)
    a = row * (cells + 1) + column
    sheet = np.concatenate((np.stack((a, a + 1, a + cells + 2), 1), np.stack((a, a + cells + 2, a + cells + 1), 1)))
    positions = np.concatenate((flat, flat[:, [0, 2, 1]]))
    triangles = np.concatenate((sheet, sheet + len(flat))).astype(np.int32)
    return build_mesh(Soup(positions, triangles, colors=(positions / 20 + 0.5).astype(np.float32), unit_mm=1.0))


def bits(mesh: Mesh) -> dict[str, bytes]:
    """All arrays of a mesh to the bit."""
    names = ("triangles", "normals", "uv", "uv_vertex", "corner_uv", "triangle_material")
    arrays = {name: getattr(mesh, name) for name in (*ATTRIBUTES, *names, "file_vertex", "file_triangle", "moved")}
    return {name: b"" if array is None else array.tobytes() for name, array in arrays.items()}


def assert_sound(mesh: Mesh) -> None:
    """Everything that `app.mesh` promises about a mesh."""
    count, triangles = mesh.vertex_count, mesh.triangles
    assert mesh.positions.dtype == mesh.normals.dtype == mesh.mask.dtype == np.float32
    assert triangles.dtype == np.int32
    assert mesh.positions.flags.c_contiguous
    assert triangles.flags.c_contiguous
    assert np.isfinite(mesh.positions).all()
    assert np.array_equal(np.unique(triangles), np.arange(count))
    assert (np.diff(triangles.min(axis=1)) >= 0).all()
    assert len(np.unique(mesh.positions + np.float32(0), axis=0)) == count
    assert sorted(mesh.file_vertex.tolist()) == list(range(count))
    assert sorted(mesh.file_triangle.tolist()) == list(range(len(triangles)))
    assert mesh.triangle_material.shape == (len(triangles),)
    assert mesh.triangle_material.max(initial=0) < len(mesh.materials)
    assert 0 <= mesh.mask.min() <= mesh.mask.max() <= 1
    if mesh.colors is not None:
        assert mesh.colors.shape == (count, 3)
        assert np.isfinite(mesh.colors).all()
        assert 0 <= mesh.colors.min() <= mesh.colors.max() <= 1
    if mesh.uv is not None:
        assert mesh.uv_vertex is not None
        assert mesh.corner_uv is not None
        assert (np.diff(mesh.uv_vertex) >= 0).all()
        assert np.array_equal(mesh.uv_vertex[mesh.corner_uv], triangles)
        assert np.isfinite(mesh.uv).all()
    fresh = Topology.of(triangles, count)
    for name in ("triangle_offsets", "vertex_triangles", "ring_offsets", "ring", "boundary"):
        assert np.array_equal(getattr(fresh, name), getattr(mesh.topology, name)), name
    chunks = Chunks.of(mesh.positions, triangles)
    assert np.array_equal(chunks.lower, mesh.chunks.lower)
    assert np.array_equal(chunks.upper, mesh.chunks.upper)
    np.testing.assert_allclose(mesh.normals, vertex_normals(mesh.positions, triangles, fresh), atol=1e-4)


def judge(mesh: Mesh) -> trimesh.Trimesh:
    """The same mesh in trimesh, as it is."""
    return trimesh.Trimesh(mesh.positions.astype(np.float64), mesh.triangles, process=False)


def edge_uses(triangles: np.ndarray) -> np.ndarray:
    """(E,) how many triangles each edge has; counted by sorting, not by our own tables."""
    edges = np.sort(np.concatenate((triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]])), axis=1)
    return np.unique(edges, axis=0, return_counts=True)[1]


def areas(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) float64, mm²."""
    corners = positions[triangles].astype(np.float64)
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


def smallest_angles(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) radians."""
    corners = positions[triangles].astype(np.float64)
    angles = []
    for k in range(3):
        u, v = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        angles.append(np.arctan2(np.linalg.norm(np.cross(u, v), axis=1), np.einsum("ij,ij->i", u, v)))
    return np.min(angles, axis=0)


def hausdorff(first: Mesh, second: Mesh, samples: int = 20_000) -> float:
    """Largest distance between two surfaces, mm, seen from both, by PyMeshLab from vertices, edges and faces."""
    judges = pymeshlab.MeshSet()
    for mesh in (first, second):
        judges.add_mesh(pymeshlab.Mesh(mesh.positions.astype(np.float64), mesh.triangles))
    whole = pymeshlab.PercentageValue(100)
    return max(
        judges.get_hausdorff_distance(
            sampledmesh=one, targetmesh=1 - one, sampleedge=True, sampleface=True, samplenum=samples, maxdist=whole
        )["max"]
        for one in (0, 1)
    )
