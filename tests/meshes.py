"""Small meshes for tests, in millimetres, Z up. Soups are as a file would deliver them; Mesh is what a brush works on.

Every factory is deterministic and its facts (counts, volume) are known by hand, so that a test needs no second opinion.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture


def cube_soup(edge: float = 20.0, *, split: bool = False) -> Soup:
    """A cube around the origin: 8 vertices, 12 triangles, volume edge^3. split: one vertex per corner, as STL has."""
    corners = np.array([(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)], np.float32) - 0.5
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    positions = corners * np.float32(edge)
    if split:
        positions, triangles = positions[triangles.ravel()], np.arange(36, dtype=np.int32).reshape(12, 3)
    return Soup(positions, triangles, unit_mm=1.0)


def icosphere_soup(subdivisions: int = 3, radius: float = 10.0) -> Soup:
    """A closed sphere with 20 * 4^n triangles and 10 * 4^n + 2 vertices, all at exactly `radius` up to float32."""
    golden = (1 + 5**0.5) / 2
    corner = np.array([(0, one, other) for one in (-1, 1) for other in (-golden, golden)])
    points = np.concatenate([np.roll(corner, turn, axis=1) for turn in range(3)])
    points /= np.linalg.norm(points[0])
    triangles = ConvexHull(points).simplices
    inward = np.linalg.det(points[triangles]) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    for _ in range(subdivisions):
        points, triangles = _split_in_four(points, triangles)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return Soup((points * radius).astype(np.float32), triangles.astype(np.int32), unit_mm=1.0)


def grid_soup(cells: int = 20, size: float = 20.0) -> Soup:
    """A flat open square around the origin, z = 0, facing up: 2 * cells^2 triangles, 4 * cells open edges."""
    ticks = np.linspace(-size / 2, size / 2, cells + 1)
    x, y = np.meshgrid(ticks, ticks)
    positions = np.stack((x.ravel(), y.ravel(), np.zeros(x.size)), axis=1).astype(np.float32)
    row, column = np.divmod(np.arange(cells * cells), cells)
    a = row * (cells + 1) + column
    b, c, d = a + 1, a + cells + 2, a + cells + 1
    triangles = np.concatenate((np.stack((a, b, c), axis=1), np.stack((a, c, d), axis=1))).astype(np.int32)
    return Soup(positions, triangles, unit_mm=1.0)


def textured_soup(segments: int = 32, rings: int = 16, radius: float = 10.0) -> Soup:
    """A closed sphere as GLB has it: vertices split along the texture seam and the poles; 2 * segments * (rings - 1)
    triangles. The texture is 64 x 32 pixels: red grows with u, green with v (from below), blue is 128.
    """
    u, v = np.meshgrid(np.linspace(0, 1, segments + 1), np.linspace(0, 1, rings + 1))
    longitude, latitude = 2 * np.pi * (u % 1.0), np.pi * (v - 0.5)
    width = np.where((v == 0) | (v == 1), 0.0, np.cos(latitude))
    points = np.stack((width * np.cos(longitude), width * np.sin(longitude), np.sin(latitude)), axis=-1) * radius
    row, column = np.divmod(np.arange(segments * rings), segments)
    a = row * (segments + 1) + column
    b, c, d = a + 1, a + segments + 2, a + segments + 1
    lower, upper = np.stack((a, b, c), axis=1)[row > 0], np.stack((a, c, d), axis=1)[row < rings - 1]
    triangles = np.concatenate((lower, upper)).astype(np.int32)
    across, down = np.meshgrid(np.linspace(0, 255, 64), np.linspace(255, 0, 32))
    pixels = np.stack((across, down, np.full_like(across, 128)), axis=-1).round().astype(np.uint8)
    return Soup(
        points.reshape(-1, 3).astype(np.float32),
        triangles,
        uv=np.stack((u.ravel(), v.ravel()), axis=1).astype(np.float32),
        corner_uv=triangles.copy(),
        materials=[Material("ball", texture=Texture.from_pixels(pixels, "ball"))],
        unit_mm=1.0,
    )


def sphere(subdivisions: int = 3, radius: float = 10.0, *, colored: bool = False) -> Mesh:
    """An icosphere to sculpt on; 4 gives 5,120 triangles, 6 gives 81,920. colored: mid grey vertex colours."""
    soup = icosphere_soup(subdivisions, radius)
    if colored:
        soup.colors = np.full((len(soup.positions), 3), 0.5, np.float32)
    return build_mesh(soup)


def grid(cells: int = 20, size: float = 20.0) -> Mesh:
    """A flat open square to sculpt on, facing up."""
    return build_mesh(grid_soup(cells, size))


def _split_in_four(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = np.sort(np.concatenate((triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]])), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (index.reshape(3, -1) + len(points)).astype(np.int64)
    a, b, c = triangles.T
    split = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    middles = points[unique].mean(axis=1)
    return np.concatenate((points, middles)), np.concatenate([np.stack(part, axis=1) for part in split])
