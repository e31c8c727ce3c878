"""Intake triage: what is wrong or doubtful about a model that was just opened, where it is, and what mends it.

What lives here: the list of findings. What does not: judging a finished model against a printer (`app.preflight`), and
the mending (each finding names an operation; "Clean up" does all the safe ones as one step).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.errors import LimitExceeded
from app.formats.opening import PLAUSIBLE_HEIGHT_MM, Opened
from app.mesh.cutting import fans, mates
from app.mesh.edges import Edges, names_twice, open_loops
from app.mesh.mesh import Mesh
from app.mesh.orientation import facing
from app.mesh.self_intersection import self_intersections
from app.operations.appearance_hints import color_findings
from app.operations.operation import Progress, no_progress
from app.operations.parts import Parts
from app.operations.remove_floaters import floaters
from app.operations.repair import areas, double_triangles, flat_triangles
from app.operations.surface import Surface
from app.operations.wording import counted

PROBLEM, DOUBT, NOTE = "problem", "doubt", "note"

# Formats that say which way is up; the others are taken as their makers usually have it.
_SAYS_UP = ("gltf", "glb", "3mf", "fbx", "usd", "dae")
# Not even so much of the longest side upright: a figure that lies down.
_LYING = 0.75
_FLOATER_SHARE, _FLOATER = 0.01, 0.013
_DEFAULT_HEIGHT_MM = 150.0


@dataclass(frozen=True, eq=False)
class Finding:
    """One row of the triage.

    id: what kind. severity: PROBLEM (will not print), DOUBT (ask the user) or NOTE. message: one sentence.
    triangles: (n,) int64 of the mesh, ascending, to be shown; may be empty. point: (3,) float64, mm, where to look, or
    None. fix: id of an operation, or empty; values: for it. safe: whether "Clean up" does it.
    """

    id: str
    label: str
    count: int
    severity: str
    message: str
    triangles: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    point: np.ndarray | None = None
    fix: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    safe: bool = False


def triage(
    mesh: Mesh,
    opened: Opened | None = None,
    progress: Progress = no_progress,
    *,
    crossings: Callable[[Mesh], np.ndarray] = self_intersections,
) -> list[Finding]:
    """All findings, problems first. opened: how the file was read, if the mesh comes from one.

    crossings: finds (k, 2) pairs of triangles that go through each other.
    """
    if not mesh.triangle_count:
        return []
    found = [*_placing(mesh, opened), *_joined_seams(mesh)]
    progress(0.1, "Looking at edges and triangles")
    found += _elements(mesh)
    progress(0.4, "Looking at shells")
    found += _shells(mesh)
    progress(0.6, "Looking for places where the surface goes through itself")
    found += _crossings(mesh, crossings)
    progress(0.9, "Looking at colours")
    found += [Finding(id_, label, count, NOTE, message) for id_, label, count, message in color_findings(mesh)]
    found += [Finding("import", "Import", 1, NOTE, note) for note in (opened.notes if opened else [])]
    rank = {PROBLEM: 0, DOUBT: 1, NOTE: 2}
    return sorted(found, key=lambda finding: rank[finding.severity])


def _placing(mesh: Mesh, opened: Opened | None) -> Iterator[Finding]:
    size = mesh.size()
    tall, longest = float(size[2]), float(size.max())
    if opened is not None and opened.format_id not in _SAYS_UP and tall < _LYING * longest:
        yield Finding(
            "up_axis",
            "Up axis",
            1,
            DOUBT,
            f"It is {tall:.4g} mm tall and {longest:.4g} mm long, and the file does not say which way is up.",
        )
    lowest, highest = PLAUSIBLE_HEIGHT_MM
    if (opened is not None and not opened.unit_known) or not lowest <= tall <= highest:
        message = f"The file does not say how tall the figure is; as it stands it is {tall:.4g} mm."
        values = {"height": _DEFAULT_HEIGHT_MM}
        yield Finding("height", "Height", 1, DOUBT, message, fix="scale_to_height", values=values)


def _joined_seams(mesh: Mesh) -> Iterator[Finding]:
    if mesh.uv is not None and mesh.corner_uv is not None:
        joined = len(np.unique(mesh.corner_uv)) - mesh.vertex_count
        if joined > 0:
            message = f"{counted(joined, 'vertex', 'vertices')} split along texture seams joined on opening."
            yield Finding("seams", "Seam-split vertices", joined, NOTE, message)


def _elements(mesh: Mesh) -> Iterator[Finding]:
    """Holes, and what is not manifold, faces the wrong way, or is no proper triangle."""
    triangles, edges = mesh.triangles, Edges.of(mesh.triangles)
    surface = Surface.bare(mesh.positions, triangles)
    loops = open_loops(triangles)
    open_halves = edges.open_halves()
    if len(open_halves):
        count = max(len(loops), 1)
        message = f"{counted(count, 'hole')} with {counted(len(open_halves), 'open edge')}."
        widest = max(loops, key=len) if loops else open_halves
        yield _at(mesh, "holes", "Holes", count, message, open_halves // 3, "close_holes", first=int(widest[0]) // 3)
    crowded = np.flatnonzero(edges.uses > 2)
    if len(crowded):
        rows = np.unique(np.concatenate([edges.halves[edges.offsets[e] : edges.offsets[e + 1]] for e in crowded]) // 3)
        message = f"{counted(len(crowded), 'edge')} with more than two triangles."
        yield _at(mesh, "non_manifold_edges", "Non-manifold edges", len(crowded), message, rows, "make_manifold")
    turned = facing(triangles, edges, areas(mesh.positions, triangles))
    if turned.flip.any():
        count = int(turned.flip.sum())
        message = f"{counted(count, 'triangle')} facing the other way than the neighbours."
        yield _at(mesh, "winding", "Flipped triangles", count, message, np.flatnonzero(turned.flip), "orient")
    if turned.one_sided.any():
        rows = np.flatnonzero(turned.one_sided[turned.sheet])
        message = "A part has only one side, like a Möbius strip; it has to be cut open."
        yield _at(mesh, "one_sided", "One-sided surface", int(turned.one_sided.sum()), message, rows, "make_manifold")
    if not turned.one_sided.any():
        yield from _touching_vertices(mesh, turned.flip)
    named_twice, doubles, flat = names_twice(triangles), double_triangles(surface), flat_triangles(surface)
    rows = np.union1d(np.flatnonzero(named_twice), flat)
    if len(rows):
        message = f"{counted(len(rows), 'triangle')} without area."
        yield _at(mesh, "degenerate", "Triangles without area", len(rows), message, rows, "make_manifold")
    rows = np.setdiff1d(doubles, np.flatnonzero(named_twice))
    if len(rows):
        message = f"{counted(len(rows), 'triangle')} lying on another one."
        yield _at(mesh, "duplicates", "Double triangles", len(rows), message, rows, "make_manifold")


def _touching_vertices(mesh: Mesh, flip: np.ndarray) -> Iterator[Finding]:
    """Vertices in which fans touch that have no edge in common."""
    oriented = np.where(flip[:, None], mesh.triangles[:, [0, 2, 1]], mesh.triangles)
    oriented = oriented[~names_twice(oriented)]
    edges = Edges.of(oriented)
    _, old = fans(oriented, mates(mesh.positions, oriented, edges, join=True), mesh.vertex_count)
    touching = np.setdiff1d(old[mesh.vertex_count :], edges.ends[edges.uses > 2])
    if len(touching):
        is_touching = np.zeros(mesh.vertex_count, bool)
        is_touching[touching] = True
        rows = np.flatnonzero(is_touching[mesh.triangles].any(axis=1))
        message = f"{counted(len(touching), 'vertex', 'vertices')} in which parts touch only in a point."
        yield _at(mesh, "non_manifold_vertices", "Non-manifold vertices", len(touching), message, rows, "make_manifold")


def _shells(mesh: Mesh) -> Iterator[Finding]:
    parts = Parts.of(Surface.bare(mesh.positions, mesh.triangles))
    inward = ~parts.is_open & (parts.volume < 0)
    buried = parts.buried() if parts.count > 1 else np.zeros(parts.count, bool)
    inside_out = inward & ~buried
    if inside_out.any():
        rows = parts.rows(inside_out)
        message = f"{counted(int(inside_out.sum()), 'shell')} inside out."
        yield _at(mesh, "inside_out", "Shells inside out", int(inside_out.sum()), message, rows, "orient")
    if buried.any():
        rows = parts.rows(buried)
        message = f"{counted(int(buried.sum()), 'shell')} wholly inside another: inner walls or buried bodies."
        yield _at(mesh, "inner", "Inner shells", int(buried.sum()), message, rows, "remove_inner_shells")
    size = float(np.linalg.norm(mesh.size()))
    bits = floaters(parts, _FLOATER_SHARE, _FLOATER * size, keep_touching=True) & ~buried
    if bits.any():
        rows = parts.rows(bits)
        message = f"{counted(int(bits.sum()), 'small shell')} floating beside the figure."
        values = {"share": 100 * _FLOATER_SHARE, "size": min(_FLOATER * size, 100.0)}
        yield _at(mesh, "floaters", "Floaters", int(bits.sum()), message, rows, "remove_floaters", values=values)


def _crossings(mesh: Mesh, find: Callable[[Mesh], np.ndarray]) -> Iterator[Finding]:
    try:
        pairs = find(mesh)
    except LimitExceeded:
        message = "The surface goes through itself nearly everywhere."
        yield Finding("crossings", "Self-intersections", 1, PROBLEM, message, fix="voxel_remesh")
        return
    if len(pairs):
        message = f"{counted(len(pairs), 'pair')} of triangles going through each other."
        rows = np.unique(pairs)
        yield _at(mesh, "crossings", "Self-intersections", len(pairs), message, rows, "resolve_self_intersections")


def _at(
    mesh: Mesh,
    id_: str,
    label: str,
    count: int,
    message: str,
    rows: np.ndarray,
    fix: str,
    *,
    first: int | None = None,
    values: dict[str, Any] | None = None,
) -> Finding:
    """A problem that "Clean up" mends; first: the triangle to look at."""
    rows = np.unique(rows).astype(np.int64)
    point = mesh.positions[mesh.triangles[rows[0] if first is None else first]].mean(axis=0, dtype=np.float64)
    return Finding(id_, label, count, PROBLEM, message, rows, point, fix, values or {}, safe=True)
