"""Changes of a whole mesh that move its vertices only: scale, rotate, place on the ground.

Each returns a new mesh that shares everything a brush cannot change (triangles, topology, texture coordinates), and
owns everything it can, so the old mesh stays exactly as it was for undo.
"""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.chunks import Chunks
from app.mesh.mesh import Mesh

_ORTHONORMAL_TOLERANCE = 1e-6


def scaled(mesh: Mesh, factor: float) -> Mesh:
    """Scale about the origin. factor: finite and above zero, else InvalidInput."""
    if not (np.isfinite(factor) and factor > 0):
        raise InvalidInput(f"a model cannot be scaled by {factor:g}", "", "Give a factor above zero")
    return with_positions(mesh, (mesh.positions * np.float64(factor)).astype(np.float32), mesh.normals.copy())


def scaled_to_height(mesh: Mesh, height_mm: float) -> Mesh:
    """Scale so that the extent along z is `height_mm`. InvalidInput for a height of zero, or a flat mesh."""
    height = float(mesh.size()[2])
    if not height > 0:
        raise InvalidInput("a model without height cannot be given one", "", "Turn it upright first")
    if not (np.isfinite(height_mm) and height_mm > 0):
        raise InvalidInput(f"{height_mm:g} mm is not a height", "", "Give a height above zero")
    return scaled(mesh, height_mm / height)


def rotated(mesh: Mesh, rotation: np.ndarray) -> Mesh:
    """Rotate about the origin. rotation: (3, 3), applied to column vectors; InvalidInput unless a pure rotation."""
    rotation = np.asarray(rotation, np.float64)
    orthonormal = rotation.shape == (3, 3) and np.allclose(
        rotation @ rotation.T, np.eye(3), rtol=0, atol=_ORTHONORMAL_TOLERANCE
    )
    if not orthonormal or np.linalg.det(rotation) < 0:
        raise InvalidInput("the matrix is not a rotation", "", "Give orthonormal axes of a right-handed system")
    turn = rotation.T
    return with_positions(
        mesh, (mesh.positions @ turn).astype(np.float32), np.ascontiguousarray((mesh.normals @ turn).astype(np.float32))
    )


def placed_on_ground(mesh: Mesh) -> Mesh:
    """Move so that the bounding box is centred over the origin and the lowest point has z = 0."""
    lower, upper = mesh.bounds()
    shift = np.array([(lower[0] + upper[0]) / 2, (lower[1] + upper[1]) / 2, lower[2]])
    return with_positions(mesh, (mesh.positions - shift).astype(np.float32), mesh.normals.copy())


def with_positions(mesh: Mesh, positions: np.ndarray, normals: np.ndarray | None = None) -> Mesh:
    """The same mesh with its vertices elsewhere. positions: (V, 3), mm; normals: (V, 3), by default computed anew."""
    old = mesh.chunks
    chunks = Chunks(old.vertex_offsets, old.triangle_offsets, old.size)
    chunks.refresh(positions, np.arange(chunks.count))
    chunks.moved[:] = 0
    return Mesh(
        np.ascontiguousarray(positions, np.float32),
        mesh.triangles,
        colors=None if mesh.colors is None else mesh.colors.copy(),
        original_colors=mesh.original_colors,
        mask=mesh.mask.copy(),
        face_sets=mesh.face_sets.copy(),
        hidden=mesh.hidden.copy(),
        uv=mesh.uv,
        uv_vertex=mesh.uv_vertex,
        corner_uv=mesh.corner_uv,
        triangle_material=mesh.triangle_material,
        materials=mesh.materials,
        file_vertex=mesh.file_vertex,
        file_triangle=mesh.file_triangle,
        topology=mesh.topology,
        chunks=chunks,
        normals=normals,
    )
