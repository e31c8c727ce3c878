"""A surface that goes through itself becomes the outside of what it encloses.

All triangles are cut where they meet, and those stay that have outside on one side and inside on the other (Zhou,
Grinspun, Zorin and Jacobson, "Mesh arrangements for solid geometry", 2016), in exact arithmetic. manifold3d cannot do
this: it resolves crossings between bodies, not within one. libigl can, and comes with PyMeshLab.
"""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.bvh import Bvh
from app.mesh.edges import names_twice
from app.operations.repair import size_of
from app.operations.surface import Surface


def untangled(surface: Surface) -> Surface:
    """The outside of what the surface encloses. Raises InvalidInput where it is not closed.

    Points where triangles cross are rounded to float32, which can make tiny new crossings and double triangles.
    """
    # Not at the top: it brings libraries of its own that must not be loaded beside the window's. And only on the main
    # thread, which a worker has: run on another one, its exact arithmetic spoils the memory when the process ends.
    import pymeshlab

    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(surface.positions.astype(np.float64), surface.triangles))
    # The library unites two meshes; the second is a tetrahedron far beside the first.
    far = surface.positions.max(axis=0).astype(np.float64) + 10 * size_of(surface.positions)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64) * size_of(surface.positions) + far
    meshes.add_mesh(pymeshlab.Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])))
    try:
        meshes.generate_boolean_union(first_mesh=0, second_mesh=1)
    except pymeshlab.PyMeshLabException as error:
        what = "crossings can only be resolved on a closed surface"
        raise InvalidInput(what, "", 'Close the holes first, or use "Voxel remesh"') from error
    made = meshes.current_mesh()
    positions, triangles = made.vertex_matrix(), made.face_matrix().astype(np.int32)
    own = (positions[triangles] <= far - size_of(surface.positions)).any(axis=(1, 2))
    # Points that rounding puts at one place become one vertex.
    rows = np.ascontiguousarray(positions.astype(np.float32) + np.float32(0)).view("V12").ravel()
    _, first, same = np.unique(rows, return_index=True, return_inverse=True)
    welded = same[triangles[own]].astype(np.int32)
    return _on(surface, positions[first].astype(np.float32), welded[~names_twice(welded)])


def _on(surface: Surface, positions: np.ndarray, triangles: np.ndarray) -> Surface:
    """Triangles that lie on those of a surface, with their attributes."""
    corners = positions[triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    tree = Bvh.of(surface.positions, surface.triangles)
    # Where two skins touch, the one that faces the same way is the right one.
    found = tree.closest(
        corners.mean(axis=1).astype(np.float32),
        facing=normals.astype(np.float32),
        away_mm=1e-3 * size_of(surface.positions),
    )
    return surface.rebuilt(positions, triangles, found.triangle.astype(np.int64))
