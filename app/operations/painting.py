"""Colour for triangles that were not there before: filled holes, caps, inner walls, stands.

On a mesh with vertex colours the new vertices are painted. On a textured mesh the new triangles get an image of their
own beside the old ones, which stay as they came: a small block of pixels for each triangle that shows the colours of
its corners and everything between; one plain material where all is one colour.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

from app.mesh.soup import Material, Texture
from app.operations.surface import Surface

# What is inside a figure: the printer's white.
INSIDE = (0.92, 0.92, 0.92)

_EIGHT_BIT = 255.0
# Pixels along the side of a triangle's block: its corners lie in the middle of the inner ones, so that an image that
# is filtered or shrunk by half does not mix blocks.
_BLOCK = 4
_INNER = (1.5, 2.5)
# Colours closer than this are one colour: half a step of an 8-bit image.
_SAME = 0.5 / _EIGHT_BIT
# Beyond so many new vertices colours are not spread smoothly: solving would take longer than the operation.
_MOST_UNKNOWN = 60_000


def painted(surface: Surface, rows: np.ndarray, looks: np.ndarray) -> Surface:
    """These triangles in these colours. rows: (n,) int, ascending; looks: (n, 3, 3) sRGB 0 to 1, one per corner.

    Vertices shared with other triangles keep their colour.
    """
    if not len(rows):
        return surface
    if surface.colors is not None:
        surface = replace(surface, colors=_vertex_colors(surface, rows, looks))
        if not surface.textured:
            return surface
    plain = looks.reshape(-1, 3).mean(axis=0)
    if surface.textured and np.abs(looks - plain).max() > _SAME:
        material, uv = _blocks(looks)
    else:
        material, uv = (
            Material("filled", (float(plain[0]), float(plain[1]), float(plain[2]))),
            np.full((len(rows), 3, 2), 0.5, np.float32),
        )
        if not surface.textured:
            return _with_nearest_material(surface, rows, looks.mean(axis=1), material)
    of_triangle, coordinates = surface.material.copy(), surface.uv
    of_triangle[rows] = len(surface.materials)
    assert coordinates is not None
    coordinates = coordinates.copy()
    coordinates[rows] = uv
    return replace(surface, uv=coordinates, material=of_triangle, materials=[*surface.materials, material])


def painted_plain(surface: Surface, rows: np.ndarray, color: tuple[float, float, float]) -> Surface:
    """These triangles in one sRGB colour, whatever the surface has for colour."""
    if surface.textured or surface.colors is not None:
        return painted(surface, rows, np.broadcast_to(np.array(color, np.float64), (len(rows), 3, 3)))
    material = surface.material.copy()
    material[rows] = len(surface.materials)
    return replace(surface, material=material, materials=[*surface.materials, Material("plain", color)])


def painted_like_surrounding(surface: Surface, rows: np.ndarray) -> Surface:
    """These triangles in colours that run smoothly from what they are joined to; see `painted`."""
    return painted(surface, rows, surrounding_looks(surface, rows)) if len(rows) else surface


def surrounding_looks(surface: Surface, rows: np.ndarray) -> np.ndarray:
    """(n, 3, 3) sRGB: colours for new triangles that continue the old ones.

    Harmonic: what is between is the mean of its neighbours. What is joined to nothing is the colour of the inside.
    """
    triangles = surface.triangles[rows]
    vertices, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3)
    known, colors = _at_border(surface, rows, vertices)
    unknown = np.flatnonzero(~known)
    if len(unknown) and len(unknown) <= _MOST_UNKNOWN and known.any():
        colors[unknown] = _harmonic(local, known, colors)
    elif len(unknown):
        colors[unknown] = colors[known].mean(axis=0) if known.any() else INSIDE
    return colors[local]


def _at_border(surface: Surface, rows: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool: vertices that old triangles use too; (n, 3): the mean colour of their old corners."""
    place = np.full(len(surface.positions), -1, np.int64)
    place[vertices] = np.arange(len(vertices))
    old = np.ones(len(surface.triangles), bool)
    old[rows] = False
    old &= (place[surface.triangles] >= 0).any(axis=1)
    touching = np.flatnonzero(old)
    corner = place[surface.triangles[touching]].ravel()
    looks = surface.looks(touching).reshape(-1, 3)[corner >= 0]
    corner = corner[corner >= 0]
    counts = np.bincount(corner, minlength=len(vertices))
    sums = np.stack([np.bincount(corner, weights=looks[:, k], minlength=len(vertices)) for k in range(3)], axis=1)
    return counts > 0, sums / np.maximum(counts, 1)[:, None]


def _harmonic(triangles: np.ndarray, known: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """(unknown, 3): values at which each unknown vertex is the mean of its neighbours."""
    starts = triangles.ravel()
    ends = triangles[:, [1, 2, 0]].ravel()
    count = len(known)
    ones = np.ones(len(starts))
    links = coo_matrix((ones, (starts, ends)), shape=(count, count)).tocsr()
    links = links + links.T
    unknown = np.flatnonzero(~known)
    # A trace of the mean keeps what hangs on no known vertex solvable.
    tiny = 1e-9
    mean = colors[known].mean(axis=0)
    degree = np.asarray(links.sum(axis=1)).ravel()[unknown] + tiny
    system = diags(degree) - links[unknown][:, unknown]
    right = links[unknown][:, np.flatnonzero(known)] @ colors[known] + tiny * mean
    return splu(system.tocsc()).solve(right)


def _vertex_colors(surface: Surface, rows: np.ndarray, looks: np.ndarray) -> np.ndarray:
    assert surface.colors is not None
    shared = np.zeros(len(surface.positions), bool)
    old = np.ones(len(surface.triangles), bool)
    old[rows] = False
    shared[surface.triangles[old].ravel()] = True
    vertices, corner = np.unique(surface.triangles[rows], return_index=True)
    fresh = ~shared[vertices]
    colors = surface.colors.copy()
    colors[vertices[fresh]] = looks.reshape(-1, 3)[corner[fresh]]
    return colors


def _with_nearest_material(surface: Surface, rows: np.ndarray, color: np.ndarray, other: Material) -> Surface:
    """Without any image: the plain material that is closest to each triangle's colour, if one is close at all."""
    base = np.array([material.base_color for material in surface.materials])
    apart = np.abs(base[None] - color[:, None]).max(axis=2)
    material = surface.material.copy()
    material[rows] = apart.argmin(axis=1)
    far = apart.min(axis=1) > 2 * _SAME
    materials = list(surface.materials)
    if far.any():
        material[rows[far]] = len(materials)
        materials.append(other)
    return replace(surface, material=material, materials=materials)


def _blocks(looks: np.ndarray) -> tuple[Material, np.ndarray]:
    """An image with a block for each triangle, and (n, 3, 2) where its corners are, origin lower left.

    Within a block colour is a linear function of the place, so that interpolating pixels gives back the triangle's own
    interpolation; corners 0, 1 and 2 are at the block's inner upper left, upper right and lower left.
    """
    count = len(looks)
    across = int(np.ceil(np.sqrt(count)))
    down = -(-count // across)
    x, y = np.meshgrid(np.arange(_BLOCK) + 0.5, np.arange(_BLOCK) + 0.5)
    low, high = _INNER
    s, t = ((axis - low) / (high - low) for axis in (x, y))
    weights = np.stack((1.0 - s - t, s, t), axis=-1)
    blocks = np.zeros((down * across, _BLOCK, _BLOCK, 3))
    blocks[:count] = np.einsum("yxk,nkc->nyxc", weights, looks)
    image = blocks.reshape(down, across, _BLOCK, _BLOCK, 3).swapaxes(1, 2).reshape(down * _BLOCK, across * _BLOCK, 3)
    pixels = (image.clip(0.0, 1.0) * _EIGHT_BIT).round().astype(np.uint8)
    row, column = np.divmod(np.arange(count), across)
    left = column[:, None] * _BLOCK + np.array([low, high, low])
    top = row[:, None] * _BLOCK + np.array([low, low, high])
    uv = np.stack((left / (across * _BLOCK), 1.0 - top / (down * _BLOCK)), axis=-1).astype(np.float32)
    return Material("filled", texture=Texture.from_pixels(pixels, "filled"), wrap="clamp"), uv
