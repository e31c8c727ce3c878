"""Give sheets thickness: hair cards, leaves and cloth that are surfaces without an inside become thin bodies."""

from __future__ import annotations

import numpy as np

from app.mesh.edges import Edges
from app.mesh.mesh import Mesh
from app.mesh.normals import vertex_normals
from app.mesh.topology import Topology
from app.operations.make_manifold import manifold
from app.operations.operation import Number, Progress, Result, operation, part_of
from app.operations.parts import Parts
from app.operations.surface import Surface
from app.operations.wording import counted


def _needs_sheet(mesh: Mesh) -> str | None:
    return None if mesh.topology.boundary.any() else "It has no open edges. There is no sheet to thicken."


@operation(
    id="solidify",
    label="Give sheets thickness",
    group="Print",
    tooltip="Makes thin bodies of open shells such as hair cards and leaves; closed shells stay as they are",
    parameters=(
        Number("thickness", "Thickness", "mm", 0.1, 20.0, 1.0, "Half of it on either side of the sheet"),
        Number(
            "openness",
            "Open at least",
            "%",
            0.0,
            100.0,
            20.0,
            "Shells whose border is shorter than this part of what a flat sheet of their area has are bodies with "
            "holes, not sheets",
        ),
    ),
    precondition=_needs_sheet,
    order=15,
)
def solidify(mesh: Mesh, progress: Progress, *, thickness: float, openness: float) -> Result:
    surface, notes = manifold(Surface.of(mesh), join=True, progress=part_of(progress, 0.0, 0.4))
    progress(0.5, "Looking for sheets")
    parts = Parts.of(surface)
    chosen = sheets_of(parts, openness / 100)
    if not chosen.any():
        return Result(surface.mesh(), [*notes, "No sheets found."])
    progress(0.6, "Giving sheets thickness")
    result = thickened(surface, parts.rows(chosen), thickness)
    return Result(result.mesh(), [*notes, f"{counted(int(chosen.sum()), 'sheet')} made {thickness:g} mm thick."])


def sheets_of(parts: Parts, openness: float) -> np.ndarray:
    """(count,) bool: open shells with a border at least `openness` times as long as a disc of their area has."""
    surface = parts.surface
    halves = Edges.of(surface.triangles).open_halves()
    start = surface.triangles.ravel()[halves]
    end = surface.triangles.ravel()[3 * (halves // 3) + (halves + 1) % 3]
    length = np.linalg.norm(surface.positions[start].astype(np.float64) - surface.positions[end], axis=1)
    border = np.bincount(parts.shell[halves // 3], weights=length, minlength=parts.count)
    return parts.is_open & (border >= openness * 2 * np.sqrt(np.pi * parts.area))


def thickened(surface: Surface, rows: np.ndarray, thickness: float) -> Surface:
    """These triangles, (n,) int, as bodies: moved outward by half the thickness, with a back side and a rim."""
    sheet = surface.triangles[rows]
    count = len(surface.positions)
    normals = vertex_normals(surface.positions, sheet, Topology.of(sheet, count)) * np.float32(thickness / 2)
    used = np.zeros((count, 1), bool)
    used[sheet.ravel()] = True
    front = np.where(used, surface.positions + normals, surface.positions)
    edges = Edges.of(sheet)
    halves = edges.open_halves()
    start, end = sheet.ravel()[halves], sheet.ravel()[3 * (halves // 3) + (halves + 1) % 3]
    rim = np.concatenate(
        (np.column_stack((end, start, start + count)), np.column_stack((end, start + count, end + count)))
    )
    triangles = np.concatenate((surface.triangles, sheet[:, [0, 2, 1]] + count, rim)).astype(np.int32)
    origin = np.concatenate((np.arange(len(surface.triangles)), rows, np.tile(rows[halves // 3], 2)))
    # Colour is looked up where the points come from, before they move.
    flat = np.concatenate((surface.positions, surface.positions))
    new = surface.rebuilt(flat, triangles, origin)
    new.positions = np.concatenate((front, surface.positions - normals)).astype(np.float32)
    return new
