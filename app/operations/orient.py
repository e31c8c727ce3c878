"""Orient: all triangles of a shell face the same way, and outward."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.operations.operation import Progress, Result, Toggle, operation
from app.operations.parts import Parts
from app.operations.repair import facing_one_way
from app.operations.surface import Surface
from app.operations.wording import said

# Rays to tell the outside of an open shell from its inside, and how far they start off the surface, of its size.
_RAYS = 2000
_OFF = 1e-4


@operation(
    id="orient",
    label="Face outward",
    group="Clean",
    tooltip="Turns triangles over until each shell faces one way, outward",
    parameters=(
        Toggle(
            "keep_cavities", "Keep cavities", True, "Shells inside others that face inward stay so: they are hollows"
        ),
    ),
    safe=True,
    order=40,
)
def orient(mesh: Mesh, progress: Progress, *, keep_cavities: bool) -> Result:
    surface, turned, one_sided = outward(Surface.of(mesh), keep_cavities=keep_cavities, progress=progress)
    notes = said((turned, "triangle", "turned over.")) or ["All faced outward already."]
    notes += said((one_sided, "part", 'with only one side, like a Möbius strip: "Make manifold" cuts them open.'))
    return Result(surface.mesh(), notes)


def outward(surface: Surface, *, keep_cavities: bool, progress: Progress) -> tuple[Surface, int, int]:
    """Returns the surface, how many triangles were turned over, and how many sheets have only one side.

    A closed shell faces outward when its volume is positive; an open one when most rays from its front reach the open.
    """
    progress(0.0, "Turning neighbours the same way")
    before = surface.triangles
    surface, _, one_sided = facing_one_way(surface)
    progress(0.4, "Turning shells outward")
    parts = Parts.of(surface)
    inward = (parts.volume < 0) & ~parts.is_open
    if keep_cavities and inward.any() and parts.count > 1:
        inward &= ~parts.buried()
    for part in np.flatnonzero(parts.is_open).tolist():
        inward[part] = _faces_inward(parts, part)
    surface = surface.flipped(inward[parts.shell])
    return surface, int((surface.triangles != before).any(axis=1).sum()), one_sided


def _faces_inward(parts: Parts, part: int) -> bool:
    """Whether more rays get away from the back of an open shell than from its front; by volume where none decides."""
    rows = np.flatnonzero(parts.shell == part)
    rows = rows[:: max(1, len(rows) // _RAYS)]
    surface = parts.surface
    a, b, c = (surface.positions[surface.triangles[rows, k]].astype(np.float64) for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    proper = length > 0
    normal, middle, weight = normal[proper] / length[proper, None], ((a + b + c) / 3)[proper], length[proper]
    tree = parts.body(np.arange(parts.count) == part).tree
    off = _OFF * float(parts.extent[part]) * normal
    front = tree.first_hits(middle + off, normal).triangle < 0
    back = tree.first_hits(middle - off, -normal).triangle < 0
    balance = float((weight * (front.astype(float) - back)).sum())
    return balance < 0 if balance != 0 else bool(parts.volume[part] < 0)
