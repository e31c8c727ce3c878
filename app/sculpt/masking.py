"""Masks over the whole mesh: what a mask becomes, and which vertices a rule selects.

Functions take a mesh and return new values, (V,) float32 from 0 to 1; `write` makes them one undo step. Selections (by
cavity, colour, normal, connection, outline) are put on top of a mask with `added`, or taken off it with `removed`.
What does not live here: painting a mask (`app.tools.mask`), face sets and hiding (`face_sets`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.errors import LikenessError
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.sculpt.automask import cavity, parts
from app.sculpt.history import History

# A vertex counts as masked from here on, where it is one or the other.
MASKED_FROM = 0.5
_BLOCK = 4096
_NORMAL_FADE = 10.0  # degrees
# A lasso's edges are sorted into so many rows at the most, so that a long one takes no longer.
_MOST_ROWS = 1024
# CIE 15:2004 with D65 white, and sRGB's primaries (IEC 61966-2-1).
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
) / np.array([[0.95047], [1.0], [1.08883]])
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


@dataclass(frozen=True)
class Change:
    """A change of a whole attribute, as a menu offers it.

    values: mesh -> (V,) float32, all values of the attribute; raises LikenessError for what cannot be.
    nothing: what to say where that changes nothing.
    """

    label: str
    attribute: str
    values: Callable[[Mesh], np.ndarray]
    nothing: str


def write(history: History, mesh: Mesh, label: str, attribute: str, values: np.ndarray) -> bool:
    """Give a whole attribute new values, (V,) float32, as one undo step; False where that changes nothing.

    Hidden vertices keep their mask and face set: what is not seen is not edited. A value that is not a number, of a
    vertex that is nowhere, leaves the present one.
    """
    present = mesh.attribute(attribute)
    if attribute != "hidden" and mesh.hidden.any():
        values = np.where(mesh.hidden != 0, present, values)
    changed = np.flatnonzero((values != present) & (values == values)).astype(np.int32)
    if not len(changed):
        return False
    with history.record(label) as recorder:
        recorder.capture(attribute, changed)
        present[changed] = values[changed]
        mesh.touched(attribute, changed)
    return True


def inverted(mesh: Mesh) -> np.ndarray:
    """What was protected is free, and the other way round."""
    return np.float32(1) - mesh.mask


def cleared(mesh: Mesh) -> np.ndarray:
    """Nothing is protected."""
    return np.zeros_like(mesh.mask)


def grown(mesh: Mesh) -> np.ndarray:
    """One ring larger: each vertex takes the greatest value of itself and its ring."""
    return _over_rings(_ring_maximum, mesh, mesh.mask)


def shrunk(mesh: Mesh) -> np.ndarray:
    """One ring smaller: each vertex takes the least value of itself and its ring."""
    return np.float32(1) - _over_rings(_ring_maximum, mesh, np.float32(1) - mesh.mask)


def blurred(mesh: Mesh) -> np.ndarray:
    """Each vertex takes the mean of itself and its ring."""
    return _over_rings(_ring_mean, mesh, mesh.mask)


def sharpened(mesh: Mesh) -> np.ndarray:
    """Steeper edges: 3 m^2 - 2 m^3, which keeps 0, one half and 1; at one half the slope grows by half."""
    mask = mesh.mask
    return mask * mask * (np.float32(3) - np.float32(2) * mask)


def added(mesh: Mesh, selection: np.ndarray) -> np.ndarray:
    """The mask with a selection on top: the greater of the two."""
    return np.maximum(mesh.mask, selection)


def removed(mesh: Mesh, selection: np.ndarray) -> np.ndarray:
    """The mask without a selection: at most 1 - selection."""
    return np.minimum(mesh.mask, np.float32(1) - selection)


def by_cavity(mesh: Mesh, *, ridges: bool = False) -> np.ndarray:
    """Hollows, as deep as `automask.cavity` says; or the ridges."""
    depth = cavity(mesh)
    return np.maximum(-depth if ridges else depth, np.float32(0))


def by_color(mesh: Mesh, color: np.ndarray, tolerance: float) -> np.ndarray:
    """Vertices whose colour is at most `tolerance` from a colour, fading out to twice that distance.

    color: (3,) sRGB, 0 to 1. The distance is CIELAB's (CIE 1976), where 2 is just visible and black to white is 100.
    Raises LikenessError where the vertices have no colours.
    """
    if mesh.colors is None:
        what = "keeps its colour in a texture" if mesh.has_texture else "has no colours on its vertices"
        advice = "Move the texture's colour onto the vertices first" if mesh.has_texture else "Add vertex colours"
        raise LikenessError(f"The mask by colour looks at vertices, and this model {what}", advice=advice)
    out = np.empty(mesh.vertex_count, np.float32)
    _color_distances(mesh.colors, np.asarray(color, np.float64).clip(0, 1), _TO_XYZ, out)
    return (np.float32(2) - out / np.float32(tolerance)).clip(0, 1)


def by_normal(mesh: Mesh, direction: np.ndarray, angle: float) -> np.ndarray:
    """Vertices whose normal is at most `angle` degrees off a direction, (3,), fading out over 10 degrees more."""
    mesh.refresh()
    way = np.asarray(direction, np.float64)
    cosines = mesh.normals @ (way / np.linalg.norm(way)).astype(np.float32)
    degrees = np.degrees(np.arccos(cosines.clip(-1, 1)))
    return (np.float32(1) - (degrees - np.float32(angle)) / np.float32(_NORMAL_FADE)).clip(0, 1)


def by_connection(mesh: Mesh, vertex: int) -> np.ndarray:
    """All that hangs together with a vertex."""
    numbers = parts(mesh)
    return (numbers == numbers[vertex]).astype(np.float32)


def by_outline(places: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Vertices whose places on the screen, (V, 2), lie within an outline, (n, 2), by the even-odd rule.

    A place that is not finite, such as one behind the eye, is outside.
    """
    out = np.zeros(len(places), np.float32)
    corners = np.ascontiguousarray(outline, np.float64)
    if len(corners):
        low, high = corners[:, 1].min(), corners[:, 1].max()
        rows = min(len(corners), _MOST_ROWS)
        scale = rows / (high - low) if high > low else 0.0
        offsets, edges = _edges_by_row(corners, low, scale, rows)
        _inside(np.ascontiguousarray(places, np.float64), corners, low, scale, offsets, edges, out)
    return out


def _over_rings(kernel: Any, mesh: Mesh, values: np.ndarray) -> np.ndarray:
    out = np.empty(mesh.vertex_count, np.float32)
    kernel(values, mesh.topology.ring_offsets, mesh.topology.ring, out)
    return out


@parallel_kernel
def _ring_maximum(values, offsets, ring, out):
    for block in prange((len(values) + _BLOCK - 1) // _BLOCK):
        for v in range(block * _BLOCK, min(len(values), (block + 1) * _BLOCK)):
            most = values[v]
            for k in range(offsets[v], offsets[v + 1]):
                most = max(most, values[ring[k]])
            out[v] = most


@parallel_kernel
def _ring_mean(values, offsets, ring, out):
    for block in prange((len(values) + _BLOCK - 1) // _BLOCK):
        for v in range(block * _BLOCK, min(len(values), (block + 1) * _BLOCK)):
            total = values[v]
            for k in range(offsets[v], offsets[v + 1]):
                total += values[ring[k]]
            out[v] = total / np.float32(offsets[v + 1] - offsets[v] + 1)


@inline_kernel
def _lab(red, green, blue, to_xyz, out):
    """sRGB to CIELAB."""
    linear = (_linear(red), _linear(green), _linear(blue))
    for k in range(3):
        part = to_xyz[k, 0] * linear[0] + to_xyz[k, 1] * linear[1] + to_xyz[k, 2] * linear[2]
        out[k] = np.cbrt(part) if part > _EPSILON else (_KAPPA * part + 16.0) / 116.0
    x, y, z = out[0], out[1], out[2]
    out[0], out[1], out[2] = 116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)


@inline_kernel
def _linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@parallel_kernel
def _color_distances(colors, color, to_xyz, out):
    for block in prange((len(colors) + _BLOCK - 1) // _BLOCK):
        wanted, found = np.empty(3), np.empty(3)
        _lab(color[0], color[1], color[2], to_xyz, wanted)
        for v in range(block * _BLOCK, min(len(colors), (block + 1) * _BLOCK)):
            _lab(np.float64(colors[v, 0]), np.float64(colors[v, 1]), np.float64(colors[v, 2]), to_xyz, found)
            light, a, b = found[0] - wanted[0], found[1] - wanted[1], found[2] - wanted[2]
            out[v] = np.sqrt(light * light + a * a + b * b)


@inline_kernel
def _row(y, low, scale, rows):
    """The row of an outline in which a height lies; it rises with the height, as an edge does."""
    return min(max(int((y - low) * scale), 0), rows - 1)


@kernel
def _edges_by_row(outline, low, scale, rows):
    """Which edges, by the number of their second corner, reach into each of so many rows. CSR: (rows + 1,), (n,)."""
    offsets = np.zeros(rows + 2, np.int64)
    for i in range(len(outline)):
        a, b = _row(outline[i - 1, 1], low, scale, rows), _row(outline[i, 1], low, scale, rows)
        for row in range(min(a, b), max(a, b) + 1):
            offsets[row + 2] += 1
    offsets = np.cumsum(offsets)
    edges = np.empty(offsets[-1], np.int64)
    for i in range(len(outline)):
        a, b = _row(outline[i - 1, 1], low, scale, rows), _row(outline[i, 1], low, scale, rows)
        for row in range(min(a, b), max(a, b) + 1):
            edges[offsets[row + 1]] = i
            offsets[row + 1] += 1
    return offsets[:-1], edges


@parallel_kernel
def _inside(places, outline, low, scale, offsets, edges, out):
    """Crossings of a ray to the right: W. Randolph Franklin, PNPOLY; only of edges that reach into the place's row."""
    low_x, high_x = outline[:, 0].min(), outline[:, 0].max()
    low_y, high_y = outline[:, 1].min(), outline[:, 1].max()
    rows = len(offsets) - 1
    for block in prange((len(places) + _BLOCK - 1) // _BLOCK):
        for v in range(block * _BLOCK, min(len(places), (block + 1) * _BLOCK)):
            x, y = places[v, 0], places[v, 1]
            if not (low_x <= x <= high_x and low_y <= y <= high_y):
                continue
            inside = False
            row = _row(y, low, scale, rows)
            for k in range(offsets[row], offsets[row + 1]):
                i = edges[k]
                j = i - 1 if i > 0 else len(outline) - 1
                if (outline[i, 1] > y) != (outline[j, 1] > y):
                    slope = (outline[j, 0] - outline[i, 0]) / (outline[j, 1] - outline[i, 1])
                    if x < outline[i, 0] + (y - outline[i, 1]) * slope:
                        inside = not inside
            if inside:
                out[v] = 1
