"""Bodies put together and cut by manifold3d, with every new triangle lying on an old one, so colour follows exactly.

manifold3d takes closed, oriented manifolds only and gives such back. Each triangle goes in with its number as face id
and comes out with it, whatever it was cut into.
"""

from __future__ import annotations

import numpy as np
from manifold3d import Error, Manifold, OpType
from manifold3d import Mesh as ManifoldMesh

from app.errors import InvalidInput
from app.mesh.edges import Edges
from app.operations.parts import Parts
from app.operations.surface import Surface

_ADVICE = 'Run "Clean up" first'


def why_not_solid(surface: Surface) -> str | None:
    """Why a surface is no closed, oriented manifold, or None where it is one."""
    edges = Edges.of(surface.triangles)
    uses = edges.uses
    if (uses == 1).any():
        return f"it has {int((uses == 1).sum()):,} open edges"
    if (uses > 2).any():
        return f"it has {int((uses > 2).sum()):,} non-manifold edges"
    pairs = edges.pairs()
    start = surface.triangles.ravel()
    if (start[pairs[:, 0]] == start[pairs[:, 1]]).any():
        return "some of its triangles face inward"
    return None


def solid(surface: Surface, rows: np.ndarray) -> Manifold:
    """A body of these triangles of a surface; rows: (n,) int, ascending. Raises InvalidInput where they are none."""
    used, triangles = np.unique(surface.triangles[rows], return_inverse=True)
    body = Manifold(
        ManifoldMesh(
            vert_properties=np.ascontiguousarray(surface.positions[used], np.float32),
            tri_verts=triangles.reshape(-1, 3).astype(np.uint32),
            run_index=np.array([0, 3 * len(rows)], np.uint32),
            run_original_id=np.array([Manifold.reserve_ids(1)], np.uint32),
            face_id=np.asarray(rows, np.uint32),
        )
    )
    if body.status() != Error.NoError:
        raise InvalidInput("the surface is not a closed body", "", _ADVICE)
    return body


def surface_of(body: Manifold, source: Surface) -> Surface:
    """The body's triangles, with the attributes of those of `source` that they lie on."""
    made = body.to_mesh()
    triangles = np.asarray(made.tri_verts).reshape(-1, 3).astype(np.int32)
    positions = np.ascontiguousarray(np.asarray(made.vert_properties)[:, :3], np.float32)
    return source.rebuilt(positions, triangles, np.asarray(made.face_id, np.int64))


def bodies(surface: Surface) -> list[Manifold]:
    """A body for each shell that faces outward, with the cavities in it. Raises InvalidInput where one is not closed.

    A shell that faces inward belongs to the smallest one that it lies in.
    """
    parts = Parts.of(surface)
    owner = np.arange(parts.count)
    for cavity in np.flatnonzero(parts.volume < 0):
        outer = np.flatnonzero((parts.volume > -parts.volume[cavity]) & ~parts.is_open)
        around = [part for part in outer.tolist() if parts.inside(int(cavity), parts.body(owner == part))]
        if not around:
            raise InvalidInput("a part of the surface is inside out", "", 'Run "Face outward" first')
        owner[cavity] = min(around, key=lambda part: parts.volume[part])
    of_triangle = owner[parts.shell]
    return [solid(surface, np.flatnonzero(of_triangle == part)) for part in np.unique(owner)]


def united(surface: Surface) -> Surface:
    """All shells as one body without what lies within. Raises InvalidInput where a shell is not closed."""
    return surface_of(Manifold.batch_boolean(bodies(surface), OpType.Add), surface)


def less(surface: Surface, body: np.ndarray, tool: np.ndarray) -> Surface:
    """One part of a surface without another. body, tool: (n,) int triangles of each. Raises InvalidInput."""
    return surface_of(solid(surface, body) - solid(surface, tool), surface)
