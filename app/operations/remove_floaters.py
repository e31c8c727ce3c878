"""Remove floaters: small bits beside the figure, as generators and scanners leave them."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.operations.operation import Number, Progress, Result, Toggle, operation
from app.operations.parts import Parts
from app.operations.surface import Surface
from app.operations.wording import counted

# Nearer than this part of the model's height, a bit is taken for a part of it.
_TOUCHING = 1e-3
# Bits that touch bits that touch the figure: so many links are followed.
_LINKS = 4


def _one_shell(mesh: Mesh) -> str | None:
    return None if mesh.triangle_count > 1 else "There is only one triangle. Open a model first."


@operation(
    id="remove_floaters",
    label="Remove floaters",
    group="Clean",
    tooltip="Removes small shells that float beside the figure",
    parameters=(
        Number("share", "Smaller than", "%", 0.0, 50.0, 1.0, "Shells with less surface than this part of the largest"),
        Number("size", "Or shorter than", "mm", 0.0, 100.0, 2.0, "Shells whose longest side is less than this"),
        Toggle("keep_touching", "Keep what touches", True, "Bits that touch or reach into the figure, as eyes, stay"),
    ),
    precondition=_one_shell,
    safe=True,
    order=50,
)
def remove_floaters(mesh: Mesh, progress: Progress, *, share: float, size: float, keep_touching: bool) -> Result:
    surface = Surface.of(mesh)
    progress(0.1, "Measuring shells")
    parts = Parts.of(surface)
    floating = floaters(parts, share / 100, size, keep_touching=keep_touching)
    if not floating.any():
        return Result(surface.mesh(), ["No floaters found."])
    gone = parts.rows(floating)
    progress(0.8, "Putting the mesh together")
    note = f"{counted(int(floating.sum()), 'floater')} with {counted(len(gone), 'triangle')} removed."
    return Result(surface.kept(parts.rows(~floating)).mesh(), [note])


def floaters(parts: Parts, share: float, size: float, *, keep_touching: bool) -> np.ndarray:
    """(count,) bool: shells with less than `share` of the largest's area, or shorter than `size` mm."""
    small = (parts.area < share * parts.area[parts.largest]) | (parts.extent < size)
    small[parts.largest] = False
    if not keep_touching:
        return small
    near = _TOUCHING * float((parts.upper.max(axis=0) - parts.lower.min(axis=0)).max())
    for _ in range(_LINKS):
        kept = parts.body(~small)
        found = [part for part in np.flatnonzero(small).tolist() if parts.touches(part, kept, near)]
        small[found] = False
        if not found:
            break
    return small
